/* Client certificates as attributes: real ones, made and signed here, encoded and read back as a
 * broker gets them. */
#include "plugins/cert_auth/certificate.h"
#include "runner.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* A kind of part: a field of the subject is its NID, an alternative name this much above GEN_*. */
enum { SAN = 100000, LONGEST = 1024 };

#define CN NID_commonName
#define OU NID_organizationalUnitName
#define TEXT(what, text)                                                                           \
    {                                                                                              \
        what, V_ASN1_UTF8STRING, text, sizeof(text) - 1                                            \
    }
#define DNS(text)                                                                                  \
    {                                                                                              \
        SAN + GEN_DNS, V_ASN1_IA5STRING, text, sizeof(text) - 1                                    \
    }
#define URI(text)                                                                                  \
    {                                                                                              \
        SAN + GEN_URI, V_ASN1_IA5STRING, text, sizeof(text) - 1                                    \
    }
#define EMAIL(text)                                                                                \
    {                                                                                              \
        SAN + GEN_EMAIL, V_ASN1_IA5STRING, text, sizeof(text) - 1                                  \
    }
#define IP(bytes)                                                                                  \
    {                                                                                              \
        SAN + GEN_IPADD, V_ASN1_OCTET_STRING, bytes, sizeof(bytes) - 1                             \
    }

struct part {
    int what, type;
    const char *bytes;
    int length;
};

/* --- making certificates ------------------------------------------------------------------------
 */

static void add_to_name(X509_NAME *name, const struct part *p)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, p->what, p->type,
                                                (const unsigned char *)p->bytes, p->length, -1, 0),
                     1);
}

static void add_to_alternatives(GENERAL_NAMES *names, const struct part *p)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *string = ASN1_STRING_type_new(p->type);
    ck_assert_int_eq(ASN1_STRING_set(string, p->bytes, p->length), 1);
    if (p->what == SAN + GEN_RID) {
        GENERAL_NAME_set0_value(name, GEN_RID, OBJ_txt2obj("1.2.3.4", 1));
        ASN1_STRING_free(string);
    } else if (p->what == SAN + GEN_OTHERNAME) {
        ASN1_TYPE *value = ASN1_TYPE_new();
        ASN1_TYPE_set(value, p->type, string);
        GENERAL_NAME_set0_othername(name, OBJ_txt2obj("1.2.3.4", 1), value);
    } else {
        GENERAL_NAME_set0_value(name, p->what - SAN, string);
    }
    ck_assert_int_gt(sk_GENERAL_NAME_push(names, name), 0);
}

static X509 *unsigned_certificate(const struct part *parts, int count)
{
    X509 *x509 = X509_new();
    GENERAL_NAMES *alternatives = GENERAL_NAMES_new();
    static const struct part issuer[] = {TEXT(CN, "Planta Device CA"), TEXT(OU, "it")};
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 0xabc);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    for (int i = 0; i < ROWS(issuer); i++) {
        add_to_name(X509_get_issuer_name(x509), &issuer[i]);
    }
    for (int i = 0; i < count; i++) {
        if (parts[i].what < SAN) {
            add_to_name(X509_get_subject_name(x509), &parts[i]);
        } else {
            add_to_alternatives(alternatives, &parts[i]);
        }
    }
    if (sk_GENERAL_NAME_num(alternatives) > 0) {
        ck_assert_int_eq(X509_add1_ext_i2d(x509, NID_subject_alt_name, alternatives, 0, 0), 1);
    }
    GENERAL_NAMES_free(alternatives);
    return x509;
}

/* Signs it, and reads back what goes over the wire. */
static X509 *through_the_wire(X509 *x509)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    unsigned char *der = NULL;
    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(X509_set_pubkey(x509, key), 1);
    ck_assert_int_gt(X509_sign(x509, key, EVP_sha256()), 0);
    const int length = i2d_X509(x509, &der);
    ck_assert_int_gt(length, 0);
    const unsigned char *at = der;
    X509 *read = d2i_X509(NULL, &at, length);
    ck_assert_msg(read != NULL, "OpenSSL itself does not read it");
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    X509_free(x509);
    return read;
}

