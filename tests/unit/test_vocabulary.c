/* The names of one generation: numbers that stay, and the check across its files. */
#include "common/vocabulary.h"
#include "snippet.h"

static struct adu_place at(unsigned line)
{
    return (struct adu_place){.file = "t.json", .line = line, .column = 1};
}

START_TEST(numbers)
{
    struct adu_arena *arena = adu_arena_new();
    struct adu_vocabulary *v = adu_vocabulary_new(arena);
    const struct adu_place here = at(1);
    char name[] = "edge";
    ck_assert_int_eq(adu_vocabulary_use_role(v, name, &here), 0);
    ck_assert_int_eq(adu_vocabulary_define_role(v, "operador"), 1);
    name[0] = 'X'; /* what it was told is copied */
    ck_assert_int_eq(adu_vocabulary_define_role(v, "edge"), 0);
    ck_assert_int_eq(adu_vocabulary_use_role(v, "operador", &here), 1);
    ck_assert_int_eq(adu_vocabulary_use_role(v, "Edge", &here), 2);
    ck_assert_int_eq(adu_vocabulary_use_role(v, "edge ", &here), 3);
    ck_assert_int_eq(adu_vocabulary_use_role(v, "edg", &here), 4);
    ck_assert_uint_eq(adu_vocabulary_roles(v), 5);
    ck_assert_str_eq(adu_vocabulary_role_name(v, 0), "edge");
    ck_assert_str_eq(adu_vocabulary_role_name(v, 1), "operador");
    /* Roles and attributes are two lists. */
    ck_assert_uint_eq(adu_vocabulary_attributes(v), 0);
    ck_assert_int_eq(adu_vocabulary_define_attribute(v, "edge"), 0);
    ck_assert_str_eq(adu_vocabulary_attribute_name(v, 0), "edge");
    adu_arena_free(arena);
}
END_TEST

START_TEST(thousands)
{
    enum { MANY = 5000 };
    struct adu_arena *arena = adu_arena_new();
    struct adu_vocabulary *v = adu_vocabulary_new(arena);
    char name[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "r%d", i);
            ck_assert_int_eq(adu_vocabulary_define_role(v, name), i);
        }
    }
    ck_assert_uint_eq(adu_vocabulary_roles(v), MANY);
    ck_assert_str_eq(adu_vocabulary_role_name(v, 0), "r0");
    ck_assert_str_eq(adu_vocabulary_role_name(v, MANY - 1), "r4999");
    adu_arena_free(arena);
}
END_TEST

/* What files say in turn: a name in capitals is defined, others are used, by line. */
static const struct {
    const char *attributes, *roles;
    bool complete; /* acl.json is there */
    const char *error;
} files[] = {
    {"", "", true, ""},
    {"linea LINEA", "", true, ""},
    {"LINEA linea", "", true, ""},
    {"LINEA", "EDGE", true, ""}, /* what nobody uses does no harm */
    {"linea", "", true, "t.json:1:1: the attribute \"linea\" is defined nowhere"},
    {"linea linea", "", true, "t.json:1:1: the attribute \"linea\" is defined nowhere"},
    {"LINEA lineas", "", true,
     "t.json:2:1: the attribute \"lineas\" is defined nowhere; did you mean \"linea\"?"},
    {"zona LINEA", "", true, "t.json:1:1: the attribute \"zona\" is defined nowhere"},
    /* What a client certificate shows needs no definition. */
    {"cert.cn cert.ou cert.o cert.l cert.st cert.c cert.serial cert.fingerprint", "", true, ""},
    {"cert.issuer.cn cert.issuer.o cert.issuer.ou username client_id", "", true, ""},
    {"cert.san.dns cert.san.uri cert.san.email cert.san.ip", "", true, ""},
    {"cert.cm", "", true,
     "t.json:1:1: the attribute \"cert.cm\" is defined nowhere; did you mean \"cert.cn\"?"},
    {"usernam", "", true,
     "t.json:1:1: the attribute \"usernam\" is defined nowhere; did you mean \"username\"?"},
    {"role", "", true, "t.json:1:1: the attribute \"role\" is defined nowhere"},
    {"subject.ou", "", true, "t.json:1:1: the attribute \"subject.ou\" is defined nowhere"},
    {"", "edge EDGE", true, ""},
    {"", "edge", true, "t.json:1:1: the role \"edge\" is defined nowhere"},
    {"", "EDGE edgee", true,
     "t.json:2:1: the role \"edgee\" is defined nowhere; did you mean \"edge\"?"},
    {"", "operador EDGE", true, "t.json:1:1: the role \"operador\" is defined nowhere"},
    {"", "edge", false, ""}, /* without acl.json no role means anything */
    {"linea", "edge", false, "t.json:1:1: the attribute \"linea\" is defined nowhere"},
    {"EDGE", "edge", true, "t.json:1:1: the role \"edge\" is defined nowhere"},
};

static void say(struct adu_vocabulary *v, const char *names,
                int (*use)(struct adu_vocabulary *, const char *, const struct adu_place *),
                int (*define)(struct adu_vocabulary *, const char *))
{
    char copy[256], *save, lower[64];
    snprintf(copy, sizeof copy, "%s", names);
    unsigned line = 0;
    for (char *name = strtok_r(copy, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save)) {
        const struct adu_place place = at(++line);
        const bool capitals = name[0] >= 'A' && name[0] <= 'Z';
        size_t i = 0;
        for (; name[i] != '\0'; i++) {
            lower[i] = capitals ? (char)(name[i] + 'a' - 'A') : name[i];
        }
        lower[i] = '\0';
        ck_assert_int_ne(capitals ? define(v, lower) : use(v, lower, &place), ADU_NO_NAME);
    }
}

START_TEST(checks)
{
    struct adu_arena *arena = adu_arena_new();
    struct adu_vocabulary *v = adu_vocabulary_new(arena);
    struct adu_error error = {0};
    char text[1024];
    say(v, files[_i].attributes, adu_vocabulary_use_attribute, adu_vocabulary_define_attribute);
    say(v, files[_i].roles, adu_vocabulary_use_role, adu_vocabulary_define_role);
    ck_assert(adu_vocabulary_check(v, files[_i].complete, &error) == (files[_i].error[0] == '\0'));
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), files[_i].error);
    adu_arena_free(arena);
}
END_TEST

/* Names that a policy cannot make up: whoever defined one would forge what a certificate says. */
static const struct {
    const char *name;
    bool reserved;
} reserved[] = {
    {"username", true},    {"client_id", true},      {"role", true},   {"cert.cn", true},
    {"cert.san.ip", true}, {"cert.issuer.cn", true}, {"cert.", true},  {"cert.anything", true},
    {"cert", false},       {"certificate", false},   {"linea", false}, {"roles", false},
    {"Username", false},   {"user", false},          {"", false},
};

START_TEST(names_that_are_reserved)
{
    ck_assert_msg(adu_vocabulary_is_reserved(reserved[_i].name) == reserved[_i].reserved, "%s",
                  reserved[_i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vocabulary");
    suite_add(suite, numbers);
    suite_add(suite, thousands);
    suite_add_rows(suite, checks, ROWS(files));
    suite_add_rows(suite, names_that_are_reserved, ROWS(reserved));
    return run_suite(suite);
}
