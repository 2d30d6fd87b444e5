/* What a policy would answer a client that somebody describes: without a broker, without a session,
 * and without evidence - what is said of the client is taken to be proven. Never part of a
 * pipeline: nobody is let in by an inquiry. One thread at a time; any thread. */
#ifndef ADUANA_COMMON_INQUIRY_H
#define ADUANA_COMMON_INQUIRY_H

#include "common/pipeline.h"
#include "common/policy.h"
#include "common/principal.h"

struct adu_inquiry;

/* `policy` and the stages it was loaded for must live longer; those that it leaves out are not
 * asked. NULL when memory is gone. */
ADU_API struct adu_inquiry *adu_inquiry_new(struct adu_policy *policy,
                                            const struct adu_stage *const stages[ADU_STAGES]);
/* NULL-safe. */
ADU_API void adu_inquiry_free(struct adu_inquiry *inquiry);

/* A client in words. */
struct adu_described {
    const char *client_id;
    const char *username;                     /* whose password was right; NULL: none was shown */
    const struct adu_attributes *certificate; /* "cert.cn" and the like; NULL: none was shown */
    const char *address;                      /* NULL: not known */
};

/* The client as the policy sees it, until the next call: valid or not, and then `why`. `to` is told
 * how the stages come to that; it may be NULL. NULL when memory is gone. */
ADU_API const struct adu_principal *adu_inquiry_client(struct adu_inquiry *inquiry,
                                                       const struct adu_described *described,
                                                       struct adu_now now,
                                                       const struct adu_explainer *to);

/* What that client would be answered. `question` needs no handle. A refusal that is only watched is
 * ALLOW with why->watched and its reason. */
ADU_API enum adu_verdict adu_inquiry_ask(struct adu_inquiry *inquiry,
                                         const struct adu_question *question, struct adu_now now,
                                         struct adu_reason *why);

/* How the stages come to that: the rules that have to do with it, and advice. */
ADU_API void adu_inquiry_explain(struct adu_inquiry *inquiry, const struct adu_question *question,
                                 struct adu_now now, const struct adu_explainer *to);

/* Every rule of the policy that one would want to see covered by assertions. */
ADU_API void adu_inquiry_rules(struct adu_inquiry *inquiry, const struct adu_explainer *to);

#endif
