#include "plugins/iam_auth/ldap_link.h"
#include "plugins/iam_auth/ldap_dial.h"
#include "plugins/iam_auth/ldap_tls.h"
#include "plugins/iam_auth/named_file.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- servers --- */

static bool compile_server(struct adu_compiler *c, const struct adu_json *node,
                           struct adu_ldap_link *link)
{
    const char *url = adu_read_string(node, c->error);
    if (url == NULL) {
        return false;
    }
    struct adu_ldap_target target;
    if (!adu_ldap_target_read(url, &target)) {
        return adu_json_error(node, c->error,
                              "expected ldaps://<host>[:<port>], or ldap://<host>[:<port>], which "
                              "is asked for StartTLS");
    }
    if (link->count == ADU_LDAP_SERVERS_MOST) {
        return adu_json_error(node, c->error, "at most %d servers", ADU_LDAP_SERVERS_MOST);
    }
    link->urls[link->count] = adu_arena_strdup(c->arena, url);
    return link->urls[link->count++] != NULL || adu_error_no_memory(c->error);
}

static bool compile_servers(struct adu_compiler *c, const struct adu_json *list,
                            struct adu_ldap_link *link)
{
    for (const struct adu_json *node = list->first; node != NULL; node = node->next) {
        if (!compile_server(c, node, link)) {
            return false;
        }
    }
    return link->count > 0 || adu_json_error(list, c->error, "at least one server is needed");
}

/* --- files --- */

static void release_tls(void *thing)
{
    SSL_CTX_free(thing);
}

/* The text goes into the digest: a new certificate in the same file is another link. */
static bool read_ca_file(struct adu_compiler *c, const char *name, struct adu_ldap_link *link,
                         EVP_MD_CTX *digest)
{
    size_t length;
    char *text = adu_named_file_read(c, name, ADU_LDAP_CA_FILE_MOST, &length);
    if (text == NULL) {
        return false;
    }
    link->tls = adu_ldap_tls_new(text, length);
    bool good = link->tls != NULL || adu_error_set(c->error, &(struct adu_place){.file = name},
                                                   "holds no certificate of an authority (PEM)");
    good = good && ((adu_arena_at_free(c->arena, release_tls, link->tls) &&
                     EVP_DigestUpdate(digest, text, length) == 1) ||
                    adu_error_no_memory(c->error));
    free(text);
    return good;
}

static void wipe(void *thing)
{
    char *password = thing;
    explicit_bzero(password, strlen(password));
}

/* Whoever can read the service account's password can read the directory. */
static bool is_private(struct adu_compiler *c, const char *name)
{
    struct stat st;
    const char *path = adu_named_file_path(c, name);
    if (path == NULL) {
        return adu_error_no_memory(c->error);
    }
    return stat(path, &st) != 0 || (st.st_mode & S_IROTH) == 0 ||
           adu_error_set(c->error, &(struct adu_place){.file = name},
                         "anybody may read it (mode %04o); use chmod o-r",
                         (unsigned)(st.st_mode & 07777));
}

/* One line, of which the end is no part. */
static bool take_password(struct adu_compiler *c, const char *name, char *text, size_t length,
                          struct adu_ldap_link *link)
{
    const size_t line = strcspn(text, "\r\n");
    const size_t end = strspn(text + line, "\r\n");
    if (line == 0 || line + end != length) {
        return adu_error_set(c->error, &(struct adu_place){.file = name},
                             "expected one line, the password");
    }
    char *password = adu_arena_strndup(c->arena, text, line);
    link->bind_password = password;
    return (password != NULL && adu_arena_at_free(c->arena, wipe, password)) ||
           adu_error_no_memory(c->error);
}

static bool read_password(struct adu_compiler *c, const char *name, struct adu_ldap_link *link)
{
    size_t length;
    char *text = adu_named_file_read(c, name, ADU_LDAP_PASSWORD_MOST, &length);
    if (text == NULL) {
        return false;
    }
    const bool good = is_private(c, name) && take_password(c, name, text, length, link);
    explicit_bzero(text, length);
    free(text);
    return good;
}

/* --- all of it --- */

static bool compile_account(struct adu_compiler *c, const struct adu_json *settings,
                            const struct adu_ldap_link_keys *keys, struct adu_ldap_link *link)
{
    if ((keys->bind_dn == NULL) != (keys->bind_password_file == NULL)) {
        return adu_json_error(settings, c->error,
                              "\"bind_dn\" and \"bind_password_file\" need each other");
    }
    if (keys->bind_dn == NULL) {
        return true;
    }
    link->bind_dn = adu_arena_strdup(c->arena, keys->bind_dn);
    if (link->bind_dn == NULL) {
        return adu_error_no_memory(c->error);
    }
    return read_password(c, keys->bind_password_file, link);
}

/* With its end, so that no two lists of texts are the same. */
static bool digest_text(EVP_MD_CTX *digest, const char *text)
{
    return text == NULL ? EVP_DigestUpdate(digest, "\1", 1) == 1
                        : EVP_DigestUpdate(digest, text, strlen(text) + 1) == 1;
}

static bool digest_link(EVP_MD_CTX *digest, struct adu_ldap_link *link)
{
    const long numbers[] = {link->connect_ms, link->operation_ms, link->total_ms};
    bool good = EVP_DigestUpdate(digest, numbers, sizeof numbers) == 1;
    for (size_t i = 0; i < link->count; i++) {
        good = good && digest_text(digest, link->urls[i]);
    }
    return good && digest_text(digest, link->bind_dn) && digest_text(digest, link->bind_password) &&
           EVP_DigestFinal_ex(digest, link->digest, NULL) == 1;
}

bool adu_ldap_link_compile(struct adu_compiler *c, const struct adu_json *settings,
                           const struct adu_ldap_link_keys *keys, struct adu_ldap_link *link)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    *link = (struct adu_ldap_link){.connect_ms = keys->connect_timeout_ms,
                                   .operation_ms = keys->operation_timeout_ms,
                                   .total_ms = keys->total_timeout_ms};
    bool good = (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1) ||
                adu_error_no_memory(c->error);
    good = good && compile_servers(c, keys->servers, link) &&
           read_ca_file(c, keys->ca_file, link, digest) &&
           compile_account(c, settings, keys, link) &&
           (digest_link(digest, link) || adu_error_no_memory(c->error));
    EVP_MD_CTX_free(digest);
    return good;
}
