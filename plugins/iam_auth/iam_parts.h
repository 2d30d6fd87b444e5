/* The inside of iam_auth: iam_auth.c is the stage's instance, iam_identify.c who is asked about at
 * all, iam_login.c a log-in, iam_again.c who is in already, iam_conclude.c what an answer makes of
 * either. Broker's thread only. */
#ifndef ADUANA_IAM_AUTH_PARTS_H
#define ADUANA_IAM_AUTH_PARTS_H

#include "plugins/iam_auth/breaker.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/iam_auth/known.h"
#include "plugins/iam_auth/lookups.h"

/* What is known of a provider. */
struct adu_iam_watched {
    const struct adu_provider *provider;
    uint64_t stamp;
    struct adu_breaker breaker;
    bool told; /* that it is away */
    char why[sizeof((struct adu_answer *)0)->why];
};

struct adu_iam {
    struct adu_lookups *lookups;
    struct adu_known *known;
    struct adu_guard *guard;
    int64_t guessing_ms;    /* when somebody last failed too often; 0: nobody has lately */
    bool guessing_told;     /* that somebody does */
    char guessing_who[320]; /* for the alert */
    struct adu_mark_key key;
    struct adu_iam_watched watched[ADU_IAM_PROVIDERS_MOST];
    int64_t now_ms; /* lately */
    int64_t waited_ms, saved_since_ms;
};

/* One that asks. */
struct adu_iam_asking {
    const struct adu_stage_call *call;
    const struct adu_iam_policy *policy;
    struct adu_iam *iam;
    struct adu_login *login;
    const char *username;
    const char *secret; /* as far as it is at hand */
    char name_in_secret[ADU_USERNAME_MOST + 1];
    struct adu_mark mark;
    struct adu_guard_who who;
};

/* iam_auth.c: what is known of that provider with those settings. */
struct adu_iam_watched *adu_iam_watch(struct adu_iam *iam, const struct adu_iam_asked *asked);

/* iam_conclude.c: DENY, for that reason. */
enum adu_verdict adu_iam_refuse(struct adu_login *login, const char *text);
enum adu_verdict adu_iam_refuse_for(struct adu_login *login, const char *text, const char *detail);

/* Why, by enum adu_outcome. */
extern const char *const adu_iam_outcome_texts[];

/* ALLOW unless the certificate is of somebody else. */
enum adu_verdict adu_iam_same_person(struct adu_login *login, const char *username);

/* What a provider's answer, by `asked`, makes of the log-in. */
enum adu_verdict adu_iam_conclude(const struct adu_iam_asking *a, const struct adu_iam_asked *asked,
                                  const struct adu_answer *answer);

/* iam_login.c: LATER, with a ticket for the answer of that provider, or of those after it. */
enum adu_verdict adu_iam_ask_worker(const struct adu_iam_asking *a, size_t from,
                                    const char *password);

/* A log-in, by what is known or by asking. */
enum adu_verdict adu_iam_ask(struct adu_iam_asking *a);

/* iam_again.c: who is in already. */
enum adu_verdict adu_iam_ask_again(const struct adu_iam_asking *a);

#endif
