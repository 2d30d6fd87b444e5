/* What is remembered of responders' answers, when they are asked again, and what follows from it.
 */
#include "plugins/cert_auth/ocsp_cache.h"
#include "runner.h"
#include <openssl/x509.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, REFRESH = HOUR };

/* A wall clock far from the monotonic one. */
#define WALL(now) (INT64_C(1782864000000) + (now))

static struct adu_ocsp_cache *cache;
static X509 *issuer;
static unsigned char der[] = {0x30, 0x00};
static const struct adu_bytes leaf = {.bytes = der, .length = sizeof der};

static void begin(size_t most)
{
    cache = adu_ocsp_cache_new(most);
    issuer = X509_new();
    ck_assert(cache != NULL && issuer != NULL);
}

static void end(void)
{
    adu_ocsp_cache_free(cache);
    adu_ocsp_cache_free(NULL);
    X509_free(issuer);
}

static struct adu_ocsp_entry *add(const char *fingerprint, int64_t now)
{
    struct adu_ocsp_entry *entry = adu_ocsp_cache_add(cache, fingerprint, leaf, issuer, now);
    ck_assert_ptr_nonnull(entry);
    ck_assert_ptr_eq(adu_ocsp_cache_find(cache, fingerprint), entry);
    return entry;
}

/* An answer from `now` on and for `life`. */
static void settle(struct adu_ocsp_entry *entry, enum adu_ocsp_status status, int64_t now,
                   int64_t life)
{
    struct adu_ocsp_answer answer = {
        .status = status, .from_ms = WALL(now), .until_ms = WALL(now + life)};
    snprintf(answer.why, sizeof answer.why, "%s", status != ADU_OCSP_GOOD ? "the reason" : "");
    adu_ocsp_cache_settle(cache, entry, &answer, REFRESH, now, WALL(now));
}

static struct adu_ocsp_entry *due(int64_t now)
{
    return adu_ocsp_cache_due(cache, now, WALL(now));
}

/* --- what follows --- */

/* `h`ard or soft; at login, and `a`gain. */
static const char *weigh(const struct adu_ocsp_entry *entry, int64_t now, const char *how)
{
    static char text[512];
    struct adu_reason why = ADU_REASON_INIT;
    switch (adu_ocsp_entry_weigh(entry, strchr(how, 'h') != NULL, strchr(how, 'a') != NULL,
                                 WALL(now), &why)) {
    case ADU_ALLOW:
        return "allow";
    case ADU_ABSTAIN:
        return "abstain";
    default:
        snprintf(text, sizeof text, "%s|%s", why.text, why.detail);
        return text;
    }
}

#define ASKED                                                                                      \
    "its responder is being asked whether its certificate has been revoked (OCSP); it may come "   \
    "again|"
#define SILENT  "nobody says whether its certificate has been revoked (OCSP):|the reason"
#define REVOKED "its certificate has been revoked:|the reason, says the responder (OCSP)"
#define UNKNOWN "its certificate is not known to the responder of its authority (OCSP)|"

enum { NEVER = -1 };

static const struct {
    int answered; /* NEVER: nothing yet, else enum adu_ocsp_status, for an hour */
    int64_t after;
    const char *hard, *soft, *again;
} cases[] = {
    {NEVER, 0, ASKED, "abstain", "abstain"},
    {ADU_OCSP_UNUSABLE, 0, SILENT, "abstain", "abstain"},
    {ADU_OCSP_GOOD, 0, "allow", "allow", "allow"},
    {ADU_OCSP_GOOD, HOUR - 1, "allow", "allow", "allow"},
    {ADU_OCSP_GOOD, HOUR, ASKED, "abstain", "abstain"},
    {ADU_OCSP_REVOKED, 0, REVOKED, REVOKED, REVOKED},
    {ADU_OCSP_REVOKED, 10 * HOUR, REVOKED, REVOKED, REVOKED},
    {ADU_OCSP_UNKNOWN, 0, UNKNOWN, UNKNOWN, UNKNOWN},
    {ADU_OCSP_UNKNOWN, HOUR, ASKED, "abstain", "abstain"},
};

