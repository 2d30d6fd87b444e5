/* aduana_rate_monitor.so: rates, connections, alerts. */
#include "common/broker.h"
#include "plugins/rate_monitor/rate_monitor.h"

ADU_BROKER_PLUGIN(adu_rate_monitor_stage)
