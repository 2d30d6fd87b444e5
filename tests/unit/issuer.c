#include "issuer.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that are worth nothing: everybody can read them here. */
static const char rsa_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC4O9xV9oGODWZl\n"
                              "bDqucL5CrHmt7p0ukyA5NLHEuv42maqx6VK8wlyoy7zfHfp9h4dM9ffDijv4j8pW\n"
                              "x9o74UqfWgFMmYvHPlJ1EbcKqGitTleGGSa00hFEas8pAE60qd0KN7XrYZ1MT3kz\n"
                              "0HkgM0LmtPqd+0Jppe9Hw36cUNyTWBqmiPhpWWWe+XdyB+dFOIzVtq0OFE6mu5D2\n"
                              "q1PDIBJWyv+FunWgH0MwjwZRHN5H4t+N4rk0antm+7q1LBLjtFB5ookTzdxpX751\n"
                              "YBagIUTvp8PapKARJcQt0GckLONtwoKDZ4PXIr7roTu9RYiX6DbNwmZsnJ/+XDdE\n"
                              "JxW+espvAgMBAAECggEAA/ugplJyIj4461K9LAiaRw+6gQpKZ0zdTU9N0+PPsMzU\n"
                              "ALemHG2T75REAjYq3wGJ6R3c3DiGAQ1+wYSIO8jW7P4BpC8iSKLuHm4icmkJ+6Eu\n"
                              "HuM2pSxwx3VgWCcTty/VlwMgUYqRNNVNA1PronNpQVqX8R1oUKdlNmchZW4RbrVX\n"
                              "P8flKSzR3AiQgsAkDQtKt5vNSUjf4BZSCtIP12EJwgasqCmND9ofQpBWzwiWSpWf\n"
                              "E9ZxVfKJdAXz3AtJ6CXHDEFRy6RTfnOLnb8tDEQSLkAMLnsLFggtrTmd7lFpGLjW\n"
                              "lCyVAgqdnTI9eIqfDlEbmEZXXvAiAminraHtrS8LCQKBgQD68o3oO1Ch5+MtfJvo\n"
                              "HM+gG/1qONDsUmU2hPvMB0vYhq/D1pt2+HHz2RZL5mlifcmYVIGz6eyK26/PcmZ/\n"
                              "dMjJDMez7T5Rv2lBEbfNpVpdFyWCRyA/0DbSrlaGTMVxOgw3r1tqTPiJSj8BO91t\n"
                              "I42NwStnOXp2/XfEtWaTqKcB1wKBgQC78XKYvA5MnD0wNuSE5CtqI3sf4pMgoJxv\n"
                              "f5wTzhmVf68PciHvfrf67amvx4gXNRwj0T2iqDMvK6vSzwvua2S7qtLQKJ3Z9uW0\n"
                              "PAjeNJrMUtnuPtNiIyICYRkfpB5IxWp4ig7WXOlBYPdDXk6c9NJKHuFxV4psuPr1\n"
                              "BSvmQS6ZKQKBgQDXLRJXNj0ehxp6D2YT8lhp3nY+Fbe3W7Nju0W5HeyAHoUp9KPb\n"
                              "sI7tW5DNxiVJCbjJwHRy07s7GcK3q02OLpJYKng2pNASAoH7BHlJgWZpegZ0ng5e\n"
                              "CWho4IpaoAuQ2ghN2zQUgyl9d0dtBGsKQTkIesF/wn5q904yQqVRKYUCgwKBgQCH\n"
                              "ZEzV0sPKVNOPpDvDsEvGToEoWyT6YDnR6PAbJGIx3KXUTrg7u+H2FrgjNW7IqS34\n"
                              "b4gjYWBeHuvNFfLWcu9CcrEj2967Yq3fxU/uI59Qim8Mvp2xGPYrGJ/st2JJsk4d\n"
                              "P/eoXY571srJ8WpYj9XeJ5jo+dNyt1+ym2MgoNxc4QKBgGjFR4MVxIH73pE6yOte\n"
                              "frwn8SDEoG3FeSsmHwSuoIsVxZi380m9SkeMYONUGDWDveOwxo2pTUSNBSNIHY8p\n"
                              "zi8mzxgXQ6KK5Cs4a5fMS2d2IUdUPVxerkjC/hPd4HiFtQrMimhH7kJICFi5JULg\n"
                              "P7ADGAlDePJZ2qB2Uxw0ClVd\n"
                              "-----END PRIVATE KEY-----\n";

