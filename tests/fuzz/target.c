#include "target.h"
#include "common/audit.h"
#include "common/audit_record.h"
#include "common/utf8.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/cert_auth/certificate.h"
#include "printed.h"
#include "seeds.h"
#include <jansson.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENT_ID = 2048, SEEDS_MOST = 64 };

static const char identities[] =
    "\"identities\": ["
    "{\"name\": \"edge\", \"match\": {\"cert.issuer.cn\": \"Planta Device CA\", \"cert.ou\": "
    "\"edge\"},"
    " \"attributes\": {\"linea\": {\"from\": \"cert.cn\", \"pattern\": \"edge-(linea[0-9]+)\"}},"
    " \"username\": \"${linea}\", \"client_id\": \"${cert.cn}\", \"roles\": [\"edge\"]},"
    "{\"name\": \"gateway\", \"match\": {\"cert.ou\": \"pasarela\"}, \"username\": \"${cert.cn}\","
    " \"client_id\": {\"prefix\": \"${cert.cn}-\"}},"
    "{\"name\": \"admin\", \"match\": {\"cert.cn\": \"admin\"}, \"username\": \"administrador\"},"
    "{\"name\": \"scada\", \"match\": {\"cert.san.uri\": \"urn:planta:scada\"}, \"username\": "
    "\"scada\"}]}";

/* What was compiled of it: without authorities, and with the one that signs the seeds. */
struct compiled {
    struct adu_arena *arena;
    const struct adu_cert_policy *policy;
};

static struct compiled plain, vouched;
static struct adu_attributes seeds[SEEDS_MOST];
static size_t seed_count;

/* --- what is wrong --- */

static const unsigned char *tried;
static size_t tried_length;

static void fail(const char *what, const char *more)
{
    fprintf(stderr, "%s: %s\n", what, more);
    for (size_t i = 0; i < tried_length; i++) {
        fprintf(stderr, "%02x", tried[i]);
    }
    fprintf(stderr, "\n");
    abort();
}

static void must(bool good, const char *what, const char *more)
{
    if (!good) {
        fail(what, more);
    }
}

/* --- the policy --- */

static struct compiled compile(const char *authorities, const char *directory)
{
    struct compiled made = {.arena = adu_arena_new()};
    struct adu_error error = {0};
    struct adu_compiler c = {.arena = made.arena,
                             .vocabulary = adu_vocabulary_new(made.arena),
                             .error = &error,
                             .directory = directory,
                             .file = "cert_auth.json"};
    char json[sizeof identities + 128];
    snprintf(json, sizeof json, "{%s%s", authorities, identities);
    struct adu_json_document *document =
        adu_json_parse("cert_auth.json", json, strlen(json), &error);
    if (document != NULL) {
        made.policy = adu_cert_auth_compile(&c, adu_json_root(document));
        adu_json_free(document);
    }
    must(made.policy != NULL, "the policy is not compiled", error.text);
    return made;
}

/* The authority's file is there only while the policy is compiled. */
static void compile_vouched(void)
{
    char folder[] = "/tmp/aduana-fuzz-XXXXXX", path[64];
    must(mkdtemp(folder) != NULL, "no folder can be made", folder);
    snprintf(path, sizeof path, "%s/root.pem", folder);
    char *root = fuzz_seeds_root();
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(root, file) >= 0 && fclose(file) == 0, "no file can be made", path);
    free(root);
    vouched = compile("\"authorities\": {\"planta\": {\"roots\": [\"root.pem\"]}},", folder);
    unlink(path);
    rmdir(folder);
}

static bool read_attributes(struct fuzz_der der, X509 *parsed, struct adu_attributes *attributes,
                            char *why, size_t size)
{
    const struct adu_bytes bytes = {.bytes = der.bytes, .length = der.length};
    return adu_certificate_attributes(bytes, parsed, attributes, why, size);
}

void fuzz_start(void)
{
    char why[256];
    plain = compile("", "/");
    compile_vouched();
    seed_count = fuzz_seeds();
    must(seed_count <= SEEDS_MOST, "too many seeds", "");
    for (size_t i = 0; i < seed_count; i++) {
        struct fuzz_der der = fuzz_seed_make(i);
        if (!read_attributes(der, NULL, &seeds[i], why, sizeof why)) {
            adu_attributes_clear(&seeds[i]);
        }
        free(der.bytes);
    }
}

void fuzz_end(void)
{
    adu_arena_free(plain.arena);
    adu_arena_free(vouched.arena);
    for (size_t i = 0; i < seed_count; i++) {
        adu_attributes_clear(&seeds[i]);
    }
}

/* --- lines --- */

/* No byte that ends a line or moves a terminal's cursor, and no character that turns the direction
 * of writing or ends a line to somebody. */
