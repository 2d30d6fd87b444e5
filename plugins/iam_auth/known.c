#include "plugins/iam_auth/known.h"
#include "common/hash.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRETS_MOST = 4, REFUSALS = 8192 };

struct secret {
    struct adu_mark mark;
    struct adu_known_answer known;
};

struct user {
    char *name;
    size_t count; /* of secrets, the newest first */
    struct secret secrets[SECRETS_MOST];
    struct user *older, *newer; /* by when they were last asked for */
    UT_hash_handle hh;
};

struct refusal {
    struct adu_mark mark;
    struct adu_known_refusal said;
    bool parked;
    int64_t until_ms; /* 0: none */
};

struct adu_known {
    struct user *users, *oldest, *newest;
    size_t count, most;
    struct refusal refusals[REFUSALS];
};

struct adu_known *adu_known_new(size_t users)
{
    struct adu_known *known = calloc(1, sizeof *known);
    if (known != NULL) {
        known->most = users;
    }
    return known;
}

static void unlink_age(struct adu_known *known, struct user *user)
{
    *(user->older != NULL ? &user->older->newer : &known->oldest) = user->newer;
    *(user->newer != NULL ? &user->newer->older : &known->newest) = user->older;
}

static void link_newest(struct adu_known *known, struct user *user)
{
    user->older = known->newest;
    user->newer = NULL;
    *(known->newest != NULL ? &known->newest->newer : &known->oldest) = user;
    known->newest = user;
}

static void drop(struct adu_known *known, struct user *user)
{
    HASH_DELETE(hh, known->users, user);
    unlink_age(known, user);
    known->count--;
    for (size_t i = 0; i < user->count; i++) {
        adu_answer_clear(&user->secrets[i].known.answer);
    }
    free(user->name);
    free(user);
}

void adu_known_free(struct adu_known *known)
{
    while (known != NULL && known->oldest != NULL) {
        drop(known, known->oldest);
    }
    free(known);
}

static struct user *find(const struct adu_known *known, const char *name)
{
    struct user *user;
    HASH_FIND_STR(known->users, name, user);
    return user;
}

static size_t find_secret(const struct user *user, const struct adu_mark *mark)
{
    size_t i = 0;
    while (i < user->count && !adu_mark_equal(&user->secrets[i].mark, mark)) {
        i++;
    }
    return i;
}

const struct adu_known_answer *adu_known_find(struct adu_known *known, const char *username,
                                              const struct adu_mark *mark)
{
    struct user *user = find(known, username);
    const size_t at = user != NULL ? find_secret(user, mark) : 0;
    if (user == NULL || at == user->count) {
        return NULL;
    }
    unlink_age(known, user);
    link_newest(known, user);
    user->secrets[at].known.newest = at == 0;
    return &user->secrets[at].known;
}

static struct user *get(struct adu_known *known, const char *name)
{
    struct user *user = find(known, name);
    if (user != NULL) {
        return user;
    }
    if (known->count >= known->most && known->oldest != NULL) {
        drop(known, known->oldest);
    }
    user = calloc(1, sizeof *user);
    if (user == NULL || (user->name = strdup(name)) == NULL) {
        free(user);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, known->users, user->name, strlen(user->name), user);
    if (user->hh.tbl == NULL) {
        free(user->name);
        free(user);
        return NULL;
    }
    link_newest(known, user);
    known->count++;
    return user;
}

static void remove_secret(struct user *user, size_t at)
{
    adu_answer_clear(&user->secrets[at].known.answer);
    user->count--;
    memmove(&user->secrets[at], &user->secrets[at + 1],
            (user->count - at) * sizeof user->secrets[0]);
}

void adu_known_put(struct adu_known *known, const char *username, const struct adu_mark *mark,
                   const char *provider, uint64_t stamp, const struct adu_answer *answer,
                   bool parked, int64_t now_ms)
{
    struct secret fresh = {
        .mark = *mark,
        .known = {.provider = provider, .stamp = stamp, .asked_ms = now_ms, .parked = parked}};
    adu_known_forget(known, username, mark);
    if (!adu_answer_copy(&fresh.known.answer, answer)) {
        return;
    }
    struct user *user = get(known, username);
    if (user == NULL) {
        adu_answer_clear(&fresh.known.answer);
        return;
    }
    if (user->count == SECRETS_MOST) {
        remove_secret(user, SECRETS_MOST - 1);
    }
    memmove(&user->secrets[1], &user->secrets[0], user->count * sizeof user->secrets[0]);
    user->secrets[0] = fresh;
    user->count++;
}

void adu_known_forget(struct adu_known *known, const char *username, const struct adu_mark *mark)
{
    struct user *user = find(known, username);
    if (user == NULL) {
        return;
    }
    const size_t at = mark != NULL ? find_secret(user, mark) : 0;
    if (mark != NULL && at < user->count) {
        remove_secret(user, at);
    }
    if (mark == NULL || user->count == 0) {
        drop(known, user);
    }
}

size_t adu_known_count(const struct adu_known *known)
{
    return known->count;
}

/* Marks are by chance, for all that others know. */
static size_t place_of(const struct adu_mark *mark)
{
    uint32_t number;
    memcpy(&number, mark->bytes, sizeof number);
    return number % REFUSALS;
}

void adu_known_refuse(struct adu_known *known, const struct adu_mark *mark,
                      const struct adu_answer *answer, bool parked, int64_t until_ms)
{
    struct refusal *refusal = &known->refusals[place_of(mark)];
    *refusal = (struct refusal){.mark = *mark,
                                .said = {.outcome = answer->outcome},
                                .parked = parked,
                                .until_ms = until_ms};
    snprintf(refusal->said.why, sizeof refusal->said.why, "%.150s", answer->why);
}

bool adu_known_hear(struct adu_known *known, const struct adu_mark *mark)
{
    struct refusal *refusal = &known->refusals[place_of(mark)];
    const bool first = refusal->parked && adu_mark_equal(&refusal->mark, mark);
    refusal->parked = refusal->parked && !first;
    return first;
}

const struct adu_known_refusal *adu_known_refusal(const struct adu_known *known,
                                                  const struct adu_mark *mark, int64_t now_ms)
{
    const struct refusal *refusal = &known->refusals[place_of(mark)];
    return now_ms < refusal->until_ms && adu_mark_equal(&refusal->mark, mark) ? &refusal->said
                                                                              : NULL;
}
