#include "plugins/cert_auth/crl.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEGATIVE = 0x80, LISTS_MOST = 1024 };

struct adu_crl {
    atomic_uint references;
    X509 *issuer;
    int64_t from_ms, until_ms;
    ASN1_INTEGER *number; /* NULL: it has none */
    size_t count;
    struct adu_crl_entry *entries; /* sorted by serial number */
    char name[];
};

static bool refuse(char *why, const char *text)
{
    snprintf(why, ADU_CRL_WHY, "%s", text);
    return false;
}

static bool no_memory(char *why)
{
    return refuse(why, "out of memory");
}

/* --- serial numbers --- */

bool adu_serial_of(const ASN1_INTEGER *number, struct adu_serial *serial)
{
    const int length = ASN1_STRING_length(number);
    memset(serial, 0, sizeof *serial);
    if (length < 0 || length > ADU_SERIAL_BYTES) {
        return false;
    }
    const bool negative = (ASN1_STRING_type(number) & V_ASN1_NEG) != 0;
    serial->length = (unsigned char)(length | (negative ? NEGATIVE : 0));
    memcpy(serial->bytes, ASN1_STRING_get0_data(number), (size_t)length);
    return true;
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

bool adu_serial_of_text(const char *text, struct adu_serial *serial)
{
    const bool negative = text[0] == '-';
    const char *at = text + (negative ? 1 : 0);
    size_t length = 0;
    memset(serial, 0, sizeof *serial);
    for (; at[0] != '\0'; at += 2, length++) {
        const int high = digit_of(at[0]), low = digit_of(at[1]);
        if (high < 0 || low < 0 || length == ADU_SERIAL_BYTES) {
            return false;
        }
        serial->bytes[length] = (unsigned char)(high << 4 | low);
    }
    serial->length = (unsigned char)(length | (negative ? NEGATIVE : 0));
    return length > 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct adu_serial)); /* an entry begins with its serial number */
}

/* --- what kind of list it is --- */

/* The parts of the certificates that it covers (RFC 5280 section 5.2.5): all, or it is refused. */
static bool check_scope(X509_CRL *crl, char *why)
{
    int critical;
    ISSUING_DIST_POINT *point =
        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
    if (point == NULL) {
        return critical == -1 || refuse(why, "its issuingDistributionPoint cannot be read");
    }
    const char *what = NULL;
    if (point->indirectCRL > 0) {
        what = "it is an indirect CRL, which names certificates of other authorities as well: use "
               "the one of each authority";
    } else if (point->onlyCA > 0) {
        what = "it lists certificates of authorities alone, none of clients";
    } else if (point->onlyattr > 0) {
        what = "it lists attribute certificates alone, none of clients";
    } else if (point->onlysomereasons != NULL) {
        what = "it lists revocations for some reasons alone: use the one for all";
    } else if (point->distpoint != NULL) {
        what = "it lists a part of the certificates alone (issuingDistributionPoint): use the "
               "complete one";
    }
    ISSUING_DIST_POINT_free(point);
    return what == NULL || refuse(why, what);
}

/* What is critical must be understood, and nothing but the scope is. */
static bool check_extensions(X509_CRL *crl, char *why)
{
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0) {
        return refuse(why, "it is a delta CRL, which lists changes alone: use the complete one");
    }
    int at = -1;
    while ((at = X509_CRL_get_ext_by_critical(crl, 1, at)) >= 0) {
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(X509_CRL_get_ext(crl, at));
        const int nid = OBJ_obj2nid(oid);
        if (nid != NID_issuing_distribution_point && nid != NID_authority_key_identifier &&
            nid != NID_crl_number) {
            return refuse(why, "it has a critical extension that is not known here");
        }
    }
    return check_scope(crl, why);
}

static bool read_time(const ASN1_TIME *time, int64_t *wall_ms)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return false;
    }
    *wall_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

static bool read_times(X509_CRL *from, struct adu_crl *crl, char *why)
{
    if (!read_time(X509_CRL_get0_lastUpdate(from), &crl->from_ms)) {
        return refuse(why, "its thisUpdate cannot be read");
    }
    if (!read_time(X509_CRL_get0_nextUpdate(from), &crl->until_ms)) {
        return refuse(why, "it has no nextUpdate, so nobody could tell when it is out of date");
    }
    return crl->until_ms > crl->from_ms || refuse(why, "its nextUpdate is before its thisUpdate");
}

/* --- whose word it is --- */

static bool is_weak(X509_CRL *crl)
{
    int digest = NID_undef, key = NID_undef;
    OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, &key);
    return digest == NID_md2 || digest == NID_md4 || digest == NID_md5 || digest == NID_sha1;
}