START_TEST(what_follows)
{
    begin(10);
    struct adu_ocsp_entry *entry = add("a", 0);
    if (cases[_i].answered != NEVER) {
        settle(entry, (enum adu_ocsp_status)cases[_i].answered, 0, HOUR);
    }
    ck_assert_str_eq(weigh(entry, cases[_i].after, "h"), cases[_i].hard);
    ck_assert_str_eq(weigh(entry, cases[_i].after, ""), cases[_i].soft);
    ck_assert_str_eq(weigh(entry, cases[_i].after, "ha"), cases[_i].again);
    ck_assert_str_eq(weigh(entry, cases[_i].after, "a"), cases[_i].again);
    end();
}
END_TEST

/* Silence after an answer takes nothing back. */
START_TEST(a_failure_leaves_what_was_said)
{
    begin(10);
    struct adu_ocsp_entry *good = add("a", 0), *bad = add("b", 0);
    settle(good, ADU_OCSP_GOOD, 0, HOUR);
    settle(bad, ADU_OCSP_REVOKED, 0, HOUR);
    settle(good, ADU_OCSP_UNUSABLE, MINUTE, 0);
    settle(bad, ADU_OCSP_UNUSABLE, MINUTE, 0);
    ck_assert_str_eq(weigh(good, MINUTE, "h"), "allow");
    ck_assert_str_eq(weigh(good, HOUR, "h"), SILENT);
    ck_assert_str_eq(weigh(bad, 2 * HOUR, "ha"), REVOKED);
    ck_assert_uint_eq(adu_ocsp_cache_failing(cache), 2);
    settle(good, ADU_OCSP_GOOD, HOUR, HOUR);
    ck_assert_str_eq(weigh(good, HOUR, "h"), "allow");
    ck_assert_uint_eq(adu_ocsp_cache_failing(cache), 1);
    adu_ocsp_cache_remove(cache, bad);
    ck_assert_uint_eq(adu_ocsp_cache_failing(cache), 0);
    end();
}
END_TEST

/* Who can put an older answer in a newer one's place cannot make a revoked certificate good. */
START_TEST(revoked_is_taken_back_by_a_newer_answer_alone)
{
    begin(10);
    struct adu_ocsp_entry *entry = add("a", 0);
    settle(entry, ADU_OCSP_REVOKED, MINUTE, HOUR);
    for (int64_t from = 0; from <= MINUTE; from += MINUTE) {
        const struct adu_ocsp_answer old = {
            .status = ADU_OCSP_GOOD, .from_ms = WALL(from), .until_ms = WALL(HOUR)};
        adu_ocsp_cache_settle(cache, entry, &old, REFRESH, 2 * MINUTE, WALL(2 * MINUTE));
        ck_assert_str_eq(weigh(entry, 2 * MINUTE, ""), REVOKED);
        ck_assert_str_eq(entry->failure, "it is older than the one that says revoked");
    }
    settle(entry, ADU_OCSP_GOOD, 3 * MINUTE, HOUR);
    ck_assert_str_eq(weigh(entry, 3 * MINUTE, "h"), "allow");
    end();
}
END_TEST

START_TEST(distrust)
{
    begin(10);
    struct adu_ocsp_entry *good = add("a", 0), *bad = add("b", 0);
    settle(good, ADU_OCSP_GOOD, 0, HOUR);
    settle(bad, ADU_OCSP_REVOKED, 0, HOUR);
    ck_assert_ptr_null(due(SECOND));
    adu_ocsp_cache_distrust(cache, SECOND);
    ck_assert_str_eq(weigh(good, SECOND, "h"), ASKED);
    ck_assert_str_eq(weigh(bad, SECOND, "h"), REVOKED);
    ck_assert_ptr_nonnull(due(SECOND));
    end();
}
END_TEST

/* The policy wants answers to be newer. */
START_TEST(hasten)
{
    begin(10);
    struct adu_ocsp_entry *entry = add("a", 0);
    settle(entry, ADU_OCSP_GOOD, 0, 10 * HOUR);
    adu_ocsp_cache_hasten(cache, MINUTE);
    ck_assert_ptr_null(due(MINUTE - 1));
    ck_assert_ptr_eq(due(MINUTE), entry);
    adu_ocsp_cache_hasten(cache, HOUR);
    ck_assert_ptr_eq(due(MINUTE), entry);
    end();
}
END_TEST

/* --- when to ask --- */

