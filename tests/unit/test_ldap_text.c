/* What strangers write within filters and distinguished names stays a value there; and what is a
 * filter, a name, a URL. */
#include "plugins/iam_auth/ldap_dial.h"
#include "plugins/iam_auth/ldap_name.h"
#include "plugins/iam_auth/ldap_text.h"
#include "runner.h"
#include <string.h>

/* --- escaping --- */

static const struct {
    const char *text, *escaped;
} values[] = {
    {"", ""},
    {"ana", "ana"},
    {"Ana.Maria-2_x@planta", "Ana.Maria-2_x@planta"},
    {"jos\xc3\xa9", "jos\xc3\xa9"},
    {"*", "\\2a"},
    {"*)(uid=*", "\\2a\\29\\28uid\\3d\\2a"},
    {"admin)(|(", "admin\\29\\28\\7c\\28"},
    {"\\2a", "\\5c2a"},
    {" a b ", "\\20a\\20b\\20"},
    {"#a,b+c=d\"e;<>", "\\23a\\2cb\\2bc\\3dd\\22e\\3b\\3c\\3e"},
    {"a\nb\x7f", "a\\0ab\\7f"},
};

START_TEST(escaped_values)
{
    char buffer[128];
    ck_assert(adu_ldap_escape(values[_i].text, buffer, sizeof buffer));
    ck_assert_str_eq(buffer, values[_i].escaped);
}
END_TEST

/* Every byte there is, as a value in a name and back: none of them is anything but a value. */
START_TEST(every_byte)
{
    for (int byte = 1; byte < 256; byte++) {
        char escaped[16], text[64], back[16];
        const char value[] = {'a', (char)byte, 'b', '\0'};
        ck_assert(adu_ldap_escape(value, escaped, sizeof escaped));
        snprintf(text, sizeof text, "uid=%s,ou=personas,dc=planta", escaped);
        ck_assert(adu_ldap_name_value(text, back, sizeof back));
        ck_assert_str_eq(back, value);
        snprintf(text, sizeof text, "(uid=%s)", escaped);
        ck_assert_ptr_null(adu_ldap_filter_error(text));
    }
}
END_TEST

START_TEST(room_for_it)
{
    char buffer[10];
    ck_assert(adu_ldap_escape("***", buffer, sizeof buffer));
    ck_assert(!adu_ldap_escape("****", buffer, sizeof buffer));
    ck_assert(!adu_ldap_escape("aaaaaaaaaaa", buffer, sizeof buffer));
    ck_assert(!adu_ldap_escape("", buffer, 0));
}
END_TEST

/* --- filters --- */

#define TEN(x) x x x x x x x x x x
static const struct {
    const char *text, *wrong; /* NULL: it is one */
} filters[] = {
    {"(uid=x)", NULL},
    {"(&(objectClass=person)(|(uid=x)(mail=x))(!(description=*)))", NULL},
    {"(uid=)", NULL},
    {"(cn=a*b*c)", NULL},
    {"(member:1.2.840.113556.1.4.1941:=cn=x)", NULL},
    {"(cn:dn:=x)", NULL},
    {"(age>=5)", NULL},
    {"(age<=5)", NULL},
    {"(cn~=x)", NULL},
    {"(cn=a\\28b\\29)", NULL},
    {"", "expected a filter in parentheses"},
    {"uid=x", "expected a filter in parentheses"},
    {"(uid=x", "a parenthesis is missing"},
    {"(uid=x))", "something stands behind"},
    {"(uid=x)(a=b)", "something stands behind"},
    {"(&(uid=x)", "a parenthesis is missing"},
    {"(!(a=b)(c=d))", "a parenthesis is missing"},
    {"(&)", "expected a filter"},
    {"(uid)", "expected (attribute=value)"},
    {"(=x)", "expected (attribute=value)"},
    {"(uid=(x))", "a parenthesis is missing; within a value"},
    {"(uid=a\\zz)", "a back-slash needs"},
    {"(uid=a\\2)", "a back-slash needs"},
    {TEN("(!") TEN("(!") "(a=b)" TEN(")") TEN(")"), "more than 16"},
};

