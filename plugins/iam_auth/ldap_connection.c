#include "plugins/iam_auth/ldap_connection.h"
#include "plugins/iam_auth/ldap_account.h"
#include "plugins/iam_auth/ldap_dial.h"
#include "plugins/iam_auth/ldap_library.h"
#include "plugins/iam_auth/ldap_tls.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one message may have: an entry with thousands of groups has less. */
static ber_len_t message_most = 4 * 1024 * 1024;

static const char out_of_memory[] = "out of memory";

struct adu_ldap_connection {
    const struct adu_ldap_library *lib;
    LDAP *ld;
    Sockbuf *buffer; /* ld's */
    char *url;
    long operation_ms;
    bool usable;
};

/* --- what went wrong --- */

/* Servers write what they like. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text >= ' ' && *text <= '~' ? *text : '?';
    }
}

static void say(struct adu_ldap_result *result, const char *url, const char *what,
                const char *detail)
{
    const bool more = detail != NULL && detail[0] != '\0';
    snprintf(result->why, sizeof result->why, "%.60s: %.60s%s%s", url, what, more ? ": " : "",
             more ? detail : "");
    make_printable(result->why);
}

/* Of a call that failed by itself: what libldap makes of it. */
static void lose(struct adu_ldap_connection *c, int code, struct adu_ldap_result *result)
{
    char *detail = NULL;
    c->lib->ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    say(result, c->url, c->lib->ldap_err2string(code), detail);
    c->lib->ldap_memfree(detail);
    c->usable = false;
    result->status = ADU_LDAP_LOST;
}

static void lose_late(struct adu_ldap_connection *c, struct adu_ldap_result *result)
{
    say(result, c->url, "no answer in time", NULL);
    c->usable = false;
    result->late = true;
    result->status = ADU_LDAP_LOST;
}

/* --- waiting --- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* The next message of an operation, which the caller frees; NULL with `result` if none comes. */
static LDAPMessage *next_message(struct adu_ldap_connection *c, int id, int64_t deadline_ms,
                                 struct adu_ldap_result *result)
{
    LDAPMessage *message = NULL;
    const int64_t left = deadline_ms - adu_ldap_now_ms();
    struct timeval time = timeval_of(left);
    const int type = left > 0 ? c->lib->ldap_result(c->ld, id, LDAP_MSG_ONE, &time, &message) : 0;
    if (type > 0) {
        return message;
    }
    if (type == 0) {
        c->lib->ldap_abandon_ext(c->ld, id, NULL, NULL);
        lose_late(c, result);
    } else {
        int code = LDAP_OTHER;
        c->lib->ldap_get_option(c->ld, LDAP_OPT_RESULT_CODE, &code);
        lose(c, code, result);
    }
    return NULL;
}

/* --- connecting --- */

static bool set_options(const struct adu_ldap_connection *c)
{
    static const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER;
    /* Each of them, for a file or a variable of the system's may have said otherwise. */
    const struct {
        int option;
        const void *value;
    } options[] = {
        {LDAP_OPT_PROTOCOL_VERSION, &version},
        {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
        {LDAP_OPT_RESTART, LDAP_OPT_OFF},
        {LDAP_OPT_DEREF, &never},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (c->lib->ldap_set_option(c->ld, options[i].option, options[i].value) !=
            LDAP_OPT_SUCCESS) {
            return false;
        }
    }
    return c->lib->ber_sockbuf_ctrl(c->buffer, LBER_SB_OPT_SET_MAX_INCOMING, &message_most) > 0;
}

/* Gives libldap the socket. It must never make a connection of its own, which would know nothing of
 * our TLS: the server that it is told of instead is none. */
static bool hand_over(struct adu_ldap_connection *c, int fd)
{
    if (c->lib->ldap_init_fd(fd, LDAP_PROTO_TCP, "ldapi://%2Fdev%2Fnull", &c->ld) != LDAP_SUCCESS) {
        close(fd);
        return false;
    }
    return c->lib->ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &c->buffer) == LDAP_OPT_SUCCESS &&
           c->buffer != NULL && set_options(c);
}

