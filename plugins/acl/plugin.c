/* aduana_acl.so: roles, grants, the final yes or no. */
#include "common/broker.h"
#include "plugins/acl/acl.h"

ADU_BROKER_PLUGIN(adu_acl_stage)
