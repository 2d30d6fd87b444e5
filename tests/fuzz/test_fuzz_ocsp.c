/* Changed answers of OCSP, the same thousands in every run: whatever the bytes are, they say what
 * an authority has said, or nothing; and why is fit for a line of the log. */
#include "answers.h"
#include "mutate.h"
#include "runner.h"
#include <openssl/ocsp.h>
#include <string.h>

/* Under sanitizers each costs ten times as much. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CHANGES = 150, STRIDE = 50 };
#else
enum { CHANGES = 1500, STRIDE = 5 };
#endif

enum { ROOM = 8192 };

static const struct adu_ocsp_terms terms = {
    .skew_ms = 60 * 1000, .age_ms = 86400 * 1000, .security_level = 2};

/* What each says is told apart by until when it is good. */
static const struct answers_wish wishes[] = {
    {.for_s = 1000},
    {.for_s = 1001, .status = V_OCSP_CERTSTATUS_REVOKED},
    {.for_s = 1002, .status = V_OCSP_CERTSTATUS_UNKNOWN},
    {.for_s = 1003, .by = BY_DELEGATE},
    {.for_s = 1004, .by = BY_EXPIRED_DELEGATE},
    {.for_s = 1005, .by = BY_LEAF_OF_ISSUER},
    {.for_s = 1006, .by = BY_OTHER},
    {.for_s = 1007, .nonce = NONCE_NONE},
    {.for_s = 1008, .nonce = NONCE_OTHER},
    {.for_s = 1009, .other_serial = true},
    {.for_s = 1010, .with_others = true, .status = V_OCSP_CERTSTATUS_REVOKED},
    {.refusal = OCSP_RESPONSE_STATUS_TRYLATER},
};

static struct answers plant;
static struct fuzz_der seeds[ROWS(wishes)];
static struct adu_ocsp_answer said[ROWS(wishes)];

static void read_bytes(struct fuzz_der der, struct adu_ocsp_answer *answer)
{
    const struct adu_bytes bytes = {.bytes = der.bytes, .length = der.length};
    adu_ocsp_read(plant.question, bytes, &terms, ANSWERS_WALL_MS, answer);
}

static void open_plant(void)
{
    answers_open(&plant);
    for (size_t i = 0; i < ROWS(wishes); i++) {
        const struct adu_bytes made = answers_make(&plant, &wishes[i]);
        seeds[i] = (struct fuzz_der){.bytes = made.bytes, .length = made.length};
        read_bytes(seeds[i], &said[i]);
    }
}

static void close_plant(void)
{
    for (size_t i = 0; i < ROWS(wishes); i++) {
        free(seeds[i].bytes);
    }
    answers_close(&plant);
}

static bool was_said(const struct adu_ocsp_answer *answer)
{
    for (size_t i = 0; i < ROWS(wishes); i++) {
        if (said[i].status == answer->status && said[i].from_ms == answer->from_ms &&
            said[i].until_ms == answer->until_ms && said[i].revoked_ms == answer->revoked_ms) {
            return true;
        }
    }
    return false;
}

static void check(struct fuzz_der der, size_t seed, unsigned long number)
{
    struct adu_ocsp_answer answer;
    read_bytes(der, &answer);
    ck_assert_msg((answer.why[0] == '\0') == (answer.status == ADU_OCSP_GOOD), "change %lu of %zu",
                  number, seed);
    for (const char *at = answer.why; *at != '\0'; at++) {
        ck_assert_msg(*at >= 0x20 && *at < 0x7f, "change %lu of %zu: %s", number, seed, answer.why);
    }
    ck_assert_msg(answer.status == ADU_OCSP_UNUSABLE || was_said(&answer),
                  "change %lu of %zu is believed", number, seed);
}

START_TEST(changes_of_each)
{
    static unsigned char bytes[ROOM];
    const size_t seed = (size_t)_i;
    open_plant();
    for (unsigned long i = 0; i < CHANGES; i++) {
        const unsigned long number = i * STRIDE; /* some of each kind */
        const struct fuzz_der other = seeds[(seed + 1 + i) % ROWS(wishes)];
        const size_t length = fuzz_mutate(seeds[seed], other, number, bytes, sizeof bytes);
        check((struct fuzz_der){.bytes = bytes, .length = length}, seed, number);
    }
    close_plant();
}
END_TEST

/* So that they have something to say. */
START_TEST(the_seeds)
{
    open_plant();
    ck_assert_int_eq(said[0].status, ADU_OCSP_GOOD);
    ck_assert_int_eq(said[1].status, ADU_OCSP_REVOKED);
    ck_assert_int_eq(said[2].status, ADU_OCSP_UNKNOWN);
    ck_assert_int_eq(said[3].status, ADU_OCSP_GOOD);
    for (int i = 4; i < 10; i++) {
        ck_assert_int_eq(said[i].status, ADU_OCSP_UNUSABLE);
    }
    ck_assert_int_eq(said[10].status, ADU_OCSP_REVOKED);
    ck_assert_int_eq(said[11].status, ADU_OCSP_UNUSABLE);
    close_plant();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuzz_ocsp");
    suite_add(suite, the_seeds);
    suite_add_rows(suite, changes_of_each, ROWS(wishes));
    return run_suite(suite);
}
