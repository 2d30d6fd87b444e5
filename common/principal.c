#include "common/principal.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

struct adu_client {
    char *id;
    struct adu_principal *principals;
    UT_hash_handle hh;
};

struct adu_user {
    char *name; /* "" for none */
    size_t count;
    struct adu_principal *oldest, *newest;
    UT_hash_handle hh;
};

struct adu_principals {
    struct adu_client *clients;
    struct adu_user *users;
    struct adu_principal *oldest, *newest;
    size_t count, most;
    void (*forget)(void *context, struct adu_principal *gone);
    void *context;
};

struct adu_principals *adu_principals_new(size_t most,
                                          void (*forget)(void *context, struct adu_principal *gone),
                                          void *context)
{
    struct adu_principals *table = calloc(1, sizeof *table);
    if (table != NULL) {
        table->most = most;
        table->forget = forget;
        table->context = context;
    }
    return table;
}

static bool same_name(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void link_newest(struct adu_principals *table, struct adu_principal *p)
{
    p->older = table->newest;
    p->newer = NULL;
    *(table->newest != NULL ? &table->newest->newer : &table->oldest) = p;
    table->newest = p;
    p->older_of_user = p->user->newest;
    p->newer_of_user = NULL;
    *(p->user->newest != NULL ? &p->user->newest->newer_of_user : &p->user->oldest) = p;
    p->user->newest = p;
}

static void unlink_age(struct adu_principals *table, struct adu_principal *p)
{
    *(p->older != NULL ? &p->older->newer : &table->oldest) = p->newer;
    *(p->newer != NULL ? &p->newer->older : &table->newest) = p->older;
    *(p->older_of_user != NULL ? &p->older_of_user->newer_of_user : &p->user->oldest) =
        p->newer_of_user;
    *(p->newer_of_user != NULL ? &p->newer_of_user->older_of_user : &p->user->newest) =
        p->older_of_user;
}

void adu_principal_unjudge(struct adu_principal *p)
{
    adu_attributes_clear(&p->subject.attributes);
    free(p->subject.roles.words);
    free(p->subject.values);
    free(p->values_memory);
    free(p->recent);
    p->subject = (struct adu_subject){.client_id = p->subject.client_id,
                                      .username = p->subject.username}; /* it is called still */
    p->values_memory = NULL;
    p->recent = NULL;
    p->identity = NULL;
    p->judged = 0;
    p->valid = false;
}

void adu_principal_offline(struct adu_principal *p)
{
    if (--p->online == 0) {
        adu_bytes_wipe(&p->secret);
    }
}

static void user_release(struct adu_principals *table, struct adu_user *user);

static void drop(struct adu_principals *table, struct adu_principal *p)
{
    table->forget(table->context, p);
    struct adu_principal **link = &p->client->principals;
    while (*link != p) {
        link = &(*link)->next_of_client;
    }
    *link = p->next_of_client;
    if (p->client->principals == NULL) {
        HASH_DELETE(hh, table->clients, p->client);
        free(p->client->id);
        free(p->client);
    }
    unlink_age(table, p);
    user_release(table, p->user);
    table->count--;
    adu_principal_unjudge(p);
    adu_bytes_clear(&p->certificate);
    adu_bytes_clear(&p->record);
    adu_bytes_wipe(&p->secret);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        free(p->state[kind]);
    }
    free(p->username);
    free(p);
}

void adu_principals_free(struct adu_principals *table)
{
    while (table != NULL && table->oldest != NULL) {
        drop(table, table->oldest);
    }
    free(table);
}

struct adu_principal *adu_principals_of_client(struct adu_principals *table, const char *client_id)
{
    struct adu_client *client;
    HASH_FIND_STR(table->clients, client_id, client);
    return client != NULL ? client->principals : NULL;
}

struct adu_principal *adu_principals_find(struct adu_principals *table, const char *client_id,
                                          const char *username)
{
    struct adu_principal *p = adu_principals_of_client(table, client_id);
    while (p != NULL && !same_name(p->username, username)) {
        p = p->next_of_client;
    }
    return p;
}

