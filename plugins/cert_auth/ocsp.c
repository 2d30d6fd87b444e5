#include "plugins/cert_auth/ocsp.h"
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct adu_ocsp_question {
    OCSP_CERTID *id; /* of `request` */
    OCSP_REQUEST *request;
    X509 *issuer;
    struct adu_bytes bytes;
};

/* --- asking --- */

/* SHA-1, which RFC 5019 asks for and some responders know alone: it only names the issuer, and who
 * has signed is seen by the signature. */
static bool fill(struct adu_ocsp_question *q, X509 *leaf, const unsigned char *nonce)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, q->issuer);
    if (id == NULL || OCSP_request_add0_id(q->request, id) == NULL) {
        OCSP_CERTID_free(id);
        return false;
    }
    q->id = id;
    if (OCSP_request_add1_nonce(q->request, (unsigned char *)nonce, ADU_OCSP_NONCE) != 1) {
        return false;
    }
    const int length = i2d_OCSP_REQUEST(q->request, &q->bytes.bytes);
    q->bytes.length = length > 0 ? (size_t)length : 0;
    return length > 0;
}

struct adu_ocsp_question *adu_ocsp_question_new(X509 *leaf, X509 *issuer,
                                                const unsigned char nonce[ADU_OCSP_NONCE])
{
    struct adu_ocsp_question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return NULL;
    }
    q->request = OCSP_REQUEST_new();
    if (X509_up_ref(issuer) == 1) {
        q->issuer = issuer;
    }
    if (q->request == NULL || q->issuer == NULL || !fill(q, leaf, nonce)) {
        adu_ocsp_question_free(q);
        return NULL;
    }
    return q;
}

void adu_ocsp_question_free(struct adu_ocsp_question *question)
{
    if (question != NULL) {
        OCSP_REQUEST_free(question->request);
        X509_free(question->issuer);
        OPENSSL_free(question->bytes.bytes);
        free(question);
    }
}

struct adu_bytes adu_ocsp_question_bytes(const struct adu_ocsp_question *question)
{
    return question->bytes;
}

/* --- who has signed --- */

static bool unusable(struct adu_ocsp_answer *answer, const char *why)
{
    answer->status = ADU_OCSP_UNUSABLE;
    snprintf(answer->why, sizeof answer->why, "%s", why);
    return false;
}

/* The digest of a signature; NID_undef for what has none of its own (Ed25519). */
static int digest_of(const X509_ALGOR *algorithm)
{
    int digest = NID_undef, key;
    const int nid = OBJ_obj2nid(algorithm->algorithm);
    if (nid != NID_rsassaPss) {
        return OBJ_find_sigid_algs(nid, &digest, &key) == 1 ? digest : NID_md5;
    }
    RSA_PSS_PARAMS *pss =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
    /* Not said: SHA-1. */
    digest = pss != NULL && pss->hashAlgorithm != NULL ? OBJ_obj2nid(pss->hashAlgorithm->algorithm)
                                                       : NID_sha1;
    RSA_PSS_PARAMS_free(pss);
    return digest;
}

/* Whoever asks chooses a part of what is signed, its nonce: then two texts of one digest can be
 * made for MD5, and for SHA-1 at a price that somebody pays. */
static bool is_weak(const X509_ALGOR *algorithm)
{
    const int digest = digest_of(algorithm);
    return digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1 || digest == NID_md4 ||
           digest == NID_ripemd160;
}

static bool may_sign_answers(X509 *x509)
{
    return (X509_get_extension_flags(x509) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(x509) & XKU_OCSP_SIGN) != 0;
}

