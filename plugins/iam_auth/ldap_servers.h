/* The servers of one directory: which of them answer, and connections that wait for the next
 * question. Shared by policy generations whose links are the same. Any thread. */
#ifndef ADUANA_IAM_AUTH_LDAP_SERVERS_H
#define ADUANA_IAM_AUTH_LDAP_SERVERS_H

#include "plugins/iam_auth/ldap_connection.h"

struct adu_ldap_servers;

/* What a connection is kept for. */
enum adu_ldap_use {
    ADU_LDAP_TO_SEARCH, /* bound as the service account, or not at all where there is none */
    ADU_LDAP_TO_BIND    /* bound as whoever was asked for last */
};

/* Those of this link, made if there are none; connects to nobody yet. NULL when memory is gone. */
struct adu_ldap_servers *adu_ldap_servers_get(const struct adu_ldap_link *link);
/* The last one closes its connections. */
void adu_ldap_servers_put(struct adu_ldap_servers *servers);

/* The numbers of the servers in the order in which to ask them; how many. */
size_t adu_ldap_servers_order(struct adu_ldap_servers *servers, size_t *order);
/* What came of asking. */
void adu_ldap_servers_tell(struct adu_ldap_servers *servers, size_t server, bool answered);

/* A connection that was kept (`*kept`), or else a new one, not bound. NULL with result->why. */
struct adu_ldap_connection *adu_ldap_servers_take(struct adu_ldap_servers *servers, size_t server,
                                                  enum adu_ldap_use use, int64_t deadline_ms,
                                                  bool *kept, struct adu_ldap_result *result);
/* Keeps it, or closes it where it is of no more use. NULL-safe. */
void adu_ldap_servers_give(struct adu_ldap_servers *servers, size_t server, enum adu_ldap_use use,
                           struct adu_ldap_connection *connection);
/* Closes what was kept of a server: it has left us. */
void adu_ldap_servers_drop(struct adu_ldap_servers *servers, size_t server);

#endif
