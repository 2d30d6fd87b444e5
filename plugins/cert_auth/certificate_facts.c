/* A certificate's time and strength. */
#include "plugins/cert_auth/certificate.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <time.h>

static int64_t milliseconds(const ASN1_TIME *time, int64_t otherwise)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : otherwise;
}

static enum adu_key_kind kind_of(const EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_DSA: /* as strong by its length */
        return ADU_KEY_RSA;
    case EVP_PKEY_EC:
        return ADU_KEY_EC;
    default:
        return ADU_KEY_OTHER; /* Ed25519, Ed448: none is weak */
    }
}

static bool has_weak_signature(X509 *x509)
{
    int digest = NID_undef;
    return X509_get_signature_info(x509, &digest, NULL, NULL, NULL) == 1 &&
           (digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1 ||
            digest == NID_md4 || digest == NID_md2);
}

void adu_certificate_facts(struct adu_bytes der, X509 *parsed, struct adu_certificate_facts *facts)
{
    X509 *x509 = adu_certificate_parse(der, parsed);
    *facts = (struct adu_certificate_facts){.until_ms = 1};
    if (x509 == NULL) {
        return;
    }
    const EVP_PKEY *key = X509_get0_pubkey(x509);
    facts->from_ms = milliseconds(X509_get0_notBefore(x509), 0);
    facts->until_ms = milliseconds(X509_get0_notAfter(x509), 1);
    if (facts->until_ms == 0) {
        facts->until_ms = 1; /* 1970 itself is as long ago */
    }
    if (key != NULL) {
        facts->key = kind_of(key);
        facts->key_bits = (uint32_t)EVP_PKEY_get_bits(key);
    }
    facts->weak_signature = has_weak_signature(x509);
    X509_free(x509);
}
