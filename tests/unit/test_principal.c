/* The table of who is known: by client id and name together, and who makes room when it is full. */
#include "common/principal.h"
#include "runner.h"
#include <stdlib.h>
#include <string.h>

static struct adu_principals *table;
static char forgotten[1024]; /* client ids, each followed by a blank */

static void forget(void *context, struct adu_principal *gone)
{
    ck_assert_ptr_eq(context, forgotten);
    strcat(forgotten, adu_principal_client_id(gone));
    strcat(forgotten, " ");
}

static void make(size_t most)
{
    forgotten[0] = '\0';
    table = adu_principals_new(most, forget, forgotten);
    ck_assert_ptr_nonnull(table);
}

static struct adu_principal *get(const char *client_id, const char *username)
{
    return adu_principals_get(table, client_id, username);
}

START_TEST(who_is_who)
{
    static const struct {
        const char *client_id, *username;
    } people[] = {
        {"a", "u"}, {"a", "v"}, {"b", "u"}, {"a", NULL},
        {"a", ""},  {"A", "u"}, {"", "u"},  {"u", "a"},
    };
    struct adu_principal *made[ROWS(people)];
    make(1000);
    for (int i = 0; i < ROWS(people); i++) {
        ck_assert_ptr_null(adu_principals_find(table, people[i].client_id, people[i].username));
        made[i] = get(people[i].client_id, people[i].username);
        ck_assert_str_eq(adu_principal_client_id(made[i]), people[i].client_id);
        ck_assert_pstr_eq(made[i]->username, people[i].username);
        ck_assert(!made[i]->valid);
        ck_assert_uint_eq(made[i]->proven, 0);
    }
    for (int i = 0; i < ROWS(people); i++) {
        ck_assert_ptr_eq(get(people[i].client_id, people[i].username), made[i]);
        ck_assert_ptr_eq(adu_principals_find(table, people[i].client_id, people[i].username),
                         made[i]);
    }
    ck_assert_uint_eq(adu_principals_count(table), ROWS(people));
    int of_a = 0;
    for (struct adu_principal *p = adu_principals_of_client(table, "a"); p != NULL;
         p = p->next_of_client) {
        ck_assert_str_eq(adu_principal_client_id(p), "a");
        of_a++;
    }
    ck_assert_int_eq(of_a, 4);
    ck_assert_ptr_null(adu_principals_of_client(table, "c"));
    adu_principals_free(table);
}
END_TEST

START_TEST(copies_names)
{
    char client_id[] = "client", username[] = "user";
    make(10);
    struct adu_principal *p = get(client_id, username);
    client_id[0] = username[0] = 'X';
    ck_assert_ptr_eq(adu_principals_find(table, "client", "user"), p);
    ck_assert_str_eq(p->username, "user");
    adu_principals_free(table);
}
END_TEST

/* Those who are there, in the order in which they would be forgotten. */
static const char *order(void)
{
    static char list[1024];
    list[0] = '\0';
    for (struct adu_principal *p = adu_principals_first(table); p != NULL; p = p->newer) {
        strcat(list, adu_principal_client_id(p));
        strcat(list, " ");
    }
    return list;
}

/* Clients a to d in a table for four: a letter in `online` or `durable` is so, those in `seen` are
 * seen again in that order. Then e comes. */
static const struct {
    const char *online, *durable, *seen, *order; /* NULL: e has no place */
} full[] = {
    {"", "", "", "b c d e "},      {"", "", "a", "c d a e "},    {"", "", "abcd", "b c d e "},
    {"", "", "dcba", "c b a e "},  {"a", "", "", "a c d e "},    {"ab", "", "", "a b d e "},
    {"abc", "", "", "a b c e "},   {"abcd", "", "", NULL},       {"", "a", "", "a c d e "},
    {"", "abc", "", "a b c e "},   {"", "abcd", "", "b c d e "}, {"a", "bcd", "", "a c d e "},
    {"d", "abc", "c", "b d c e "}, {"ab", "ab", "", "a b d e "}, {"abcd", "abcd", "", NULL},
};

START_TEST(makes_room)
{
    make(4);
    for (int i = 0; i < 4; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        struct adu_principal *p = get(id, id); /* each with a name of its own */
        p->online = strchr(full[_i].online, id[0]) != NULL;
        p->durable = strchr(full[_i].durable, id[0]) != NULL;
    }
    for (const char *id = full[_i].seen; *id != '\0'; id++) {
        const char name[] = {*id, '\0'};
        adu_principals_seen(table, adu_principals_find(table, name, name), 42);
    }
    struct adu_principal *e = get("e", "e");
    if (full[_i].order == NULL) {
        ck_assert_ptr_null(e);
        ck_assert_str_eq(order(), "a b c d ");
        ck_assert_str_eq(forgotten, "");
    } else {
        ck_assert_ptr_nonnull(e);
        ck_assert_str_eq(order(), full[_i].order);
        ck_assert_uint_eq(strlen(forgotten), 2);
    }
    ck_assert_uint_eq(adu_principals_count(table), 4);
    adu_principals_free(table);
}
END_TEST

