/* Keys that are fetched: once for many, again when one is unknown, ahead of time, and kept when the
 * issuer is away. */
#include "fixture.h"
#include "issuer.h"
#include "plugins/iam_auth/jwks_source.h"
#include "web.h"
#include <string.h>
#include <unistd.h>

enum { LONG = 3600 * 1000, WAIT_S = 30 };

static struct web web;
static struct adu_jwks_source *source;
static char why[ADU_JWKS_WHY];

static void setup(void)
{
    char *json = issuer_jwks();
    web_start(&web);
    web_answers(&web, 200, json);
    free(json);
}

static void teardown(void)
{
    adu_jwks_source_close(source);
    source = NULL;
    web_stop(&web);
}

static void open_source(int64_t refresh_ms, int64_t keep_ms, int64_t again_ms)
{
    source = adu_jwks_source_open(&(struct adu_jwks_address){.url = web.url,
                                                             .refresh_ms = refresh_ms,
                                                             .keep_ms = keep_ms,
                                                             .again_ms = again_ms,
                                                             .timeout_ms = 20000});
    ck_assert_ptr_nonnull(source);
}

/* How many keys there are; 0 when there is none to be had. */
static size_t keys_now(void)
{
    struct adu_jwks *keys = adu_jwks_source_keys(source, why);
    const size_t count = keys != NULL ? adu_jwks_count(keys) : 0;
    adu_jwks_free(keys);
    return count;
}

static void publish_one_key(void)
{
    char set[1024];
    char *jwk = issuer_jwk(ISSUER_NEXT, ", \"kid\": \"next\"");
    snprintf(set, sizeof set, "{\"keys\": [%s]}", jwk);
    web_answers(&web, 200, set);
    free(jwk);
}

/* Until `holds`, at most half a minute. */
#define UNTIL(holds)                                                                               \
    for (int turn = 0; !(holds); turn++) {                                                         \
        ck_assert_msg(turn < WAIT_S * 100, "waited in vain: %s", #holds);                          \
        usleep(10000);                                                                             \
    }

START_TEST(one_fetch_serves_many)
{
    const struct adu_jwks_use before = adu_jwks_use();
    open_source(LONG, LONG, LONG);
    ck_assert_int_eq(web_requests(&web), 0); /* opening asks nobody */
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_eq(keys_now(), 3);
    }
    ck_assert_int_eq(web_requests(&web), 1);
    const struct adu_jwks_use use = adu_jwks_use();
    ck_assert_uint_eq(use.waited - before.waited, 1);
    ck_assert_uint_eq(use.at_hand - before.at_hand, 999);
    ck_assert_uint_eq(use.fetches - before.fetches, 1);
    ck_assert_uint_eq(use.failed - before.failed, 0);
    ck_assert_ptr_nonnull(strstr(web.asked, "GET / HTTP/1.1"));
}
END_TEST

START_TEST(those_of_one_address_share_it)
{
    open_source(LONG, LONG, LONG);
    struct adu_jwks_source *first = source;
    open_source(LONG, LONG, LONG);
    ck_assert_ptr_eq(source, first);
    ck_assert_uint_eq(keys_now(), 3);
    adu_jwks_source_close(first);
    ck_assert_uint_eq(keys_now(), 3);
    ck_assert_int_eq(web_requests(&web), 1);
    struct adu_jwks_source *other =
        adu_jwks_source_open(&(struct adu_jwks_address){.url = web.url, .timeout_ms = 1});
    ck_assert_ptr_ne(other, source);
    adu_jwks_source_close(other);
}
END_TEST

START_TEST(an_unknown_key_fetches_at_a_bounded_rate)
{
    open_source(LONG, LONG, 300);
    ck_assert_uint_eq(keys_now(), 3);
    publish_one_key();
    struct adu_jwks *fresher = NULL;
    UNTIL((fresher = adu_jwks_source_fresher(source)) != NULL);
    ck_assert_uint_eq(adu_jwks_count(fresher), 1);
    adu_jwks_free(fresher);
    ck_assert_uint_eq(keys_now(), 1);
    ck_assert_int_eq(web_requests(&web), 2);
}
END_TEST

START_TEST(a_flood_of_unknown_keys_fetches_once)
{
    open_source(LONG, LONG, LONG);
    ck_assert_uint_eq(keys_now(), 3);
    for (int i = 0; i < 10000; i++) {
        ck_assert_ptr_null(adu_jwks_source_fresher(source));
    }
    ck_assert_int_eq(web_requests(&web), 1);
}
END_TEST