START_TEST(filters_read)
{
    const char *wrong = adu_ldap_filter_error(filters[_i].text);
    ck_assert_msg((wrong == NULL) == (filters[_i].wrong == NULL), "%s: %s", filters[_i].text,
                  wrong != NULL ? wrong : "taken");
    ck_assert_msg(wrong == NULL || strstr(wrong, filters[_i].wrong) == wrong, "%s: %s",
                  filters[_i].text, wrong);
}
END_TEST

/* --- names --- */

static const struct {
    const char *text, *form; /* NULL: it is none */
    const char *value;       /* of the first part; NULL: it has none */
} names[] = {
    {"uid=ana,ou=personas,dc=planta", "uid=ana,ou=personas,dc=planta", "ana"},
    {"UID=Ana, OU=Personas ,dc = planta", "uid=ana,ou=personas,dc=planta", "Ana"},
    {"cn=Perez\\, Juan,dc=p", "cn=perez\\2c\\20juan,dc=p", "Perez, Juan"},
    {"cn=Perez\\2C Juan,dc=p", "cn=perez\\2c\\20juan,dc=p", "Perez, Juan"},
    {"cn=\\20a\\ ,dc=p", "cn=\\20a\\20,dc=p", " a "},
    {"cn=\\#a,dc=p", "cn=\\23a,dc=p", "#a"},
    {"cn=a+sn=b,dc=p", "cn=a+sn=b,dc=p", NULL},
    {"cn=a\\+sn=b,dc=p", "cn=a\\2bsn\\3db,dc=p", "a+sn=b"},
    {"cn=jos\\C3\\A9,dc=p", "cn=jos\\c3\\a9,dc=p", "jos\xc3\xa9"},
    {"cn=jos\xc3\xa9,dc=p", "cn=jos\\c3\\a9,dc=p", "jos\xc3\xa9"},
    {"cn=a\\00b,dc=p", "cn=a\\00b,dc=p", NULL},
    {"cn=#0401,dc=p", "cn=\\230401,dc=p", NULL},
    {"2.5.4.3=a", "2.5.4.3=a", "a"},
    {"cn=", "cn=", ""},
    {"cn=a=b", "cn=a\\3db", "a=b"},
    {"", NULL, NULL},
    {"ana", NULL, NULL},
    {"=ana", NULL, NULL},
    {"cn=a,", NULL, NULL},
    {"cn=a,,dc=p", NULL, NULL},
    {"cn=a\\", NULL, NULL},
    {"cn=a\\zz", NULL, NULL},
    {"cn=a;dc=p", NULL, NULL},
    {"cn=\"a\"", NULL, NULL},
};

START_TEST(names_read)
{
    struct adu_ldap_name name;
    char value[64];
    const bool read = adu_ldap_name_read(names[_i].text, &name);
    ck_assert_int_eq(read, names[_i].form != NULL);
    if (read) {
        const bool has = adu_ldap_name_value(names[_i].text, value, sizeof value);
        ck_assert_str_eq(name.text, names[_i].form);
        ck_assert_int_eq(has, names[_i].value != NULL);
        ck_assert_str_eq(has ? value : "", has ? names[_i].value : "");
    }
}
END_TEST

static const struct {
    const char *name, *base;
    bool below;
} places[] = {
    {"uid=ana,ou=personas,dc=planta", "ou=personas,dc=planta", true},
    {"uid=ana,ou=turno,ou=personas,dc=planta", "OU=Personas, DC=Planta", true},
    {"ou=personas,dc=planta", "ou=personas,dc=planta", false},
    {"uid=ana,ou=otros,dc=planta", "ou=personas,dc=planta", false},
    {"uid=ana,xou=personas,dc=planta", "ou=personas,dc=planta", false},
    /* The base as the value of something. */
    {"cn=a\\,ou=personas\\,dc=planta", "ou=personas,dc=planta", false},
    {"cn=mantenimiento\\2Cou=personas\\2Cdc=planta,dc=otra", "ou=personas,dc=planta", false},
    {"cn=a+ou=personas,dc=planta", "ou=personas,dc=planta", false},
};

