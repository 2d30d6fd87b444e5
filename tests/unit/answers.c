#include "answers.h"
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOW_S (ANSWERS_WALL_MS / 1000)

enum { KEY_BYTES = 32, HOUR_S = 3600 };

static void must(int good)
{
    if (good <= 0) {
        fprintf(stderr, "answers: a certificate or an answer cannot be made\n");
        abort();
    }
}

/* --- certificates --- */

static EVP_PKEY *key_of(unsigned char number)
{
    unsigned char bytes[KEY_BYTES];
    memset(bytes, number, sizeof bytes);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);
    must(key != NULL);
    return key;
}

static void extend(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    must(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static void name_it(X509_NAME *name, const char *cn)
{
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                                    0));
}

struct dates {
    const char *from, *until;
};

static const struct dates this_year = {"20260101000000Z", "20270101000000Z"};

static X509 *make(const char *cn, long serial, EVP_PKEY *key, const char *issuer_cn,
                  const struct dates *dates)
{
    X509 *x509 = X509_new();
    must(x509 != NULL && X509_set_version(x509, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial));
    must(ASN1_TIME_set_string(X509_getm_notBefore(x509), dates->from));
    must(ASN1_TIME_set_string(X509_getm_notAfter(x509), dates->until));
    must(X509_set_pubkey(x509, key));
    name_it(X509_get_subject_name(x509), cn);
    X509_NAME *issuer = X509_NAME_new();
    must(issuer != NULL);
    name_it(issuer, issuer_cn);
    must(X509_set_issuer_name(x509, issuer));
    X509_NAME_free(issuer);
    return x509;
}

static X509 *authority(const char *cn, long serial, EVP_PKEY *key, const char *issuer_cn,
                       EVP_PKEY *by)
{
    X509 *x509 = make(cn, serial, key, issuer_cn, &this_year);
    extend(x509, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(x509, by, NULL));
    return x509;
}

static X509 *leaf(const char *cn, long serial, EVP_PKEY *key, const char *usage,
                  const char *issuer_cn, EVP_PKEY *by, const struct dates *dates)
{
    X509 *x509 = make(cn, serial, key, issuer_cn, dates);
    extend(x509, NID_ext_key_usage, usage);
    must(X509_sign(x509, by, NULL));
    return x509;
}

#define CA "Planta Device CA"

static void make_signers(struct answers *a)
{
    static const struct dates past = {"20250101000000Z", "20260601000000Z"},
                              future = {"20261201000000Z", "20270101000000Z"};
    EVP_PKEY *issuer = key_of(1), *other = key_of(2), *sub = key_of(3);
    for (int i = 0; i < ANSWERS_SIGNERS; i++) {
        a->keys[i] = key_of((unsigned char)(10 + i));
    }
    EVP_PKEY_free(a->keys[BY_ISSUER]);
    EVP_PKEY_free(a->keys[BY_OTHER]);
    EVP_PKEY_free(a->keys[BY_WEAK_DELEGATE]);
    a->keys[BY_ISSUER] = issuer;
    a->keys[BY_OTHER] = other;
    a->keys[BY_WEAK_DELEGATE] = EVP_RSA_gen(1024);
    must(a->keys[BY_WEAK_DELEGATE] != NULL);
    a->issuer = a->signers[BY_ISSUER] = authority(CA, 1, issuer, CA, issuer);
    a->other = a->signers[BY_OTHER] = authority(CA, 1, other, CA, other);
    a->leaf = leaf("edge-linea1", 100, sub, "clientAuth", CA, issuer, &this_year);
    a->other_leaf = leaf("edge-linea2", 101, sub, "clientAuth", CA, issuer, &this_year);
    static const struct {
        const char *usage, *issuer;
        const struct dates *dates;
    } made[ANSWERS_SIGNERS] = {
        [BY_DELEGATE] = {"OCSPSigning", CA, &this_year},
        [BY_EXPIRED_DELEGATE] = {"OCSPSigning", CA, &past},
        [BY_DELEGATE_NOT_YET] = {"OCSPSigning", CA, &future},
        [BY_LEAF_OF_ISSUER] = {"clientAuth", CA, &this_year},
        [BY_DELEGATE_OF_OTHER] = {"OCSPSigning", CA, &this_year},
        [BY_DELEGATE_OF_SUB] = {"OCSPSigning", "Planta Sub CA", &this_year},
        [BY_WEAK_DELEGATE] = {"OCSPSigning", CA, &this_year},
    };
    for (int i = 0; i < ANSWERS_SIGNERS; i++) {
        if (made[i].usage != NULL) {
            EVP_PKEY *by = i == BY_DELEGATE_OF_OTHER ? other
                           : i == BY_DELEGATE_OF_SUB ? sub
                                                     : issuer;
            a->signers[i] =
                leaf("ocsp", 200 + i, a->keys[i], made[i].usage, made[i].issuer, by, made[i].dates);
        }
    }
    EVP_PKEY_free(sub);
}

