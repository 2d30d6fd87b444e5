/* Accounts that are barred, groups within groups, and which server is asked first. */
#include "plugins/iam_auth/ldap_account.h"
#include "plugins/iam_auth/ldap_groups.h"
#include "plugins/iam_auth/ldap_health.h"
#include "runner.h"
#include <string.h>

/* --- accounts --- */

#define NOW INT64_C(1700000000000) /* 2023-11-14 22:13:20 */

static const struct {
    const char *name, *value, *barred;
} accounts[] = {
    {"userAccountControl", "512", NULL},
    {"userAccountControl", "514", "the account is disabled"},
    {"USERACCOUNTCONTROL", "66050", "the account is disabled"},
    {"userAccountControl", "", "the account is disabled"},
    {"userAccountControl", "512x", "the account is disabled"},
    {"accountExpires", "0", NULL},
    {"accountExpires", "9223372036854775807", NULL},
    {"accountExpires", "133444736000000000", "the account has expired"}, /* that very moment */
    {"accountExpires", "133444736000010000", NULL},                      /* a millisecond later */
    {"accountExpires", "never", "the account's end cannot be read"},
    {"pwdAccountLockedTime", "000001010000Z", "the account is locked"},
    {"pwdAccountLockedTime", "20231114221320Z", NULL}, /* may be over: the bind will tell */
    {"pwdEndTime", "20231114221300Z", "the account has expired"},
    {"pwdEndTime", "20231114221400Z", NULL},
    {"pwdEndTime", "20380119031408Z", NULL},
    {"pwdEndTime", "2023", "the account's end cannot be read"},
    {"pwdEndTime", "20231114221400+0100", "the account's end cannot be read"},
    {"pwdEndTime", "", "the account's end cannot be read"},
    {"nsAccountLock", "TRUE", "the account is disabled"},
    {"nsAccountLock", "false", NULL},
    {"shadowExpire", "-1", NULL},
    {"shadowExpire", "19675", "the account has expired"}, /* today */
    {"shadowExpire", "19676", NULL},
    {"departmentNumber", "514", NULL},
};

START_TEST(accounts_barred)
{
    const char *barred = adu_ldap_account_barred(accounts[_i].name, accounts[_i].value, NOW);
    ck_assert_str_eq(barred != NULL ? barred : "good",
                     accounts[_i].barred != NULL ? accounts[_i].barred : "good");
}
END_TEST

#define AD(code)                                                                                   \
    "80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data " code ", v4563"

static const struct {
    const char *text, *barred;
    bool unknown;
} diagnoses[] = {
    {AD("52e"), NULL, false},
    {AD("525"), NULL, true},
    {AD("533"), "the account is disabled", false},
    {AD("701"), "the account has expired", false},
    {AD("532"), "the password has expired", false},
    {AD("773"), "the password must be changed first", false},
    {AD("775"), "the account is locked", false},
    {"Simple Bind Failed: NT_STATUS_LOGON_FAILURE", NULL, false},
    {", data ", NULL, false},
    {"", NULL, false},
    {NULL, NULL, false},
};

START_TEST(diagnoses_read)
{
    bool unknown = true;
    const char *barred = adu_ldap_account_diagnosis(diagnoses[_i].text, &unknown);
    ck_assert_str_eq(barred != NULL ? barred : "nothing",
                     diagnoses[_i].barred != NULL ? diagnoses[_i].barred : "nothing");
    ck_assert_int_eq(unknown, diagnoses[_i].unknown);
}
END_TEST

/* --- groups --- */

/* Who is in whom: "a>b" says that group a is in group b. */
struct plan {
    const char *edges;
    int asked;
};

static const char *dn_of(char letter)
{
    static char dn[64];
    snprintf(dn, sizeof dn, "cn=%c,ou=grupos,dc=planta", letter);
    return dn;
}

static bool parents_of(void *context, struct adu_ldap_groups *groups, const char *const *dns,
                       size_t count)
{
    struct plan *plan = context;
    for (size_t i = 0; i < count; i++) {
        plan->asked++;
        for (const char *edge = plan->edges; *edge != '\0'; edge += 4) {
            if (edge[0] == dns[i][3] && !adu_ldap_groups_add(groups, dn_of(edge[2]))) {
                return false;
            }
        }
    }
    return true;
}

static struct adu_ldap_groups *new_groups(void)
{
    struct adu_ldap_name base;
    ck_assert(adu_ldap_name_read("ou=grupos,dc=planta", &base));
    return adu_ldap_groups_new(&base);
}

static const struct {
    const char *first, *edges;
    long depth;
    const char *found;
    int asked;
} climbs[] = {
    {"", "a>b ", 9, "", 0},
    {"a", "a>b b>c ", 0, "a", 0},
    {"a", "a>b b>c ", 1, "ab", 1},
    {"a", "a>b b>c ", 9, "abc", 3},
    {"a", "a>a ", 9, "a", 1},
    {"a", "a>b b>a ", 9, "ab", 2},
    {"a", "a>b b>c c>a b>a ", 32, "abc", 3},
    {"ab", "a>c b>c c>d ", 9, "abcd", 4}, /* nobody is asked twice */
};

