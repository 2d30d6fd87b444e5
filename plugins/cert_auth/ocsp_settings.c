#include "plugins/cert_auth/ocsp_settings.h"
#include "common/fetch.h"
#include "common/reader.h"
#include "plugins/cert_auth/pem_file.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum mode { OFF, SOFT, HARD };
enum nonce { REQUIRED, OPTIONAL };

const char *const adu_ocsp_mode_names[] = {"off", "soft", "hard", NULL};
const char *const adu_ocsp_nonce_names[] = {"required", "optional", NULL};

/* Below 112 bits nobody is believed: what an authority's "security_level" is by default. */
enum { SECURITY_LEVEL = 2 };

/* --- compiling --- */

static bool has_no_use(struct adu_compiler *c, const struct adu_revocation_keys *keys)
{
    static const char *const others[] = {
        "ocsp_responder",       "ocsp_hosts",        "ocsp_nonce",        "ocsp_refresh_seconds",
        "ocsp_timeout_seconds", "ocsp_skew_seconds", "ocsp_max_age_hours"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct adu_json *node = adu_json_member(keys->object, others[i]);
        if (node != NULL) {
            adu_json_key_error(node, c->error, "has no use without \"ocsp\"");
            return true;
        }
    }
    return false;
}

static bool keep(struct adu_compiler *c, char **to, const char *text)
{
    *to = strdup(text);
    return *to != NULL || adu_error_no_memory(c->error);
}

static bool compile_responder(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                              struct adu_ocsp_settings *s)
{
    char why[ADU_FETCH_WHY];
    const struct adu_json *node = adu_json_member(keys->object, "ocsp_responder");
    if (node == NULL) {
        return true;
    }
    if (strlen(keys->ocsp_responder) >= ADU_OCSP_URL) {
        return adu_json_error(node, c->error, "an address has at most %d bytes", ADU_OCSP_URL - 1);
    }
    return adu_fetch_allows(keys->ocsp_responder, why)
               ? keep(c, &s->responder, keys->ocsp_responder)
               : adu_json_error(node, c->error, "%s", why);
}

static bool compile_hosts(struct adu_compiler *c, const struct adu_json *array,
                          struct adu_ocsp_settings *s)
{
    size_t count = 0;
    if (array == NULL) {
        return true;
    }
    if (array->count == 0) {
        return adu_json_error(array, c->error, "an empty list allows no responder at all");
    }
    if (s->responder != NULL) {
        const struct adu_place place = adu_compiler_place(c, &array->place);
        adu_findings_add(
            c->findings, "unused-ocsp-hosts", &place,
            "\"ocsp_responder\" is asked about every certificate, so none names one of "
            "these");
    }
    if ((s->hosts = calloc(array->count + 1, sizeof *s->hosts)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const char *name = adu_read_string(node, c->error);
        if (name == NULL) {
            return false;
        }
        if (strpbrk(name, "/ @?#*") != NULL) {
            return adu_json_error(node, c->error, "expected the name of a host, nothing around it");
        }
        if (!keep(c, &s->hosts[count++], name)) {
            return false;
        }
    }
    return true;
}

static bool compile_ca_file(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                            struct adu_ocsp_settings *s)
{
    char path[ADU_PATH_MOST];
    const struct adu_json *node = adu_json_member(keys->object, "url_ca_file");
    return node == NULL || (adu_pem_path(c, node, path) != NULL && keep(c, &s->ca_file, path));
}

bool adu_ocsp_settings_compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                               struct adu_ocsp_settings **settings)
{
    *settings = NULL;
    if (adu_json_member(keys->object, "ocsp") == NULL && has_no_use(c, keys)) {
        return false;
    }
    struct adu_ocsp_settings *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return adu_error_no_memory(c->error);
    }
    atomic_init(&s->references, 1);
    s->place = adu_compiler_place(c, &keys->object->place);
    s->hard = keys->ocsp == HARD;
    s->terms = (struct adu_ocsp_terms){
        .without_nonce = keys->ocsp_nonce == OPTIONAL,
        .skew_ms = (int64_t)keys->ocsp_skew_seconds * 1000,
        .age_ms = (int64_t)keys->ocsp_max_age_hours * 3600 * 1000,
        .security_level = SECURITY_LEVEL,
    };
    s->refresh_ms = (int64_t)keys->ocsp_refresh_seconds * 1000;
    s->timeout_ms = keys->ocsp_timeout_seconds * 1000;
    /* What is wrong is said even while it is off. */
    const bool good = compile_responder(c, keys, s) && compile_hosts(c, keys->ocsp_hosts, s) &&
                      compile_ca_file(c, keys, s);
    if (good && keys->ocsp != OFF) {
        *settings = s;
    } else {
        adu_ocsp_settings_unref(s);
    }
    return good;
}