static bool ask_for_tls(struct adu_ldap_connection *c, int64_t deadline_ms,
                        struct adu_ldap_result *result)
{
    int id = 0, code = LDAP_OTHER;
    char *detail = NULL;
    int rc = c->lib->ldap_extended_operation(c->ld, LDAP_EXOP_START_TLS, NULL, NULL, NULL, &id);
    if (rc != LDAP_SUCCESS) {
        lose(c, rc, result);
        return false;
    }
    LDAPMessage *message = next_message(c, id, deadline_ms, result);
    if (message == NULL) {
        return false;
    }
    rc = c->lib->ldap_parse_result(c->ld, message, &code, NULL, &detail, NULL, NULL, 1);
    if (rc != LDAP_SUCCESS || code != LDAP_SUCCESS) {
        say(result, c->url, "refuses StartTLS", detail);
        c->usable = false;
    }
    c->lib->ldap_memfree(detail);
    return c->usable;
}

static bool start_tls(struct adu_ldap_connection *c, const struct adu_ldap_link *link, int fd,
                      const struct adu_ldap_target *target, int64_t deadline_ms,
                      struct adu_ldap_result *result)
{
    char why[ADU_LDAP_WHY];
    if (!target->tls_first && !ask_for_tls(c, deadline_ms, result)) {
        return false;
    }
    SSL *ssl = adu_ldap_tls_shake(link->tls, fd, target->host, deadline_ms, why, sizeof why);
    if (ssl == NULL) {
        say(result, c->url, why, NULL);
        return false;
    }
    if (c->lib->ber_sockbuf_add_io(c->buffer, adu_ldap_tls_layer(), LBER_SBIOD_LEVEL_TRANSPORT,
                                   ssl) != 0) {
        say(result, c->url, out_of_memory, NULL);
        SSL_free(ssl);
        return false;
    }
    return true;
}

static bool open_connection(struct adu_ldap_connection *c, const struct adu_ldap_link *link,
                            int64_t deadline_ms, struct adu_ldap_result *result)
{
    struct adu_ldap_target target;
    const char *why = "is no URL of a directory";
    const int64_t deadline = least(deadline_ms, adu_ldap_now_ms() + 2 * link->connect_ms);
    const int fd = adu_ldap_target_read(c->url, &target)
                       ? adu_ldap_dial(&target, link->connect_ms, deadline, &why)
                       : -1;
    if (fd < 0) {
        say(result, c->url, why, NULL);
        return false;
    }
    if (!hand_over(c, fd)) {
        say(result, c->url, out_of_memory, NULL);
        return false;
    }
    return start_tls(c, link, fd, &target, deadline, result);
}

struct adu_ldap_connection *adu_ldap_connect(const struct adu_ldap_link *link, const char *url,
                                             int64_t deadline_ms, struct adu_ldap_result *result)
{
    const char *why;
    struct adu_ldap_connection *c = calloc(1, sizeof *c);
    *result = (struct adu_ldap_result){0};
    if (c == NULL || (c->url = strdup(url)) == NULL) {
        say(result, url, out_of_memory, NULL);
        free(c);
        return NULL;
    }
    c->operation_ms = link->operation_ms;
    c->usable = true;
    c->lib = adu_ldap_library(&why);
    if (c->lib == NULL) {
        say(result, url, why, NULL);
    } else if (open_connection(c, link, deadline_ms, result)) {
        result->status = ADU_LDAP_DONE;
        return c;
    }
    adu_ldap_close(c);
    return NULL;
}

bool adu_ldap_is_usable(const struct adu_ldap_connection *connection)
{
    return connection->usable;
}

void adu_ldap_close(struct adu_ldap_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    if (connection->ld != NULL) {
        connection->lib->ldap_unbind_ext(connection->ld, NULL, NULL);
    }
    free(connection->url);
    free(connection);
}

/* --- binding --- */

