#include "seeds.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI = -1, OTHER_ISSUER = -2, BROKEN_UTF8 = -3, LONG = 64 * 1024 };

/* A part of a subject (or a URI, or another issuer's CN); `joined` to the one before it in one RDN.
 */
struct part {
    int nid, type;
    const char *bytes;
    int length;
    int joined;
};

#define PARTS 5
#define AS(nid, type, text, joined)                                                                \
    {                                                                                              \
        nid, V_ASN1_##type, text, sizeof(text) - 1, joined                                         \
    }
#define CN(text)          AS(NID_commonName, UTF8STRING, text, 0)
#define CN_AS(type, text) AS(NID_commonName, type, text, 0)
#define BROKEN_CN(text)                                                                            \
    {                                                                                              \
        NID_commonName, BROKEN_UTF8, text, sizeof(text) - 1, 0                                     \
    }
#define AND_CN(text) AS(NID_commonName, UTF8STRING, text, 1)
#define OU(text)     AS(NID_organizationalUnitName, UTF8STRING, text, 0)
#define SAN(text)    AS(URI, IA5STRING, text, 0)
#define ISSUER(text) AS(OTHER_ISSUER, UTF8STRING, text, 0)

static const char as[LONG];

static const struct {
    const char *name, *identity;
    struct part parts[PARTS];
} seeds[] = {
    {"edge", "edge", {OU("edge"), CN("edge-linea1")}},
    {"gateway", "gateway", {OU("pasarela"), CN("gw-1")}},
    {"admin", "admin", {OU("servicio"), CN("admin")}},
    {"uri", "scada", {CN("x"), SAN("urn:planta:scada")}},
    {"two-units", "edge", {OU("borde"), OU("edge"), CN("edge-linea1")}},
    {"two-uris", "scada", {CN("x"), SAN("urn:planta:x"), SAN("urn:planta:scada")}},
    {"in-one-rdn", "edge", {OU("edge"), AND_CN("edge-linea2")}},
    {"bmp", "edge", {OU("edge"), CN_AS(BMPSTRING, "\0e\0d\0g\0e\0-\0l\0i\0n\0e\0a\0001")}},
    {"universal", "admin", {CN_AS(UNIVERSALSTRING, "\0\0\0a\0\0\0d\0\0\0m\0\0\0i\0\0\0n")}},
    {"printable", "admin", {CN_AS(PRINTABLESTRING, "admin")}},
    {"t61", "nobody", {CN_AS(T61STRING, "admin\xf1")}},
    {"other-issuer", "nobody", {OU("edge"), CN("edge-linea1"), ISSUER("Otra CA")}},
    {"two-issuers",
     "nobody",
     {OU("edge"), CN("edge-linea1"), ISSUER("Planta Device CA"), ISSUER("Planta Device CA")}},
    {"nul", "unreadable", {CN("admin\0.example")}},
    {"nul-bmp", "unreadable", {CN_AS(BMPSTRING, "\0a\0d\0m\0i\0n\0\0\0x")}},
    {"nul-uri", "unreadable", {CN("x"), SAN("urn:planta:scada\0.example")}},
    {"newline", "unreadable", {CN("x\nCN=admin")}},
    {"carriage-return", "unreadable", {CN("admin\r")}},
    {"quotes", "nobody", {CN("admin\" OU=\"edge")}},
    {"json", "nobody", {CN("x\",\"verdict\":\"allowed\",\"x\":\"\\")}},
    {"separators", "nobody", {CN("x + CN=admin, CN=admin/CN=admin")}},
    {"right-to-left", "nobody", {CN("\xe2\x80\xaenimda")}},
    {"line-separator", "nobody", {CN("admin\xe2\x80\xa8")}},
    {"homoglyph",
     "nobody",
     {CN("\xd0\xb0"
         "dmin")}},
    {"combining", "nobody", {CN("admin\xcc\x81")}},
    {"zero-width", "nobody", {CN("ad\xe2\x80\x8bmin")}},
    {"upper-case", "nobody", {CN("Admin")}},
    {"blank", "nobody", {CN(" admin")}},
    {"overlong",
     "unreadable",
     {BROKEN_CN("\xc1\xa1"
                "dmin")}},
    {"latin-1", "unreadable", {BROKEN_CN("admin\xf1")}},
    {"two-names", "nobody", {CN("x"), CN("admin")}},
    {"twice", "nobody", {CN("admin"), CN("admin")}},
    {"two-in-one-rdn", "nobody", {CN("x"), AND_CN("admin")}},
    {"empty", "nobody", {CN("")}},
    {"empty-unit", "nobody", {OU(""), CN("edge-linea1")}},
    {"none", "nobody", {OU("edge")}},
    {"gateway-without-name", "gateway", {OU("pasarela")}},
    {"64-kilobytes", "unreadable", {{NID_commonName, V_ASN1_UTF8STRING, as, LONG, 0}}},
};

