#include "plugins/iam_auth/ldap_servers.h"
#include "plugins/iam_auth/ldap_dial.h"
#include "plugins/iam_auth/ldap_health.h"
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A firewall forgets a silent connection without a word, and a directory ends it: so none is kept
 * long. */
enum { KEPT_MOST = 32, KEPT_MS = 60000 };

struct kept {
    struct adu_ldap_connection *connection;
    size_t server;
    enum adu_ldap_use use;
    int64_t until_ms;
};

struct adu_ldap_servers {
    struct adu_ldap_servers *next;
    unsigned users;
    struct adu_ldap_link link; /* of the first generation; its texts are copies */
    char *texts[ADU_LDAP_SERVERS_MOST];
    pthread_mutex_t lock; /* of what follows */
    struct adu_ldap_health health[ADU_LDAP_SERVERS_MOST];
    struct kept kept[KEPT_MOST];
    size_t count;
};

/* All there are, by which a new generation finds those of the last. */
static struct adu_ldap_servers *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- having them --- */

static void free_servers(struct adu_ldap_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        adu_ldap_close(servers->kept[i].connection);
    }
    for (size_t i = 0; i < ADU_LDAP_SERVERS_MOST; i++) {
        free(servers->texts[i]);
    }
    SSL_CTX_free(servers->link.tls);
    pthread_mutex_destroy(&servers->lock);
    free(servers);
}

static struct adu_ldap_servers *new_servers(const struct adu_ldap_link *link)
{
    struct adu_ldap_servers *servers = calloc(1, sizeof *servers);
    if (servers == NULL || pthread_mutex_init(&servers->lock, NULL) != 0) {
        free(servers);
        return NULL;
    }
    servers->link = *link;
    /* Whoever asks has the service account in his own policy. */
    servers->link.bind_dn = servers->link.bind_password = NULL;
    bool good = SSL_CTX_up_ref(link->tls) == 1;
    servers->link.tls = good ? link->tls : NULL;
    for (size_t i = 0; i < link->count; i++) {
        servers->link.urls[i] = servers->texts[i] = strdup(link->urls[i]);
        good = good && servers->texts[i] != NULL;
    }
    if (!good) {
        free_servers(servers);
        return NULL;
    }
    return servers;
}

struct adu_ldap_servers *adu_ldap_servers_get(const struct adu_ldap_link *link)
{
    pthread_mutex_lock(&all_lock);
    struct adu_ldap_servers *servers = all;
    while (servers != NULL &&
           memcmp(servers->link.digest, link->digest, sizeof link->digest) != 0) {
        servers = servers->next;
    }
    if (servers == NULL && (servers = new_servers(link)) != NULL) {
        servers->next = all;
        all = servers;
    }
    if (servers != NULL) {
        servers->users++;
    }
    pthread_mutex_unlock(&all_lock);
    return servers;
}

void adu_ldap_servers_put(struct adu_ldap_servers *servers)
{
    pthread_mutex_lock(&all_lock);
    const bool last = --servers->users == 0;
    if (last) {
        struct adu_ldap_servers **at = &all;
        while (*at != servers) {
            at = &(*at)->next;
        }
        *at = servers->next;
    }
    pthread_mutex_unlock(&all_lock);
    if (last) {
        free_servers(servers);
    }
}

/* --- health --- */

size_t adu_ldap_servers_order(struct adu_ldap_servers *servers, size_t *order)
{
    pthread_mutex_lock(&servers->lock);
    adu_ldap_health_order(servers->health, servers->link.count, adu_ldap_now_ms(), order);
    pthread_mutex_unlock(&servers->lock);
    return servers->link.count;
}

void adu_ldap_servers_tell(struct adu_ldap_servers *servers, size_t server, bool answered)
{
    pthread_mutex_lock(&servers->lock);
    if (answered) {
        servers->health[server] = (struct adu_ldap_health){0};
    } else {
        adu_ldap_health_failed(&servers->health[server], adu_ldap_now_ms());
    }
    pthread_mutex_unlock(&servers->lock);
}

/* --- connections --- */

static struct adu_ldap_connection *remove_kept(struct adu_ldap_servers *servers, size_t i)
{
    struct adu_ldap_connection *connection = servers->kept[i].connection;
    servers->kept[i] = servers->kept[--servers->count];
    return connection;
}

/* One that is too old, or of the server that is to be dropped; NULL: there is none left. */
static struct adu_ldap_connection *take_useless(struct adu_ldap_servers *servers, bool drop,
                                                size_t server)
{
    struct adu_ldap_connection *connection = NULL;
    const int64_t now = adu_ldap_now_ms();
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; connection == NULL && i < servers->count; i++) {
        if (drop ? servers->kept[i].server == server : servers->kept[i].until_ms <= now) {
            connection = remove_kept(servers, i);
        }
    }
    pthread_mutex_unlock(&servers->lock);
    return connection;
}

/* Outside of the lock, since a good-bye goes over the network. */
static void close_useless(struct adu_ldap_servers *servers, bool drop, size_t server)
{
    struct adu_ldap_connection *connection;
    while ((connection = take_useless(servers, drop, server)) != NULL) {
        adu_ldap_close(connection);
    }
}

void adu_ldap_servers_drop(struct adu_ldap_servers *servers, size_t server)
{
    close_useless(servers, true, server);
}

struct adu_ldap_connection *adu_ldap_servers_take(struct adu_ldap_servers *servers, size_t server,
                                                  enum adu_ldap_use use, int64_t deadline_ms,
                                                  bool *kept, struct adu_ldap_result *result)
{
    struct adu_ldap_connection *connection = NULL;
    close_useless(servers, false, 0);
    pthread_mutex_lock(&servers->lock);
    for (size_t i = servers->count; connection == NULL && i-- > 0;) {
        if (servers->kept[i].server == server && servers->kept[i].use == use) {
            connection = remove_kept(servers, i);
        }
    }
    pthread_mutex_unlock(&servers->lock);
    *kept = connection != NULL;
    return *kept
               ? connection
               : adu_ldap_connect(&servers->link, servers->link.urls[server], deadline_ms, result);
}

void adu_ldap_servers_give(struct adu_ldap_servers *servers, size_t server, enum adu_ldap_use use,
                           struct adu_ldap_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    pthread_mutex_lock(&servers->lock);
    const bool keep = adu_ldap_is_usable(connection) && servers->count < KEPT_MOST;
    if (keep) {
        servers->kept[servers->count++] = (struct kept){.connection = connection,
                                                        .server = server,
                                                        .use = use,
                                                        .until_ms = adu_ldap_now_ms() + KEPT_MS};
    }
    pthread_mutex_unlock(&servers->lock);
    if (!keep) {
        adu_ldap_close(connection);
    }
}
