/* What the people of a plant say their policy must answer: files in the folder `tests` of the
 * policy folder. Each file is {"tests": [...]}; see policies/README.md. Any thread; touches nothing
 * but the files. */
#ifndef ADUANA_COMMON_ASSERTIONS_H
#define ADUANA_COMMON_ASSERTIONS_H

#include "common/inquiry.h"

/* One question of an assertion, answered. Texts live as long as the call that tells of it. */
struct adu_assertion_result {
    struct adu_place place; /* of the assertion; "tests/linea1.json" */
    const char *name;       /* NULL: it has none */
    const char *client_id;
    const char *action;   /* "connect", "publish", "subscribe" or "receive" */
    const char *topic;    /* NULL for connect */
    const char *expected; /* "allow", "deny" or "watch" */
    const char *got;      /* one of these, or "left to the broker" */
    const char *why;      /* what the reason must hold; NULL: any */
    const char *reason;   /* of a refusal, or of one that is only watched; "" otherwise */
    bool passed;
    bool left; /* the broker decides it by itself, so nobody can say here whether it holds */
};

struct adu_assertions_watcher {
    void (*result)(void *context, const struct adu_assertion_result *result);
    /* Told of each rule that has a say in an answer; NULL: nobody wants to know. */
    void (*touched)(void *context, const struct adu_place *rule);
    void *context;
};

/* Asks `policy`, which was loaded from `directory` for `stages`, all that its assertions ask;
 * `wall_ms` is the time of those that name none. false with `error` when a file cannot be read or
 * says what cannot be understood; then some may have been told. Without any assertion, or the
 * folder, true: whoever calls counts. */
ADU_API bool adu_assertions_run(const char *directory, struct adu_policy *policy,
                                const struct adu_stage *const stages[ADU_STAGES], int64_t wall_ms,
                                const struct adu_assertions_watcher *watcher,
                                struct adu_error *error);

/* For a policy that says "gate": true: false with `error` at the first assertion that fails, or if
 * there are none that can be judged without the broker. */
ADU_API bool adu_assertions_hold(const char *directory, struct adu_policy *policy,
                                 const struct adu_stage *const stages[ADU_STAGES], int64_t wall_ms,
                                 struct adu_error *error);

#endif
