/* The engine against the oracle, on random policies, sessions and requests. Each request is asked
 * twice, so that remembered answers are compared too.
 *
 * ADUANA_SEED=N chooses other rounds. ADUANA_LONG=1 makes a hundred million decisions, in two
 * processes. A difference is shrunk and printed with the seed of its round. */
#include "engine.h"
#include "generator.h"
#include "oracle.h"
#include "runner.h"
#include "shrink.h"
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEED = 20261123, LONG_SECONDS = 7200, PROCESSES = 2 };

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { NORMAL = 100000 }; /* each load takes there ten times as long */
#else
enum { NORMAL = 1000000 };
#endif

static const long LONG = 100000000;

struct tally {
    long decisions, answers[3], not_let_in;
};

/* --- one round --- */

struct difference {
    size_t session, request;
    bool again; /* only the second time */
    enum oracle_answer engine, oracle;
};

static bool compare_session(const struct oracle *oracle, const json_t *round, size_t session,
                            struct tally *tally, struct difference *d)
{
    const json_t *requests = json_object_get(round, "requests");
    for (size_t i = 0; i < 2 * json_array_size(requests); i++) {
        const size_t number = i % json_array_size(requests);
        const struct oracle_request request = oracle_request_of(json_array_get(requests, number));
        const bool again = i >= json_array_size(requests);
        const enum oracle_answer expected = oracle_decide(oracle, session, number);
        const enum oracle_answer answer = engine_ask(&request);
        if (answer != expected) {
            *d = (struct difference){session, number, again, answer, expected};
            return false;
        }
        tally->decisions += !again;
        tally->answers[expected] += !again;
    }
    return true;
}

/* The policy is loaded. Whoever is `first_in` is logged in already, and `last_in` stays so. False
 * with the first difference. */
static bool compare_loaded(const json_t *round, bool first_in, bool last_in, struct tally *tally,
                           struct difference *d)
{
    const json_t *sessions = json_object_get(round, "sessions");
    const size_t count = json_array_size(sessions);
    struct oracle *oracle = oracle_new(round);
    bool same = true;
    for (size_t i = 0; same && i < count; i++) {
        if ((i == 0 && first_in) || engine_login(json_array_get(sessions, i))) {
            same = compare_session(oracle, round, i, tally, d);
            if (!same || i + 1 < count || !last_in) {
                engine_logout();
            }
        } else {
            tally->not_let_in++;
        }
    }
    oracle_free(oracle);
    return same;
}

/* --- shrinking --- */

static bool is_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && text[0] != '\0';
}

static bool is_session(const json_t *session)
{
    const json_t *attributes = json_object_get(session, "attributes");
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        if (json_array_size(json_array_get(attributes, i)) != 2) {
            return false;
        }
    }
    return is_text(session, "client_id") && is_text(session, "username");
}

static bool is_request(const json_t *request)
{
    return is_text(request, "action") && is_text(request, "topic");
}

/* Nothing is left out without which there is no question. */
static bool is_round(const json_t *round)
{
    const json_t *sessions = json_object_get(round, "sessions");
    const json_t *requests = json_object_get(round, "requests");
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        if (!is_session(json_array_get(sessions, i))) {
            return false;
        }
    }
    for (size_t i = 0; i < json_array_size(requests); i++) {
        if (!is_request(json_array_get(requests, i))) {
            return false;
        }
    }
    return json_is_object(json_object_get(round, "policy"));
}

static bool differs(const json_t *round)
{
    struct tally tally = {0};
    struct difference d;
    return is_round(round) && engine_load(round) &&
           !compare_loaded(round, false, false, &tally, &d);
}

/* The one session on which they differ, and the one request; with all requests where it takes
 * another one before. */
static json_t *narrowed(const json_t *round, const struct difference *d)
{
    json_t *one =
        json_pack("{s:O, s:[O], s:[O]}", "policy", json_object_get(round, "policy"), "sessions",
                  json_array_get(json_object_get(round, "sessions"), d->session), "requests",
                  json_array_get(json_object_get(round, "requests"), d->request));
    if (!differs(one)) {
        json_object_set(one, "requests", json_object_get(round, "requests"));
    }
    return one;
}

