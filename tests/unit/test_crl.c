/* Lists of revoked certificates: which are believed, and whom they name. */
#include "authority.h"
#include "plugins/cert_auth/crl.h"

enum { FROM = 1800000000, DAY = 86400 };

static struct authority ours, namesake, stranger, mute;
static STACK_OF(X509) * issuers;

static void open_authorities(void)
{
    ours = authority_make("Planta Device CA", "critical,keyCertSign,cRLSign");
    namesake = authority_make("Planta Device CA", NULL);
    stranger = authority_make("Somebody", NULL);
    mute = authority_make("Mute", "critical,keyCertSign");
    issuers = sk_X509_new_null();
    sk_X509_push(issuers, ours.certificate);
    sk_X509_push(issuers, mute.certificate);
}

static void close_authorities(void)
{
    sk_X509_free(issuers);
    authority_free(&ours);
    authority_free(&namesake);
    authority_free(&stranger);
    authority_free(&mute);
}

/* What is wrong with the bytes; "" if nothing is. */
static const char *wrong(const unsigned char *bytes, size_t length)
{
    static char why[ADU_CRL_WHY];
    struct adu_crl_list list = {0};
    const bool good = adu_crl_read("crl.pem", bytes, length, issuers, &list, why);
    ck_assert_int_eq(good, list.count > 0);
    adu_crl_list_clear(&list);
    return good ? "" : why;
}

/* --- which are believed --- */

static const struct authority *const signers[] = {&ours, &namesake, &stranger, &mute};

static const struct {
    int signer;
    int nid;
    const char *extension, *why;
    bool of_an_entry, sha1, endless, backwards;
} kinds[] = {
    {.why = ""},
    {.nid = NID_crl_number, .extension = "critical,ASN1:INTEGER:1", .why = ""},
    {.signer = 1, .why = "it is not signed by /CN=Planta Device CA that the policy trusts"},
    {.signer = 2, .why = "its issuer /CN=Somebody is none of the policy's authorities"},
    {.signer = 3, .why = "/CN=Mute may not sign CRLs, says its keyUsage"},
    {.sha1 = true, .why = "its signature is by MD5 or SHA-1, which can be forged"},
    {.endless = true, .why = "it has no nextUpdate"},
    {.backwards = true, .why = "its nextUpdate is before its thisUpdate"},
    {.nid = NID_delta_crl, .extension = "critical,ASN1:INTEGER:1", .why = "it is a delta CRL"},
    {.nid = NID_delta_crl, .extension = "ASN1:INTEGER:1", .why = "it is a delta CRL"},
    {.nid = NID_issuing_distribution_point,
     .extension = "critical,indirectCRL:TRUE",
     .why = "it is an indirect CRL"},
    {.nid = NID_issuing_distribution_point, .extension = "critical,onlyuser:TRUE", .why = ""},
    {.nid = NID_issuing_distribution_point,
     .extension = "critical,onlyCA:TRUE",
     .why = "it lists certificates of authorities alone"},
    {.nid = NID_issuing_distribution_point,
     .extension = "critical,onlyAA:TRUE",
     .why = "it lists attribute certificates alone"},
    {.nid = NID_issuing_distribution_point,
     .extension = "onlysomereasons:keyCompromise",
     .why = "it lists revocations for some reasons alone"},
    {.nid = NID_issuing_distribution_point,
     .extension = "critical,fullname:URI:http://x/1",
     .why = "it lists a part of the certificates alone"},
    {.nid = NID_invalidity_date,
     .extension = "critical,ASN1:GENERALIZEDTIME:20260101000000Z",
     .why = "it has a critical extension"},
    {.nid = NID_crl_reason, .extension = "ASN1:ENUMERATED:1", .why = "", .of_an_entry = true},
    {.nid = NID_crl_reason,
     .extension = "critical,ASN1:ENUMERATED:1",
     .why = "",
     .of_an_entry = true},
    {.nid = NID_invalidity_date,
     .extension = "critical,ASN1:GENERALIZEDTIME:20260101000000Z",
     .why = "an entry of it has a critical extension",
     .of_an_entry = true},
};

START_TEST(believed)
{
    open_authorities();
    const struct authority *signer = signers[kinds[_i].signer];
    const int64_t until = kinds[_i].endless ? 0 : kinds[_i].backwards ? FROM - DAY : FROM + DAY;
    X509_CRL *crl = list_new(signer, 7, 2, FROM, until);
    if (kinds[_i].extension != NULL) {
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, NULL, kinds[_i].nid, kinds[_i].extension);
        ck_assert_ptr_nonnull(extension);
        if (kinds[_i].of_an_entry) {
            X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 1);
            X509_REVOKED_add_ext(entry, extension, -1);
        } else {
            X509_CRL_add_ext(crl, extension, -1);
        }
        X509_EXTENSION_free(extension);
    }
    size_t length;
    unsigned char *bytes =
        list_bytes(crl, signer->key, kinds[_i].sha1 ? EVP_sha1() : EVP_sha256(), false, &length);
    const char *why = wrong(bytes, length);
    if (kinds[_i].why[0] == '\0') {
        ck_assert_str_eq(why, "");
    } else {
        ck_assert_msg(strncmp(why, kinds[_i].why, strlen(kinds[_i].why)) == 0, "said %s", why);
    }
    free(bytes);
    close_authorities();
}
END_TEST

