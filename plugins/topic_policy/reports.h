/* The first refusal of a kind of each client, for people to hear of once: gathered when it happens,
 * told in the next ticks. All further ones are only counted. Broker's thread only. */
#ifndef ADUANA_TOPIC_POLICY_REPORTS_H
#define ADUANA_TOPIC_POLICY_REPORTS_H

#include "common/stage.h"

struct adu_reports;

/* Kinds of refusals that are told of one client. */
enum { ADU_KINDS_TOLD = 16 };

/* Of one client; zeroed to begin. */
struct adu_topic_client {
    int64_t window_ms; /* when the suggestions began that are counted */
    unsigned suggestions;
    unsigned long generation; /* under which it was told; anew with each */
    unsigned kinds;           /* how many in told */
    uint32_t told[ADU_KINDS_TOLD];
};

/* NULL when memory is gone. */
struct adu_reports *adu_reports_new(void);
/* NULL-safe. */
void adu_reports_free(struct adu_reports *reports);

/* True if a suggestion may be made for the client now: ten in ten seconds. */
bool adu_reports_may_suggest(struct adu_topic_client *client, int64_t now_ms);

/* Notes a refusal, unless the client's first of that kind was noted before, or ADU_KINDS_TOLD
 * others were. What finds no room is noted the next time. Allocates nothing. */
void adu_reports_note(struct adu_reports *reports, struct adu_topic_client *client,
                      const struct adu_stage_call *call, const struct adu_request *request,
                      const struct adu_reason *why);

/* Tells some of what was noted, as alerts of the kind topic_refused. From tick only. */
void adu_reports_tell(struct adu_reports *reports, const struct adu_stage_call *call);

#endif