static bool may_sign(X509 *issuer)
{
    return (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0; /* all where it does not say */
}

static bool find_issuer(X509_CRL *from, STACK_OF(X509) * issuers, struct adu_crl *crl, char *why)
{
    char name[100] = "";
    X509_NAME_oneline(X509_CRL_get_issuer(from), name, sizeof name);
    snprintf(why, ADU_CRL_WHY, "its issuer %s is none of the policy's authorities", name);
    for (int i = 0; i < sk_X509_num(issuers); i++) {
        X509 *issuer = sk_X509_value(issuers, i);
        if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_CRL_get_issuer(from)) != 0) {
            continue;
        }
        EVP_PKEY *key = X509_get0_pubkey(issuer);
        if (key == NULL || X509_CRL_verify(from, key) != 1) {
            snprintf(why, ADU_CRL_WHY, "it is not signed by %s that the policy trusts", name);
        } else if (!may_sign(issuer)) {
            snprintf(why, ADU_CRL_WHY, "%s may not sign CRLs, says its keyUsage", name);
        } else {
            X509_up_ref(issuer);
            crl->issuer = issuer;
            return true;
        }
    }
    return false;
}

/* --- whom it names --- */

static bool read_entry(X509_REVOKED *from, struct adu_crl_entry *entry, char *why)
{
    int critical, at = -1;
    if (!adu_serial_of(X509_REVOKED_get0_serialNumber(from), &entry->serial)) {
        return refuse(why, "a serial number in it has more than 20 bytes");
    }
    if (!read_time(X509_REVOKED_get0_revocationDate(from), &entry->since_ms)) {
        return refuse(why, "the date of a revocation in it cannot be read");
    }
    while ((at = X509_REVOKED_get_ext_by_critical(from, 1, at)) >= 0) {
        const X509_EXTENSION *extension = X509_REVOKED_get_ext(from, at);
        if (OBJ_obj2nid(X509_EXTENSION_get_object((X509_EXTENSION *)extension)) != NID_crl_reason) {
            return refuse(why, "an entry of it has a critical extension that is not known here");
        }
    }
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(from, NID_crl_reason, &critical, NULL);
    const long code = reason != NULL ? ASN1_ENUMERATED_get(reason) : -1;
    entry->reason = (signed char)(code >= 0 && code <= 10 ? code : -1);
    ASN1_ENUMERATED_free(reason);
    return true;
}

static bool read_entries(X509_CRL *from, struct adu_crl *crl, char *why)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(from);
    const int count = revoked != NULL ? sk_X509_REVOKED_num(revoked) : 0;
    crl->entries = calloc((size_t)count + 1, sizeof *crl->entries);
    if (crl->entries == NULL) {
        return no_memory(why);
    }
    for (int i = 0; i < count; i++) {
        if (!read_entry(sk_X509_REVOKED_value(revoked, i), &crl->entries[i], why)) {
            return false;
        }
    }
    crl->count = (size_t)count;
    qsort(crl->entries, crl->count, sizeof *crl->entries, compare);
    return true;
}

/* --- making one --- */

static void drop(struct adu_crl *crl)
{
    if (crl != NULL && atomic_fetch_sub(&crl->references, 1) == 1) {
        X509_free(crl->issuer);
        ASN1_INTEGER_free(crl->number);
        free(crl->entries);
        free(crl);
    }
}

static struct adu_crl *make(const char *name, X509_CRL *from, STACK_OF(X509) * issuers, char *why)
{
    const size_t length = strlen(name) + 1;
    struct adu_crl *crl = calloc(1, sizeof *crl + length);
    if (crl == NULL) {
        no_memory(why);
        return NULL;
    }
    atomic_init(&crl->references, 1);
    memcpy(crl->name, name, length);
    crl->number = X509_CRL_get_ext_d2i(from, NID_crl_number, NULL, NULL);
    if (is_weak(from)) {
        refuse(why, "its signature is by MD5 or SHA-1, which can be forged");
    } else if (read_times(from, crl, why) && check_extensions(from, why) &&
               find_issuer(from, issuers, crl, why) && read_entries(from, crl, why)) {
        return crl;
    }
    drop(crl);
    return NULL;
}

static bool append(struct adu_crl_list *list, struct adu_crl *crl)
{
    struct adu_crl **longer =
        list->count < LISTS_MOST ? realloc(list->crls, (list->count + 1) * sizeof(struct adu_crl *))
                                 : NULL;
    if (longer == NULL) {
        return false;
    }
    list->crls = longer;
    list->crls[list->count++] = crl;
    return true;
}

/* Consumes `from`. */
static bool take(const char *name, X509_CRL *from, STACK_OF(X509) * issuers,
                 struct adu_crl_list *list, char *why)
{
    struct adu_crl *crl = make(name, from, issuers, why);
    X509_CRL_free(from);
    if (crl != NULL && append(list, crl)) {
        return true;
    }
    if (crl != NULL) {
        no_memory(why);
    }
    drop(crl);
    return false;
}