size_t fuzz_seeds(void)
{
    return sizeof seeds / sizeof seeds[0];
}

const char *fuzz_seed_name(size_t seed)
{
    return seeds[seed].name;
}

const char *fuzz_seed_identity(size_t seed)
{
    return seeds[seed].identity;
}

static void must(int good)
{
    if (good <= 0) {
        fprintf(stderr, "seeds: a certificate cannot be made\n");
        abort();
    }
}

/* What OpenSSL will not write as a UTF8String it writes as a T61String: then only the tag differs.
 */
static void retag(struct fuzz_der der, const struct part *parts)
{
    for (const struct part *p = parts; p < parts + PARTS && p->bytes != NULL; p++) {
        if (p->type == BROKEN_UTF8) {
            unsigned char *at = memmem(der.bytes, der.length, p->bytes, (size_t)p->length);
            must(at != NULL && at[-2] == V_ASN1_T61STRING);
            at[-2] = V_ASN1_UTF8STRING;
        }
    }
}

static EVP_PKEY *key_of(unsigned char what)
{
    unsigned char secret[32];
    memset(secret, what, sizeof secret);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    must(key != NULL);
    return key;
}

static void add_entry(X509_NAME *name, int nid, const struct part *p)
{
    static unsigned char many[LONG];
    memset(many, 'a', sizeof many);
    const unsigned char *bytes = p->bytes == as ? many : (const unsigned char *)p->bytes;
    const int type = p->type == BROKEN_UTF8 ? V_ASN1_T61STRING : p->type;
    must(X509_NAME_add_entry_by_NID(name, nid, type, bytes, p->length, -1, p->joined ? -1 : 0));
}

static void add_uri(GENERAL_NAMES *names, const struct part *p)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    must(name != NULL && text != NULL && ASN1_STRING_set(text, p->bytes, p->length));
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    must(sk_GENERAL_NAME_push(names, name));
}

static void set_common(X509 *x509, long serial, EVP_PKEY *key)
{
    must(X509_set_version(x509, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial));
    must(ASN1_TIME_set_string(X509_getm_notBefore(x509), "260101000000Z"));
    must(ASN1_TIME_set_string(X509_getm_notAfter(x509), "270101000000Z"));
    must(X509_set_pubkey(x509, key));
}

static void add_parts(X509 *x509, const struct part *parts)
{
    X509_NAME *subject = X509_get_subject_name(x509), *issuer = X509_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    must(issuer != NULL && names != NULL);
    for (const struct part *p = parts; p < parts + PARTS && p->bytes != NULL; p++) {
        if (p->nid == URI) {
            add_uri(names, p);
        } else {
            add_entry(p->nid == OTHER_ISSUER ? issuer : subject,
                      p->nid == OTHER_ISSUER ? NID_commonName : p->nid, p);
        }
    }
    if (X509_NAME_entry_count(issuer) == 0) {
        const struct part ours = CN("Planta Device CA");
        add_entry(issuer, NID_commonName, &ours);
    }
    must(X509_set_issuer_name(x509, issuer));
    if (sk_GENERAL_NAME_num(names) > 0) {
        must(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0));
    }
    GENERAL_NAMES_free(names);
    X509_NAME_free(issuer);
}

static void sign(X509 *x509)
{
    EVP_PKEY *authority = key_of(1);
    must(X509_sign(x509, authority, NULL));
    EVP_PKEY_free(authority);
}

struct fuzz_der fuzz_seed_make(size_t seed)
{
    struct fuzz_der der = {0};
    X509 *x509 = X509_new();
    EVP_PKEY *key = key_of(2);
    must(x509 != NULL);
    set_common(x509, 100 + (long)seed, key);
    add_parts(x509, seeds[seed].parts);
    sign(x509);
    const int length = i2d_X509(x509, &der.bytes);
    must(length);
    der.length = (size_t)length;
    retag(der, seeds[seed].parts);
    EVP_PKEY_free(key);
    X509_free(x509);
    return der;
}

char *fuzz_seeds_root(void)
{
    static const struct part name = CN("Planta Device CA");
    X509 *x509 = X509_new();
    EVP_PKEY *key = key_of(1);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *pem;
    must(x509 != NULL && bio != NULL);
    set_common(x509, 1, key);
    add_entry(X509_get_subject_name(x509), NID_commonName, &name);
    must(X509_set_issuer_name(x509, X509_get_subject_name(x509)));
    BASIC_CONSTRAINTS ca = {.ca = 0xff};
    must(X509_add1_ext_i2d(x509, NID_basic_constraints, &ca, 1, 0));
    sign(x509);
    must(PEM_write_bio_X509(bio, x509));
    const long length = BIO_get_mem_data(bio, &bytes);
    must((pem = strndup(bytes, (size_t)length)) != NULL);
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(x509);
    return pem;
}