static void check_text(const char *line, size_t length)
{
    static const char *const turning[] = {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029",
                                          "\u202a", "\u202b", "\u202c", "\u202d", "\u202e",
                                          "\u2066", "\u2067", "\u2068", "\u2069", "\xc2\x85"};
    must(strlen(line) == length, "a NUL in a line", line);
    for (size_t i = 0; i < length; i++) {
        must((unsigned char)line[i] >= 0x20 && line[i] != 0x7f, "a control character", line);
    }
    must(adu_utf8_valid(line, length), "a line that is not UTF-8", line);
    for (size_t i = 0; i < sizeof turning / sizeof turning[0]; i++) {
        must(strstr(line, turning[i]) == NULL, "a character that turns the line", line);
    }
}

static void check_json(struct adu_audit_record *record, const char *client_id)
{
    char line[ADU_AUDIT_JSON];
    size_t length = adu_audit_record_line(record, 0, line);
    must(length > 0 && length < sizeof line && line[length - 1] == '\n', "no line", "");
    line[--length] = '\0';
    check_text(line, length);
    json_t *parsed = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    must(json_is_object(parsed), "a line of the audit log is no JSON", line);
    const char *said = json_string_value(json_object_get(parsed, "client_id"));
    must(said != NULL && (strlen(client_id) > 60 || strcmp(said, client_id) == 0),
         "the audit log names another client", line);
    json_decref(parsed);
}

static void check_lines(const struct adu_login *login, enum adu_verdict verdict)
{
    static struct adu_audit_record record;
    char line[ADU_AUDIT_LINE];
    const struct adu_reason *why =
        login->certificate_why.text != NULL ? &login->certificate_why : &login->why;
    adu_audit_record_begin(&record, ADU_AUDIT_CONNECT,
                           verdict == ADU_ALLOW ? ADU_AUDIT_ALLOWED : ADU_AUDIT_REFUSED,
                           FUZZ_WALL_MS, 1);
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_CLIENT_ID, login->client_id);
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_CLAIMED_USERNAME, login->client_id);
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_IDENTITY, login->identity);
    if (verdict == ADU_ALLOW) {
        adu_audit_record_text(&record, ADU_AUDIT_TEXT_USERNAME, login->username);
    } else {
        adu_audit_record_reason(&record, why);
        adu_audit_connect(login->client_id, login->client_id, "192.0.2.1", why, line);
        check_text(line, strlen(line));
    }
    check_json(&record, login->client_id);
}

/* --- what is to be expected --- */

struct expected {
    enum adu_verdict verdict;
    const char *identity;
    char username[CLIENT_ID];
};

/* [A-Za-z0-9_.]{1,64}: what a gateway adds to its prefix, which ends with a -. */
static bool is_rest(const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        const char c = text[length];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '.')) {
            return false;
        }
    }
    return length >= 1 && length <= 64;
}

static bool is_edge(const char *cn)
{
    return cn != NULL && strncmp(cn, "edge-linea", 10) == 0 && cn[10] != '\0' &&
           cn[10 + strspn(cn + 10, "0123456789")] == '\0';
}

static void expect_gateway(struct expected *e, const char *cn, const char *client_id)
{
    const size_t length = cn != NULL ? strlen(cn) : 0;
    e->identity = "gateway";
    e->verdict = length > 0 && length <= ADU_USERNAME_MOST && strncmp(client_id, cn, length) == 0 &&
                         client_id[length] == '-' && is_rest(client_id + length + 1)
                     ? ADU_ALLOW
                     : ADU_DENY;
    snprintf(e->username, sizeof e->username, "%s", cn != NULL ? cn : "");
}

/* The policy once more, in words of its own, of what is printed. */
static struct expected expect(const struct fuzz_printed *printed, const char *client_id)
{
    struct expected e = {.verdict = ADU_ABSTAIN};
    char cn[CLIENT_ID];
    const char *one = fuzz_printed_subject(printed, "CN");
    snprintf(cn, sizeof cn, "%s", one != NULL ? one : "");
    const char *issuer = fuzz_printed_issuer(printed, "CN");
    if (issuer != NULL && strcmp(issuer, "Planta Device CA") == 0 &&
        fuzz_printed_has(printed, "OU", "edge") && is_edge(cn)) {
        e.identity = "edge";
        e.verdict = strcmp(client_id, cn) == 0 && strlen(cn) - 5 <= ADU_USERNAME_MOST ? ADU_ALLOW
                                                                                      : ADU_DENY;
        snprintf(e.username, sizeof e.username, "%s", cn + 5);
    } else if (fuzz_printed_has(printed, "OU", "pasarela")) {
        expect_gateway(&e, one != NULL ? cn : NULL, client_id);
    } else if (one != NULL && strcmp(cn, "admin") == 0) {
        e.identity = "admin";
        e.verdict = ADU_ALLOW;
        snprintf(e.username, sizeof e.username, "administrador");
    } else if (fuzz_printed_alternative(printed, "URI:urn:planta:scada")) {
        e.identity = "scada";
        e.verdict = ADU_ALLOW;
        snprintf(e.username, sizeof e.username, "scada");
    }
    return e;
}