START_TEST(what_lies_below)
{
    struct adu_ldap_name name, base;
    ck_assert(adu_ldap_name_read(places[_i].name, &name));
    ck_assert(adu_ldap_name_read(places[_i].base, &base));
    ck_assert_int_eq(adu_ldap_name_is_below(&name, &base), places[_i].below);
}
END_TEST

START_TEST(long_names)
{
    struct adu_ldap_name name;
    char text[ADU_LDAP_NAME_MOST * 2], value[8];
    memset(text, 'a', sizeof text);
    memcpy(text, "cn=", 3);
    text[ADU_LDAP_NAME_MOST - 1] = '\0';
    ck_assert(adu_ldap_name_read(text, &name));
    ck_assert(!adu_ldap_name_value(text, value, sizeof value));
    text[ADU_LDAP_NAME_MOST - 1] = 'a';
    text[ADU_LDAP_NAME_MOST] = '\0';
    ck_assert(!adu_ldap_name_read(text, &name));
    memset(text + 3, '*', 1000); /* three times as long in the one form */
    text[1003] = '\0';
    ck_assert(!adu_ldap_name_read(text, &name));
}
END_TEST

/* --- URLs --- */

static const struct {
    const char *url;
    bool tls;
    const char *host, *port; /* NULL: it is none */
} urls[] = {
    {"ldap://ldap.planta", false, "ldap.planta", "389"},
    {"ldaps://ldap.planta", true, "ldap.planta", "636"},
    {"ldaps://ldap.planta:1636", true, "ldap.planta", "1636"},
    {"ldap://127.0.0.1:65535", false, "127.0.0.1", "65535"},
    {"ldaps://[::1]", true, "::1", "636"},
    {"ldaps://[fd00::1]:10", true, "fd00::1", "10"},
    {"ldapi://%2Fvar%2Frun", false, NULL, NULL},
    {"http://ldap.planta", false, NULL, NULL},
    {"ldap.planta", false, NULL, NULL},
    {"ldap://", false, NULL, NULL},
    {"ldap://:389", false, NULL, NULL},
    {"ldap://a:0", false, NULL, NULL},
    {"ldap://a:65536", false, NULL, NULL},
    {"ldap://a:", false, NULL, NULL},
    {"ldap://a:389/dc=planta", false, NULL, NULL},
    {"ldap://a/", false, NULL, NULL},
    {"ldap://a b", false, NULL, NULL},
    {"ldap://a,b", false, NULL, NULL},
    {"ldap://x@a", false, NULL, NULL},
    {"ldap://[::1", false, NULL, NULL},
    {"ldap://[]", false, NULL, NULL},
    {"LDAP://a", false, NULL, NULL},
};

START_TEST(urls_read)
{
    struct adu_ldap_target target;
    const bool read = adu_ldap_target_read(urls[_i].url, &target);
    ck_assert_int_eq(read, urls[_i].host != NULL);
    if (read) {
        ck_assert_int_eq(target.tls_first, urls[_i].tls);
        ck_assert_str_eq(target.host, urls[_i].host);
        ck_assert_str_eq(target.port, urls[_i].port);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ldap_text");
    suite_add_rows(suite, escaped_values, ROWS(values));
    suite_add(suite, every_byte);
    suite_add(suite, room_for_it);
    suite_add_rows(suite, filters_read, ROWS(filters));
    suite_add_rows(suite, names_read, ROWS(names));
    suite_add_rows(suite, what_lies_below, ROWS(places));
    suite_add(suite, long_names);
    suite_add_rows(suite, urls_read, ROWS(urls));
    return run_suite(suite);
}
