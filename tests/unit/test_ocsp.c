/* What an answer of OCSP is worth: real answers, made and signed by answers.c. */
#include "answers.h"
#include "runner.h"
#include <openssl/ocsp.h>
#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static const struct adu_ocsp_terms strict = {
    .skew_ms = 5 * 60 * 1000, .age_ms = 7 * DAY_S * 1000LL, .security_level = 2};

/* "good", "revoked: <why>", "unknown: <why>" or why it is unusable. */
static const char *read_text(const struct answers *a, struct adu_bytes bytes,
                             const struct adu_ocsp_terms *terms, struct adu_ocsp_answer *answer)
{
    static const char *const names[] = {"", "good", "revoked: ", "unknown: "};
    static char text[256];
    adu_ocsp_read(a->question, bytes, terms, ANSWERS_WALL_MS, answer);
    ck_assert((answer->why[0] == '\0') == (answer->status == ADU_OCSP_GOOD));
    snprintf(text, sizeof text, "%s%s", names[answer->status], answer->why);
    return text;
}

#define NO_NONCE  "it does not carry the nonce of the question"
#define NO_SIGNER "who has signed it is not made a signer by this authority: "

static const struct {
    const char *name;
    struct answers_wish wish;
    const char *said;          /* where a nonce is required */
    const char *without_nonce; /* where it is not; NULL: the same */
} answers[] = {
    {"good", {0}, "good", NULL},
    {"revoked",
     {.status = V_OCSP_CERTSTATUS_REVOKED},
     "revoked: 2026-06-30T23:00:00Z, keyCompromise",
     NULL},
    {"unknown",
     {.status = V_OCSP_CERTSTATUS_UNKNOWN},
     "unknown: the responder does not know it",
     NULL},
    {"a delegate's", {.by = BY_DELEGATE}, "good", NULL},
    {"a delegate's, by key", {.by = BY_DELEGATE, .by_key = true}, "good", NULL},
    {"the issuer's, by key", {.by_key = true}, "good", NULL},
    {"among others", {.with_others = true}, "good", NULL},
    {"try later",
     {.refusal = OCSP_RESPONSE_STATUS_TRYLATER},
     "the responder refuses: trylater",
     NULL},
    {"unauthorized",
     {.refusal = OCSP_RESPONSE_STATUS_UNAUTHORIZED},
     "the responder refuses: unauthorized",
     NULL},
    /* who has signed */
    {"an expired delegate's",
     {.by = BY_EXPIRED_DELEGATE},
     NO_SIGNER "certificate has expired",
     NULL},
    {"a delegate's before its time",
     {.by = BY_DELEGATE_NOT_YET},
     NO_SIGNER "certificate is not yet valid",
     NULL},
    {"a device's of that authority",
     {.by = BY_LEAF_OF_ISSUER},
     "who has signed it may not sign answers (OCSPSigning)",
     NULL},
    {"a delegate's of another authority of that name",
     {.by = BY_DELEGATE_OF_OTHER},
     NO_SIGNER "certificate signature failure",
     NULL},
    {"a delegate's of an intermediate",
     {.by = BY_DELEGATE_OF_SUB},
     NO_SIGNER "unable to get local issuer certificate",
     NULL},
    {"another authority's of that name", {.by = BY_OTHER}, "its signature is wrong", NULL},
    {"another authority's of that name, by key",
     {.by = BY_OTHER, .by_key = true},
     "who has signed it may not sign answers (OCSPSigning)",
     NULL},
    {"a weak key's", {.by = BY_WEAK_DELEGATE}, NO_SIGNER "EE certificate key too weak", NULL},
    /* the question */
    {"without nonce", {.nonce = NONCE_NONE}, NO_NONCE, "good"},
    {"revoked without nonce",
     {.nonce = NONCE_NONE, .status = V_OCSP_CERTSTATUS_REVOKED},
     NO_NONCE,
     "revoked: 2026-06-30T23:00:00Z, keyCompromise"},
    {"replayed", {.nonce = NONCE_OTHER}, "it carries the nonce of another question", NULL},
    {"of another serial number", {.other_serial = true}, "it is about another certificate", NULL},
    {"of another issuer", {.other_issuer = true}, "it is about another certificate", NULL},
    {"good and revoked",
     {.twice = true, .status = V_OCSP_CERTSTATUS_REVOKED},
     "it speaks twice of the certificate",
     NULL},
    {"with a critical extension",
     {.critical = true},
     "it holds a critical extension that nobody here knows",
     NULL},
    /* the time */
    {"just over", {.from_s = -HOUR_S - 2 * MINUTE_S}, "good", NULL},
    {"over", {.from_s = -HOUR_S - 5 * MINUTE_S}, "its nextUpdate has passed", NULL},
    {"just begun", {.from_s = 5 * MINUTE_S}, "good", NULL},
    {"in the future", {.from_s = 6 * MINUTE_S}, "its thisUpdate lies in the future", NULL},
    {"the wrong way round", {.for_s = -1}, "its nextUpdate lies before its thisUpdate", NULL},
    {"without an end", {.without_next = true, .from_s = -6 * DAY_S}, "good", NULL},
    {"without an end, old",
     {.without_next = true, .from_s = -8 * DAY_S},
     "it is older than answers may be",
     NULL},
    {"old with a far end",
     {.from_s = -8 * DAY_S, .for_s = 365 * DAY_S},
     "it is older than answers may be",
     NULL},
};

