/* aduana_cert_auth.so: client certificate -> identity. */
#include "common/broker.h"
#include "plugins/cert_auth/cert_auth.h"

ADU_BROKER_PLUGIN(adu_cert_auth_stage)
