#include "plugins/rate_monitor/quarantine.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

struct entry {
    int64_t until_ms;
    UT_hash_handle hh;
    char key[]; /* client id, NUL, user name, NUL */
};

/* In the order in which they came. */
struct adu_quarantine {
    struct entry *entries;
};

struct adu_quarantine *adu_quarantine_new(void)
{
    return calloc(1, sizeof(struct adu_quarantine));
}

static void drop(struct adu_quarantine *q, struct entry *entry)
{
    HASH_DELETE(hh, q->entries, entry);
    free(entry);
}

void adu_quarantine_free(struct adu_quarantine *q)
{
    while (q != NULL && q->entries != NULL) {
        drop(q, q->entries);
    }
    free(q);
}

size_t adu_quarantine_count(const struct adu_quarantine *q)
{
    return HASH_COUNT(q->entries);
}

/* The pipeline lets nobody in with a client id of more than 1024 bytes or a longer name than 256.
 */
enum { KEY_MOST = 2048 };

static size_t key_of(char key[KEY_MOST], const char *client_id, const char *username)
{
    const size_t id = strlen(client_id) + 1;
    const size_t user = username != NULL ? strlen(username) + 1 : 0;
    if (id + user > KEY_MOST) {
        return 0;
    }
    memcpy(key, client_id, id);
    if (user > 0) {
        memcpy(key + id, username, user);
    }
    return id + user;
}

static struct entry *find(const struct adu_quarantine *q, const char *client_id,
                          const char *username)
{
    char key[KEY_MOST];
    const size_t length = key_of(key, client_id, username);
    struct entry *entry = NULL;
    if (length > 0 && q->entries != NULL) {
        HASH_FIND(hh, q->entries, key, length, entry);
    }
    return entry;
}

static struct entry *soonest(const struct adu_quarantine *q)
{
    struct entry *first = q->entries;
    for (struct entry *e = q->entries; e != NULL; e = e->hh.next) {
        first = e->until_ms < first->until_ms ? e : first;
    }
    return first;
}

bool adu_quarantine_add(struct adu_quarantine *q, const char *client_id, const char *username,
                        int64_t until_ms)
{
    char key[KEY_MOST];
    const size_t length = key_of(key, client_id, username);
    struct entry *entry = find(q, client_id, username);
    if (entry != NULL) {
        entry->until_ms = until_ms > entry->until_ms ? until_ms : entry->until_ms;
        return true;
    }
    if (length == 0 || (entry = calloc(1, sizeof *entry + length)) == NULL) {
        return false;
    }
    if (adu_quarantine_count(q) >= ADU_QUARANTINE_MOST) {
        drop(q, soonest(q));
    }
    entry->until_ms = until_ms;
    memcpy(entry->key, key, length);
    HASH_ADD_KEYPTR(hh, q->entries, entry->key, length, entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return false;
    }
    return true;
}

int64_t adu_quarantine_left(const struct adu_quarantine *q, const char *client_id,
                            const char *username, int64_t now_ms)
{
    const struct entry *entry = find(q, client_id, username);
    return entry != NULL && entry->until_ms > now_ms ? entry->until_ms - now_ms : 0;
}

void adu_quarantine_expire(struct adu_quarantine *q, int64_t now_ms, size_t most)
{
    for (; most > 0 && q->entries != NULL && q->entries->until_ms <= now_ms; most--) {
        drop(q, q->entries);
    }
}