START_TEST(what_an_answer_says)
{
    struct answers a;
    struct adu_ocsp_answer answer;
    struct adu_ocsp_terms lenient = strict;
    lenient.without_nonce = true;
    answers_open(&a);
    struct adu_bytes der = answers_make(&a, &answers[_i].wish);
    const char *said = read_text(&a, der, &strict, &answer), *expected = answers[_i].said;
    ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%s: %s", answers[_i].name, said);
    ck_assert_msg(strcmp(expected, "good") != 0 || answer.status == ADU_OCSP_GOOD, "%s", said);
    said = read_text(&a, der, &lenient, &answer);
    expected = answers[_i].without_nonce != NULL ? answers[_i].without_nonce : expected;
    ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%s: %s", answers[_i].name, said);
    adu_bytes_clear(&der);
    answers_close(&a);
}
END_TEST

START_TEST(how_long_it_is_good)
{
    struct answers a;
    struct adu_ocsp_answer answer;
    struct answers_wish wish = {.from_s = -MINUTE_S};
    answers_open(&a);
    struct adu_bytes der = answers_make(&a, &wish);
    ck_assert_str_eq(read_text(&a, der, &strict, &answer), "good");
    ck_assert_int_eq(answer.from_ms, ANSWERS_WALL_MS - MINUTE_S * 1000);
    ck_assert_int_eq(answer.until_ms, ANSWERS_WALL_MS + (HOUR_S - MINUTE_S) * 1000);
    adu_bytes_clear(&der);
    /* No longer than answers may be old, if they say so or not. */
    wish.for_s = 365 * DAY_S;
    for (int i = 0; i < 2; i++) {
        wish.without_next = i == 1;
        der = answers_make(&a, &wish);
        ck_assert_str_eq(read_text(&a, der, &strict, &answer), "good");
        ck_assert_int_eq(answer.until_ms, ANSWERS_WALL_MS - MINUTE_S * 1000 + strict.age_ms);
        adu_bytes_clear(&der);
    }
    answers_close(&a);
}
END_TEST

/* Two texts can be made that SHA-1 does not tell apart. */
START_TEST(weak_digests)
{
    static const struct {
        const char *digest, *said;
    } digests[] = {{"SHA1", "it is signed with MD5 or SHA-1"},
                   {"MD5", "it is signed with MD5 or SHA-1"},
                   {"SHA256", "who has signed it"}};
    struct answers a;
    struct adu_ocsp_answer answer;
    answers_open(&a);
    for (int i = 0; i < ROWS(digests); i++) {
        const struct answers_wish wish = {.by = BY_WEAK_DELEGATE,
                                          .digest = EVP_get_digestbyname(digests[i].digest)};
        struct adu_bytes der = answers_make(&a, &wish);
        const char *said = read_text(&a, der, &strict, &answer);
        ck_assert_msg(strncmp(said, digests[i].said, strlen(digests[i].said)) == 0, "%s", said);
        adu_bytes_clear(&der);
    }
    answers_close(&a);
}
END_TEST

START_TEST(what_is_no_answer)
{
    static unsigned char long_one[ADU_OCSP_ANSWER_MOST + 1] = {0x30};
    static const char page[] = "<html><body>502 Bad Gateway</body></html>";
    struct answers a;
    struct adu_ocsp_answer answer;
    answers_open(&a);
    struct adu_bytes good = answers_make(&a, &(struct answers_wish){0});
    const struct adu_bytes none = {0}, one = {.bytes = good.bytes, .length = 1},
                           html = {.bytes = (unsigned char *)page, .length = strlen(page)},
                           half = {.bytes = good.bytes, .length = good.length / 2},
                           too_long = {.bytes = long_one, .length = sizeof long_one},
                           asked = adu_ocsp_question_bytes(a.question);
    ck_assert_str_eq(read_text(&a, none, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, one, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, html, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, half, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, asked, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, too_long, &strict, &answer), "it is longer than answers are");
    /* One byte more. */
    struct adu_bytes more = {.bytes = malloc(good.length + 1), .length = good.length + 1};
    memcpy(more.bytes, good.bytes, good.length);
    more.bytes[good.length] = 0;
    ck_assert_str_eq(read_text(&a, more, &strict, &answer), "it is no answer of OCSP");
    ck_assert_str_eq(read_text(&a, good, &strict, &answer), "good");
    adu_bytes_clear(&more);
    adu_bytes_clear(&good);
    answers_close(&a);
}
END_TEST

START_TEST(what_is_asked)
{
    static const unsigned char nonce[ADU_OCSP_NONCE] = "12345678901234567890123456789012";
    struct answers a;
    answers_open(&a);
    struct adu_ocsp_question *q = adu_ocsp_question_new(a.leaf, a.issuer, nonce);
    const struct adu_bytes asked = adu_ocsp_question_bytes(q);
    const unsigned char *at = asked.bytes;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)asked.length);
    ck_assert_ptr_nonnull(request);
    ck_assert_int_eq(OCSP_request_onereq_count(request), 1);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), a.leaf, a.issuer);
    ck_assert_int_eq(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), id), 0);
    ck_assert_int_eq(OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1), 0);
    ck_assert_ptr_nonnull(memmem(asked.bytes, asked.length, nonce, sizeof nonce));
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    adu_ocsp_question_free(q);
    adu_ocsp_question_free(NULL);
    answers_close(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocsp");
    suite_add_rows(suite, what_an_answer_says, ROWS(answers));
    suite_add(suite, how_long_it_is_good);
    suite_add(suite, weak_digests);
    suite_add(suite, what_is_no_answer);
    suite_add(suite, what_is_asked);
    return run_suite(suite);
}