static void show(uint64_t seed, const json_t *round, struct difference d)
{
    struct tally tally = {0};
    json_t *small = narrowed(round, &d);
    const char *note = "";
    if (differs(small)) {
        small = shrink_round(small, differs);
        engine_load(small);
        compare_loaded(small, false, false, &tally, &d);
    } else {
        note = "; not so after a new log-in, so not shrunk";
    }
    json_t *request = json_array_get(json_object_get(small, "requests"), d.request);
    char *text = json_dumps(small, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    printf("%s\nADUANA_SEED=%" PRIu64
           ": %s \"%s\": the engine says: %s; by the definition: %s%s%s\n",
           text, seed, json_string_value(json_object_get(request, "action")),
           json_string_value(json_object_get(request, "topic")), oracle_answer_names[d.engine],
           oracle_answer_names[d.oracle], d.again ? " (asked a second time)" : "", note);
    fflush(stdout);
    free(text);
    json_decref(small);
}

/* --- many rounds --- */

/* The first session of a round is the last one of the round before, still connected: what the
 * policy says of it is new, its name and its address are not. */
static void carry_over(const json_t *before, const json_t *round)
{
    static const char *const keys[] = {"client_id", "username", "address"};
    const json_t *sessions = json_object_get(before, "sessions");
    const json_t *last = json_array_get(sessions, json_array_size(sessions) - 1);
    json_t *first = json_array_get(json_object_get(round, "sessions"), 0);
    for (int i = 0; i < ROWS(keys); i++) {
        json_t *value = json_object_get(last, keys[i]);
        if (value != NULL) {
            json_object_set(first, keys[i], value);
        } else {
            json_object_del(first, keys[i]);
        }
    }
    engine_stays(first);
}

static bool compare_round(const json_t *round, bool first_in, uint64_t seed, struct tally *tally)
{
    struct difference d;
    if (!engine_load(round)) {
        printf("ADUANA_SEED=%" PRIu64 ": %s\n", seed, engine_last_error());
        return false;
    }
    if (!compare_loaded(round, first_in, true, tally, &d)) {
        show(seed, round, d);
        return false;
    }
    if (tally->not_let_in > 0) {
        printf("ADUANA_SEED=%" PRIu64 ": a session is not let in\n", seed);
        return false;
    }
    return true;
}

static bool compare_rounds(uint64_t seed, long decisions, struct tally *tally)
{
    json_t *before = NULL;
    bool same = true;
    engine_open();
    while (same && tally->decisions < decisions) {
        json_t *round = generator_round(seed);
        if (before != NULL) {
            carry_over(before, round);
        }
        same = compare_round(round, before != NULL, seed, tally);
        json_decref(before);
        before = round;
        seed++;
    }
    engine_close();
    json_decref(before);
    printf("%ld decisions: %ld allowed, %ld watched, %ld refused\n", tally->decisions,
           tally->answers[ORACLE_ALLOWED], tally->answers[ORACLE_WATCHED],
           tally->answers[ORACLE_REFUSED]);
    fflush(stdout);
    return same;
}

static uint64_t chosen_seed(void)
{
    const char *chosen = getenv("ADUANA_SEED");
    return chosen != NULL ? strtoull(chosen, NULL, 10) : SEED;
}

START_TEST(a_million_decisions)
{
    struct tally tally = {0};
    ck_assert_msg(compare_rounds(chosen_seed(), NORMAL, &tally), "they differ, see above");
    for (int answer = ORACLE_REFUSED; answer <= ORACLE_ALLOWED; answer++) {
        ck_assert_msg(tally.answers[answer] > tally.decisions / 50,
                      "the policies say hardly anything: %ld %s", tally.answers[answer],
                      oracle_answer_names[answer]);
    }
}
END_TEST

START_TEST(a_hundred_million_decisions)
{
    for (int i = 0; i < PROCESSES; i++) {
        struct tally tally = {0};
        const uint64_t seed = chosen_seed() + ((uint64_t)i << 32);
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            _exit(compare_rounds(seed, LONG / PROCESSES, &tally) ? EXIT_SUCCESS : EXIT_FAILURE);
        }
    }
    int status, failed = 0;
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    ck_assert_msg(failed == 0, "they differ, see above");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oracle");
    const bool is_long = getenv("ADUANA_LONG") != NULL;
    TCase *tcase = tcase_create(is_long ? "long" : "normal");
    tcase_set_timeout(tcase, is_long ? LONG_SECONDS : TEST_SECONDS);
    tcase_add_test(tcase, is_long ? a_hundred_million_decisions : a_million_decisions);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