static const char ec_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                             "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYrecwg2fnodXiyaw\n"
                             "splDcNK9+nCgvTclSGdBxEUJ+oyhRANCAATl4qxlCl2iDHuWiy6YnxDc/dovEeDs\n"
                             "ST86pLCoAkv+agP3Q/buSY+UWysPRgNroRTmvLOdLCaYP14s/NfcQs5Q\n"
                             "-----END PRIVATE KEY-----\n";

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "issuer: %s\n", what);
        abort();
    }
}

/* --- keys --- */

static EVP_PKEY *key_of(enum issuer_key which)
{
    unsigned char secret[32];
    EVP_PKEY *key = NULL;
    if (which == ISSUER_RSA || which == ISSUER_EC) {
        const char *pem = which == ISSUER_RSA ? rsa_pem : ec_pem;
        BIO *bio = BIO_new_mem_buf(pem, -1);
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
    } else if (which == ISSUER_WEAK) {
        key = EVP_RSA_gen(1024);
    } else {
        memset(secret, which, sizeof secret);
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    }
    must(key != NULL, "no key");
    return key;
}

char *issuer_base64url(const void *bytes, size_t length)
{
    char *text = malloc(length * 4 / 3 + 8);
    must(text != NULL, "out of memory");
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    }
    text[strcspn(text, "=")] = '\0';
    return text;
}

static char *number_of(const EVP_PKEY *key, const char *name)
{
    unsigned char bytes[512];
    BIGNUM *number = NULL;
    must(EVP_PKEY_get_bn_param(key, name, &number) == 1, "no number");
    const int length = BN_bn2bin(number, bytes);
    BN_free(number);
    return issuer_base64url(bytes, (size_t)length);
}

char *issuer_jwk(enum issuer_key which, const char *more)
{
    char *jwk = NULL, *a = NULL, *b = NULL;
    unsigned char bytes[128];
    size_t length = sizeof bytes;
    EVP_PKEY *key = key_of(which);
    if (which == ISSUER_RSA || which == ISSUER_WEAK) {
        a = number_of(key, OSSL_PKEY_PARAM_RSA_N);
        b = number_of(key, OSSL_PKEY_PARAM_RSA_E);
        must(asprintf(&jwk, "{'kty': 'RSA', 'n': '%s', 'e': '%s'%s}", a, b, more) > 0, "no jwk");
    } else if (which == ISSUER_EC) {
        must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes,
                                             &length) == 1 &&
                 length == 65,
             "no point");
        a = issuer_base64url(bytes + 1, 32);
        b = issuer_base64url(bytes + 33, 32);
        must(asprintf(&jwk, "{'kty': 'EC', 'crv': 'P-256', 'x': '%s', 'y': '%s'%s}", a, b, more) >
                 0,
             "no jwk");
    } else {
        must(EVP_PKEY_get_raw_public_key(key, bytes, &length) == 1, "no public key");
        a = issuer_base64url(bytes, length);
        must(asprintf(&jwk, "{'kty': 'OKP', 'crv': 'Ed25519', 'x': '%s'%s}", a, more) > 0,
             "no jwk");
    }
    EVP_PKEY_free(key);
    free(a);
    free(b);
    for (char *at = jwk; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return jwk;
}