struct adu_ocsp_settings *adu_ocsp_settings_ref(struct adu_ocsp_settings *settings)
{
    if (settings != NULL) {
        atomic_fetch_add(&settings->references, 1);
    }
    return settings;
}

void adu_ocsp_settings_unref(struct adu_ocsp_settings *settings)
{
    if (settings == NULL || atomic_fetch_sub(&settings->references, 1) > 1) {
        return;
    }
    for (char **host = settings->hosts; host != NULL && *host != NULL; host++) {
        free(*host);
    }
    free(settings->hosts);
    free(settings->responder);
    free(settings->ca_file);
    free(settings);
}

/* --- agreeing --- */

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool are_same(char *const *a, char *const *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

bool adu_ocsp_settings_agree(const struct adu_ocsp_settings *a, const struct adu_ocsp_settings *b)
{
    return is_same(a->responder, b->responder) && is_same(a->ca_file, b->ca_file) &&
           are_same(a->hosts, b->hosts) && a->terms.without_nonce == b->terms.without_nonce &&
           a->terms.skew_ms == b->terms.skew_ms && a->terms.age_ms == b->terms.age_ms &&
           a->terms.security_level == b->terms.security_level;
}

/* --- whom to ask --- */

static bool may_name(const struct adu_ocsp_settings *s, const char *host)
{
    char **one = s->hosts;
    while (one != NULL && *one != NULL && strcasecmp(*one, host) != 0) {
        one++;
    }
    return one == NULL || *one != NULL;
}

/* An address is of ASCII's signs (RFC 3986), and it goes to the log. */
static bool is_plain(const char *text)
{
    while (*text > ' ' && *text < 0x7f) {
        text++;
    }
    return *text == '\0';
}

static bool take(const struct adu_ocsp_settings *s, const char *named, char *url, char *why)
{
    char host[ADU_FETCH_HOST], reason[ADU_FETCH_WHY];
    if (strlen(named) >= ADU_OCSP_URL || !is_plain(named) || !adu_fetch_allows(named, reason) ||
        !adu_fetch_host(named, host)) {
        snprintf(why, ADU_OCSP_WHY,
                 "the certificate names a responder by something else than "
                 "http:// or https://");
        return false;
    }
    if (!may_name(s, host)) {
        snprintf(why, ADU_OCSP_WHY,
                 "the certificate names a responder that is none of "
                 "\"ocsp_hosts\"");
        return false;
    }
    snprintf(url, ADU_OCSP_URL, "%s", named);
    return true;
}

bool adu_ocsp_settings_responder(const struct adu_ocsp_settings *settings, X509 *leaf,
                                 char url[ADU_OCSP_URL], char why[ADU_OCSP_WHY])
{
    if (settings->responder != NULL) {
        snprintf(url, ADU_OCSP_URL, "%s", settings->responder);
        return true;
    }
    snprintf(why, ADU_OCSP_WHY, "the certificate names no responder, nor does \"ocsp_responder\"");
    STACK_OF(OPENSSL_STRING) *named = X509_get1_ocsp(leaf);
    bool found = false;
    for (int i = 0; !found && i < sk_OPENSSL_STRING_num(named); i++) {
        found = take(settings, sk_OPENSSL_STRING_value(named, i), url, why);
    }
    X509_email_free(named);
    return found;
}