static X509 *certificate(const struct part *parts, int count)
{
    return through_the_wire(unsigned_certificate(parts, count));
}

/* --- what is read of them -----------------------------------------------------------------------
 */

static char said[16 * 1024];

static bool attributes_of(X509 *x509, struct adu_attributes *attributes, char *why, size_t size)
{
    struct adu_bytes der = {0};
    const int length = i2d_X509(x509, &der.bytes);
    der.length = length > 0 ? (size_t)length : 0;
    const bool good = adu_certificate_attributes(der, NULL, attributes, why, size);
    OPENSSL_free(der.bytes);
    return good;
}

/* "cn=edge;san.dns=a", serial, fingerprint and issuer left out; or "!" and why it is refused. */
static const char *read_of(X509 *x509)
{
    struct adu_attributes attributes = {0};
    char why[160] = "nothing was said";
    size_t used = 0;
    said[0] = '\0';
    if (!attributes_of(x509, &attributes, why, sizeof why)) {
        snprintf(said, sizeof said, "!%s", why);
    }
    for (size_t i = 0; said[0] != '!' && i < attributes.count; i++) {
        const struct adu_attribute *a = &attributes.items[i];
        if (strcmp(a->name, "cert.serial") != 0 && strcmp(a->name, "cert.fingerprint") != 0 &&
            strncmp(a->name, "cert.issuer.", 12) != 0) {
            used += (size_t)snprintf(said + used, sizeof said - used, "%s%s=%s",
                                     used > 0 ? ";" : "", a->name + 5, a->value);
        }
    }
    adu_attributes_clear(&attributes);
    return said;
}