START_TEST(damaged)
{
    open_authorities();
    for (int pem = 0; pem < 2; pem++) {
        size_t length;
        unsigned char *bytes = list_bytes(list_new(&ours, 7, 3, FROM, FROM + DAY), ours.key,
                                          EVP_sha256(), pem == 1, &length);
        ck_assert_str_eq(wrong(bytes, length), "");
        for (size_t cut = 0; cut + 2 < length;
             cut++) { /* without its last line's end it is whole */
            ck_assert_msg(wrong(bytes, cut)[0] != '\0', "cut to %zu of %zu", cut, length);
        }
        for (size_t at = 0; pem == 0 && at < length; at++) {
            bytes[at] ^= 0x20;
            ck_assert_msg(wrong(bytes, length)[0] != '\0', "byte %zu of %zu is another", at,
                          length);
            bytes[at] ^= 0x20;
        }
        free(bytes);
    }
    ck_assert_str_eq(wrong((const unsigned char *)"x", 1),
                     "it is no CRL, neither in PEM nor in DER, or truncated");
    close_authorities();
}
END_TEST

START_TEST(several_in_a_file)
{
    open_authorities();
    size_t one, two;
    unsigned char *a =
        list_bytes(list_new(&ours, 7, 1, FROM, FROM + DAY), ours.key, EVP_sha256(), true, &one);
    unsigned char *b = list_bytes(list_new(&ours, 8, 1, FROM + 60, FROM + DAY), ours.key,
                                  EVP_sha256(), true, &two);
    unsigned char *both = malloc(one + two);
    memcpy(both, a, one);
    memcpy(both + one, b, two);
    struct adu_crl_list list = {0};
    char why[ADU_CRL_WHY];
    ck_assert(adu_crl_read("crl.pem", both, one + two, issuers, &list, why));
    ck_assert_uint_eq(list.count, 2);
    ck_assert(adu_crl_is_newer(list.crls[1], list.crls[0]));
    ck_assert(!adu_crl_is_newer(list.crls[0], list.crls[1]));
    ck_assert(!adu_crl_is_newer(list.crls[0], list.crls[0]));
    ck_assert(adu_crl_is_of(list.crls[0], ours.certificate));
    ck_assert(!adu_crl_is_of(list.crls[0], namesake.certificate));
    ck_assert(!adu_crl_read("crl.pem", both, one + two - 40, issuers, &list, why));
    ck_assert_uint_eq(list.count, 2);
    adu_crl_list_clear(&list);
    free(both);
    free(a);
    free(b);
    close_authorities();
}
END_TEST

/* --- whom they name --- */

static struct adu_serial serial_of(uint64_t number)
{
    struct adu_serial serial;
    ASN1_INTEGER *integer = ASN1_INTEGER_new();
    ASN1_INTEGER_set_uint64(integer, number);
    ck_assert(adu_serial_of(integer, &serial));
    ASN1_INTEGER_free(integer);
    return serial;
}

START_TEST(a_hundred_thousand)
{
    enum { COUNT = 100000, FIRST = 250 };
    open_authorities();
    size_t length;
    unsigned char *bytes = list_bytes(list_new(&ours, FIRST, COUNT, FROM, FROM + DAY), ours.key,
                                      EVP_sha256(), false, &length);
    struct adu_crl_list list = {0};
    char why[ADU_CRL_WHY];
    ck_assert(adu_crl_read("crl.pem", bytes, length, issuers, &list, why));
    ck_assert_uint_eq(adu_crl_count(list.crls[0]), COUNT);
    ck_assert_int_eq(adu_crl_until_ms(list.crls[0]), (int64_t)(FROM + DAY) * 1000);
    for (uint64_t number = 0; number < COUNT + 1000; number++) {
        const struct adu_serial serial = serial_of(number);
        const struct adu_crl_entry *entry = adu_crl_find(list.crls[0], &serial);
        ck_assert_int_eq(entry != NULL, number >= FIRST && number < FIRST + COUNT);
        ck_assert(entry == NULL || entry->since_ms == (int64_t)FROM * 1000);
    }
    adu_crl_list_clear(&list);
    free(bytes);
    close_authorities();
}
END_TEST

START_TEST(serial_numbers)
{
    struct adu_serial a, b;
    ASN1_INTEGER *minus = ASN1_INTEGER_new();
    ASN1_INTEGER_set_int64(minus, -7);
    ck_assert(adu_serial_of(minus, &a));
    b = serial_of(7);
    ck_assert_int_ne(memcmp(&a, &b, sizeof a), 0);
    ck_assert(adu_serial_of_text("-07", &b));
    ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
    a = serial_of(0xA1B2);
    ck_assert(adu_serial_of_text("A1B2", &b));
    ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
    ck_assert(!adu_serial_of_text("", &b));
    ck_assert(!adu_serial_of_text("-", &b));
    ck_assert(!adu_serial_of_text("A1B", &b));
    ck_assert(!adu_serial_of_text("A1 2", &b));
    ck_assert(adu_serial_of_text("0102030405060708090A0B0C0D0E0F1011121314", &b));
    ck_assert(!adu_serial_of_text("0102030405060708090A0B0C0D0E0F101112131415", &b));
    ASN1_INTEGER_free(minus);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crl");
    suite_add_rows(suite, believed, ROWS(kinds));
    suite_add(suite, damaged);
    suite_add(suite, several_in_a_file);
    suite_add(suite, a_hundred_thousand);
    suite_add(suite, serial_numbers);
    return run_suite(suite);
}
