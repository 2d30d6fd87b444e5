/* Who makes room when too many clients are known: those who made up the names, and those who lose
 * nothing. */
#include "common/principal.h"
#include "runner.h"
#include <string.h>

enum { MOST = 100, SHARE = MOST / ADU_PRINCIPALS_SHARE };

static struct adu_principals *table;
static char gone[64];
static int gone_count;

static void forget(void *context, struct adu_principal *p)
{
    (void)context;
    snprintf(gone, sizeof gone, "%s", adu_principal_client_id(p));
    gone_count++;
}

static void open_table(void)
{
    table = adu_principals_new(MOST, forget, NULL);
    ck_assert_ptr_nonnull(table);
    gone_count = 0;
}

static struct adu_principal *know(const char *username, int number, bool durable)
{
    char id[64];
    snprintf(id, sizeof id, "%s-%d", username != NULL ? username : "nobody", number);
    struct adu_principal *p = adu_principals_get(table, id, username);
    if (p != NULL) {
        p->durable = durable;
        adu_principals_seen(table, p, number);
    }
    return p;
}

START_TEST(one_user_fills_its_share_and_no_more)
{
    open_table();
    ck_assert_ptr_nonnull(know("cmms", 0, true));
    for (int i = 0; i < 1000; i++) {
        ck_assert_ptr_nonnull(know("mallory", i, i % 2 == 0));
    }
    ck_assert_uint_eq(adu_principals_count(table), 1 + SHARE);
    ck_assert_ptr_nonnull(adu_principals_find(table, "cmms-0", "cmms"));
    ck_assert_ptr_nonnull(adu_principals_find(table, "mallory-999", "mallory"));
    ck_assert_ptr_null(adu_principals_find(table, "mallory-1", "mallory"));
    adu_principals_free(table);
}
END_TEST

/* A fleet that shares a name and is there is not sent away. */
START_TEST(who_is_online_stays)
{
    open_table();
    for (int i = 0; i < MOST; i++) {
        struct adu_principal *p = know("fleet", i, false);
        ck_assert_ptr_nonnull(p);
        p->online = 1;
    }
    ck_assert_int_eq(gone_count, 0);
    ck_assert_ptr_null(know("late", 0, false));
    adu_principals_find(table, "fleet-50", "fleet")->online = 0;
    ck_assert_ptr_nonnull(know("late", 0, false));
    ck_assert_str_eq(gone, "fleet-50");
    adu_principals_free(table);
}
END_TEST

START_TEST(durable_sessions_go_last)
{
    char username[16];
    open_table();
    for (int i = 0; i < MOST; i++) {
        snprintf(username, sizeof username, "u%d", i);
        ck_assert_ptr_nonnull(know(username, i, i != 40 && i != 60));
    }
    ck_assert_ptr_nonnull(know("a", 0, true));
    ck_assert_str_eq(gone, "u40-40");
    ck_assert_ptr_nonnull(know("b", 0, true));
    ck_assert_str_eq(gone, "u60-60");
    ck_assert_ptr_nonnull(know("c", 0, true)); /* then the longest unseen */
    ck_assert_str_eq(gone, "u0-0");
    ck_assert_uint_eq(adu_principals_count(table), MOST);
    adu_principals_free(table);
    ck_assert_int_eq(gone_count, 3 + MOST);
}
END_TEST

START_TEST(clients_without_a_name_are_one_user)
{
    open_table();
    for (int i = 0; i < 50; i++) {
        ck_assert_ptr_nonnull(know(NULL, i, false));
    }
    ck_assert_uint_eq(adu_principals_count(table), SHARE);
    ck_assert_ptr_nonnull(adu_principals_find(table, "nobody-49", NULL));
    ck_assert_ptr_null(adu_principals_find(table, "nobody-49", "nobody"));
    adu_principals_free(table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("principal_room");
    suite_add(suite, one_user_fills_its_share_and_no_more);
    suite_add(suite, who_is_online_stays);
    suite_add(suite, durable_sessions_go_last);
    suite_add(suite, clients_without_a_name_are_one_user);
    return run_suite(suite);
}