char *issuer_jwks(void)
{
    char *set = NULL;
    char *rsa = issuer_jwk(ISSUER_RSA, ", 'kid': 'rsa', 'use': 'sig'"),
         *ec = issuer_jwk(ISSUER_EC, ", 'kid': 'ec', 'alg': 'ES256'"),
         *ed = issuer_jwk(ISSUER_ED25519, ", 'kid': 'ed', 'key_ops': ['verify']");
    must(asprintf(&set, "{\"keys\": [%s, %s, %s]}", rsa, ec, ed) > 0, "no set");
    free(rsa);
    free(ec);
    free(ed);
    return set;
}

/* --- signatures --- */

/* Two numbers of 32 bytes, out of their ASN.1. */
static size_t plain_ecdsa(unsigned char *bytes, size_t length)
{
    const unsigned char *at = bytes;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)length);
    must(signature != NULL, "no signature");
    must(BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, 32) == 32 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + 32, 32) == 32,
         "no signature");
    ECDSA_SIG_free(signature);
    return 64;
}

static size_t sign(enum issuer_key which, bool pss, const char *text, unsigned char *signature,
                   size_t room)
{
    EVP_PKEY *key = key_of(which);
    EVP_PKEY_CTX *how = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool edwards = which != ISSUER_RSA && which != ISSUER_EC && which != ISSUER_WEAK;
    size_t length = room;
    must(EVP_DigestSignInit(context, &how, edwards ? NULL : EVP_sha256(), NULL, key) == 1, "sign");
    must(!pss || (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) > 0 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) > 0),
         "padding");
    must(EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)) ==
             1,
         "sign");
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return which == ISSUER_EC ? plain_ecdsa(signature, length) : length;
}

/* With the public key, as everybody has it in PEM, as the secret. */
static size_t sign_hmac(const char *text, unsigned char *signature)
{
    char *pem;
    unsigned length = 0;
    EVP_PKEY *key = key_of(ISSUER_RSA);
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PUBKEY(bio, key) == 1, "pem");
    const long size = BIO_get_mem_data(bio, &pem);
    must(HMAC(EVP_sha256(), pem, (int)size, (const unsigned char *)text, strlen(text), signature,
              &length) != NULL,
         "hmac");
    BIO_free(bio);
    EVP_PKEY_free(key);
    return length;
}

static char *plain(const char *json)
{
    char *copy = strdup(json);
    for (char *at = copy; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return copy;
}

char *issuer_token_exactly(enum issuer_sign how, const char *header, const char *claims)
{
    static const enum issuer_key keys[] = {[ISSUER_RS256] = ISSUER_RSA,
                                           [ISSUER_PS256] = ISSUER_RSA,
                                           [ISSUER_ES256] = ISSUER_EC,
                                           [ISSUER_EDDSA] = ISSUER_ED25519,
                                           [ISSUER_BY_STRANGER] = ISSUER_STRANGER,
                                           [ISSUER_BY_NEXT] = ISSUER_NEXT};
    unsigned char signature[512];
    char *text = NULL, *token = NULL;
    char *a = issuer_base64url(header, strlen(header)),
         *b = issuer_base64url(claims, strlen(claims));
    must(asprintf(&text, "%s.%s", a, b) > 0, "no token");
    const size_t length = how == ISSUER_UNSIGNED ? 0
                          : how == ISSUER_HMAC   ? sign_hmac(text, signature)
                                                 : sign(keys[how], how == ISSUER_PS256, text,
                                                        signature, sizeof signature);
    char *c = issuer_base64url(signature, length);
    must(asprintf(&token, "%s.%s", text, c) > 0, "no token");
    free(a);
    free(b);
    free(c);
    free(text);
    return token;
}

char *issuer_token(enum issuer_sign how, const char *header, const char *claims)
{
    char *plain_header = plain(header), *plain_claims = plain(claims);
    char *token = issuer_token_exactly(how, plain_header, plain_claims);
    free(plain_header);
    free(plain_claims);
    return token;
}