void answers_open(struct answers *a)
{
    unsigned char nonce[ADU_OCSP_NONCE];
    memset(nonce, 'n', sizeof nonce);
    *a = (struct answers){0};
    make_signers(a);
    a->question = adu_ocsp_question_new(a->leaf, a->issuer, nonce);
    must(a->question != NULL);
}

void answers_close(struct answers *a)
{
    for (int i = 0; i < ANSWERS_SIGNERS; i++) {
        X509_free(a->signers[i]);
        EVP_PKEY_free(a->keys[i]);
    }
    X509_free(a->leaf);
    X509_free(a->other_leaf);
    adu_ocsp_question_free(a->question);
}

/* --- answers --- */

static void add_status(OCSP_BASICRESP *basic, const struct answers_wish *w, X509 *about,
                       X509 *issuer, int status)
{
    const time_t from = NOW_S + w->from_s, until = from + (w->for_s != 0 ? w->for_s : HOUR_S);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about, issuer);
    ASN1_TIME *this = ASN1_GENERALIZEDTIME_set(NULL, from);
    ASN1_TIME *next = ASN1_GENERALIZEDTIME_set(NULL, until);
    ASN1_TIME *since = ASN1_GENERALIZEDTIME_set(NULL, NOW_S - HOUR_S);
    OCSP_SINGLERESP *single =
        OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, since, this,
                               w->without_next ? NULL : next);
    must(single != NULL);
    if (w->critical) {
        must(OCSP_SINGLERESP_add1_ext_i2d(single, NID_id_pkix_OCSP_archiveCutoff, since, 1, 0));
    }
    ASN1_TIME_free(this);
    ASN1_TIME_free(next);
    ASN1_TIME_free(since);
    OCSP_CERTID_free(id);
}

static void add_statuses(const struct answers *a, OCSP_BASICRESP *basic,
                         const struct answers_wish *w)
{
    X509 *about = w->other_serial ? a->other_leaf : a->leaf;
    X509 *issuer = w->other_issuer ? a->other : a->issuer;
    if (w->with_others) {
        add_status(basic, w, a->other_leaf, a->issuer, V_OCSP_CERTSTATUS_REVOKED);
        add_status(basic, w, a->leaf, a->other, V_OCSP_CERTSTATUS_REVOKED);
    }
    if (w->twice) {
        add_status(basic, w, about, issuer, V_OCSP_CERTSTATUS_GOOD);
    }
    add_status(basic, w, about, issuer, w->status);
}

static void add_nonce(const struct answers *a, OCSP_BASICRESP *basic, enum answers_nonce nonce)
{
    unsigned char other[] = "the nonce of another question...";
    const struct adu_bytes asked = adu_ocsp_question_bytes(a->question);
    const unsigned char *at = asked.bytes;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)asked.length);
    must(request != NULL);
    if (nonce == NONCE_OURS) {
        must(OCSP_copy_nonce(basic, request));
    } else if (nonce == NONCE_OTHER) {
        must(OCSP_basic_add1_nonce(basic, other, (int)sizeof other - 1));
    }
    OCSP_REQUEST_free(request);
}

/* What is written under it is the time of now: in the way of the same bytes in every run, and for a
 * reader's eyes alone. */
static void sign(const struct answers *a, OCSP_BASICRESP *basic, const struct answers_wish *w)
{
    EVP_PKEY *key = a->keys[w->by];
    const EVP_MD *digest =
        w->digest != NULL || EVP_PKEY_is_a(key, "ED25519") ? w->digest : EVP_sha256();
    must(OCSP_basic_sign(basic, a->signers[w->by], key, digest, NULL,
                         OCSP_NOTIME | (w->by_key ? OCSP_RESPID_KEY : 0)));
}

struct adu_bytes answers_make(const struct answers *a, const struct answers_wish *wish)
{
    struct adu_bytes der = {0};
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    must(basic != NULL);
    add_statuses(a, basic, wish);
    add_nonce(a, basic, wish->nonce);
    sign(a, basic, wish);
    OCSP_RESPONSE *response =
        OCSP_response_create(wish->refusal, wish->refusal == 0 ? basic : NULL);
    const int length = response != NULL ? i2d_OCSP_RESPONSE(response, &der.bytes) : 0;
    must(length);
    der.length = (size_t)length;
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return der;
}
