/* How long a certificate has yet, and how strong it is: real ones, made here. */
#include "plugins/cert_auth/certificate.h"
#include "plugins/cert_auth/countdown.h"
#include "snippet.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const int64_t day = INT64_C(86400) * 1000, now = INT64_C(1700000000000);

/* --- the policy --- */

static const struct policy_row {
    const char *json;
    long warn, critical, lifetime, recent;
    const char *error;
} policies[] = {
    {"{}", 30, 7, 0, 30, ""},
    {"{'expiry': {}}", 30, 7, 0, 30, ""},
    {"{'expiry': {'warn_days': 0, 'critical_days': 0}}", 0, 0, 0, 30, ""},
    {"{'expiry': {'warn_days': 3650, 'critical_days': 3650}}", 3650, 3650, 0, 30, ""},
    {"{'expiry': {'lifetime_most_days': 398, 'recent_days': 1}}", 30, 7, 398, 1, ""},
    {"{'expiry': {'critical_days': 31}}", 0, 0, 0, 0,
     "cert_auth.json:1:12: expiry: critical_days 31 is more than warn_days 30"},
    {"{'expiry': {'warn_days': 6}}", 0, 0, 0, 0,
     "cert_auth.json:1:12: expiry: critical_days 7 is more than warn_days 6"},
};

START_TEST(what_the_policy_says)
{
    const struct policy_row *row = &policies[_i];
    struct snippet s;
    struct adu_countdown countdown;
    snippet_open(&s, "cert_auth.json", row->json);
    const bool good = adu_countdown_compile(&s.c, adu_json_member(s.root, "expiry"), &countdown);
    ck_assert_str_eq(snippet_error(&s), row->error);
    ck_assert_int_eq(good, row->error[0] == '\0');
    if (good) {
        ck_assert_int_eq(countdown.warn_days, row->warn);
        ck_assert_int_eq(countdown.critical_days, row->critical);
        ck_assert_int_eq(countdown.lifetime_most_days, row->lifetime);
        ck_assert_int_eq(countdown.recent_days, row->recent);
        ck_assert_int_eq(countdown.place.file != NULL, strcmp(row->json, "{}") != 0);
    }
    snippet_close(&s);
}
END_TEST

/* --- the end --- */

static const struct end_row {
    int64_t left_ms, away_ms;
    int64_t days;
    bool watched;
    enum adu_certificate_level level;
    long limit;
} ends[] = {
    {INT64_C(31) * 86400000, 0, 31, true, ADU_CERTIFICATE_GOOD, 0},
    {INT64_C(30) * 86400000 + 1, 0, 30, true, ADU_CERTIFICATE_GOOD, 0},
    {INT64_C(30) * 86400000, 0, 30, true, ADU_CERTIFICATE_WARN, 30},
    {INT64_C(30) * 86400000 - 1, 0, 29, true, ADU_CERTIFICATE_WARN, 30},
    {INT64_C(7) * 86400000 + 1, 0, 7, true, ADU_CERTIFICATE_WARN, 30},
    {INT64_C(7) * 86400000, 0, 7, true, ADU_CERTIFICATE_CRITICAL, 7},
    {1, 0, 0, true, ADU_CERTIFICATE_CRITICAL, 7},
    {0, 0, 0, true, ADU_CERTIFICATE_EXPIRED, 0},
    {-1, 0, -1, true, ADU_CERTIFICATE_EXPIRED, 0},
    {1 - INT64_C(1700000000000), 0, -19676, true, ADU_CERTIFICATE_EXPIRED,
     0}, /* no end that can be read */
    {1, INT64_C(30) * 86400000, 0, true, ADU_CERTIFICATE_CRITICAL, 7},
    {1, INT64_C(30) * 86400000 + 1, 0, false, ADU_CERTIFICATE_CRITICAL, 7},
};

START_TEST(how_long_yet)
{
    const struct end_row *row = &ends[_i];
    const struct adu_certificate_facts facts = {.until_ms = now + row->left_ms};
    const struct adu_certificate_sight sight = {.facts = &facts, .away_ms = row->away_ms};
    struct adu_certificate_health health;
    adu_countdown_assess(&adu_countdown_default, &sight, now, &health);
    ck_assert_int_eq(health.watched, row->watched);
    ck_assert_int_eq(health.level, row->level);
    ck_assert_int_eq(health.days_limit, row->limit);
    ck_assert_uint_eq(health.findings, 0);
    ck_assert_int_eq(health.days_left, row->days);
}
END_TEST

/* --- findings --- */

