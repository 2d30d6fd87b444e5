#include "plugins/iam_auth/passwords.h"
#include "common/hash.h"
#include "common/instant.h"
#include "common/reader.h"
#include <stdio.h>

struct keys {
    const char *hash, *until;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, hash, STRING, .required = true),
    ADU_FIELD(struct keys, until, STRING),
    {0},
};

static bool fits_in(struct adu_compiler *c, const struct adu_passwords *passwords,
                    const char *until, const char *whose, const struct adu_place *place)
{
    if (passwords->count == ADU_PASSWORDS_MOST) {
        return adu_error_set(c->error, place, "the user \"%s\" has two passwords already", whose);
    }
    if (passwords->count == 1 && until == NULL && passwords->list[0].until == NULL) {
        return adu_error_set(c->error, place,
                             "the user \"%s\" has a password already; of two, one must have an end",
                             whose);
    }
    return true;
}

bool adu_passwords_add(struct adu_compiler *c, struct adu_passwords *passwords, const char *hash,
                       const char *until, const char *whose, const struct adu_place *place)
{
    struct adu_password made = {0};
    if (!fits_in(c, passwords, until, whose, place)) {
        return false;
    }
    made.hash = adu_password_hash_compile(c, hash, whose, place);
    if (made.hash == NULL) {
        return false;
    }
    if (until != NULL && !adu_instant_read(until, &made.until_ms)) {
        return adu_error_set(c->error, place,
                             "the password of \"%s\": expected its end as 2026-12-31T00:00:00Z",
                             whose);
    }
    if (until != NULL && (made.until = adu_arena_strdup(c->arena, until)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    passwords->list[passwords->count++] = made;
    return true;
}

bool adu_passwords_compile(struct adu_compiler *c, const struct adu_json *list, const char *whose,
                           struct adu_passwords *passwords)
{
    if (list->first == NULL) {
        return adu_json_error(list, c->error, "expected one password, or two");
    }
    for (const struct adu_json *node = list->first; node != NULL; node = node->next) {
        struct keys keys = {0};
        if (!adu_read_object(node, fields, &keys, c->error) ||
            !adu_passwords_add(c, passwords, keys.hash, keys.until, whose, &node->place)) {
            return false;
        }
    }
    return true;
}

void adu_passwords_ask(const struct adu_passwords *passwords, const char *password, int64_t wall_ms,
                       struct adu_answer *answer)
{
    const struct adu_password *found = NULL;
    for (size_t i = 0; i < passwords->count; i++) {
        const struct adu_password *p = &passwords->list[i];
        /* Of two that are the same, the one that lasts. */
        if (adu_password_hash_matches(p->hash, password) &&
            (found == NULL ||
             (found->until != NULL && (p->until == NULL || p->until_ms > found->until_ms)))) {
            found = p;
        }
    }
    answer->outcome = ADU_OUTCOME_WRONG;
    if (found != NULL && found->until != NULL && found->until_ms <= wall_ms) {
        snprintf(answer->why, sizeof answer->why, "it was valid until %s", found->until);
    } else if (found != NULL) {
        answer->outcome = ADU_OUTCOME_VERIFIED;
        answer->secret_until_ms = found->until_ms;
    }
}

bool adu_passwords_are_dear(const struct adu_passwords *passwords)
{
    bool dear = false;
    for (size_t i = 0; i < passwords->count; i++) {
        dear = dear || adu_password_hash_is_dear(passwords->list[i].hash);
    }
    return dear;
}

uint32_t adu_passwords_stamp(const struct adu_passwords *passwords)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < passwords->count; i++) {
        const struct adu_password *p = &passwords->list[i];
        const uint32_t both[] = {adu_password_hash_stamp(p->hash),
                                 adu_hash(&p->until_ms, sizeof p->until_ms)};
        sum += adu_hash(both, sizeof both);
    }
    return sum;
}