static const struct {
    struct part parts[6];
    const char *read;
} wired[] = {
    {{{0}}, ""}, /* an empty subject says nothing, which no identity matches */
    {{TEXT(CN, "edge-linea1"), TEXT(OU, "edge")}, "cn=edge-linea1;ou=edge"},
    {{TEXT(OU, "b"), TEXT(CN, "x"), TEXT(OU, "a"), TEXT(OU, "b")}, "ou=b;cn=x;ou=a;ou=b"},
    {{TEXT(CN, "a"), TEXT(CN, "b")}, "cn=a;cn=b"}, /* both: whoever asks for one value gets none */
    {{TEXT(NID_countryName, "ES"), TEXT(NID_stateOrProvinceName, "Navarra"),
      TEXT(NID_localityName, "Tudela"), TEXT(NID_organizationName, "Planta"),
      TEXT(NID_organizationName, "Sur")},
     "c=ES;st=Navarra;l=Tudela;o=Planta;o=Sur"},
    {{TEXT(NID_pkcs9_emailAddress, "a@b"), TEXT(NID_userId, "u"), TEXT(CN, "x"),
      TEXT(NID_domainComponent, "planta"), TEXT(NID_domainComponent, "local"),
      TEXT(NID_serialNumber, "7")},
     "email=a@b;uid=u;cn=x;dc=planta;dc=local;serial_number=7"},
    {{TEXT(NID_title, "t"), TEXT(NID_givenName, "Ana"), TEXT(NID_surname, "Ruiz")},
     "title=t;given_name=Ana;surname=Ruiz"},
    /* fields that no rule can ask for */
    {{TEXT(NID_pseudonym, "p"), TEXT(CN, "x")}, "cn=x"},
    /* every kind of string is the same text */
    {{{CN, V_ASN1_BMPSTRING, "\0l\0\xed\0n\0e\0a\x4e\x2d", 12}}, "cn=l\xc3\xadnea\xe4\xb8\xad"},
    {{{CN, V_ASN1_T61STRING, "l\xednea", 5}}, "cn=l\xc3\xadnea"},
    {{{CN, V_ASN1_PRINTABLESTRING, "linea", 5}}, "cn=linea"},
    {{{CN, V_ASN1_UNIVERSALSTRING, "\0\0\0l\0\x01\xf6\0", 8}}, "cn=l\xf0\x9f\x98\x80"},
    {{TEXT(CN, "l\xc3\xadnea \xf0\x9f\x98\x80")}, "cn=l\xc3\xadnea \xf0\x9f\x98\x80"},
    /* characters that mean something to topics and directories are the rules' business */
    {{TEXT(CN, "a/b"), TEXT(OU, "+"), TEXT(OU, "#"), TEXT(OU, "a/CN=b")},
     "cn=a/b;ou=+;ou=#;ou=a/CN=b"},
    {{TEXT(CN, ""), TEXT(OU, "x")}, "cn=;ou=x"},
    {{TEXT(CN, " x ")}, "cn= x "},
    /* alternative names */
    {{DNS("edge.planta"), URI("urn:dev:1"), EMAIL("a@planta"), DNS("two")},
     "san.dns=edge.planta;san.uri=urn:dev:1;san.email=a@planta;san.dns=two"},
    {{IP("\x0a\0\0\x01"), IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"),
      IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\xff")},
     "san.ip=10.0.0.1;san.ip=::1;san.ip=2001:db8::ff"},
    {{{SAN + GEN_RID, V_ASN1_UTF8STRING, "x", 1},
      {SAN + GEN_OTHERNAME, V_ASN1_UTF8STRING, "x", 1},
      {SAN + GEN_OTHERNAME, V_ASN1_OCTET_STRING, "y", 1},
      DNS("d")},
     "san.other.1.2.3.4=x;san.dns=d"},
    {{{SAN + GEN_OTHERNAME, V_ASN1_UTF8STRING, "x\n", 2}},
     "!cert.san.other.1.2.3.4 holds a control character"},
    {{DNS("l\xednea")}, "san.dns=l\xc3\xadnea"},
    /* what cannot be trusted to mean what it seems to */
    {{{CN, V_ASN1_BIT_STRING, "abc", 3}}, "!cert.cn is not text"},
    {{TEXT(CN, "edge-linea1\0.evil")}, "!cert.cn holds a control character"},
    {{TEXT(CN, "edge-linea1\0")}, "!cert.cn holds a control character"},
    {{TEXT(CN, "good"), TEXT(OU, "a\nb")}, "!cert.ou holds a control character"},
    {{TEXT(CN, "a\x7f")}, "!cert.cn holds a control character"},
    {{TEXT(CN, "a\xc2\x85")}, "!cert.cn holds a control character"}, /* U+0085 is one too */
    {{{CN, V_ASN1_T61STRING, "a\x9b[2J", 5}}, "!cert.cn holds a control character"},
    {{{CN, V_ASN1_BMPSTRING, "\0a\0\0", 4}}, "!cert.cn holds a control character"},
    {{DNS("edge.planta\0.evil")}, "!cert.san.dns holds a control character"},
    {{URI("urn:a\0b")}, "!cert.san.uri holds a control character"},
    {{EMAIL("a@b\r\n")}, "!cert.san.email holds a control character"},
    {{IP("\x0a\0\0\0\xff")}, "!cert.san.ip is no address"},
    {{IP("\x0a\0\0\0\xff\0\0\0")}, "!cert.san.ip is no address"}, /* a network */
    {{IP("")}, "!cert.san.ip is no address"},
};

START_TEST(read_and_refused)
{
    int count = 0;
    while (count < ROWS(wired[_i].parts) && wired[_i].parts[count].what != 0) {
        count++;
    }
    X509 *x509 = certificate(wired[_i].parts, count);
    ck_assert_str_eq(read_of(x509), wired[_i].read);
    X509_free(x509);
}
END_TEST

/* As openssl.cnf would have them. */
static const struct {
    struct {
        const char *name, *value;
    } extensions[4];
    const char *read;
} extended[] = {
    {{{"keyUsage", "critical,digitalSignature,keyAgreement,decipherOnly"}},
     "ku=digitalSignature;ku=keyAgreement"},
    {{{"extendedKeyUsage", "clientAuth,serverAuth,codeSigning,1.2.3.4"}},
     "eku=clientAuth;eku=serverAuth;eku=codeSigning;eku=1.2.3.4"},
    {{{"certificatePolicies",
       "DER:30:15:30:0b:06:09:2b:06:01:04:01:86:8d:1f:07:30:06:06:04:55:1d:20:00"}},
     "policy=1.3.6.1.4.1.99999.7;policy=2.5.29.32.0"},
    {{{"subjectAltName", "otherName:msUPN;UTF8:ana@planta"}}, "san.upn=ana@planta"},
    {{{"1.3.6.1.4.1.99999.1", "ASN1:UTF8String:norte"},
      {"1.3.6.1.4.1.99999.2", "ASN1:IA5String:sur"},
      {"1.3.6.1.4.1.99999.1", "ASN1:PRINTABLESTRING:este"}},
     "ext.1.3.6.1.4.1.99999.1=norte;ext.1.3.6.1.4.1.99999.2=sur;ext.1.3.6.1.4.1.99999.1=este"},
    /* what no rule can ask for */
    {{{"1.3.6.1.4.1.99999.1", "ASN1:INTEGER:5"},
      {"1.3.6.1.4.1.99999.2", "ASN1:OCTETSTRING:x"},
      {"1.3.6.1.4.1.99999.3", "DER:0c:01:61:00"}, /* more behind the text */
      {"1.3.6.1.4.1.99999.4", "DER:0c:05:61"}},   /* less than it says */
     ""},
    {{{"basicConstraints", "CA:FALSE"}, {"nsComment", "x"}, {"subjectKeyIdentifier", "00:01"}}, ""},
    /* what cannot be trusted to mean what it seems to */
    {{{"1.3.6.1.4.1.99999.1", "DER:0c:03:61:00:62"}},
     "!cert.ext.1.3.6.1.4.1.99999.1 holds a control character"},
    {{{"1.3.6.1.4.1.99999.1", "DER:0c:02:ff:fe"}}, "!cert.ext.1.3.6.1.4.1.99999.1 is not text"},
    {{{"extendedKeyUsage", "DER:04:01:00"}}, "!extendedKeyUsage cannot be read, or is there twice"},
    {{{"extendedKeyUsage", "clientAuth"}, {"extendedKeyUsage", "serverAuth"}},
     "!extendedKeyUsage cannot be read, or is there twice"},
    {{{"certificatePolicies", "DER:04:01:00"}},
     "!certificatePolicies cannot be read, or is there twice"},
};

START_TEST(extensions)
{
    X509 *x509 = unsigned_certificate(NULL, 0);
    X509V3_CTX context;
    X509V3_set_ctx_test(&context);
    X509V3_set_ctx_nodb(&context);
    for (int i = 0; i < ROWS(extended[_i].extensions); i++) {
        const char *name = extended[_i].extensions[i].name;
        if (name != NULL) {
            X509_EXTENSION *extension =
                X509V3_EXT_conf(NULL, &context, name, extended[_i].extensions[i].value);
            ck_assert_msg(extension != NULL, "%s=%s", name, extended[_i].extensions[i].value);
            ck_assert_int_eq(X509_add_ext(x509, extension, -1), 1);
            X509_EXTENSION_free(extension);
        }
    }
    x509 = through_the_wire(x509);
    ck_assert_str_eq(read_of(x509), extended[_i].read);
    X509_free(x509);
}
END_TEST

/* OpenSSL itself does not read these; nor does this, should it ever be given one. */
static const struct part unreadable[] = {
    TEXT(CN, "\xff\xfe"),
    TEXT(CN, "\xc0\xaf"),
    TEXT(CN, "\xed\xa0\x80"),
    TEXT(CN, "cut \xc3"),
    {CN, V_ASN1_BMPSTRING, "\xd8\x3d\xde\0", 4}, /* half characters: UTF-16 is not UCS-2 */
    {CN, V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", 4},
};

START_TEST(what_is_no_text)
{
    X509 *x509 = unsigned_certificate(&unreadable[_i], 1);
    ck_assert_msg(strcmp(read_of(x509), "!cert.cn is not text") == 0 ||
                      strcmp(said, "!cert.cn is not valid UTF-8") == 0 ||
                      strcmp(said, "!it is no X.509 certificate") == 0,
                  "%s", said);
    X509_free(x509);
}
END_TEST

/* --- bounds -------------------------------------------------------------------------------------
 */

static const struct {
    int what, type, length;
    const char *bytes; /* repeated */
    const char *why;   /* NULL: good */
} long_ones[] = {
    {CN, V_ASN1_UTF8STRING, LONGEST, "a", NULL},
    {CN, V_ASN1_UTF8STRING, LONGEST + 1, "a", "!cert.cn has more than 1024 bytes"},
    {CN, V_ASN1_T61STRING, LONGEST / 2, "\xed", NULL}, /* two bytes each in UTF-8 */
    {CN, V_ASN1_T61STRING, LONGEST / 2 + 1, "\xed", "!cert.cn has more than 1024 bytes"},
    {OU, V_ASN1_UTF8STRING, 100000, "\0", "!cert.ou has more than 1024 bytes"},
    {SAN + GEN_DNS, V_ASN1_IA5STRING, LONGEST, "a", NULL},
    {SAN + GEN_DNS, V_ASN1_IA5STRING, 100000, "a", "!cert.san.dns has more than 1024 bytes"},
    {SAN + GEN_URI, V_ASN1_IA5STRING, 100000, "a", "!cert.san.uri has more than 1024 bytes"},
    {SAN + GEN_IPADD, V_ASN1_OCTET_STRING, 100000, "a", "!cert.san.ip is no address"},
};

START_TEST(long_fields)
{
    const int length = long_ones[_i].length;
    char *bytes = malloc((size_t)length);
    memset(bytes, long_ones[_i].bytes[0], (size_t)length);
    const struct part part = {long_ones[_i].what, long_ones[_i].type, bytes, length};
    X509 *x509 = certificate(&part, 1);
    read_of(x509);
    if (long_ones[_i].why != NULL) {
        ck_assert_str_eq(said, long_ones[_i].why);
    } else {
        ck_assert_msg(said[0] != '!', "%s", said);
        ck_assert_uint_eq(strlen(strchr(said, '=') + 1), LONGEST);
    }
    X509_free(x509);
    free(bytes);
}
END_TEST

START_TEST(many_fields)
{
    enum { OTHERS = 4 }; /* serial, fingerprint, and the issuer's two */
    static struct part parts[ADU_ATTRIBUTES_MOST];
    for (int i = 0; i < ROWS(parts); i++) {
        parts[i] = (struct part)DNS("d");
    }
    X509 *most = certificate(parts, ADU_ATTRIBUTES_MOST - OTHERS);
    X509 *more = certificate(parts, ADU_ATTRIBUTES_MOST - OTHERS + 1);
    ck_assert_msg(read_of(most)[0] != '!', "%s", said);
    ck_assert_str_eq(read_of(more), "!cert.san.dns is one field too many");
    X509_free(most);
    X509_free(more);
}
END_TEST

/* --- the certificate itself ---------------------------------------------------------------------
 */

static const char *single(X509 *x509, const char *name)
{
    static char value[2048];
    struct adu_attributes attributes = {0};
    char why[160];
    ck_assert(attributes_of(x509, &attributes, why, sizeof why));
    const char *found = adu_attributes_single(&attributes, name);
    snprintf(value, sizeof value, "%s", found != NULL ? found : "(none or several)");
    adu_attributes_clear(&attributes);
    return value;
}

static const char *const serials[] = {"01", "0ABC", "80", "-01",
                                      "FFEEDDCCBBAA99887766554433221100FFEEDDCC"};

START_TEST(serial)
{
    X509 *x509 = unsigned_certificate(NULL, 0);
    BIGNUM *number = NULL;
    BN_hex2bn(&number, serials[_i]);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    x509 = through_the_wire(x509);
    ck_assert_str_eq(single(x509, "cert.serial"), serials[_i]);
    BN_free(number);
    X509_free(x509);
}
END_TEST

START_TEST(fingerprint)
{
    X509 *x509 = certificate(NULL, 0), *other = certificate(NULL, 0);
    unsigned char *der = NULL, digest[32];
    char hex[65];
    const int length = i2d_X509(x509, &der);
    ck_assert_int_eq(EVP_Digest(der, (size_t)length, digest, NULL, EVP_sha256(), NULL), 1);
    for (int i = 0; i < 32; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    ck_assert_str_eq(single(x509, "cert.fingerprint"), hex);
    ck_assert_str_ne(single(other, "cert.fingerprint"), hex);
    OPENSSL_free(der);
    X509_free(x509);
    X509_free(other);
}
END_TEST

START_TEST(issuer)
{
    X509 *x509 = certificate(NULL, 0);
    ck_assert_str_eq(single(x509, "cert.issuer.cn"), "Planta Device CA");
    ck_assert_str_eq(single(x509, "cert.issuer.ou"), "it");
    ck_assert_str_eq(single(x509, "cert.cn"), "(none or several)");
    X509_free(x509);
    x509 = unsigned_certificate(NULL, 0);
    add_to_name(X509_get_issuer_name(x509), &(struct part)TEXT(CN, "Another CA"));
    x509 = through_the_wire(x509);
    ck_assert_str_eq(single(x509, "cert.issuer.cn"), "(none or several)");
    X509_free(x509);
    x509 = unsigned_certificate(NULL, 0);
    add_to_name(X509_get_issuer_name(x509), &(struct part)TEXT(NID_organizationName, "P\0Q"));
    x509 = through_the_wire(x509);
    ck_assert_str_eq(read_of(x509), "!cert.issuer.o holds a control character");
    X509_free(x509);
}
END_TEST

/* An extension is there once, and is what it says it is. */
static const struct {
    const char *der;
    int length, times;
} alternatives[] = {
    {"\x30\x03\x82\x01z", 5, 2}, /* dns:z, twice */
    {"\x30\x05\x82\x03z", 5, 1}, /* cut off */
    {"\x02\x01\x01", 3, 1},      /* a number */
    {"", 0, 1},
};

START_TEST(alternatives_refused)
{
    X509 *x509 = unsigned_certificate(NULL, 0);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, (const unsigned char *)alternatives[_i].der,
                          alternatives[_i].length);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, data);
    for (int i = 0; i < alternatives[_i].times; i++) {
        ck_assert_int_eq(X509_add_ext(x509, extension, -1), 1);
    }
    x509 = through_the_wire(x509);
    ck_assert_str_eq(read_of(x509), "!subjectAltName cannot be read, or is there twice");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(data);
    X509_free(x509);
}
END_TEST

/* The reason is cut to its buffer, whatever its size. */
START_TEST(small_buffers)
{
    X509 *x509 = certificate(&(struct part)TEXT(CN, "a\nb"), 1);
    char why[8];
    struct adu_attributes attributes = {0};
    ck_assert(!attributes_of(x509, &attributes, why, sizeof why));
    ck_assert_str_eq(why, "cert.cn");
    adu_attributes_clear(&attributes);
    X509_free(x509);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("certificate");
    suite_add_rows(suite, read_and_refused, ROWS(wired));
    suite_add_rows(suite, extensions, ROWS(extended));
    suite_add_rows(suite, what_is_no_text, ROWS(unreadable));
    suite_add_rows(suite, long_fields, ROWS(long_ones));
    suite_add(suite, many_fields);
    suite_add_rows(suite, serial, ROWS(serials));
    suite_add(suite, fingerprint);
    suite_add(suite, issuer);
    suite_add_rows(suite, alternatives_refused, ROWS(alternatives));
    suite_add(suite, small_buffers);
    return run_suite(suite);
}
