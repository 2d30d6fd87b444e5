#include "plugins/cert_auth/crl_settings.h"
#include "common/fetch.h"
#include "common/reader.h"
#include "plugins/cert_auth/pem_file.h"
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOUR_MS = 3600 * 1000, URLS_MOST = 64, ORIGINS_MOST = 256 };

/* Beside the settings lies what frees them. */
struct held {
    struct adu_crl_settings settings; /* first */
    atomic_uint references;
    struct adu_arena *arena;
};

struct adu_crl_settings *adu_crl_settings_hold(const struct adu_crl_settings *settings)
{
    struct held *held = (struct held *)settings;
    atomic_fetch_add(&held->references, 1);
    return &held->settings;
}

void adu_crl_settings_drop(struct adu_crl_settings *settings)
{
    struct held *held = (struct held *)settings;
    if (held != NULL && atomic_fetch_sub(&held->references, 1) == 1) {
        adu_crl_shelf_drop(settings->shelf);
        sk_X509_pop_free(settings->issuers, X509_free);
        adu_arena_free(held->arena);
    }
}

static void release(void *thing)
{
    adu_crl_settings_drop(thing);
}

/* Its memory is not the policy's. NULL with c->error set. */
static struct held *settings_new(struct adu_compiler *c, STACK_OF(X509) * issuers)
{
    struct adu_arena *arena = adu_arena_new();
    struct held *held = arena != NULL ? adu_arena_alloc(arena, sizeof *held) : NULL;
    if (held == NULL) {
        adu_arena_free(arena);
        adu_error_no_memory(c->error);
        return NULL;
    }
    held->arena = arena;
    atomic_init(&held->references, 1);
    held->settings.issuers = X509_chain_up_ref(issuers);
    if (!adu_arena_at_free(c->arena, release, &held->settings) || held->settings.issuers == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return held;
}

/* --- files and folders --- */

static size_t count_of(const struct adu_json *array)
{
    return array != NULL ? array->count : 0;
}

static bool add_origins(struct adu_compiler *c, struct held *held, const struct adu_json *array,
                        bool folder)
{
    const struct adu_json *node = array != NULL ? array->first : NULL;
    for (; node != NULL; node = node->next) {
        char path[ADU_PATH_MOST];
        const char *name = adu_pem_path(c, node, path);
        if (name == NULL) {
            return false;
        }
        struct adu_crl_origin *origin = &held->settings.origins[held->settings.origin_count++];
        origin->folder = folder;
        origin->name = adu_arena_strdup(held->arena, name);
        origin->path = adu_arena_strdup(held->arena, path);
        if (origin->name == NULL || origin->path == NULL) {
            return adu_error_no_memory(c->error);
        }
    }
    return true;
}

static const struct adu_json *nth(const struct adu_json *array, size_t index)
{
    const struct adu_json *node = array->first;
    for (; index > 0; index--) {
        node = node->next;
    }
    return node;
}

/* Whether `before` names the same files and trusts the same authorities. */
static bool is_the_same(const struct adu_crl_settings *s, const struct adu_crl_settings *before)
{
    bool same = before->origin_count == s->origin_count &&
                sk_X509_num(before->issuers) == sk_X509_num(s->issuers);
    for (size_t i = 0; same && i < s->origin_count; i++) {
        same = before->origins[i].folder == s->origins[i].folder &&
               strcmp(before->origins[i].path, s->origins[i].path) == 0;
    }
    for (int i = 0; same && i < sk_X509_num(s->issuers); i++) {
        same = X509_cmp(sk_X509_value(before->issuers, i), sk_X509_value(s->issuers, i)) == 0;
    }
    return same;
}

/* What was read for an earlier plugin of this start is not read again for each: the first tick
 * looks whether it has changed since. */
static bool read_shelf(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                       struct adu_crl_settings *s)
{
    const struct adu_crl_settings *before = keys->before;
    if (before != NULL && is_the_same(s, before)) {
        s->shelf = adu_crl_shelf_hold(before->shelf);
        return true;
    }
    s->shelf = adu_crl_shelf_read(s->origins, s->origin_count, s->issuers, NULL);
    if (s->shelf == NULL) {
        return adu_error_no_memory(c->error);
    }
    size_t origin;
    const char *wrong = adu_crl_shelf_wrong(s->shelf, &origin);
    if (wrong == NULL) {
        return true;
    }
    const size_t files = count_of(keys->crl_files);
    return adu_json_error(origin < files ? nth(keys->crl_files, origin)
                                         : nth(keys->crl_folders, origin - files),
                          c->error, "%s", wrong);
}

static bool compile_origins(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                            struct held *held)
{
    const size_t count = count_of(keys->crl_files) + count_of(keys->crl_folders);
    if (count > ORIGINS_MOST) {
        return adu_json_error(keys->object, c->error, "at most %d files and folders", ORIGINS_MOST);
    }
    held->settings.origins = adu_arena_array(held->arena, count, sizeof *held->settings.origins);
    if (held->settings.origins == NULL) {
        return adu_error_no_memory(c->error);
    }
    return add_origins(c, held, keys->crl_files, false) &&
           add_origins(c, held, keys->crl_folders, true) && read_shelf(c, keys, &held->settings);
}

/* --- addresses --- */

static bool compile_urls(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                         struct held *held)
{
    struct adu_crl_settings *s = &held->settings;
    const size_t count = count_of(keys->crl_urls);
    char why[ADU_FETCH_WHY];
    if (count > URLS_MOST) {
        return adu_json_error(keys->crl_urls, c->error, "at most %d addresses", URLS_MOST);
    }
    if ((s->urls = adu_arena_array(held->arena, count, sizeof(char *))) == NULL) {
        return adu_error_no_memory(c->error);
    }
    const struct adu_json *node = count > 0 ? keys->crl_urls->first : NULL;
    for (; node != NULL; node = node->next) {
        const char *url = adu_read_string(node, c->error);
        if (url == NULL) {
            return false;
        }
        if (!adu_fetch_allows(url, why)) {
            return adu_json_error(node, c->error, "%s", why);
        }
        if ((s->urls[s->url_count++] = adu_arena_strdup(held->arena, url)) == NULL) {
            return adu_error_no_memory(c->error);
        }
    }
    return true;
}

static bool compile_url_ca(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                           struct held *held)
{
    if (keys->url_ca_file == NULL) {
        return true;
    }
    char path[ADU_PATH_MOST];
    if (adu_pem_path(c, adu_json_member(keys->object, "url_ca_file"), path) == NULL) {
        return false;
    }
    held->settings.url_ca_file = adu_arena_strdup(held->arena, path);
    return held->settings.url_ca_file != NULL || adu_error_no_memory(c->error);
}

/* --- what is remarkable --- */

const char *adu_crl_issuer_name(X509 *issuer, char *buffer, size_t size)
{
    X509_NAME *name = X509_get_subject_name(issuer);
    if (X509_NAME_get_text_by_NID(name, NID_commonName, buffer, (int)size) <= 0) {
        X509_NAME_oneline(name, buffer, (int)size);
    }
    return buffer;
}

const char *adu_crl_time(int64_t wall_ms, char *buffer)
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(buffer, ADU_CRL_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        buffer[0] = '\0';
    }
    return buffer;
}

