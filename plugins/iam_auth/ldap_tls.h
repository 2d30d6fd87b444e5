/* TLS to a server of the directory, by OpenSSL: libldap's own waits for a server that does not
 * answer for as long as it likes, at least with the GnuTLS that Debian builds it with. */
#ifndef ADUANA_IAM_AUTH_LDAP_TLS_H
#define ADUANA_IAM_AUTH_LDAP_TLS_H

#include "common/api.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* What servers must prove: a certificate of one of the authorities in `pem`. NULL if there is none,
 * or memory is gone. Freed by SSL_CTX_free. */
SSL_CTX *adu_ldap_tls_new(const char *pem, size_t length);

/* Shakes hands over the connected socket `fd`, which never blocks and stays the caller's. NULL with
 * `why` if the server has no certificate for `host`, or does not come to an end in time. */
SSL *adu_ldap_tls_shake(SSL_CTX *tls, int fd, const char *host, int64_t deadline_ms, char *why,
                        size_t size);

/* libldap's layer that reads and writes by an SSL, which it takes over: the argument of
 * ber_sockbuf_add_io. */
struct sockbuf_io *adu_ldap_tls_layer(void);

#endif