/* One name that makes up client ids pushes out its own, never somebody else's. */
START_TEST(one_name_has_its_share)
{
    enum { MOST = 40, SHARE = MOST / ADU_PRINCIPALS_SHARE };
    char id[32];
    make(MOST);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "plant%d", i);
        ck_assert_ptr_nonnull(get(id, id));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "m%d", i);
        ck_assert_ptr_nonnull(get(id, "mallory"));
        forgotten[0] = '\0';
    }
    ck_assert_uint_eq(adu_principals_count(table), 20 + SHARE);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "plant%d", i);
        ck_assert_msg(adu_principals_find(table, id, id) != NULL, "%s was pushed out", id);
    }
    for (int i = 1000 - SHARE; i < 1000; i++) {
        snprintf(id, sizeof id, "m%d", i);
        ck_assert_msg(adu_principals_find(table, id, "mallory") != NULL, "%s is gone", id);
    }
    /* Without a name is a name too. */
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "n%d", i);
        ck_assert_ptr_nonnull(get(id, NULL));
        forgotten[0] = '\0';
    }
    ck_assert_uint_eq(adu_principals_count(table), 20 + 2 * SHARE);
    adu_principals_free(table);
}
END_TEST

/* Who is online keeps its place, however many share its name. */
START_TEST(one_name_online)
{
    enum { MOST = 40 };
    char id[32];
    make(MOST);
    ck_assert_ptr_nonnull(get("other", "other"));
    for (int i = 0; i < MOST - 1; i++) {
        snprintf(id, sizeof id, "c%d", i);
        get(id, "scada")->online = 1;
    }
    ck_assert_str_eq(forgotten, "");
    ck_assert_ptr_nonnull(get("c100", "scada"));
    ck_assert_str_eq(forgotten, "other "); /* nobody else could go */
    adu_principals_find(table, "c100", "scada")->online = 1;
    ck_assert_ptr_null(get("c101", "scada"));
    ck_assert_ptr_null(get("late", "late"));
    ck_assert_uint_eq(adu_principals_count(table), MOST);
    /* The user that was made for nobody is gone again: with a place it is made anew. */
    adu_principals_find(table, "c0", "scada")->online = 0;
    ck_assert_ptr_nonnull(get("late", "late"));
    adu_principals_free(table);
}
END_TEST

/* All that hangs on a principal goes with it, after `forget` has seen it. */
START_TEST(frees_all)
{
    make(10);
    struct adu_principal *p = get("a", "u");
    const struct adu_bytes shown = {.bytes = (unsigned char *)"a", .length = 1};
    ck_assert(adu_bytes_copy(&p->certificate, shown));
    ck_assert(adu_attributes_add(&p->subject.attributes, "cert.cn", "a"));
    p->subject.roles.words = calloc(2, sizeof *p->subject.roles.words);
    p->subject.values = calloc(2, sizeof *p->subject.values);
    p->state[ADU_STAGE_RATE_MONITOR] = calloc(1, 8);
    p->judged = 3;
    p->valid = true;
    get("b", "u");
    adu_principals_free(table);
    ck_assert_str_eq(forgotten, "a b ");
    adu_principals_free(NULL);
}
END_TEST

START_TEST(unjudged_is_not_valid)
{
    make(10);
    struct adu_principal *p = get("a", "u");
    p->judged = 3;
    p->valid = true;
    p->subject.values = calloc(2, sizeof *p->subject.values);
    ck_assert(adu_attributes_add(&p->subject.attributes, "linea", "1"));
    for (int i = 0; i < 2; i++) {
        adu_principal_unjudge(p);
        ck_assert(!p->valid);
        ck_assert_uint_eq(p->judged, 0);
        ck_assert_uint_eq(p->subject.attributes.count, 0);
        ck_assert_ptr_null(p->subject.values);
        ck_assert_str_eq(p->subject.client_id, "a"); /* it is called still */
        ck_assert_str_eq(p->subject.username, "u");
    }
    adu_principals_free(table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("principal");
    suite_add(suite, who_is_who);
    suite_add(suite, copies_names);
    suite_add_rows(suite, makes_room, ROWS(full));
    suite_add(suite, one_name_has_its_share);
    suite_add(suite, one_name_online);
    suite_add(suite, frees_all);
    suite_add(suite, unjudged_is_not_valid);
    return run_suite(suite);
}