/* Nothing but the issuer itself is trusted, and there is nobody in between. */
static bool is_issued(X509 *signer, X509 *issuer, int security_level, int64_t wall_ms,
                      struct adu_ocsp_answer *answer)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool good = unusable(answer, "out of memory");
    if (store != NULL && context != NULL && X509_STORE_add_cert(store, issuer) == 1 &&
        X509_STORE_CTX_init(context, store, signer, NULL) == 1) {
        X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(parameters, (time_t)(wall_ms / 1000));
        X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
        good = X509_verify_cert(context) == 1;
        if (good) {
            answer->why[0] = '\0';
        } else {
            snprintf(answer->why, sizeof answer->why,
                     "who has signed it is not made a signer by this authority: %s",
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
        }
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return good;
}

static bool check_signer(OCSP_BASICRESP *basic, X509 *issuer, STACK_OF(X509) * known,
                         const struct adu_ocsp_terms *terms, int64_t wall_ms,
                         struct adu_ocsp_answer *answer)
{
    X509 *signer = NULL;
    if (OCSP_resp_get0_signer(basic, &signer, known) != 1 || signer == NULL) {
        return unusable(answer, "it holds no certificate of who has signed it");
    }
    if (is_weak(OCSP_resp_get0_tbs_sigalg(basic))) {
        return unusable(answer, "it is signed with MD5 or SHA-1");
    }
    /* NOVERIFY: the signature alone, by the very signer that was found. */
    if (OCSP_basic_verify(basic, known, NULL, OCSP_NOVERIFY) != 1) {
        return unusable(answer, "its signature is wrong");
    }
    if (X509_cmp(signer, issuer) == 0) {
        return true;
    }
    if (!may_sign_answers(signer)) {
        return unusable(answer, "who has signed it may not sign answers (OCSPSigning)");
    }
    return is_issued(signer, issuer, terms->security_level, wall_ms, answer);
}

static bool check_signature(OCSP_BASICRESP *basic, X509 *issuer, const struct adu_ocsp_terms *terms,
                            int64_t wall_ms, struct adu_ocsp_answer *answer)
{
    STACK_OF(X509) *known = sk_X509_new_null();
    const bool good = known != NULL && sk_X509_push(known, issuer) > 0
                          ? check_signer(basic, issuer, known, terms, wall_ms, answer)
                          : unusable(answer, "out of memory");
    sk_X509_free(known); /* borrows */
    return good;
}

/* --- what it is about --- */

static bool check_nonce(const struct adu_ocsp_question *q, OCSP_BASICRESP *basic,
                        const struct adu_ocsp_terms *terms, struct adu_ocsp_answer *answer)
{
    switch (OCSP_check_nonce(q->request, basic)) {
    case 1:
        return true;
    case -1: /* it has none */
        return terms->without_nonce ||
               unusable(answer, "it does not carry the nonce of the question");
    default:
        return unusable(answer, "it carries the nonce of another question");
    }
}

static bool is_unknown_critical(X509_EXTENSION *extension)
{
    return X509_EXTENSION_get_critical(extension) != 0 &&
           OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce;
}

static bool check_extensions(OCSP_BASICRESP *basic, OCSP_SINGLERESP *single,
                             struct adu_ocsp_answer *answer)
{
    bool good = true;
    for (int i = 0; good && i < OCSP_BASICRESP_get_ext_count(basic); i++) {
        good = !is_unknown_critical(OCSP_BASICRESP_get_ext(basic, i));
    }
    for (int i = 0; good && i < OCSP_SINGLERESP_get_ext_count(single); i++) {
        good = !is_unknown_critical(OCSP_SINGLERESP_get_ext(single, i));
    }
    return good || unusable(answer, "it holds a critical extension that nobody here knows");
}

/* The one part about our certificate. NULL with answer->why where there is none, or not one. */
static OCSP_SINGLERESP *find(const struct adu_ocsp_question *q, OCSP_BASICRESP *basic,
                             struct adu_ocsp_answer *answer)
{
    OCSP_SINGLERESP *found = NULL;
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (OCSP_id_cmp(OCSP_SINGLERESP_get0_id(single), q->id) != 0) {
            continue;
        }
        if (found != NULL) {
            unusable(answer, "it speaks twice of the certificate");
            return NULL;
        }
        found = single;
    }
    if (found == NULL) {
        unusable(answer, "it is about another certificate");
    }
    return found;
}

/* --- when --- */

