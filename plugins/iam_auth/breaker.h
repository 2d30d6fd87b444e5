/* Whether a provider that does not answer is to be asked all the same: after some questions without
 * an answer it is left alone for a while, then asked one question, and so on, longer each time.
 * Pure.
 */
#ifndef ADUANA_IAM_AUTH_BREAKER_H
#define ADUANA_IAM_AUTH_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed, it lets everything pass. */
struct adu_breaker {
    bool probing;      /* the one question is on its way */
    unsigned failures; /* without an answer in between */
    int64_t closed_ms; /* until when nothing is asked, monotonic */
    int64_t pause_ms;  /* how long that was; 0: it is not broken */
};

enum { ADU_BREAKER_FAILURES = 3, ADU_BREAKER_PAUSE_MS = 1000, ADU_BREAKER_PAUSE_MOST_MS = 30000 };

/* True if a question may be put now. When it is broken that is one question a pause. */
bool adu_breaker_may_ask(struct adu_breaker *b, int64_t now_ms);

/* What became of a question. */
void adu_breaker_answered(struct adu_breaker *b);
void adu_breaker_failed(struct adu_breaker *b, int64_t now_ms);

static inline bool adu_breaker_is_broken(const struct adu_breaker *b)
{
    return b->pause_ms != 0;
}

#endif