const struct adu_crl *adu_crl_latest(const struct adu_crl_list *lists, X509 *issuer,
                                     const struct adu_crl *best)
{
    for (size_t i = 0; i < lists->count; i++) {
        const struct adu_crl *crl = lists->crls[i];
        if (adu_crl_is_of(crl, issuer) && (best == NULL || adu_crl_is_newer(crl, best))) {
            best = crl;
        }
    }
    return best;
}

int64_t adu_crl_settings_alert_ms(const struct adu_crl_settings *s, const struct adu_crl *crl)
{
    return s->alert_ms != 0 ? s->alert_ms : (adu_crl_until_ms(crl) - adu_crl_from_ms(crl)) / 4;
}

/* Whether it signs certificates of authorities that are here, and so perhaps none of clients. */
static bool is_above_another(const struct adu_crl_settings *s, X509 *issuer)
{
    for (int i = 0; i < sk_X509_num(s->issuers); i++) {
        X509 *other = sk_X509_value(s->issuers, i);
        if (other != issuer && X509_cmp(other, issuer) != 0 &&
            X509_check_issued(issuer, other) == X509_V_OK) {
            return true;
        }
    }
    return false;
}

/* Of the time of loading, as the files are. */
static void find_remarkable(struct adu_compiler *c, const struct adu_json *object,
                            const struct adu_crl_settings *s)
{
    const struct adu_place place = adu_compiler_place(c, &object->place);
    const int64_t wall_ms = (int64_t)time(NULL) * 1000;
    char name[80], end[ADU_CRL_TIME];
    for (int i = 0; i < sk_X509_num(s->issuers); i++) {
        X509 *issuer = sk_X509_value(s->issuers, i);
        const struct adu_crl *crl = adu_crl_latest(adu_crl_shelf_lists(s->shelf), issuer, NULL);
        adu_crl_issuer_name(issuer, name, sizeof name);
        if (crl != NULL && adu_crl_until_ms(crl) <= wall_ms) {
            adu_findings_add(c->findings, "crl-expired", &place, "%s of \"%s\" has expired on %s",
                             adu_crl_name(crl), name, adu_crl_time(adu_crl_until_ms(crl), end));
        } else if (crl != NULL &&
                   adu_crl_until_ms(crl) - adu_crl_settings_alert_ms(s, crl) <= wall_ms) {
            adu_findings_add(c->findings, "crl-expires-soon", &place, "%s of \"%s\" expires on %s",
                             adu_crl_name(crl), name, adu_crl_time(adu_crl_until_ms(crl), end));
        } else if (crl == NULL && s->url_count == 0 && !is_above_another(s, issuer)) {
            adu_findings_add(c->findings, "authority-without-crl", &place,
                             "there is no CRL of \"%s\", so its certificates are %s", name,
                             s->unknown_allowed ? "let in whatever became of them" : "refused");
        }
    }
}

