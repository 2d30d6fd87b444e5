/* Whom an authority of cert_auth.json vouches for: chains made and signed here (RFC 5280 section
 * 6), good ones and those that somebody might try. */
#include "folder.h"
#include "plugins/cert_auth/authority.h"
#include "snippet.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { DAY = 86400, EXTENSIONS = 3, STEPS = 4 };

static const int64_t now_ms = INT64_C(1700000000000);

struct pair {
    X509 *x509;
    EVP_PKEY *key;
};

struct extension {
    int nid;
    const char *value;
};

/* How a certificate is made; what is not said is good. */
struct recipe {
    const char *cn;
    int begins, ends;   /* seconds from now; both 0: yesterday, tomorrow */
    unsigned rsa_bits;  /* 0: a P-256 key */
    const char *digest; /* NULL: SHA256 */
    struct extension extensions[EXTENSIONS];
};

static const struct recipe root = {.cn = "Planta Root",
                                   .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                                  {NID_key_usage, "critical,keyCertSign"}}};

/* --- making --- */

static void add_extension(const struct pair *made, X509 *issuer, const struct extension *extension)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, made->x509, NULL, NULL, 0);
    X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, &context, extension->nid, extension->value);
    ck_assert_msg(one != NULL, "%s", extension->value);
    ck_assert_int_eq(X509_add_ext(made->x509, one, -1), 1);
    X509_EXTENSION_free(one);
}

/* Signed by `by`, or by itself if that is NULL. */
static struct pair make(const struct recipe *recipe, const struct pair *by)
{
    const bool plain = recipe->begins == 0 && recipe->ends == 0;
    struct pair made = {.x509 = X509_new(),
                        .key = recipe->rsa_bits > 0 ? EVP_RSA_gen(recipe->rsa_bits)
                                                    : EVP_EC_gen("P-256")};
    const struct pair *issuer = by != NULL ? by : &made;
    ck_assert_ptr_nonnull(made.key);
    X509_set_version(made.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.x509), 7);
    ASN1_TIME_set(X509_getm_notBefore(made.x509),
                  (time_t)(now_ms / 1000) + (plain ? -DAY : recipe->begins));
    ASN1_TIME_set(X509_getm_notAfter(made.x509),
                  (time_t)(now_ms / 1000) + (plain ? DAY : recipe->ends));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.x509), "CN", MBSTRING_UTF8,
                               (const unsigned char *)recipe->cn, -1, -1, 0);
    X509_set_issuer_name(made.x509, X509_get_subject_name(issuer->x509));
    X509_set_pubkey(made.x509, made.key);
    for (int i = 0; i < EXTENSIONS && recipe->extensions[i].value != NULL; i++) {
        add_extension(&made, issuer->x509, &recipe->extensions[i]);
    }
    const char *digest = recipe->digest != NULL ? recipe->digest : "SHA256";
    ck_assert_int_gt(X509_sign(made.x509, issuer->key, EVP_get_digestbyname(digest)), 0);
    return made;
}

static void pair_free(struct pair *pair)
{
    X509_free(pair->x509);
    EVP_PKEY_free(pair->key);
}

