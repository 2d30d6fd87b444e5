#include "plugins/cert_auth/authority.h"
#include "common/reader.h"
#include "plugins/cert_auth/pem_file.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { DEPTH_MOST = 10 };

struct adu_authority {
    const char *name;
    X509_STORE *roots;
    STACK_OF(X509) * intermediates;
    long security_level;
};

struct keys {
    const struct adu_json *roots, *intermediates;
    long security_level;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, roots, ARRAY, .required = true),
    ADU_FIELD(struct keys, intermediates, ARRAY),
    ADU_FIELD(struct keys, security_level, INTEGER, .minimum = 0, .maximum = 5),
    {0},
};

static void release(void *thing)
{
    struct adu_authority *authority = thing;
    X509_STORE_free(authority->roots);
    sk_X509_pop_free(authority->intermediates, X509_free);
}

/* --- files --- */

static bool take_root(void *context, X509 *x509, const char **what)
{
    struct adu_authority *authority = context;
    if (X509_self_signed(x509, 1) != 1) {
        *what = "is not self-signed: put it under \"intermediates\"";
        return false;
    }
    *what = "cannot be used: out of memory";
    return X509_STORE_add_cert(authority->roots, x509) == 1;
}

static bool take_intermediate(void *context, X509 *x509, const char **what)
{
    struct adu_authority *authority = context;
    if (X509_check_ca(x509) == 0) {
        *what = "is no certificate of an authority (basicConstraints CA:TRUE)";
        return false;
    }
    *what = "cannot be used: out of memory";
    if (sk_X509_push(authority->intermediates, x509) <= 0) {
        return false;
    }
    X509_up_ref(x509);
    return true;
}

const struct adu_authority *adu_authority_compile(struct adu_compiler *c,
                                                  const struct adu_json *node)
{
    struct keys keys = {.security_level = 2}; /* 112 bits: RSA 2048, no SHA-1 */
    struct adu_authority *authority = adu_arena_alloc(c->arena, sizeof *authority);
    if (authority == NULL || !adu_arena_at_free(c->arena, release, authority)) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    authority->name = adu_arena_strdup(c->arena, node->key);
    authority->roots = X509_STORE_new();
    authority->intermediates = sk_X509_new_null();
    if (authority->name == NULL || authority->roots == NULL || authority->intermediates == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(node, fields, &keys, c->error)) {
        return NULL;
    }
    authority->security_level = keys.security_level;
    if (keys.roots->count == 0) {
        adu_json_error(keys.roots, c->error, "an authority without a root vouches for nobody");
        return NULL;
    }
    return adu_pem_read_files(c, keys.roots, take_root, authority) &&
                   adu_pem_read_files(c, keys.intermediates, take_intermediate, authority)
               ? authority
               : NULL;
}

const char *adu_authority_name(const struct adu_authority *authority)
{
    return authority->name;
}

bool adu_authority_certificates(const struct adu_authority *authority, STACK_OF(X509) * all)
{
    STACK_OF(X509) *roots = X509_STORE_get1_all_certs(authority->roots);
    const bool good = roots != NULL && X509_add_certs(all, roots, X509_ADD_FLAG_UP_REF) == 1 &&
                      X509_add_certs(all, authority->intermediates, X509_ADD_FLAG_UP_REF) == 1;
    sk_X509_pop_free(roots, X509_free);
    return good;
}

/* --- vouching --- */

static bool is_unrelated(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

static void explain(X509_STORE_CTX *context, bool *related, char *why, size_t size)
{
    const int error = X509_STORE_CTX_get_error(context);
    const int depth = X509_STORE_CTX_get_error_depth(context);
    *related = !is_unrelated(error);
    if (depth == 0) {
        snprintf(why, size, "%s", X509_verify_cert_error_string(error));
    } else {
        snprintf(why, size, "%s, %d above it", X509_verify_cert_error_string(error), depth);
    }
}

bool adu_authority_vouches(const struct adu_authority *authority, X509 *leaf, int64_t wall_ms,
                           bool *related, char *why, size_t size)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool good = false;
    *related = true;
    snprintf(why, size, "out of memory");
    ERR_set_mark();
    if (context != NULL &&
        X509_STORE_CTX_init(context, authority->roots, leaf, authority->intermediates) == 1) {
        X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
        X509_STORE_CTX_set_default(context, "ssl_client");
        X509_VERIFY_PARAM_set_time(parameters, (time_t)(wall_ms / 1000));
        X509_VERIFY_PARAM_set_auth_level(parameters, (int)authority->security_level);
        X509_VERIFY_PARAM_set_depth(parameters, DEPTH_MOST);
        good = X509_verify_cert(context) == 1;
        if (!good) {
            explain(context, related, why, size);
        }
    }
    ERR_pop_to_mark();
    X509_STORE_CTX_free(context);
    return good;
}