/* What the control of draft-behera-ldap-password-policy says of the account; NULL: nothing. */
static const char *policy_says(const struct adu_ldap_connection *c, LDAPControl **controls)
{
    LDAPControl *control =
        c->lib->ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
    ber_int_t expires, grace;
    LDAPPasswordPolicyError error = PP_noError;
    if (control == NULL || c->lib->ldap_parse_passwordpolicy_control(
                               c->ld, control, &expires, &grace, &error) != LDAP_SUCCESS) {
        return NULL;
    }
    return error == PP_accountLocked      ? "the account is locked"
           : error == PP_passwordExpired  ? "the password has expired"
           : error == PP_changeAfterReset ? "the password must be changed first"
                                          : NULL;
}

/* A server that is busy, not ready, or wants to be asked in another way has said nothing of the
 * user. */
static bool is_about_user(int code)
{
    switch (code) {
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
    case LDAP_UNWILLING_TO_PERFORM: /* 389 Directory Server: inactivated */
    case LDAP_CONSTRAINT_VIOLATION: /* 389 Directory Server: too many wrong passwords */
        return true;
    default:
        return false;
    }
}

static void judge_bind(struct adu_ldap_connection *c, const char *detail, LDAPControl **controls,
                       struct adu_ldap_result *result)
{
    result->status = result->code == LDAP_SUCCESS  ? ADU_LDAP_DONE
                     : is_about_user(result->code) ? ADU_LDAP_REFUSED
                                                   : ADU_LDAP_LOST;
    result->barred = policy_says(c, controls);
    if (result->status != ADU_LDAP_REFUSED) {
        return;
    }
    if (result->barred == NULL) {
        result->barred = adu_ldap_account_diagnosis(detail, &result->unknown);
    }
    if (result->barred == NULL &&
        (result->code == LDAP_UNWILLING_TO_PERFORM || result->code == LDAP_CONSTRAINT_VIOLATION)) {
        result->barred = "the directory does not let this account in";
    }
    result->unknown = result->unknown || result->code == LDAP_NO_SUCH_OBJECT ||
                      result->code == LDAP_INVALID_DN_SYNTAX;
}

static void take_bind_answer(struct adu_ldap_connection *c, LDAPMessage *message,
                             struct adu_ldap_result *result)
{
    char *detail = NULL;
    LDAPControl **controls = NULL;
    result->code = LDAP_OTHER;
    const int rc =
        c->lib->ldap_parse_result(c->ld, message, &result->code, NULL, &detail, NULL, &controls, 1);
    if (rc != LDAP_SUCCESS) {
        lose(c, rc, result);
    } else {
        if (result->code != LDAP_SUCCESS) {
            say(result, c->url, c->lib->ldap_err2string(result->code), detail);
        }
        judge_bind(c, detail, controls, result);
        c->usable = c->usable && result->status != ADU_LDAP_LOST;
    }
    c->lib->ldap_memfree(detail);
    c->lib->ldap_controls_free(controls);
}

void adu_ldap_bind(struct adu_ldap_connection *connection, const char *dn, const char *password,
                   int64_t deadline_ms, struct adu_ldap_result *result)
{
    struct adu_ldap_connection *c = connection;
    *result = (struct adu_ldap_result){0};
    if (password == NULL || password[0] == '\0') {
        say(result, c->url, "an empty password is not sent", NULL);
        result->status = ADU_LDAP_REFUSED;
        return;
    }
    int id = 0;
    struct berval secret = {.bv_len = strlen(password), .bv_val = (char *)(uintptr_t)password};
    LDAPControl policy = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    const int rc =
        c->lib->ldap_sasl_bind(c->ld, dn, LDAP_SASL_SIMPLE, &secret, controls, NULL, &id);
    if (rc != LDAP_SUCCESS) {
        lose(c, rc, result);
        return;
    }
    LDAPMessage *message =
        next_message(c, id, least(deadline_ms, adu_ldap_now_ms() + c->operation_ms), result);
    if (message != NULL) {
        take_bind_answer(c, message, result);
    }
}