START_TEST(they_are_fetched_ahead_of_time)
{
    open_source(50, LONG, 10);
    ck_assert_uint_eq(keys_now(), 3);
    publish_one_key();
    UNTIL(keys_now() == 1); /* nobody asked for it */
}
END_TEST

/* What is refused, and then what is known of why. */
static const struct {
    int status;
    const char *body, *expected;
} bad[] = {
    {500, "{}", "the answer is HTTP status 500"},
    {404, "", "the answer is HTTP status 404"},
    {200, "", "is no set of keys"},
    {200, "<html>", "is no set of keys"},
    {200, "{\"keys\": []}", "holds no key"},
    {200, "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}", "holds a private key or a shared"},
};

START_TEST(no_keys_are_had_of_a_bad_answer)
{
    web_answers(&web, bad[_i].status, bad[_i].body);
    open_source(LONG, LONG, LONG);
    ck_assert_uint_eq(keys_now(), 0);
    ck_assert_msg(strstr(why, bad[_i].expected) != NULL, "%s", why);
    /* Nor is anybody asked again for each log-in. */
    ck_assert_uint_eq(keys_now(), 0);
    ck_assert_msg(strstr(why, bad[_i].expected) != NULL, "%s", why);
    ck_assert_int_eq(web_requests(&web), 1);
}
END_TEST

START_TEST(a_bad_answer_does_not_replace_good_keys)
{
    open_source(50, LONG, 10);
    ck_assert_uint_eq(keys_now(), 3);
    const int before = web_requests(&web);
    web_answers(&web, 200, "{\"keys\": []}");
    UNTIL(web_requests(&web) > before + 3);
    ck_assert_uint_eq(keys_now(), 3);
    publish_one_key(); /* it is back */
    UNTIL(keys_now() == 1);
}
END_TEST

START_TEST(keys_are_not_believed_for_ever)
{
    open_source(20, 200, 10);
    ck_assert_uint_eq(keys_now(), 3);
    web_answers(&web, 500, "");
    UNTIL(keys_now() == 0);
    ck_assert_str_eq(why, "the answer is HTTP status 500");
    publish_one_key();
    UNTIL(keys_now() == 1);
}
END_TEST

START_TEST(nobody_listens)
{
    struct web gone;
    web_start(&gone);
    web_stop(&gone);
    source = adu_jwks_source_open(&(struct adu_jwks_address){.url = gone.url,
                                                             .refresh_ms = LONG,
                                                             .keep_ms = LONG,
                                                             .again_ms = LONG,
                                                             .timeout_ms = 20000});
    ck_assert_uint_eq(keys_now(), 0);
    ck_assert_str_ne(why, "");
}
END_TEST

/* The last holder leaves while an answer is waited for, an hour if need be: that is given up. */
START_TEST(closing_does_not_wait_for_an_answer)
{
    source = adu_jwks_source_open(&(struct adu_jwks_address){
        .url = web.url, .refresh_ms = 20, .keep_ms = LONG, .again_ms = 10, .timeout_ms = LONG});
    ck_assert_uint_eq(keys_now(), 3);
    web_is_silent(&web);
    const int before = web_requests(&web);
    UNTIL(web_requests(&web) > before);
    ck_assert_uint_eq(keys_now(), 3); /* nobody waits for it */
    adu_jwks_source_close(source);
    source = NULL;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jwks_source");
    suite_add_fixture(suite, one_fetch_serves_many, 1, setup, teardown);
    suite_add_fixture(suite, those_of_one_address_share_it, 1, setup, teardown);
    suite_add_fixture(suite, an_unknown_key_fetches_at_a_bounded_rate, 1, setup, teardown);
    suite_add_fixture(suite, a_flood_of_unknown_keys_fetches_once, 1, setup, teardown);
    suite_add_fixture(suite, they_are_fetched_ahead_of_time, 1, setup, teardown);
    suite_add_fixture(suite, no_keys_are_had_of_a_bad_answer, ROWS(bad), setup, teardown);
    suite_add_fixture(suite, a_bad_answer_does_not_replace_good_keys, 1, setup, teardown);
    suite_add_fixture(suite, keys_are_not_believed_for_ever, 1, setup, teardown);
    suite_add_fixture(suite, nobody_listens, 1, setup, teardown);
    suite_add_fixture(suite, closing_does_not_wait_for_an_answer, 1, setup, teardown);
    return run_suite(suite);
}