static void save(const struct folder *folder, const char *name, X509 *x509)
{
    FILE *file = fopen(folder_file(folder, name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_X509(file, x509), 1);
    fclose(file);
}

/* --- vouching --- */

#define AUTHORITY                                                                                  \
    {NID_basic_constraints, "critical,CA:TRUE"},                                                   \
    {                                                                                              \
        NID_key_usage, "critical,keyCertSign"                                                      \
    }
#define CLIENT                                                                                     \
    {                                                                                              \
        NID_ext_key_usage, "clientAuth"                                                            \
    }

/* The chain from below the root to the client; the policy names all but the last, unless `hidden`.
 * Or the client is of another root, of the same name. */
static const struct chain {
    struct recipe steps[STEPS];
    bool hidden, foreign, alone;
    const char *why; /* NULL: it vouches; "?...": nothing is known of such a chain;
                        "!...": the policy does not load */
} chains[] = {
    {.steps = {{.cn = "c", .extensions = {CLIENT}}}},
    {.steps = {{.cn = "c"}}}, /* made for anything */
    {.steps = {{.cn = "l", .extensions = {AUTHORITY}}, {.cn = "c", .extensions = {CLIENT}}}},
    {.steps = {{.cn = "l", .extensions = {AUTHORITY}},
               {.cn = "m", .extensions = {AUTHORITY}},
               {.cn = "c"}}},
    {.steps = {{.cn = "l", .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"}}},
               {.cn = "c"}}},
    /* who certified it is not known */
    {.steps = {{.cn = "l", .extensions = {AUTHORITY}}, {.cn = "c"}},
     .hidden = true,
     .why = "?unable to get local issuer certificate"},
    {.steps = {{.cn = "c", .extensions = {CLIENT}}},
     .foreign = true,
     .why = "certificate signature failure"},
    {.steps = {{.cn = "Planta Root", .extensions = {AUTHORITY}}},
     .alone = true,
     .why = "?self-signed certificate"},
    {.steps = {{.cn = "c", .extensions = {CLIENT}}},
     .alone = true,
     .why = "?self-signed certificate"},
    /* who certified it may not */
    {.steps = {{.cn = "l", .extensions = {CLIENT}}, {.cn = "c"}},
     .why = "!is no certificate of an authority"},
    {.steps = {{.cn = "l",
                .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                               {NID_key_usage, "critical,digitalSignature"}}},
               {.cn = "c"}},
     .why = "!is no certificate of an authority"},
    {.steps = {{.cn = "l", .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"}}},
               {.cn = "m", .extensions = {AUTHORITY}},
               {.cn = "c"}},
     .why = "path length constraint exceeded, 2 above it"},
    {.steps = {{.cn = "l",
                .extensions = {AUTHORITY, {NID_name_constraints, "critical,permitted;DNS:planta"}}},
               {.cn = "c", .extensions = {{NID_subject_alt_name, "DNS:edge.planta"}}}}},
    {.steps = {{.cn = "l",
                .extensions = {AUTHORITY, {NID_name_constraints, "critical,permitted;DNS:planta"}}},
               {.cn = "c", .extensions = {{NID_subject_alt_name, "DNS:edge.otra"}}}},
     .why = "permitted subtree violation"},
    {.steps = {{.cn = "l",
                .extensions = {AUTHORITY, {NID_name_constraints, "critical,excluded;DNS:otra"}}},
               {.cn = "c", .extensions = {{NID_subject_alt_name, "DNS:edge.otra"}}}},
     .why = "excluded subtree violation"},
    /* it is for something else */
    {.steps = {{.cn = "c", .extensions = {{NID_ext_key_usage, "serverAuth"}}}},
     .why = "unsuitable certificate purpose"},
    {.steps = {{.cn = "c", .extensions = {{NID_ext_key_usage, "serverAuth,clientAuth"}}}}},
    {.steps = {{.cn = "l", .extensions = {AUTHORITY, {NID_ext_key_usage, "serverAuth"}}},
               {.cn = "c"}},
     .why = "unsuitable certificate purpose, 1 above it"},
    {.steps = {{.cn = "c",
                .extensions = {{NID_netscape_comment, "x"},
                               {NID_inhibit_any_policy, "critical,1"}}}}},
    /* dates */
    {.steps = {{.cn = "c", .begins = -2 * DAY, .ends = -1}}, .why = "certificate has expired"},
    {.steps = {{.cn = "c", .begins = 1, .ends = DAY}}, .why = "certificate is not yet valid"},
    {.steps = {{.cn = "l", .begins = -2 * DAY, .ends = -1, .extensions = {AUTHORITY}}, {.cn = "c"}},
     .why = "certificate has expired, 1 above it"},
    /* strength */
    {.steps = {{.cn = "c", .rsa_bits = 2048}}},
    {.steps = {{.cn = "c", .rsa_bits = 1024}}, .why = "EE certificate key too weak"},
    {.steps = {{.cn = "l", .rsa_bits = 1024, .extensions = {AUTHORITY}}, {.cn = "c"}},
     .why = "CA certificate key too weak, 1 above it"},
    {.steps = {{.cn = "c", .digest = "SHA1"}}, .why = "CA signature digest algorithm too weak"},
    {.steps = {{.cn = "l", .rsa_bits = 2048, .extensions = {AUTHORITY}},
               {.cn = "c", .digest = "MD5"}},
     .why = "CA signature digest algorithm too weak"},
    {.steps = {{.cn = "l", .digest = "SHA1", .extensions = {AUTHORITY}}, {.cn = "c"}},
     .why = "CA signature digest algorithm too weak, 1 above it"},
};

START_TEST(chains_of_all_kinds)
{
    const struct chain *chain = &chains[_i];
    struct folder folder;
    struct snippet s;
    struct pair made[STEPS + 1], real = make(&root, NULL), foreign = make(&root, NULL);
    const struct pair *above = chain->alone ? NULL : chain->foreign ? &foreign : &real;
    char json[256] = "{'planta': {'roots': ['root.pem']", why[160] = "";
    int count = 0;
    bool related;
    folder_make(&folder);
    save(&folder, "root.pem", real.x509);
    for (; count < STEPS && chain->steps[count].cn != NULL; count++) {
        made[count] = make(&chain->steps[count], above);
        above = &made[count];
    }
    for (int i = 0; i + 1 < count && !chain->hidden; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.pem", i);
        save(&folder, name, made[i].x509);
        snprintf(json + strlen(json), sizeof json - strlen(json), "%s'%s'",
                 i == 0 ? ", 'intermediates': [" : ", ", name);
    }
    strcat(json, count > 1 && !chain->hidden ? "]}}" : "}}");
    snippet_open(&s, "cert_auth.json", json);
    s.c.directory = folder.path;
    const struct adu_authority *authority =
        adu_authority_compile(&s.c, adu_json_member(s.root, "planta"));
    if (authority != NULL) {
        const bool good = adu_authority_vouches(authority, made[count - 1].x509, now_ms, &related,
                                                why, sizeof why);
        ck_assert_msg(good == (chain->why == NULL), "%d: %s", _i, why);
        if (!good && chain->why[0] == '?') {
            ck_assert_msg(!related && strncmp(why, chain->why + 1, strlen(chain->why + 1)) == 0,
                          "%d: %s", _i, why);
        } else if (!good) {
            ck_assert_msg(related && strcmp(why, chain->why) == 0, "%d: %s", _i, why);
        }
    } else {
        ck_assert_msg(chain->why != NULL && chain->why[0] == '!' &&
                          strstr(snippet_error(&s), chain->why + 1) != NULL,
                      "%d: %s", _i, snippet_error(&s));
    }
    snippet_close(&s);
    while (count > 0) {
        pair_free(&made[--count]);
    }
    pair_free(&real);
    pair_free(&foreign);
    folder_remove(&folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authority");
    suite_add_rows(suite, chains_of_all_kinds, ROWS(chains));
    return run_suite(suite);
}