/* --- searching --- */

static bool tell_values(struct adu_ldap_connection *c, const struct adu_ldap_search *search,
                        LDAPMessage *entry, const char *attribute)
{
    bool wanted = true;
    struct berval **values = c->lib->ldap_get_values_len(c->ld, entry, attribute);
    for (struct berval **value = values; wanted && value != NULL && *value != NULL; value++) {
        wanted = search->value(search->context, attribute, (*value)->bv_val, (*value)->bv_len);
    }
    c->lib->ldap_value_free_len(values);
    return wanted;
}

static bool tell_entry(struct adu_ldap_connection *c, const struct adu_ldap_search *search,
                       LDAPMessage *entry)
{
    BerElement *at = NULL;
    char *dn = c->lib->ldap_get_dn(c->ld, entry);
    bool wanted = dn != NULL && search->entry(search->context, dn);
    c->lib->ldap_memfree(dn);
    char *attribute = wanted ? c->lib->ldap_first_attribute(c->ld, entry, &at) : NULL;
    while (attribute != NULL) {
        wanted = wanted && tell_values(c, search, entry, attribute);
        c->lib->ldap_memfree(attribute);
        attribute = wanted ? c->lib->ldap_next_attribute(c->ld, entry, at) : NULL;
    }
    if (at != NULL) {
        c->lib->ber_free(at, 0);
    }
    return wanted;
}

static void end_search(struct adu_ldap_connection *c, LDAPMessage *message,
                       struct adu_ldap_result *result)
{
    char *detail = NULL;
    result->code = LDAP_OTHER;
    const int rc =
        c->lib->ldap_parse_result(c->ld, message, &result->code, NULL, &detail, NULL, NULL, 0);
    if (rc != LDAP_SUCCESS) {
        lose(c, rc, result);
    } else {
        result->status = result->code == LDAP_SUCCESS              ? ADU_LDAP_DONE
                         : result->code == LDAP_SIZELIMIT_EXCEEDED ? ADU_LDAP_STOPPED
                         : result->code == LDAP_NO_SUCH_OBJECT     ? ADU_LDAP_REFUSED
                                                                   : ADU_LDAP_LOST;
        say(result, c->url, c->lib->ldap_err2string(result->code), detail);
    }
    c->lib->ldap_memfree(detail);
}

/* False when the search has ended. */
static bool take_message(struct adu_ldap_connection *c, const struct adu_ldap_search *search,
                         LDAPMessage *message, int *entries, struct adu_ldap_result *result)
{
    switch (c->lib->ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        if (++*entries <= search->most && tell_entry(c, search, message)) {
            return true;
        }
        c->usable = false; /* the rest is still on its way */
        result->status = ADU_LDAP_STOPPED;
        return false;
    case LDAP_RES_SEARCH_REFERENCE: /* to another server: not followed */
        return true;
    case LDAP_RES_SEARCH_RESULT:
        end_search(c, message, result);
        return false;
    default:
        say(result, c->url, "something else than an answer came", NULL);
        c->usable = false;
        return false;
    }
}

void adu_ldap_search(struct adu_ldap_connection *connection, const struct adu_ldap_search *search,
                     int64_t deadline_ms, struct adu_ldap_result *result)
{
    struct adu_ldap_connection *c = connection;
    const int64_t deadline = least(deadline_ms, adu_ldap_now_ms() + c->operation_ms);
    int id = 0, entries = 0;
    *result = (struct adu_ldap_result){0};
    const int rc = c->lib->ldap_search_ext(c->ld, search->base, search->scope, search->filter,
                                           (char **)(uintptr_t)search->attributes, 0, NULL, NULL,
                                           NULL, search->most, &id);
    if (rc != LDAP_SUCCESS) {
        lose(c, rc, result);
        return;
    }
    for (bool more = true; more;) {
        LDAPMessage *message = next_message(c, id, deadline, result);
        more = message != NULL && take_message(c, search, message, &entries, result);
        c->lib->ldap_msgfree(message);
    }
}
