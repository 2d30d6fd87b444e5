#include "cli/certs.h"
#include "common/file.h"
#include "plugins/cert_auth/certificate.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_MOST = 16 * 1024 * 1024 };

static json_t *moment(int64_t wall_ms)
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[64];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        return json_null();
    }
    return json_string(text);
}

static json_t *attribute(const struct adu_attributes *attributes, const char *name)
{
    const char *value = adu_attributes_single(attributes, name);
    return value != NULL ? json_string(value) : json_null();
}

/* Of what a broker would refuse as a whole, what can be told is told. */
static json_t *describe(const char *path, struct adu_bytes der, X509 *x509,
                        const struct adu_countdown *countdown, int64_t wall_ms)
{
    struct adu_attributes attributes = {0};
    struct adu_certificate_facts facts;
    struct adu_certificate_health health;
    char why[256];
    adu_certificate_attributes(der, x509, &attributes, why, sizeof why);
    adu_certificate_facts(der, x509, &facts);
    const struct adu_certificate_sight sight = {.facts = &facts};
    adu_countdown_assess(countdown, &sight, wall_ms, &health);
    json_t *object = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o}", "file", path, "subject_cn",
        attribute(&attributes, "cert.cn"), "issuer_cn", attribute(&attributes, "cert.issuer.cn"),
        "serial", attribute(&attributes, "cert.serial"), "fingerprint",
        attribute(&attributes, "cert.fingerprint"), "not_before", moment(facts.from_ms),
        "not_after", moment(facts.until_ms), "days_left", (json_int_t)health.days_left, "level",
        adu_certificate_level_names[health.level], "findings",
        adu_certificate_findings_json(health.findings));
    adu_attributes_clear(&attributes);
    return object;
}

static bool add(const char *path, X509 *x509, const struct adu_countdown *countdown,
                int64_t wall_ms, json_t *list)
{
    struct adu_bytes der = {0};
    const int length = i2d_X509(x509, &der.bytes);
    der.length = length > 0 ? (size_t)length : 0;
    const bool good = length > 0 && json_array_append_new(
                                        list, describe(path, der, x509, countdown, wall_ms)) == 0;
    OPENSSL_free(der.bytes);
    if (!good) {
        fprintf(stderr, "aduana: %s: out of memory, or a name that is no UTF-8\n", path);
    }
    return good;
}

static bool add_all(const char *path, const char *text, size_t length,
                    const struct adu_countdown *countdown, int64_t wall_ms, json_t *list)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    bool good = bio != NULL;
    unsigned count = 0;
    X509 *x509 = NULL;
    while (good && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count++;
        good = add(path, x509, countdown, wall_ms, list);
        X509_free(x509);
    }
    ERR_clear_error(); /* the end of the file is an error to OpenSSL */
    BIO_free(bio);
    if (good && count == 0) {
        fprintf(stderr, "aduana: %s: holds no certificate in PEM\n", path);
    }
    return good && count > 0;
}

bool adu_certs_read_file(const char *path, const struct adu_countdown *countdown, int64_t wall_ms,
                         json_t *list)
{
    struct adu_error error = {0};
    size_t length;
    char *text = adu_file_read(path, path, FILE_MOST, &length, &error);
    if (text == NULL) {
        char shown[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        fprintf(stderr, "aduana: %s\n", adu_error_format(&error, shown, sizeof shown));
        return false;
    }
    const bool good = add_all(path, text, length, countdown, wall_ms, list);
    free(text);
    return good;
}
