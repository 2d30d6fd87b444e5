/* aduana_iam_auth.so: user name and password -> identity. */
#include "common/broker.h"
#include "plugins/iam_auth/iam_auth.h"

ADU_BROKER_PLUGIN(adu_iam_auth_stage)
