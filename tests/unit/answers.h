/* An authority's answers about one certificate, made and signed here: right ones, and every way to
 * get them wrong. The same keys, dates and serial numbers in every run, and Ed25519 signs without
 * chance where nothing else is asked for: the same bytes. */
#ifndef ADUANA_TESTS_ANSWERS_H
#define ADUANA_TESTS_ANSWERS_H

#include "plugins/cert_auth/ocsp.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

/* Half a year into the validity of all certificates, in ms since 1970. */
#define ANSWERS_WALL_MS INT64_C(1782864000000)

enum answers_signer {
    BY_ISSUER,
    BY_DELEGATE,
    BY_EXPIRED_DELEGATE,
    BY_DELEGATE_NOT_YET,
    BY_LEAF_OF_ISSUER,    /* issued by it, but not for that */
    BY_DELEGATE_OF_OTHER, /* of an authority of the same name */
    BY_DELEGATE_OF_SUB,   /* of an intermediate of the issuer */
    BY_OTHER,             /* another authority of the same name */
    BY_WEAK_DELEGATE,     /* RSA of 1,024 bits */
    ANSWERS_SIGNERS
};

enum answers_nonce { NONCE_OURS, NONCE_NONE, NONCE_OTHER };

/* Zeroed: good, by the issuer itself, with our nonce, from now on and for an hour. */
struct answers_wish {
    int status; /* V_OCSP_CERTSTATUS_... */
    enum answers_signer by;
    enum answers_nonce nonce;
    int refusal;          /* OCSP_RESPONSE_STATUS_... instead */
    const EVP_MD *digest; /* for RSA; NULL: what the key needs */
    long from_s, for_s;   /* thisUpdate after now; nextUpdate after it: 0: an hour */
    bool without_next;    /* no nextUpdate */
    bool other_serial;    /* about another certificate of the issuer */
    bool other_issuer;    /* about that serial number of another authority */
    bool with_others;     /* among answers about others */
    bool twice;           /* good and then again, as `status` says */
    bool critical;        /* with a critical extension of its own */
    bool by_key;          /* names who has signed by the key's hash */
};

struct answers {
    X509 *leaf, *other_leaf, *issuer, *other;
    X509 *signers[ANSWERS_SIGNERS];
    EVP_PKEY *keys[ANSWERS_SIGNERS];
    struct adu_ocsp_question *question;
};

/* Aborts when memory is gone. */
void answers_open(struct answers *a);
void answers_close(struct answers *a);

/* An answer; the caller frees it. */
struct adu_bytes answers_make(const struct answers *a, const struct answers_wish *wish);

#endif
