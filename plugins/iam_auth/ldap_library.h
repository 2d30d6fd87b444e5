/* libldap, looked up at run time: Debian 12 has it as libldap-2.5.so.0 and Debian 13 as
 * libldap.so.2, with the same functions; one binary runs with both. */
#ifndef ADUANA_IAM_AUTH_LDAP_LIBRARY_H
#define ADUANA_IAM_AUTH_LDAP_LIBRARY_H

#include <ldap.h>
#include <openldap.h>

#define ADU_LDAP_FUNCTIONS(X)                                                                      \
    X(ldap_abandon_ext)                                                                            \
    X(ldap_control_find)                                                                           \
    X(ldap_controls_free)                                                                          \
    X(ldap_err2string)                                                                             \
    X(ldap_extended_operation)                                                                     \
    X(ldap_first_attribute)                                                                        \
    X(ldap_get_dn)                                                                                 \
    X(ldap_get_option)                                                                             \
    X(ldap_init_fd)                                                                                \
    X(ldap_get_values_len)                                                                         \
    X(ldap_memfree)                                                                                \
    X(ldap_msgfree)                                                                                \
    X(ldap_msgtype)                                                                                \
    X(ldap_next_attribute)                                                                         \
    X(ldap_parse_passwordpolicy_control)                                                           \
    X(ldap_parse_result)                                                                           \
    X(ldap_result)                                                                                 \
    X(ldap_sasl_bind)                                                                              \
    X(ldap_search_ext)                                                                             \
    X(ldap_set_option)                                                                             \
    X(ldap_unbind_ext)                                                                             \
    X(ldap_value_free_len)                                                                         \
    X(ber_free)                                                                                    \
    X(ber_sockbuf_add_io)                                                                          \
    X(ber_sockbuf_ctrl)

struct adu_ldap_library {
#define X(name) __typeof__(name) *name;
    ADU_LDAP_FUNCTIONS(X)
#undef X
};

/* The same for ever. NULL if it is not to be had: then `*why` says so. Any thread. */
const struct adu_ldap_library *adu_ldap_library(const char **why);

#endif
