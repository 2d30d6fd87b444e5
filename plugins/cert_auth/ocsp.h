/* OCSP (RFC 6960): the question whether a certificate has been revoked, as bytes, and what the
 * bytes of an answer are worth. Pure: no network, no clock, no chance; what is asked and answered
 * comes and goes as bytes, and time and nonce are arguments. Any thread. */
#ifndef ADUANA_CERT_AUTH_OCSP_H
#define ADUANA_CERT_AUTH_OCSP_H

#include "common/bytes.h"
#include <openssl/types.h>
#include <stdint.h>

/* A nonce that every responder takes: RFC 8954 allows up to 32 bytes, RFC 9654 asks for 32. */
enum { ADU_OCSP_NONCE = 32, ADU_OCSP_ANSWER_MOST = 64 * 1024, ADU_OCSP_WHY = 160 };

/* What was asked, to be held against what is answered. */
struct adu_ocsp_question;

/* About `leaf`, which `issuer` has signed. NULL when memory is gone. */
struct adu_ocsp_question *adu_ocsp_question_new(X509 *leaf, X509 *issuer,
                                                const unsigned char nonce[ADU_OCSP_NONCE]);

/* NULL-safe. */
void adu_ocsp_question_free(struct adu_ocsp_question *question);

/* What a responder is sent, in DER; lives as long as the question. */
struct adu_bytes adu_ocsp_question_bytes(const struct adu_ocsp_question *question);

/* What is asked of an answer beside that it is one. */
struct adu_ocsp_terms {
    bool without_nonce; /* one without our nonce, made in advance, is good enough */
    int64_t skew_ms;    /* the responder's clock may differ by that much */
    int64_t age_ms;     /* thisUpdate may lie that far back, whatever nextUpdate says */
    int security_level; /* OpenSSL's, of the keys that sign */
};

/* Zero is nothing that can be relied on. */
enum adu_ocsp_status { ADU_OCSP_UNUSABLE = 0, ADU_OCSP_GOOD, ADU_OCSP_REVOKED, ADU_OCSP_UNKNOWN };

struct adu_ocsp_answer {
    enum adu_ocsp_status status;
    int64_t from_ms;        /* wall clock: thisUpdate */
    int64_t until_ms;       /* wall clock: nextUpdate, or as old as an answer may become */
    int64_t revoked_ms;     /* wall clock, of a revoked one */
    char why[ADU_OCSP_WHY]; /* what is wrong with an unusable one, or since when and why it is
                               revoked */
};

/* What the bytes say at `wall_ms` (since 1970, UTC). Anything but ADU_OCSP_UNUSABLE is signed by
 * the issuer, or by somebody whom the issuer itself has made a signer of answers
 * (id-kp-OCSPSigning) and whose certificate has not expired; is about that certificate alone;
 * carries the nonce, or `terms` do without; and is within its time. Whether a signer's own
 * certificate has been revoked is not asked: authorities give them a short life instead. */
void adu_ocsp_read(const struct adu_ocsp_question *question, struct adu_bytes bytes,
                   const struct adu_ocsp_terms *terms, int64_t wall_ms,
                   struct adu_ocsp_answer *answer);

#endif