START_TEST(climbing)
{
    struct adu_ldap_groups *groups = new_groups();
    struct plan plan = {.edges = climbs[_i].edges};
    char found[16] = "";
    for (const char *first = climbs[_i].first; *first != '\0'; first++) {
        ck_assert(adu_ldap_groups_add(groups, dn_of(*first)));
    }
    ck_assert_int_eq(adu_ldap_groups_climb(groups, climbs[_i].depth, parents_of, &plan),
                     ADU_LDAP_GROUPS_FOUND);
    for (size_t i = 0; i < adu_ldap_groups_count(groups); i++) {
        found[i] = adu_ldap_groups_dn(groups, i)[3];
    }
    ck_assert_str_eq(found, climbs[_i].found);
    ck_assert_int_eq(plan.asked, climbs[_i].asked);
    adu_ldap_groups_free(groups);
}
END_TEST

/* Written in several ways it is one group; elsewhere, or unreadable, it is none. */
START_TEST(which_groups_count)
{
    static const char *const dns[] = {
        "cn=A,ou=grupos,dc=planta",     "CN=a, OU=Grupos, DC=planta", "cn=\\41,ou=grupos,dc=planta",
        "cn=a,ou=otros,dc=planta",      "ou=grupos,dc=planta",        "no name",
        "cn=b\\,ou=grupos\\,dc=planta",
    };
    struct adu_ldap_groups *groups = new_groups();
    for (int i = 0; i < ROWS(dns); i++) {
        ck_assert(adu_ldap_groups_add(groups, dns[i]));
    }
    ck_assert_uint_eq(adu_ldap_groups_count(groups), 1);
    ck_assert_str_eq(adu_ldap_groups_dn(groups, 0), dns[0]);
    adu_ldap_groups_free(groups);
    adu_ldap_groups_free(NULL);
}
END_TEST

static bool many_parents(void *context, struct adu_ldap_groups *groups, const char *const *dns,
                         size_t count)
{
    (void)dns;
    (void)count;
    for (int i = 0; i < 2 * ADU_LDAP_GROUPS_MOST; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "cn=g%d,ou=grupos,dc=planta", ++*(int *)context);
        if (!adu_ldap_groups_add(groups, dn)) {
            return false;
        }
    }
    return true;
}

static bool failing_parents(void *context, struct adu_ldap_groups *groups, const char *const *dns,
                            size_t count)
{
    (void)context;
    (void)dns;
    (void)count;
    adu_ldap_groups_add(groups, dn_of('z'));
    return false;
}

START_TEST(too_many_or_failed)
{
    int number = 0;
    struct adu_ldap_groups *groups = new_groups();
    adu_ldap_groups_add(groups, dn_of('a'));
    ck_assert_int_eq(adu_ldap_groups_climb(groups, 3, failing_parents, NULL),
                     ADU_LDAP_GROUPS_FAILED);
    ck_assert_int_eq(adu_ldap_groups_climb(groups, 3, many_parents, &number),
                     ADU_LDAP_GROUPS_TOO_MANY);
    ck_assert_uint_eq(adu_ldap_groups_count(groups), ADU_LDAP_GROUPS_MOST);
    ck_assert(adu_ldap_groups_full(groups));
    adu_ldap_groups_free(groups);
}
END_TEST

/* --- servers --- */

static const char *order_of(struct adu_ldap_health *servers, size_t count, int64_t now_ms)
{
    static char text[16];
    size_t order[8];
    adu_ldap_health_order(servers, count, now_ms, order);
    for (size_t i = 0; i < count; i++) {
        text[i] = (char)('0' + order[i]);
    }
    text[count] = '\0';
    return text;
}

START_TEST(healthy_servers_first)
{
    struct adu_ldap_health servers[3] = {0};
    ck_assert_str_eq(order_of(servers, 3, 0), "012");
    adu_ldap_health_failed(&servers[0], 0);
    ck_assert_str_eq(order_of(servers, 3, 0), "120");
    ck_assert_str_eq(order_of(servers, 3, 999), "120");
    ck_assert_str_eq(order_of(servers, 3, 1000), "012"); /* this one tries it */
    ck_assert_str_eq(order_of(servers, 3, 1000), "120"); /* the others do not */
    adu_ldap_health_failed(&servers[0], 1000);
    ck_assert_str_eq(order_of(servers, 3, 2999), "120"); /* twice as long */
    ck_assert_str_eq(order_of(servers, 3, 3000), "012");
    servers[0] = (struct adu_ldap_health){0};
    ck_assert_str_eq(order_of(servers, 3, 3000), "012");
}
END_TEST

START_TEST(nobody_is_left_out)
{
    struct adu_ldap_health servers[3] = {0};
    for (int i = 0; i < 3; i++) {
        for (int n = 0; n < 1000; n++) {
            adu_ldap_health_failed(&servers[i], 0);
        }
    }
    ck_assert_str_eq(order_of(servers, 3, 0), "012");
    ck_assert_str_eq(order_of(servers, 3, ADU_LDAP_RETRY_MOST_MS - 1), "012");
    ck_assert_int_eq(servers[0].retry_ms, ADU_LDAP_RETRY_MOST_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ldap_entry");
    suite_add_rows(suite, accounts_barred, ROWS(accounts));
    suite_add_rows(suite, diagnoses_read, ROWS(diagnoses));
    suite_add_rows(suite, climbing, ROWS(climbs));
    suite_add(suite, which_groups_count);
    suite_add(suite, too_many_or_failed);
    suite_add(suite, healthy_servers_first);
    suite_add(suite, nobody_is_left_out);
    return run_suite(suite);
}
