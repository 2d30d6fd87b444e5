#include "plugins/iam_auth/ldap_account.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char expired[] = "the account has expired";
static const char disabled[] = "the account is disabled";
static const char unreadable[] = "the account's end cannot be read";

/* A whole number and nothing else. */
static bool read_number(const char *text, int64_t *number)
{
    char *end;
    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

/* Active Directory: ADS_UF_ACCOUNTDISABLE. */
static const char *account_control(const char *value, int64_t wall_ms)
{
    (void)wall_ms;
    int64_t flags;
    return !read_number(value, &flags) || (flags & 2) != 0 ? disabled : NULL;
}

/* Active Directory: steps of 100 ns since 1601; 0 and the greatest number mean never. */
static const char *account_expires(const char *value, int64_t wall_ms)
{
    enum { STEPS_PER_MS = 10000 };
    static const int64_t ms_of_1970 = INT64_C(11644473600000);
    int64_t steps;
    if (!read_number(value, &steps)) {
        return unreadable;
    }
    return steps != 0 && steps != INT64_MAX && steps / STEPS_PER_MS - ms_of_1970 <= wall_ms
               ? expired
               : NULL;
}

/* OpenLDAP's ppolicy: locked by hand, for ever. Any other value is a lock that may be over. */
static const char *locked_time(const char *value, int64_t wall_ms)
{
    (void)wall_ms;
    return strcmp(value, "000001010000Z") == 0 ? "the account is locked" : NULL;
}

/* Generalized time (RFC 4517, 3.3.13), in UTC as every server writes it. */
static const char *end_time(const char *value, int64_t wall_ms)
{
    struct tm tm = {0};
    if (sscanf(value, "%4d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min) != 5 ||
        value[strlen(value) - 1] != 'Z') {
        return unreadable;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 <= wall_ms ? expired : NULL;
}

/* 389 Directory Server and FreeIPA. */
static const char *account_lock(const char *value, int64_t wall_ms)
{
    (void)wall_ms;
    return strcasecmp(value, "true") == 0 ? disabled : NULL;
}

/* shadow(5): days since 1970; -1 means never. */
static const char *shadow_expire(const char *value, int64_t wall_ms)
{
    static const int64_t ms_of_a_day = INT64_C(86400000);
    int64_t day;
    if (!read_number(value, &day)) {
        return unreadable;
    }
    return day >= 0 && wall_ms / ms_of_a_day >= day ? expired : NULL;
}

/* In the order of the checks. */
const char *const adu_ldap_account_attributes[] = {
    "userAccountControl",
    "accountExpires",
    "pwdAccountLockedTime",
    "pwdEndTime",
    "nsAccountLock",
    "shadowExpire",
    NULL,
};

static const char *(*const checks[])(const char *value, int64_t wall_ms) = {
    account_control, account_expires, locked_time, end_time, account_lock, shadow_expire,
};

const char *adu_ldap_account_barred(const char *name, const char *value, int64_t wall_ms)
{
    size_t i = 0;
    while (adu_ldap_account_attributes[i] != NULL &&
           strcasecmp(adu_ldap_account_attributes[i], name) != 0) {
        i++;
    }
    return adu_ldap_account_attributes[i] != NULL ? checks[i](value, wall_ms) : NULL;
}

const char *adu_ldap_account_diagnosis(const char *diagnostic, bool *unknown)
{
    static const struct {
        const char *code, *text;
    } known[] = {
        {"532", "the password has expired"},
        {"533", disabled},
        {"701", expired},
        {"773", "the password must be changed first"},
        {"775", "the account is locked"},
    };
    const char *data = diagnostic != NULL ? strstr(diagnostic, ", data ") : NULL;
    *unknown = data != NULL && strncmp(data + 7, "525", 3) == 0;
    for (size_t i = 0; data != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(data + 7, known[i].code, 3) == 0) {
            return known[i].text;
        }
    }
    return NULL;
}