/* --- all of it --- */

static bool check_grace(struct adu_compiler *c, const struct adu_revocation_keys *keys)
{
    const struct adu_json *grace = adu_json_member(keys->object, "grace_hours");
    return grace == NULL || keys->expired == 1 ||
           adu_json_error(grace, c->error, "has a meaning with \"expired\": \"warn\" alone");
}

bool adu_crl_settings_compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                              STACK_OF(X509) * issuers, const void **settings)
{
    *settings = NULL;
    if (count_of(keys->crl_files) + count_of(keys->crl_folders) + count_of(keys->crl_urls) == 0) {
        return true;
    }
    struct held *held = settings_new(c, issuers);
    if (held == NULL) {
        return false;
    }
    struct adu_crl_settings *s = &held->settings;
    s->recheck_ms = (int64_t)keys->recheck_seconds * 1000;
    s->refetch_ms = (int64_t)keys->refetch_seconds * 1000;
    s->alert_ms = (int64_t)keys->alert_hours * HOUR_MS;
    s->grace_ms = keys->expired == 1 ? (int64_t)keys->grace_hours * HOUR_MS : 0;
    s->unknown_allowed = keys->unknown == 1;
    s->place = adu_compiler_place(c, &keys->object->place);
    s->place.file = adu_arena_strdup(held->arena, s->place.file);
    if (s->place.file == NULL) {
        return adu_error_no_memory(c->error);
    }
    if (!check_grace(c, keys) || !compile_url_ca(c, keys, held) || !compile_urls(c, keys, held) ||
        !compile_origins(c, keys, held)) {
        return false;
    }
    find_remarkable(c, keys->object, s);
    *settings = s;
    return true;
}