/* The longest unseen that is offline, if possible without a durable session. */
static struct adu_principal *dispensable(struct adu_principal *oldest, bool of_user)
{
    struct adu_principal *durable = NULL;
    for (struct adu_principal *p = oldest; p != NULL; p = of_user ? p->newer_of_user : p->newer) {
        if (p->online == 0 && !p->durable) {
            return p;
        }
        if (p->online == 0 && durable == NULL) {
            durable = p;
        }
    }
    return durable;
}

/* Who makes up names makes room among them. The newcomer is counted already. */
static bool make_room(struct adu_principals *table, const struct adu_user *user)
{
    struct adu_principal *p = NULL;
    if (user->count > table->most / ADU_PRINCIPALS_SHARE) {
        p = dispensable(user->oldest, true);
    }
    if (p == NULL && table->count >= table->most) {
        p = dispensable(table->oldest, false);
        if (p == NULL) {
            return false;
        }
    }
    if (p != NULL) {
        drop(table, p);
    }
    return true;
}

/* Released again if the principal for which it was made cannot be. */
static struct adu_user *user_get(struct adu_principals *table, const char *username)
{
    struct adu_user *user;
    const char *name = username != NULL ? username : "";
    HASH_FIND_STR(table->users, name, user);
    if (user != NULL) {
        return user;
    }
    user = calloc(1, sizeof *user);
    if (user == NULL || (user->name = strdup(name)) == NULL) {
        free(user);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, table->users, user->name, strlen(user->name), user);
    if (user->hh.tbl == NULL) {
        free(user->name);
        free(user);
        return NULL;
    }
    return user;
}

static void user_release(struct adu_principals *table, struct adu_user *user)
{
    if (user != NULL && --user->count == 0) {
        HASH_DELETE(hh, table->users, user);
        free(user->name);
        free(user);
    }
}

static struct adu_client *client_get(struct adu_principals *table, const char *client_id)
{
    struct adu_client *client;
    HASH_FIND_STR(table->clients, client_id, client);
    if (client != NULL) {
        return client;
    }
    client = calloc(1, sizeof *client);
    if (client == NULL || (client->id = strdup(client_id)) == NULL) {
        free(client);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, table->clients, client->id, strlen(client->id), client);
    if (client->hh.tbl == NULL) {
        free(client->id);
        free(client);
        return NULL;
    }
    return client;
}

/* What every question needs begins with a line of cache. */
static struct adu_principal *principal_new(void)
{
    enum { LINE = 64 };
    struct adu_principal *p = aligned_alloc(LINE, (sizeof *p + LINE - 1) / LINE * LINE);
    if (p != NULL) {
        memset(p, 0, sizeof *p);
    }
    return p;
}

struct adu_principal *adu_principals_get(struct adu_principals *table, const char *client_id,
                                         const char *username)
{
    struct adu_principal *p = adu_principals_find(table, client_id, username);
    if (p != NULL) {
        return p;
    }
    struct adu_user *user = user_get(table, username);
    if (user == NULL) {
        return NULL;
    }
    user->count++; /* keeps it while room is made */
    p = make_room(table, user) ? principal_new() : NULL;
    if (p == NULL || (username != NULL && (p->username = strdup(username)) == NULL) ||
        (p->client = client_get(table, client_id)) == NULL) {
        if (p != NULL) {
            free(p->username);
        }
        free(p);
        user_release(table, user);
        return NULL;
    }
    p->user = user;
    p->subject.client_id = p->client->id;
    p->subject.username = p->username;
    p->next_of_client = p->client->principals;
    p->client->principals = p;
    link_newest(table, p);
    table->count++;
    return p;
}

void adu_principals_seen(struct adu_principals *table, struct adu_principal *p, int64_t wall_ms)
{
    p->seen_ms = wall_ms;
    unlink_age(table, p);
    link_newest(table, p);
}

struct adu_principal *adu_principals_first(struct adu_principals *table)
{
    return table->oldest;
}

struct adu_principal *adu_principals_next_client(struct adu_principals *table,
                                                 const struct adu_principal *p)
{
    const struct adu_client *next = p != NULL ? p->client->hh.next : table->clients;
    return next != NULL ? next->principals : NULL;
}

size_t adu_principals_count(const struct adu_principals *table)
{
    return table->count;
}

const char *adu_principal_client_id(const struct adu_principal *p)
{
    return p->client->id;
}
