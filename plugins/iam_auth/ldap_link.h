/* How the directory is reached: the part of the key "ldap" that is about servers. */
#ifndef ADUANA_IAM_AUTH_LDAP_LINK_H
#define ADUANA_IAM_AUTH_LDAP_LINK_H

#include "common/compiler.h"
#include "common/reader.h"

enum {
    ADU_LDAP_SERVERS_MOST = 8,
    ADU_LDAP_PASSWORD_MOST = 1024,
    ADU_LDAP_CA_FILE_MOST = 4 * 1024 * 1024,
    ADU_LDAP_DIGEST = 32,
};

struct adu_ldap_link {
    size_t count;
    const char *urls[ADU_LDAP_SERVERS_MOST]; /* ldap:// has StartTLS, ldaps:// has TLS from the
                                                first byte: there is no way without */
    struct ssl_ctx_st *tls;                  /* what they must prove */
    const char *bind_dn;                     /* NULL: what can be read without a name is enough */
    const char *bind_password;
    long connect_ms, operation_ms, total_ms;
    /* Of all of the above and of the CA file's text: links with the same digest are the same. */
    unsigned char digest[ADU_LDAP_DIGEST];
};

struct adu_ldap_link_keys {
    const struct adu_json *servers;
    const char *ca_file, *bind_dn, *bind_password_file;
    long connect_timeout_ms, operation_timeout_ms, total_timeout_ms;
};

#define ADU_LDAP_LINK_DEFAULTS                                                                     \
    {                                                                                              \
        .connect_timeout_ms = 3000, .operation_timeout_ms = 5000, .total_timeout_ms = 10000        \
    }

/* For a table of fields; `type` has the keys as its member `link`. */
#define ADU_LDAP_LINK_FIELD(type, member, field_kind, ...)                                         \
    {                                                                                              \
        .key = #member, .kind = ADU_FIELD_##field_kind, .offset = offsetof(type, link.member),     \
        __VA_ARGS__                                                                                \
    }
#define ADU_LDAP_LINK_FIELDS(type)                                                                 \
    ADU_LDAP_LINK_FIELD(type, servers, ARRAY, .required = true),                                   \
        ADU_LDAP_LINK_FIELD(type, ca_file, STRING, .required = true),                              \
        ADU_LDAP_LINK_FIELD(type, bind_dn, STRING),                                                \
        ADU_LDAP_LINK_FIELD(type, bind_password_file, STRING),                                     \
        ADU_LDAP_LINK_FIELD(type, connect_timeout_ms, INTEGER, .minimum = 100, .maximum = 60000),  \
        ADU_LDAP_LINK_FIELD(type, operation_timeout_ms, INTEGER, .minimum = 100,                   \
                            .maximum = 60000),                                                     \
        ADU_LDAP_LINK_FIELD(type, total_timeout_ms, INTEGER, .minimum = 100, .maximum = 60000)

/* Reads the files that the keys of `settings` name. Lives in the arena, which wipes the password.
 * false with c->error set. */
bool adu_ldap_link_compile(struct adu_compiler *c, const struct adu_json *settings,
                           const struct adu_ldap_link_keys *keys, struct adu_ldap_link *link);

#endif
