/* Something that deserves an alert: it happened to the bundle, or to one of its clients. Whoever
 * notices it says so by adu_pipeline_event, or a stage by its outlet; stages that tell the plant
 * (rate_monitor) publish it. Edges only: once when it begins, once when it is over. */
#ifndef ADUANA_COMMON_EVENT_H
#define ADUANA_COMMON_EVENT_H

#include "common/error.h"
#include "common/subject.h"
#include <stdint.h>

enum adu_severity { ADU_SEVERITY_WARNING, ADU_SEVERITY_CRITICAL, ADU_SEVERITY_INFO };

/* All of it is borrowed for the call. */
struct adu_event {
    const char *kind; /* what people and programs know it by: one level of a topic, [a-z_] */
    enum adu_severity severity;
    bool raised;                     /* else it is over */
    const struct adu_subject *about; /* NULL: about the bundle */
    int64_t since_ms;                /* wall clock, when it began; 0: now */
    double value;
    long limit;                   /* that `value` is compared with; 0: not about a number */
    const struct adu_place *rule; /* NULL: none */
    const char *text;             /* for people, a sentence without its end */
};

#endif
