#include "plugins/iam_auth/breaker.h"

bool adu_breaker_may_ask(struct adu_breaker *b, int64_t now_ms)
{
    if (b->pause_ms == 0) {
        return true;
    }
    if (now_ms < b->closed_ms) {
        return false;
    }
    b->probing = true;
    b->closed_ms = now_ms + b->pause_ms; /* the others wait for what becomes of this one */
    return true;
}

void adu_breaker_answered(struct adu_breaker *b)
{
    *b = (struct adu_breaker){0};
}

void adu_breaker_failed(struct adu_breaker *b, int64_t now_ms)
{
    b->failures++;
    /* Of many questions that were on their way at once only one makes the pause longer. */
    if (b->pause_ms == 0 ? b->failures < ADU_BREAKER_FAILURES : !b->probing) {
        return;
    }
    b->probing = false;
    b->pause_ms = b->pause_ms == 0 ? ADU_BREAKER_PAUSE_MS : b->pause_ms * 2;
    if (b->pause_ms > ADU_BREAKER_PAUSE_MOST_MS) {
        b->pause_ms = ADU_BREAKER_PAUSE_MOST_MS;
    }
    b->closed_ms = now_ms + b->pause_ms;
}
