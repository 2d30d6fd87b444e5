/* Metrics over HTTP, for Prometheus: GET /metrics and nothing else. It has a thread of its own,
 * which sees nothing but the numbers that it was last shown. */
#ifndef ADUANA_COMMON_METRICS_SERVER_H
#define ADUANA_COMMON_METRICS_SERVER_H

#include "common/error.h"
#include "common/metrics.h"
#include "common/network.h"

struct adu_metrics_server;

/* How long whoever asks may be silent. */
enum { ADU_METRICS_SERVER_SECONDS = 10 };

/* Listens nowhere yet; ends connections that are silent for so long. NULL when memory is gone. */
ADU_API struct adu_metrics_server *adu_metrics_server_new(unsigned seconds);

/* Ends it. NULL-safe. */
ADU_API void adu_metrics_server_free(struct adu_metrics_server *server);

/* What is answered from now on. Never waits: when the numbers are just being read, the old ones
 * stay, and the next tick shows newer ones. Broker's thread. */
void adu_metrics_server_show(struct adu_metrics_server *server, const struct adu_metrics *metrics);

/* Listens there, and nowhere else any more; `*port` 0 becomes a free one. false with `error`, and
 * listens nowhere. Takes its time, so it runs on a worker; one thread at a time. */
ADU_API bool adu_metrics_server_listen(struct adu_metrics_server *server,
                                       const struct adu_address *address, uint16_t *port,
                                       struct adu_error *error);

/* Listens no more, ends what is under way. As adu_metrics_server_listen. */
void adu_metrics_server_close(struct adu_metrics_server *server);

#endif
