/* aduana_topic_policy.so: the plant's naming standard. */
#include "common/broker.h"
#include "plugins/topic_policy/topic_policy.h"

ADU_BROKER_PLUGIN(adu_topic_policy_stage)