static bool read_pem(const char *name, BIO *bio, STACK_OF(X509) * issuers,
                     struct adu_crl_list *list, char *why)
{
    const size_t before = list->count;
    X509_CRL *crl;
    while ((crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        if (!take(name, crl, issuers, list, why)) {
            return false;
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    return (at_end && list->count > before) ||
           refuse(why, "it is damaged or truncated: there is a CRL in PEM that cannot be read");
}

static bool read_der(const char *name, const unsigned char *bytes, size_t length,
                     STACK_OF(X509) * issuers, struct adu_crl_list *list, char *why)
{
    const unsigned char *at = bytes;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)length);
    if (crl != NULL && at != bytes + length) {
        X509_CRL_free(crl);
        return refuse(why, "there is something behind the CRL");
    }
    return crl != NULL ? take(name, crl, issuers, list, why)
                       : refuse(why, "it is no CRL, neither in PEM nor in DER, or truncated");
}

bool adu_crl_read(const char *name, const unsigned char *bytes, size_t length,
                  STACK_OF(X509) * issuers, struct adu_crl_list *list, char *why)
{
    static const char begin[] = "-----BEGIN X509 CRL";
    struct adu_crl_list fresh = {0};
    bool good = false;
    ERR_set_mark(); /* the end of a file is an error to OpenSSL */
    if (memmem(bytes, length, begin, sizeof begin - 1) != NULL) {
        BIO *bio = BIO_new_mem_buf(bytes, (int)length);
        good = bio != NULL ? read_pem(name, bio, issuers, &fresh, why) : no_memory(why);
        BIO_free(bio);
    } else {
        good = read_der(name, bytes, length, issuers, &fresh, why);
    }
    ERR_pop_to_mark();
    if (good && !adu_crl_list_add(list, &fresh)) {
        good = no_memory(why);
    }
    adu_crl_list_clear(&fresh);
    return good;
}

/* --- lists of them --- */

bool adu_crl_list_add(struct adu_crl_list *list, const struct adu_crl_list *from)
{
    const size_t before = list->count;
    for (size_t i = 0; i < from->count; i++) {
        if (!append(list, from->crls[i])) {
            while (list->count > before) {
                drop(list->crls[--list->count]);
            }
            return false;
        }
        atomic_fetch_add(&from->crls[i]->references, 1);
    }
    return true;
}

void adu_crl_list_clear(struct adu_crl_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        drop(list->crls[i]);
    }
    free(list->crls);
    *list = (struct adu_crl_list){0};
}

/* --- asking one --- */

const char *adu_crl_name(const struct adu_crl *crl)
{
    return crl->name;
}

size_t adu_crl_count(const struct adu_crl *crl)
{
    return crl->count;
}

X509 *adu_crl_issuer(const struct adu_crl *crl)
{
    return crl->issuer;
}

int64_t adu_crl_from_ms(const struct adu_crl *crl)
{
    return crl->from_ms;
}

int64_t adu_crl_until_ms(const struct adu_crl *crl)
{
    return crl->until_ms;
}

bool adu_crl_is_of(const struct adu_crl *crl, X509 *issuer)
{
    return crl->issuer == issuer ||
           (X509_NAME_cmp(X509_get_subject_name(crl->issuer), X509_get_subject_name(issuer)) == 0 &&
            EVP_PKEY_eq(X509_get0_pubkey(crl->issuer), X509_get0_pubkey(issuer)) == 1);
}

bool adu_crl_is_newer(const struct adu_crl *a, const struct adu_crl *b)
{
    if (a->from_ms != b->from_ms) {
        return a->from_ms > b->from_ms;
    }
    return a->number != NULL && b->number != NULL && ASN1_INTEGER_cmp(a->number, b->number) > 0;
}

const struct adu_crl_entry *adu_crl_find(const struct adu_crl *crl, const struct adu_serial *serial)
{
    return bsearch(serial, crl->entries, crl->count, sizeof *crl->entries, compare);
}

const char *adu_crl_reason(const struct adu_crl_entry *entry)
{
    static const char *const names[] = {
        [0] = "unspecified",        [1] = "keyCompromise", [2] = "cACompromise",
        [3] = "affiliationChanged", [4] = "superseded",    [5] = "cessationOfOperation",
        [6] = "certificateHold",    [8] = "removeFromCRL", [9] = "privilegeWithdrawn",
        [10] = "aACompromise",
    };
    return entry->reason >= 0 && names[(int)entry->reason] != NULL ? names[(int)entry->reason] : "";
}
