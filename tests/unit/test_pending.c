/* Who waits, by ticket, connection and client id, through random comings and goings. */
#include "common/pending.h"
#include "runner.h"
#include <string.h>

static char handles[8];

static struct adu_connect connect_of(int handle, const char *client_id)
{
    static unsigned char der[] = "der";
    return (struct adu_connect){.handle = &handles[handle],
                                .client_id = client_id,
                                .username = "ana",
                                .password = "secret",
                                .address = "192.0.2.1",
                                .certificate = {.bytes = der, .length = 3},
                                .durable = true};
}

START_TEST(what_is_held)
{
    struct adu_pending *pending = adu_pending_new(10);
    char client_id[] = "uno";
    const struct adu_connect connect = connect_of(0, client_id);
    ck_assert(adu_pending_hold(pending, &connect, 7, 1000));
    client_id[0] = 'x'; /* it was copied */
    ck_assert_ptr_null(adu_pending_take(pending, 8));
    struct adu_held *held = adu_pending_take(pending, 7);
    const struct adu_connect *is = adu_held_connect(held);
    ck_assert_str_eq(is->client_id, "uno");
    ck_assert_str_eq(is->username, "ana");
    ck_assert_str_eq(is->address, "192.0.2.1");
    ck_assert_ptr_eq(is->handle, &handles[0]);
    ck_assert_ptr_null(is->password); /* nowhere longer than needed */
    ck_assert(is->durable && is->certificate.length == 3);
    ck_assert(!adu_held_is_recheck(held));
    adu_held_free(held);
    ck_assert_ptr_null(adu_pending_take(pending, 7));
    ck_assert_uint_eq(adu_pending_count(pending), 0);
    adu_pending_free(pending);
}
END_TEST

START_TEST(who_is_dropped)
{
    struct adu_pending *pending = adu_pending_new(3);
    const struct adu_connect one = connect_of(0, "uno"), two = connect_of(1, "dos");
    ck_assert(adu_pending_hold(pending, &one, 1, 1000));
    ck_assert(adu_pending_hold(pending, &two, 2, 2000));
    ck_assert(adu_pending_recheck(pending, "uno", "ana", 3, 3000));
    ck_assert(!adu_pending_recheck(pending, "tres", "ana", 4, 3000)); /* full */
    ck_assert_uint_eq(adu_pending_drop(pending, &handles[2], "tres"), 0);
    ck_assert_uint_eq(adu_pending_drop(pending, &handles[1], "uno"), 2); /* the handle's first */
    ck_assert_uint_eq(adu_pending_drop(pending, &handles[1], "uno"), 1);
    ck_assert_uint_eq(adu_pending_drop(pending, NULL, "uno"), 0); /* a re-check is no connection */
    ck_assert_uint_eq(adu_pending_overdue(pending, 2999), 0);
    ck_assert_uint_eq(adu_pending_overdue(pending, 3000), 3);
    struct adu_held *held = adu_pending_take(pending, 3);
    ck_assert(adu_held_is_recheck(held));
    adu_held_free(held);
    adu_held_free(NULL);
    adu_pending_free(pending);
    adu_pending_free(NULL);
}
END_TEST

/* Beside a plain list. */
START_TEST(by_chance)
{
    enum { STEPS = 20000, IDS = 6 };
    static const char *const ids[IDS] = {"a", "b", "c", "d", "e", "f"};
    struct {
        uint64_t ticket;
        int handle, id;
    } list[IDS];
    size_t count = 0;
    uint64_t tickets = 0;
    struct adu_pending *pending = adu_pending_new(IDS);
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        const int handle = rand() % (int)sizeof handles, id = rand() % IDS;
        for (size_t i = 0; i < count;) { /* whoever comes takes the place of both */
            if (list[i].handle == handle || list[i].id == id) {
                list[i] = list[--count];
            } else {
                i++;
            }
        }
        while (adu_pending_drop(pending, &handles[handle], ids[id]) != 0) {
        }
        const struct adu_connect connect = connect_of(handle, ids[id]);
        ck_assert(adu_pending_hold(pending, &connect, ++tickets, step));
        list[count].ticket = tickets;
        list[count].handle = handle;
        list[count++].id = id;
        if (rand() % 3 == 0) {
            const size_t at = (size_t)rand() % count;
            struct adu_held *held = adu_pending_take(pending, list[at].ticket);
            ck_assert_ptr_nonnull(held);
            ck_assert_str_eq(adu_held_connect(held)->client_id, ids[list[at].id]);
            adu_held_free(held);
            list[at] = list[--count];
        }
        ck_assert_uint_eq(adu_pending_count(pending), count);
    }
    adu_pending_free(pending);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pending");
    suite_add(suite, what_is_held);
    suite_add(suite, who_is_dropped);
    suite_add(suite, by_chance);
    return run_suite(suite);
}