/* --- trying --- */

static const char *try_client_id(const struct adu_attributes *attributes,
                                 const struct fuzz_printed *printed, const char *client_id)
{
    struct adu_login login = {
        .client_id = client_id, .certificate = attributes, .why = ADU_REASON_INIT};
    const enum adu_verdict verdict = adu_cert_auth_identify(plain.policy, &login, FUZZ_WALL_MS);
    const struct expected e = expect(printed, client_id);
    must(verdict == e.verdict, "another verdict than by what is printed", client_id);
    must(e.identity == NULL ? login.identity == NULL
                            : login.identity != NULL && strcmp(login.identity, e.identity) == 0,
         "another identity than by what is printed", login.identity != NULL ? login.identity : "-");
    must((login.proven != 0) == (verdict == ADU_ALLOW), "a refused client proves something", "");
    if (verdict == ADU_ALLOW) {
        must(strcmp(login.username, e.username) == 0, "another user name", login.username);
    }
    check_lines(&login, verdict);
    adu_attributes_clear(&login.attributes);
    return e.identity != NULL ? e.identity : "nobody";
}

/* The same but for the fingerprint: a signature does not cover all of the bytes around it. */
static bool says_the_same(const struct adu_attributes *a, const struct adu_attributes *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
            (strcmp(a->items[i].name, "cert.fingerprint") != 0 &&
             strcmp(a->items[i].value, b->items[i].value) != 0)) {
            return false;
        }
    }
    return true;
}

/* Who has it parsed already, as a broker has, reads the same. */
static void check_parsed(struct fuzz_der der, const struct adu_attributes *attributes)
{
    char why[256] = "";
    const unsigned char *at = der.bytes;
    X509 *parsed = d2i_X509(NULL, &at, (long)der.length);
    struct adu_attributes again = {0};
    must(parsed != NULL && read_attributes(der, parsed, &again, why, sizeof why) &&
             adu_attributes_equal(attributes, &again),
         "what is parsed already says something else", why);
    adu_attributes_clear(&again);
    X509_free(parsed);
}

static void check_vouching(struct fuzz_der der, const struct adu_attributes *attributes,
                           const char *identity)
{
    struct adu_login login = {.client_id = "x",
                              .certificate = attributes,
                              .shown = {.bytes = der.bytes, .length = der.length},
                              .why = ADU_REASON_INIT};
    adu_cert_auth_identify(vouched.policy, &login, FUZZ_WALL_MS);
    check_lines(&login, ADU_DENY);
    adu_attributes_clear(&login.attributes);
    if (login.identity == NULL) {
        return;
    }
    must(strcmp(login.identity, identity) == 0, "an authority makes it another", login.identity);
    size_t i = 0;
    while (i < seed_count && !says_the_same(attributes, &seeds[i])) {
        i++;
    }
    must(i < seed_count, "an authority vouches for what it did not sign", login.identity);
}

/* The client ids to try: what its CN is, what a gateway makes of it, and another. */
static const char *try_all(const struct adu_attributes *attributes,
                           const struct fuzz_printed *printed)
{
    static const char *const added[] = {"-a", "-", "-a-b"};
    char cn[CLIENT_ID - 8], client_id[CLIENT_ID];
    const char *one = fuzz_printed_subject(printed, "CN");
    snprintf(cn, sizeof cn, "%s", one != NULL && one[0] != '\0' ? one : "x");
    const char *identity = try_client_id(attributes, printed, cn);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        snprintf(client_id, sizeof client_id, "%s%s", cn, added[i]);
        must(try_client_id(attributes, printed, client_id) == identity,
             "a client id makes it another", client_id);
    }
    must(try_client_id(attributes, printed, "edge-linea1") == identity,
         "a client id makes it another", "edge-linea1");
    return identity;
}

const char *fuzz_certificate(const unsigned char *bytes, size_t length, int vouching)
{
    struct adu_attributes attributes = {0};
    struct adu_login unread = {.client_id = "x", .why = ADU_REASON_INIT};
    const struct fuzz_der der = {.bytes = (unsigned char *)bytes, .length = length};
    const char *identity = "unreadable";
    tried = bytes;
    tried_length = length;
    if (read_attributes(der, NULL, &attributes, unread.why.detail, sizeof unread.why.detail)) {
        struct fuzz_printed *printed = fuzz_print(bytes, length);
        must(printed != NULL, "attributes of what is no certificate", "");
        identity = try_all(&attributes, printed);
        if (vouching) {
            check_parsed(der, &attributes);
            check_vouching(der, &attributes, identity);
        }
        fuzz_printed_free(printed);
    } else {
        unread.why.text = "the certificate cannot be used:";
        must(unread.why.detail[0] != '\0', "refused without a reason", "");
        check_lines(&unread, ADU_DENY);
    }
    adu_attributes_clear(&attributes);
    return identity;
}