/* After an answer of that kind and life, when the next is asked for, and when a log-in may. */
static const struct {
    enum adu_ocsp_status status;
    int64_t life, due, wanted;
} times[] = {
    {ADU_OCSP_GOOD, 10 * HOUR, REFRESH, 10 * HOUR},
    {ADU_OCSP_GOOD, HOUR, HOUR * 3 / 4, HOUR}, /* before it ends */
    {ADU_OCSP_GOOD, MINUTE, MINUTE * 3 / 4, MINUTE},
    {ADU_OCSP_GOOD, 1, SECOND, 5 * SECOND}, /* not all the time */
    {ADU_OCSP_REVOKED, 10 * HOUR, REFRESH, 10 * HOUR},
    {ADU_OCSP_UNKNOWN, 10 * HOUR, MINUTE, 5 * SECOND},
    {ADU_OCSP_UNUSABLE, 0, MINUTE, 5 * SECOND},
};

START_TEST(when_it_is_asked_again)
{
    begin(10);
    struct adu_ocsp_entry *entry = add("a", 0);
    ck_assert_ptr_eq(due(0), entry);
    ck_assert(adu_ocsp_entry_wanted(entry, 0, WALL(0)));
    entry->asking = true;
    ck_assert_ptr_null(due(0));
    ck_assert(!adu_ocsp_entry_wanted(entry, 0, WALL(0)));
    settle(entry, times[_i].status, 0, times[_i].life);
    entry->seen_ms = 10 * HOUR; /* somebody is there all the time */
    ck_assert_ptr_null(due(times[_i].due - 1));
    ck_assert_ptr_eq(due(times[_i].due), entry);
    ck_assert(!adu_ocsp_entry_wanted(entry, times[_i].wanted - 1, WALL(times[_i].wanted - 1)));
    ck_assert(adu_ocsp_entry_wanted(entry, times[_i].wanted, WALL(times[_i].wanted)));
    end();
}
END_TEST

/* Nobody is asked about those whom nobody has seen lately, and they are forgotten with their
 * answer. */
START_TEST(who_is_gone)
{
    begin(10);
    struct adu_ocsp_entry *entry = add("a", 0);
    settle(entry, ADU_OCSP_GOOD, 0, 2 * HOUR);
    ck_assert_ptr_null(due(HOUR + 1));
    ck_assert_uint_eq(adu_ocsp_cache_count(cache), 1);
    ck_assert_ptr_null(due(2 * HOUR));
    ck_assert_uint_eq(adu_ocsp_cache_count(cache), 0);
    ck_assert_ptr_null(due(2 * HOUR));
    end();
}
END_TEST

/* Every one gets its turn, however many there are. */
START_TEST(each_in_its_turn)
{
    enum { MANY = 1700 };
    char name[16];
    begin(MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        settle(add(name, 0), ADU_OCSP_GOOD, 0, 10 * HOUR);
    }
    struct adu_ocsp_entry *last = adu_ocsp_cache_find(cache, "1699");
    last->due_ms = 1;
    int calls = 1;
    while (due(1) != last) {
        ck_assert_int_lt(++calls, 10);
    }
    ck_assert_int_gt(calls, 1);
    end();
}
END_TEST

START_TEST(no_more_than_that_many)
{
    begin(3);
    add("a", 3)->seen_ms = 3;
    add("b", 1)->seen_ms = 1;
    add("c", 2)->seen_ms = 2;
    add("d", 4); /* the oldest makes room */
    ck_assert_ptr_null(adu_ocsp_cache_find(cache, "b"));
    ck_assert_uint_eq(adu_ocsp_cache_count(cache), 3);
    adu_ocsp_cache_find(cache, "c")->asking = true;
    add("e", 5);
    ck_assert_ptr_nonnull(adu_ocsp_cache_find(cache, "c"));
    ck_assert_ptr_null(adu_ocsp_cache_find(cache, "a"));
    adu_ocsp_cache_find(cache, "d")->asking = adu_ocsp_cache_find(cache, "e")->asking = true;
    ck_assert_ptr_null(adu_ocsp_cache_add(cache, "f", leaf, issuer, 6));
    ck_assert_uint_eq(adu_ocsp_cache_count(cache), 3);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocsp_cache");
    suite_add_rows(suite, what_follows, ROWS(cases));
    suite_add(suite, a_failure_leaves_what_was_said);
    suite_add(suite, revoked_is_taken_back_by_a_newer_answer_alone);
    suite_add(suite, distrust);
    suite_add(suite, hasten);
    suite_add_rows(suite, when_it_is_asked_again, ROWS(times));
    suite_add(suite, who_is_gone);
    suite_add(suite, each_in_its_turn);
    suite_add(suite, no_more_than_that_many);
    return run_suite(suite);
}