static bool read_time(const ASN1_GENERALIZEDTIME *time, int64_t *wall_ms)
{
    struct tm tm;
    if (ASN1_GENERALIZEDTIME_check(time) != 1 || ASN1_TIME_to_tm(time, &tm) != 1) {
        return false;
    }
    *wall_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

/* Fills in from when until when it is good, and whether that is now. */
static bool check_times(const ASN1_GENERALIZEDTIME *this, const ASN1_GENERALIZEDTIME *next,
                        const struct adu_ocsp_terms *terms, int64_t wall_ms,
                        struct adu_ocsp_answer *answer)
{
    int64_t next_ms = 0;
    if (this == NULL || !read_time(this, &answer->from_ms) ||
        (next != NULL && !read_time(next, &next_ms))) {
        return unusable(answer, "its times cannot be read");
    }
    answer->until_ms = answer->from_ms + terms->age_ms;
    if (next != NULL && next_ms < answer->from_ms) {
        return unusable(answer, "its nextUpdate lies before its thisUpdate");
    }
    if (answer->from_ms > wall_ms + terms->skew_ms) {
        return unusable(answer, "its thisUpdate lies in the future");
    }
    if (next != NULL && next_ms <= wall_ms - terms->skew_ms) {
        return unusable(answer, "its nextUpdate has passed");
    }
    if (answer->until_ms <= wall_ms - terms->skew_ms) {
        return unusable(answer, "it is older than answers may be");
    }
    answer->until_ms = next != NULL && next_ms < answer->until_ms ? next_ms : answer->until_ms;
    return true;
}

/* --- reading --- */

static void say_revoked(struct adu_ocsp_answer *answer, const ASN1_GENERALIZEDTIME *since,
                        int reason)
{
    char when[32] = "an unknown time";
    const bool known = since != NULL && read_time(since, &answer->revoked_ms);
    const time_t seconds = (time_t)(answer->revoked_ms / 1000);
    struct tm tm;
    if (known && gmtime_r(&seconds, &tm) != NULL) {
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    snprintf(answer->why, sizeof answer->why, "%s%s%s", when, reason >= 0 ? ", " : "",
             reason >= 0 ? OCSP_crl_reason_str(reason) : "");
}

static void read_single(OCSP_SINGLERESP *single, const struct adu_ocsp_terms *terms,
                        int64_t wall_ms, struct adu_ocsp_answer *answer)
{
    ASN1_GENERALIZEDTIME *since = NULL, *this = NULL, *next = NULL;
    int reason = -1;
    const int status = OCSP_single_get0_status(single, &reason, &since, &this, &next);
    if (!check_times(this, next, terms, wall_ms, answer)) {
        return;
    }
    switch (status) {
    case V_OCSP_CERTSTATUS_GOOD:
        answer->status = ADU_OCSP_GOOD;
        break;
    case V_OCSP_CERTSTATUS_REVOKED:
        say_revoked(answer, since, reason);
        answer->status = ADU_OCSP_REVOKED;
        break;
    case V_OCSP_CERTSTATUS_UNKNOWN:
        snprintf(answer->why, sizeof answer->why, "the responder does not know it");
        answer->status = ADU_OCSP_UNKNOWN;
        break;
    default:
        unusable(answer, "it does not say whether it is revoked");
    }
}

static void read_basic(const struct adu_ocsp_question *q, OCSP_BASICRESP *basic,
                       const struct adu_ocsp_terms *terms, int64_t wall_ms,
                       struct adu_ocsp_answer *answer)
{
    OCSP_SINGLERESP *single;
    if (check_signature(basic, q->issuer, terms, wall_ms, answer) &&
        (single = find(q, basic, answer)) != NULL && check_extensions(basic, single, answer) &&
        check_nonce(q, basic, terms, answer)) {
        read_single(single, terms, wall_ms, answer);
    }
}

static void read_response(const struct adu_ocsp_question *q, OCSP_RESPONSE *response,
                          const struct adu_ocsp_terms *terms, int64_t wall_ms,
                          struct adu_ocsp_answer *answer)
{
    const int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        snprintf(answer->why, sizeof answer->why, "the responder refuses: %s",
                 OCSP_response_status_str(status));
        return;
    }
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (basic != NULL) {
        read_basic(q, basic, terms, wall_ms, answer);
    } else {
        unusable(answer, "it is of no kind that anybody here knows");
    }
    OCSP_BASICRESP_free(basic);
}

void adu_ocsp_read(const struct adu_ocsp_question *question, struct adu_bytes bytes,
                   const struct adu_ocsp_terms *terms, int64_t wall_ms,
                   struct adu_ocsp_answer *answer)
{
    *answer = (struct adu_ocsp_answer){.status = ADU_OCSP_UNUSABLE};
    if (bytes.length > ADU_OCSP_ANSWER_MOST) {
        unusable(answer, "it is longer than answers are");
        return;
    }
    ERR_set_mark();
    const unsigned char *at = bytes.bytes;
    OCSP_RESPONSE *response =
        bytes.length > 0 ? d2i_OCSP_RESPONSE(NULL, &at, (long)bytes.length) : NULL;
    if (response != NULL && at == bytes.bytes + bytes.length) {
        read_response(question, response, terms, wall_ms, answer);
    } else {
        unusable(answer, "it is no answer of OCSP");
    }
    OCSP_RESPONSE_free(response);
    ERR_pop_to_mark();
}
