/* What the plant is told of its certificates: once when something begins, once when it is over, and
 * not thousands of things at the same time. The broker's thread. */
#ifndef ADUANA_COMMON_CERTIFICATE_ALERTS_H
#define ADUANA_COMMON_CERTIFICATE_ALERTS_H

#include "common/pipeline_parts.h"

struct adu_certificate_alerts;

/* NULL when memory is gone. */
struct adu_certificate_alerts *adu_certificate_alerts_new(void);
/* NULL-safe. */
void adu_certificate_alerts_free(struct adu_certificate_alerts *alerts);

/* Tells what of `health` is not what has been told of the principal. Returns how many alerts must
 * wait, because too many went out just now: asked again, they get their turn. */
unsigned adu_certificate_alerts_settle(struct adu_certificate_alerts *alerts,
                                       struct adu_pipeline *p, struct adu_principal *principal,
                                       const struct adu_certificate_health *health,
                                       struct adu_now now);

/* `waiting` alerts are waiting, of all there are. */
void adu_certificate_alerts_wait(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                                 uint64_t waiting, struct adu_now now);

/* The principal will be freed: what has been told of it is over. Nothing can be told from here;
 * adu_certificate_alerts_farewell does, in a tick. false when memory is gone. */
bool adu_certificate_alerts_forget(struct adu_certificate_alerts *alerts,
                                   const struct adu_principal *gone);
void adu_certificate_alerts_farewell(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                                     struct adu_now now);

#endif
