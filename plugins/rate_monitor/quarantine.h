/* Who may not log in for a while, by client id and user name together, so that nobody locks out
 * another by using his client id. Pure; bounded: when it is full, whose time ends first makes
 * room. */
#ifndef ADUANA_RATE_MONITOR_QUARANTINE_H
#define ADUANA_RATE_MONITOR_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADU_QUARANTINE_MOST = 10000 };

struct adu_quarantine;

/* NULL when memory is gone. */
struct adu_quarantine *adu_quarantine_new(void);
void adu_quarantine_free(struct adu_quarantine *quarantine); /* NULL-safe */

/* Till then; who is in already stays the longer of both. False when memory is gone. `username` may
 * be NULL. */
bool adu_quarantine_add(struct adu_quarantine *quarantine, const char *client_id,
                        const char *username, int64_t until_ms);

/* How long it is still kept out; 0: it is not. */
int64_t adu_quarantine_left(const struct adu_quarantine *quarantine, const char *client_id,
                            const char *username, int64_t now_ms);

/* Forgets, in the order in which they came, those whose time is over, at most `most` of them. */
void adu_quarantine_expire(struct adu_quarantine *quarantine, int64_t now_ms, size_t most);

size_t adu_quarantine_count(const struct adu_quarantine *quarantine);

#endif
