#include "plugins/cert_auth/certificate.h"
#include "common/utf8.h"
#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_MOST = 1024 };

struct reading {
    struct adu_attributes *attributes;
    char *why;
    size_t size;
};

static bool refuse(const struct reading *r, const char *name, const char *what)
{
    snprintf(r->why, r->size, "%s %s", name, what);
    return false;
}

static bool add_text(const struct reading *r, const char *name, const unsigned char *text,
                     size_t length)
{
    if (length > VALUE_MOST) {
        return refuse(r, name, "has more than 1024 bytes");
    }
    for (size_t i = 0; i < length; i++) {
        const bool c1 = text[i] == 0xc2 && i + 1 < length && text[i + 1] < 0xa0; /* U+0080-9F */
        if (text[i] < 0x20 || text[i] == 0x7f || c1) {
            return refuse(r, name, "holds a control character");
        }
    }
    if (!adu_utf8_valid((const char *)text, length)) {
        return refuse(r, name, "is not valid UTF-8");
    }
    return adu_attributes_add_bytes(r->attributes, name, (const char *)text, length) ||
           refuse(r, name, "is one field too many");
}

/* BMPString, T61String and the others mean the same text as a UTF8String, so they become one. */
static bool add_asn1(const struct reading *r, const char *name, const ASN1_STRING *string)
{
    unsigned char *utf8 = NULL;
    const int length = ASN1_STRING_to_UTF8(&utf8, string);
    if (length < 0) {
        return refuse(r, name, "is not text");
    }
    const bool good = add_text(r, name, utf8, (size_t)length);
    OPENSSL_free(utf8);
    return good;
}

static bool add_name(const struct reading *r, const X509_NAME *name, int nid, const char *attribute)
{
    for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, nid, at)) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);
        if (!add_asn1(r, attribute, X509_NAME_ENTRY_get_data(entry))) {
            return false;
        }
    }
    return true;
}

static bool add_names(const struct reading *r, X509 *x509)
{
    const X509_NAME *subject = X509_get_subject_name(x509), *issuer = X509_get_issuer_name(x509);
    return add_name(r, subject, NID_commonName, "cert.cn") &&
           add_name(r, subject, NID_organizationalUnitName, "cert.ou") &&
           add_name(r, subject, NID_organizationName, "cert.o") &&
           add_name(r, subject, NID_localityName, "cert.l") &&
           add_name(r, subject, NID_stateOrProvinceName, "cert.st") &&
           add_name(r, subject, NID_countryName, "cert.c") &&
           add_name(r, issuer, NID_commonName, "cert.issuer.cn") &&
           add_name(r, issuer, NID_organizationName, "cert.issuer.o") &&
           add_name(r, issuer, NID_organizationalUnitName, "cert.issuer.ou");
}

/* As `openssl x509 -serial` prints it: upper-case hexadecimal without a prefix. */
static bool add_serial(const struct reading *r, const X509 *x509)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    const bool good = hex != NULL ? add_text(r, "cert.serial", (unsigned char *)hex, strlen(hex))
                                  : refuse(r, "cert.serial", "cannot be read");
    OPENSSL_free(hex);
    BN_free(number);
    return good;
}

/* SHA-256 of the whole certificate in lower-case hexadecimal without colons. */
static bool add_fingerprint(const struct reading *r, const X509 *x509)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    if (X509_digest(x509, EVP_sha256(), digest, &length) != 1) {
        return refuse(r, "cert.fingerprint", "cannot be made");
    }
    for (unsigned i = 0; i < length; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    return add_text(r, "cert.fingerprint", (unsigned char *)hex, strlen(hex));
}

static bool add_address(const struct reading *r, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    const int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;
    if ((family == AF_INET6 && ASN1_STRING_length(ip) != 16) ||
        inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof text) == NULL) {
        return refuse(r, "cert.san.ip", "is no address");
    }
    return add_text(r, "cert.san.ip", (unsigned char *)text, strlen(text));
}

static bool add_alternative(const struct reading *r, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return add_asn1(r, "cert.san.dns", name->d.dNSName);
    case GEN_URI:
        return add_asn1(r, "cert.san.uri", name->d.uniformResourceIdentifier);
    case GEN_EMAIL:
        return add_asn1(r, "cert.san.email", name->d.rfc822Name);
    case GEN_IPADD:
        return add_address(r, name->d.iPAddress);
    default:
        return true; /* kinds that no rule can ask for */
    }
}

static bool add_alternatives(const struct reading *r, const X509 *x509)
{
    int critical;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    if (names == NULL && critical != -1) {
        return refuse(r, "subjectAltName", "cannot be read, or is there twice");
    }
    bool good = true;
    for (int i = 0; good && i < sk_GENERAL_NAME_num(names); i++) {
        good = add_alternative(r, sk_GENERAL_NAME_value(names, i));
    }
    GENERAL_NAMES_free(names);
    return good;
}

bool adu_certificate_attributes(void *x509, struct adu_attributes *attributes, char *why,
                                size_t size)
{
    const struct reading r = {.attributes = attributes, .why = why, .size = size};
    return add_names(&r, x509) && add_serial(&r, x509) && add_fingerprint(&r, x509) &&
           add_alternatives(&r, x509);
}
