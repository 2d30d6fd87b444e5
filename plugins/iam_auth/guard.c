#include "plugins/iam_auth/guard.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

/* A name shares its place with others; the oldest failure makes room. */
enum { PLACES = 2048, WAYS = 8, FIRST_DELAY_MS = 1000, FORGOTTEN_MS = 300 * 1000 };

struct count {
    uint64_t key; /* by a keyed hash: nobody chooses names that share one; 0: none */
    unsigned failures;
    int64_t last_ms;
};

struct adu_guard {
    struct count counts[PLACES][WAYS];
};

struct adu_guard *adu_guard_new(void)
{
    return calloc(1, sizeof(struct adu_guard));
}

void adu_guard_free(struct adu_guard *guard)
{
    free(guard);
}

static const char *name_of(const struct adu_guard_who *who, enum adu_guard_kind kind)
{
    if (kind == ADU_GUARD_CERTIFICATE) {
        return who->certificate;
    }
    if (who->certificate != NULL) {
        return NULL;
    }
    return kind == ADU_GUARD_USER ? who->username : who->address;
}

static uint64_t key_of(const char *name, enum adu_guard_kind kind)
{
    const unsigned half = adu_hash(name, strlen(name));
    const unsigned salted[] = {half, (unsigned)kind, (unsigned)strlen(name)};
    return (uint64_t)half << 32 | adu_hash(salted, sizeof salted) | 1;
}

static struct count *find(const struct adu_guard *guard, uint64_t key)
{
    const struct count *way = guard->counts[key / 2 % PLACES];
    for (int i = 0; i < WAYS; i++) {
        if (way[i].key == key) {
            return (struct count *)&way[i];
        }
    }
    return NULL;
}

static struct count *get(struct adu_guard *guard, uint64_t key)
{
    struct count *found = find(guard, key);
    if (found != NULL) {
        return found;
    }
    struct count *way = guard->counts[key / 2 % PLACES], *oldest = way;
    for (int i = 1; i < WAYS && oldest->key != 0; i++) {
        if (way[i].key == 0 || way[i].last_ms < oldest->last_ms) {
            oldest = &way[i];
        }
    }
    *oldest = (struct count){.key = key};
    return oldest;
}

static int64_t most_ms(const struct adu_guard_limits *limits)
{
    return (int64_t)limits->lockout_seconds * 1000;
}

/* Behind one address there may be many devices. */
static unsigned free_of_charge(const struct adu_guard_limits *limits, enum adu_guard_kind kind)
{
    return (unsigned)limits->failures * (kind == ADU_GUARD_ADDRESS ? 10 : 1);
}

static int64_t delay_ms(const struct adu_guard_limits *limits, enum adu_guard_kind kind,
                        const struct count *c)
{
    int64_t delay = 0;
    for (unsigned i = free_of_charge(limits, kind); i < c->failures && delay < most_ms(limits);
         i++) {
        delay = delay == 0 ? FIRST_DELAY_MS : delay * 2;
    }
    return delay < most_ms(limits) ? delay : most_ms(limits);
}

bool adu_guard_locks(const struct adu_guard *guard, const struct adu_guard_limits *limits,
                     const struct adu_guard_who *who, int64_t now_ms, enum adu_guard_kind *kind)
{
    for (int k = 0; limits->failures > 0 && k < ADU_GUARD_KINDS; k++) {
        const char *name = name_of(who, (enum adu_guard_kind)k);
        const struct count *c =
            name != NULL ? find(guard, key_of(name, (enum adu_guard_kind)k)) : NULL;
        if (c != NULL && now_ms < c->last_ms + delay_ms(limits, (enum adu_guard_kind)k, c)) {
            *kind = (enum adu_guard_kind)k;
            return true;
        }
    }
    return false;
}

bool adu_guard_failed(struct adu_guard *guard, const struct adu_guard_limits *limits,
                      const struct adu_guard_who *who, int64_t now_ms, enum adu_guard_kind *kind)
{
    bool too_many = false;
    for (int k = 0; limits->failures > 0 && k < ADU_GUARD_KINDS; k++) {
        const char *name = name_of(who, (enum adu_guard_kind)k);
        if (name == NULL) {
            continue;
        }
        struct count *c = get(guard, key_of(name, (enum adu_guard_kind)k));
        if (now_ms - c->last_ms > FORGOTTEN_MS + most_ms(limits)) {
            c->failures = 0;
        }
        c->failures++;
        c->last_ms = now_ms;
        if (c->failures > free_of_charge(limits, (enum adu_guard_kind)k)) {
            too_many = true;
            *kind = (enum adu_guard_kind)k;
        }
    }
    return too_many;
}

void adu_guard_succeeded(struct adu_guard *guard, const struct adu_guard_who *who)
{
    for (int k = 0; k < ADU_GUARD_KINDS; k++) {
        const char *name = k != ADU_GUARD_ADDRESS ? name_of(who, (enum adu_guard_kind)k) : NULL;
        struct count *c = name != NULL ? find(guard, key_of(name, (enum adu_guard_kind)k)) : NULL;
        if (c != NULL) {
            *c = (struct count){0};
        }
    }
}
