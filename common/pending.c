#include "common/pending.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

struct adu_held {
    uint64_t ticket;
    bool recheck;
    struct adu_connect connect; /* strings and certificate are its own */
    int64_t since_ms;
    struct adu_held *older, *newer;
    UT_hash_handle by_ticket, by_handle, by_client;
};

struct adu_pending {
    struct adu_held *tickets, *handles, *clients;
    struct adu_held *oldest, *newest;
    size_t count, most;
};

struct adu_pending *adu_pending_new(size_t most)
{
    struct adu_pending *pending = calloc(1, sizeof *pending);
    if (pending != NULL) {
        pending->most = most;
    }
    return pending;
}

void adu_held_free(struct adu_held *held)
{
    if (held != NULL) {
        free((char *)(uintptr_t)held->connect.client_id);
        free((char *)(uintptr_t)held->connect.username);
        free((char *)(uintptr_t)held->connect.address);
        adu_bytes_clear(&held->connect.certificate);
        free(held);
    }
}

static void take_out(struct adu_pending *pending, struct adu_held *held)
{
    if (held->by_ticket.tbl != NULL) {
        HASH_DELETE(by_ticket, pending->tickets, held);
    }
    if (held->by_handle.tbl != NULL) {
        HASH_DELETE(by_handle, pending->handles, held);
    }
    if (held->by_client.tbl != NULL) {
        HASH_DELETE(by_client, pending->clients, held);
    }
    *(held->older != NULL ? &held->older->newer : &pending->oldest) = held->newer;
    *(held->newer != NULL ? &held->newer->older : &pending->newest) = held->older;
    pending->count--;
}

void adu_pending_free(struct adu_pending *pending)
{
    while (pending != NULL && pending->oldest != NULL) {
        struct adu_held *held = pending->oldest;
        take_out(pending, held);
        adu_held_free(held);
    }
    free(pending);
}

/* NULL copied is NULL. */
static bool copy_text(const char **to, const char *from)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

static struct adu_held *held_new(const struct adu_connect *connect, uint64_t ticket, int64_t now_ms)
{
    struct adu_held *held = calloc(1, sizeof *held);
    if (held == NULL) {
        return NULL;
    }
    held->ticket = ticket;
    held->since_ms = now_ms;
    held->connect.handle = connect->handle;
    held->connect.durable = connect->durable;
    if (!copy_text(&held->connect.client_id, connect->client_id) ||
        !copy_text(&held->connect.username, connect->username) ||
        !copy_text(&held->connect.address, connect->address) ||
        !adu_bytes_copy(&held->connect.certificate, connect->certificate)) {
        adu_held_free(held);
        return NULL;
    }
    return held;
}

/* A log-in is found by its handle and its client id too. */
static bool index_it(struct adu_pending *pending, struct adu_held *held)
{
    HASH_ADD(by_ticket, pending->tickets, ticket, sizeof held->ticket, held);
    if (held->by_ticket.tbl == NULL || held->recheck) {
        return held->by_ticket.tbl != NULL;
    }
    HASH_ADD(by_handle, pending->handles, connect.handle, sizeof held->connect.handle, held);
    HASH_ADD_KEYPTR(by_client, pending->clients, held->connect.client_id,
                    strlen(held->connect.client_id), held);
    return held->by_handle.tbl != NULL && held->by_client.tbl != NULL;
}

static bool add(struct adu_pending *pending, struct adu_held *held)
{
    if (held == NULL) {
        return false;
    }
    held->older = pending->newest;
    *(pending->newest != NULL ? &pending->newest->newer : &pending->oldest) = held;
    pending->newest = held;
    pending->count++;
    if (!index_it(pending, held)) {
        take_out(pending, held);
        adu_held_free(held);
        return false;
    }
    return true;
}

bool adu_pending_hold(struct adu_pending *pending, const struct adu_connect *connect,
                      uint64_t ticket, int64_t now_ms)
{
    return pending->count < pending->most && add(pending, held_new(connect, ticket, now_ms));
}

bool adu_pending_recheck(struct adu_pending *pending, const char *client_id, const char *username,
                         uint64_t ticket, int64_t now_ms)
{
    const struct adu_connect about = {.client_id = client_id, .username = username};
    struct adu_held *held =
        pending->count < pending->most ? held_new(&about, ticket, now_ms) : NULL;
    if (held != NULL) {
        held->recheck = true;
    }
    return add(pending, held);
}

struct adu_held *adu_pending_take(struct adu_pending *pending, uint64_t ticket)
{
    struct adu_held *held;
    HASH_FIND(by_ticket, pending->tickets, &ticket, sizeof ticket, held);
    if (held != NULL) {
        take_out(pending, held);
    }
    return held;
}

uint64_t adu_pending_drop(struct adu_pending *pending, const void *handle, const char *client_id)
{
    struct adu_held *held = NULL;
    if (handle != NULL) {
        HASH_FIND(by_handle, pending->handles, &handle, sizeof handle, held);
    }
    if (held == NULL && client_id != NULL) {
        HASH_FIND(by_client, pending->clients, client_id, strlen(client_id), held);
    }
    if (held == NULL) {
        return 0;
    }
    const uint64_t ticket = held->ticket;
    take_out(pending, held);
    adu_held_free(held);
    return ticket;
}

uint64_t adu_pending_overdue(const struct adu_pending *pending, int64_t before_ms)
{
    return pending->oldest != NULL && pending->oldest->since_ms <= before_ms
               ? pending->oldest->ticket
               : 0;
}

size_t adu_pending_count(const struct adu_pending *pending)
{
    return pending->count;
}

const struct adu_connect *adu_held_connect(const struct adu_held *held)
{
    return &held->connect;
}

bool adu_held_is_recheck(const struct adu_held *held)
{
    return held->recheck;
}