static const struct finding_row {
    struct adu_certificate_facts facts;
    bool shared;
    unsigned findings;
} findings[] = {
    {{.key = ADU_KEY_RSA, .key_bits = 2048}, false, 0},
    {{.key = ADU_KEY_RSA, .key_bits = 2047}, false, 1 << ADU_CERTIFICATE_WEAK_KEY},
    {{.key = ADU_KEY_EC, .key_bits = 256}, false, 0},
    {{.key = ADU_KEY_EC, .key_bits = 224}, false, 1 << ADU_CERTIFICATE_WEAK_KEY},
    {{.key = ADU_KEY_OTHER, .key_bits = 253}, false, 0},
    {{.weak_signature = true}, false, 1 << ADU_CERTIFICATE_WEAK_SIGNATURE},
    {{.until_ms = INT64_C(398) * 86400000}, false, 0},
    {{.until_ms = INT64_C(398) * 86400000 + 1000}, false, 1 << ADU_CERTIFICATE_LONG_LIFETIME},
    {{0}, true, 1 << ADU_CERTIFICATE_SHARED},
    {{.until_ms = INT64_C(1) << 60, .key = ADU_KEY_RSA, .weak_signature = true},
     true,
     (1 << ADU_CERTIFICATE_FINDING_COUNT) - 1},
};

START_TEST(what_is_doubtful)
{
    const struct finding_row *row = &findings[_i];
    struct adu_countdown countdown = adu_countdown_default;
    const struct adu_certificate_sight sight = {.facts = &row->facts, .shared = row->shared};
    struct adu_certificate_health health;
    countdown.lifetime_most_days = 398;
    adu_countdown_assess(&countdown, &sight, now, &health);
    ck_assert_uint_eq(health.findings, row->findings);
    countdown.lifetime_most_days = 0; /* not asked for */
    adu_countdown_assess(&countdown, &sight, now, &health);
    ck_assert_uint_eq(health.findings, row->findings & ~(1u << ADU_CERTIFICATE_LONG_LIFETIME));
}
END_TEST

/* --- certificates --- */

static const struct made_row {
    const char *type;
    unsigned bits;
    const char *curve;
    const char *digest; /* NULL: the key's own */
    enum adu_key_kind key;
    uint32_t key_bits;
    bool weak_signature;
} made[] = {
    {"RSA", 2048, NULL, "SHA256", ADU_KEY_RSA, 2048, false},
    {"RSA", 1024, NULL, "SHA256", ADU_KEY_RSA, 1024, false},
    {"RSA", 2048, NULL, "SHA1", ADU_KEY_RSA, 2048, true},
    {"RSA", 2048, NULL, "MD5", ADU_KEY_RSA, 2048, true},
    {"EC", 0, "P-256", "SHA256", ADU_KEY_EC, 256, false},
    {"EC", 0, "P-224", "SHA1", ADU_KEY_EC, 224, true},
    {"ED25519", 0, NULL, NULL, ADU_KEY_OTHER, 256, false},
};

static EVP_PKEY *key_of(const struct made_row *row)
{
    if (row->bits > 0) {
        return EVP_RSA_gen(row->bits);
    }
    return row->curve != NULL ? EVP_EC_gen(row->curve) : EVP_PKEY_Q_keygen(NULL, NULL, row->type);
}

START_TEST(what_a_certificate_says)
{
    const struct made_row *row = &made[_i];
    EVP_PKEY *key = key_of(row);
    X509 *x509 = X509_new();
    struct adu_bytes der = {0};
    struct adu_certificate_facts facts[2];
    ck_assert_ptr_nonnull(key);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)((now - day) / 1000));
    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)((now + 9 * day) / 1000));
    X509_set_pubkey(x509, key);
    ck_assert_int_gt(
        X509_sign(x509, key, row->digest != NULL ? EVP_get_digestbyname(row->digest) : NULL), 0);
    der.length = (size_t)i2d_X509(x509, &der.bytes);
    adu_certificate_facts(der, NULL, &facts[0]);
    adu_certificate_facts(der, x509, &facts[1]);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(facts[i].from_ms, now - day);
        ck_assert_int_eq(facts[i].until_ms, now + 9 * day);
        ck_assert_int_eq(facts[i].key, row->key);
        ck_assert_uint_eq(facts[i].key_bits, row->key_bits);
        ck_assert_int_eq(facts[i].weak_signature, row->weak_signature);
    }
    OPENSSL_free(der.bytes);
    X509_free(x509);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(what_is_no_certificate)
{
    struct adu_certificate_facts facts;
    unsigned char garbage[] = "no certificate";
    adu_certificate_facts((struct adu_bytes){.bytes = garbage, .length = sizeof garbage}, NULL,
                          &facts);
    ck_assert_int_eq(facts.until_ms, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("countdown");
    suite_add_rows(suite, what_the_policy_says, ROWS(policies));
    suite_add_rows(suite, how_long_yet, ROWS(ends));
    suite_add_rows(suite, what_is_doubtful, ROWS(findings));
    suite_add_rows(suite, what_a_certificate_says, ROWS(made));
    suite_add(suite, what_is_no_certificate);
    return run_suite(suite);
}
