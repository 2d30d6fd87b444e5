/* What is known of somebody: one value, several or none are three different things. */
#include "asker.h"
#include "common/attributes.h"

static const struct {
    const char *list, *name, *value;
} singles[] = {
    {"a=1", "a", "1"},          {"a=1;b=2", "b", "2"},
    {"b=2;a=1;c=3", "a", "1"},  {"", "a", NULL},
    {"a=1", "b", NULL},         {"a=1", "A", NULL},
    {"a=1", "", NULL},          {"ab=1", "a", NULL},
    {"a=1", "ab", NULL},        {"cert.cn=1", "cn", NULL},
    {"a=1;a=2", "a", NULL},     {"a=1;a=1", "a", NULL}, /* the same twice is twice */
    {"a=;a=1", "a", NULL},      {"a=1;b=2;a=3", "a", NULL},
    {"a=1;a=2;a=3", "a", NULL}, {"a=", "a", ""}, /* whoever asks must mind it */
    {"a=x=y", "a", "x=y"},
};

START_TEST(single)
{
    struct adu_attributes list = {0};
    attributes_of(&list, singles[_i].list);
    ck_assert_pstr_eq(adu_attributes_single(&list, singles[_i].name), singles[_i].value);
    adu_attributes_clear(&list);
}
END_TEST

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"", "", true},
    {"a=1", "a=1", true},
    {"a=1;b=2", "a=1;b=2", true},
    {"a=1;b=2", "b=2;a=1", false}, /* the order is the certificate's */
    {"a=1", "a=2", false},
    {"a=1", "b=1", false},
    {"a=1", "", false},
    {"", "a=1", false},
    {"a=1", "a=1;a=1", false},
    {"a=1;b=2", "a=1", false},
    {"a=12", "a=1", false},
    {"ab=1", "a=1", false},
};

START_TEST(equal)
{
    struct adu_attributes a = {0}, b = {0};
    attributes_of(&a, pairs[_i].a);
    attributes_of(&b, pairs[_i].b);
    ck_assert(adu_attributes_equal(&a, &b) == pairs[_i].equal);
    ck_assert(adu_attributes_equal(&a, &a));
    adu_attributes_clear(&a);
    adu_attributes_clear(&b);
}
END_TEST

START_TEST(copies)
{
    struct adu_attributes list = {0}, other = {0};
    char name[] = "linea", value[] = "linea1";
    ck_assert(adu_attributes_add(&list, name, value));
    ck_assert(adu_attributes_add_bytes(&list, "cut", "linea1-x", 6));
    ck_assert(adu_attributes_add_bytes(&list, "empty", "x", 0));
    name[0] = value[0] = 'X';
    ck_assert_str_eq(adu_attributes_single(&list, "linea"), "linea1");
    ck_assert_str_eq(adu_attributes_single(&list, "cut"), "linea1");
    ck_assert_str_eq(adu_attributes_single(&list, "empty"), "");
    ck_assert(adu_attributes_add_all(&other, &list));
    ck_assert(adu_attributes_equal(&other, &list));
    adu_attributes_clear(&list);
    ck_assert_str_eq(adu_attributes_single(&other, "cut"), "linea1");
    adu_attributes_clear(&other);
}
END_TEST

START_TEST(cleared_is_empty)
{
    struct adu_attributes list = {0};
    adu_attributes_clear(&list); /* of nothing */
    ck_assert(adu_attributes_add(&list, "a", "1"));
    adu_attributes_clear(&list);
    adu_attributes_clear(&list);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_ptr_null(adu_attributes_single(&list, "a"));
    ck_assert(adu_attributes_add(&list, "a", "2"));
    ck_assert_str_eq(adu_attributes_single(&list, "a"), "2");
    adu_attributes_clear(&list);
}
END_TEST

/* A certificate may name thousands: what has no room is refused, and what was there stays. */
START_TEST(most)
{
    struct adu_attributes list = {0}, more = {0};
    char name[16];
    for (int i = 0; i < ADU_ATTRIBUTES_MOST; i++) {
        snprintf(name, sizeof name, "a%d", i);
        ck_assert_msg(adu_attributes_add(&list, name, name), "%d", i);
    }
    ck_assert(!adu_attributes_add(&list, "one", "more"));
    ck_assert(adu_attributes_add(&more, "b", "1"));
    ck_assert(!adu_attributes_add_all(&list, &more));
    ck_assert_uint_eq(list.count, ADU_ATTRIBUTES_MOST);
    ck_assert_ptr_null(adu_attributes_single(&list, "one"));
    ck_assert_str_eq(adu_attributes_single(&list, "a0"), "a0");
    ck_assert_str_eq(adu_attributes_single(&list, name), name);
    ck_assert(!adu_attributes_add_all(&more, &list));
    adu_attributes_clear(&list);
    adu_attributes_clear(&more);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attributes");
    suite_add_rows(suite, single, ROWS(singles));
    suite_add_rows(suite, equal, ROWS(pairs));
    suite_add(suite, copies);
    suite_add(suite, cleared_is_empty);
    suite_add(suite, most);
    return run_suite(suite);
}
