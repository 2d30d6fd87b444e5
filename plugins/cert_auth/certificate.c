#include "plugins/cert_auth/certificate.h"
#include "plugins/cert_auth/certificate_reading.h"
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static bool add_entry(const struct adu_certificate_reading *r, const char *prefix,
                      const char *attribute, const ASN1_STRING *string)
{
    char name[64];
    const size_t used = strlen(prefix);
    memcpy(name, prefix, used);
    memcpy(name + used, attribute, strlen(attribute) + 1);
    return adu_certificate_add_asn1(r, name, string);
}

/* What a part of a name is called; NULL: no rule can ask for it. */
static const char *attribute_of(int nid)
{
    static const struct {
        int nid;
        const char *attribute;
    } parts[] = {
        {NID_commonName, "cn"},
        {NID_organizationalUnitName, "ou"},
        {NID_organizationName, "o"},
        {NID_localityName, "l"},
        {NID_stateOrProvinceName, "st"},
        {NID_countryName, "c"},
        {NID_domainComponent, "dc"},
        {NID_userId, "uid"},
        {NID_serialNumber, "serial_number"}, /* of the subject, not of the certificate */
        {NID_pkcs9_emailAddress, "email"},
        {NID_title, "title"},
        {NID_givenName, "given_name"},
        {NID_surname, "surname"},
    };
    size_t part = 0;
    while (part < sizeof parts / sizeof parts[0] && parts[part].nid != nid) {
        part++;
    }
    return part < sizeof parts / sizeof parts[0] ? parts[part].attribute : NULL;
}

/* Of subject (prefix "cert.") and issuer ("cert.issuer.") alike, in its order. */
static bool add_name(const struct adu_certificate_reading *r, const X509_NAME *name,
                     const char *prefix)
{
    const int count = X509_NAME_entry_count(name);
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const char *attribute = attribute_of(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
        if (attribute != NULL &&
            !add_entry(r, prefix, attribute, X509_NAME_ENTRY_get_data(entry))) {
            return false;
        }
    }
    return true;
}

/* As `openssl x509 -serial` prints it: upper-case hexadecimal without a prefix. */
static bool add_serial(const struct adu_certificate_reading *r, const X509 *x509)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    const bool good = hex != NULL
                          ? adu_certificate_add(r, "cert.serial", (unsigned char *)hex, strlen(hex))
                          : adu_certificate_refuse(r, "cert.serial", "cannot be read");
    OPENSSL_free(hex);
    BN_free(number);
    return good;
}

/* SHA-256 of the whole certificate in lower-case hexadecimal without colons. */
static bool add_fingerprint(const struct adu_certificate_reading *r, struct adu_bytes der)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    unsigned char hex[2 * EVP_MAX_MD_SIZE];
    if (EVP_Digest(der.bytes, der.length, digest, &length, EVP_sha256(), NULL) != 1) {
        return adu_certificate_refuse(r, "cert.fingerprint", "cannot be made");
    }
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = (unsigned char)"0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = (unsigned char)"0123456789abcdef"[digest[i] & 15];
    }
    return adu_certificate_add(r, "cert.fingerprint", hex, 2 * (size_t)length);
}

static bool add_all(const struct adu_certificate_reading *r, struct adu_bytes der, X509 *x509)
{
    return add_name(r, X509_get_subject_name(x509), "cert.") &&
           add_name(r, X509_get_issuer_name(x509), "cert.issuer.") && add_serial(r, x509) &&
           add_fingerprint(r, der) && adu_certificate_add_alternatives(r, x509) &&
           adu_certificate_add_extensions(r, x509);
}

X509 *adu_certificate_parse(struct adu_bytes der, X509 *parsed)
{
    if (parsed != NULL && X509_up_ref(parsed) == 1) {
        return parsed;
    }
    const unsigned char *at = der.bytes;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.length);
    if (x509 != NULL && at != der.bytes + der.length) {
        X509_free(x509); /* with something behind it */
        x509 = NULL;
    }
    return x509;
}

bool adu_certificate_attributes(struct adu_bytes der, X509 *parsed,
                                struct adu_attributes *attributes, char *why, size_t size)
{
    const struct adu_certificate_reading r = {.attributes = attributes, .why = why, .size = size};
    X509 *x509 = adu_certificate_parse(der, parsed);
    const bool good = x509 != NULL ? add_all(&r, der, x509)
                                   : adu_certificate_refuse(&r, "it", "is no X.509 certificate");
    X509_free(x509);
    return good;
}
