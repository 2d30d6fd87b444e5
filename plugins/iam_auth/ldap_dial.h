/* A TCP connection to the server of a URL. */
#ifndef ADUANA_IAM_AUTH_LDAP_DIAL_H
#define ADUANA_IAM_AUTH_LDAP_DIAL_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADU_LDAP_HOST_MOST = 256 };

struct adu_ldap_target {
    bool tls_first; /* ldaps */
    char host[ADU_LDAP_HOST_MOST];
    char port[6];
};

/* Reads ldap://<host>, ldaps://[<address>]:<port> and the like. false if it is none. */
bool adu_ldap_target_read(const char *url, struct adu_ldap_target *target);

/* Milliseconds of a clock that nobody sets. */
int64_t adu_ldap_now_ms(void);

/* Waits until `fd` can be read or written (POLLIN, POLLOUT). false at the deadline. */
bool adu_ldap_wait(int fd, short events, int64_t deadline_ms);

/* A connected socket that never blocks, or -1 with `*why`. Tries each address that the name has,
 * for `each_ms` at most. How long the name is looked up is the system's to say. */
int adu_ldap_dial(const struct adu_ldap_target *target, long each_ms, int64_t deadline_ms,
                  const char **why);

#endif
