/* Authorities, certificates and lists made and signed here, as real as any. */
#ifndef ADUANA_TESTS_AUTHORITY_H
#define ADUANA_TESTS_AUTHORITY_H

#include "runner.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static inline void add_extension(X509 *to, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    ck_assert_ptr_nonnull(extension);
    X509_add_ext(to, extension, -1);
    X509_EXTENSION_free(extension);
}

static inline X509 *certificate_new(const char *cn, uint64_t serial, EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial);
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)cn, -1,
                               -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400L * 365);
    X509_set_pubkey(x509, key);
    return x509;
}

/* `usage`: of its key; NULL: it does not say. */
static inline struct authority authority_make(const char *cn, const char *usage)
{
    struct authority a = {.key = EVP_EC_gen("P-256")};
    ck_assert_ptr_nonnull(a.key);
    a.certificate = certificate_new(cn, 1, a.key);
    X509_set_issuer_name(a.certificate, X509_get_subject_name(a.certificate));
    add_extension(a.certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (usage != NULL) {
        add_extension(a.certificate, NID_key_usage, usage);
    }
    ck_assert_int_gt(X509_sign(a.certificate, a.key, EVP_sha256()), 0);
    return a;
}

static inline X509 *authority_certify(const struct authority *a, const char *cn, uint64_t serial)
{
    X509 *leaf = certificate_new(cn, serial, a->key);
    X509_set_issuer_name(leaf, X509_get_subject_name(a->certificate));
    ck_assert_int_gt(X509_sign(leaf, a->key, EVP_sha256()), 0);
    return leaf;
}

static inline void authority_free(struct authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->certificate);
}

/* A list of the serial numbers first, first + 1, ... as long as `count`. Times since 1970; until 0:
 * none. Not signed yet. */
static inline X509_CRL *list_new(const struct authority *a, uint64_t first, size_t count,
                                 int64_t from, int64_t until)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, from);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->certificate));
    X509_CRL_set1_lastUpdate(crl, time);
    for (size_t i = 0; i < count; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set_uint64(serial, first + i);
        X509_REVOKED_set_serialNumber(entry, serial);
        X509_REVOKED_set_revocationDate(entry, time);
        ASN1_INTEGER_free(serial);
        X509_CRL_add0_revoked(crl, entry);
    }
    if (until != 0) {
        ASN1_TIME_set(time, until);
        X509_CRL_set1_nextUpdate(crl, time);
    }
    ASN1_TIME_free(time);
    return crl;
}

/* Signs and encodes it, which is gone then; the caller frees the bytes by free(). */
static inline unsigned char *list_bytes(X509_CRL *crl, EVP_PKEY *key, const EVP_MD *digest,
                                        bool pem, size_t *length)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    ck_assert_int_gt(X509_CRL_sign(crl, key, digest), 0);
    ck_assert_int_eq(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
    *length = (size_t)BIO_get_mem_data(bio, &data);
    unsigned char *bytes = malloc(*length + 1);
    memcpy(bytes, data, *length);
    bytes[*length] = '\0';
    BIO_free(bio);
    X509_CRL_free(crl);
    return bytes;
}

#endif
