/* A client logs in: may it have this client id and one connection more? */
#include "common/audit.h"
#include "common/pipeline_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_ID_MOST = 1024 };

void adu_pipeline_refused(struct adu_pipeline *p, const struct adu_connect *connect,
                          const struct adu_login *login, struct adu_now now)
{
    char line[ADU_AUDIT_LINE];
    uint64_t left_out;
    p->counters.logins_refused++;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->login_failed != NULL && p->policy != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->login_failed(&call, connect->port);
        }
    }
    adu_pipeline_tell_connect(p, ADU_AUDIT_REFUSED, connect, login, now);
    if (!adu_audit_may_log(&p->connect_log, now.mono_ms, &left_out)) {
        p->counters.log_lines_left_out++;
        return;
    }
    if (left_out > 0) {
        adu_pipeline_log(p, ADU_LOG_NOTICE, "%llu more refused connects were not logged",
                         (unsigned long long)left_out);
    }
    p->host->log(ADU_LOG_NOTICE, adu_audit_connect(connect->client_id, connect->username,
                                                   connect->address, &login->why, line));
}

/* Its client id is one that it must have, not one that it has chosen. */
static bool is_bound(const struct adu_principal *principal)
{
    return adu_attributes_single(&principal->subject.attributes, "client_id") != NULL;
}

bool adu_pipeline_taken_by_another(struct adu_pipeline *p, const char *client_id,
                                   const char *username, bool bound, struct adu_now now)
{
    if (p->attached == 0 || p->policy == NULL) {
        return false;
    }
    struct adu_principal *other = adu_principals_of_client(p->principals, client_id);
    for (; other != NULL; other = other->next_of_client) {
        /* What is answered to an order goes to whoever has its client id in the broker's next turn.
         */
        const bool answered = other->answered == p->ticks + 1;
        if ((other->online == 0 && !other->durable && !answered) ||
            (other->username != NULL && strcmp(other->username, username) == 0)) {
            continue;
        }
        if (other->judged != p->policy->number) {
            adu_pipeline_judge(p, other, now);
        }
        /* Whom the policy no longer knows holds nothing; who could not be judged does. */
        if (other->judged == 0 || (other->valid && (!bound || is_bound(other) || answered))) {
            return true;
        }
    }
    return false;
}

/* Somebody else's session, which a log-in under this client id would take over or wipe. */
static bool is_taken(struct adu_pipeline *p, const char *client_id, const struct adu_login *login,
                     struct adu_now now)
{
    return adu_pipeline_taken_by_another(p, client_id, login->username, login->client_id_bound,
                                         now) ||
           (p->host->taken_elsewhere != NULL &&
            p->host->taken_elsewhere(p, client_id, login->username, login->client_id_bound, now));
}

/* The broker's session of that client id is the principal's now, whoever had it before. */
static void take_from_others(struct adu_pipeline *p, const struct adu_principal *principal)
{
    struct adu_principal *other =
        adu_principals_of_client(p->principals, adu_principal_client_id(principal));
    for (; other != NULL; other = other->next_of_client) {
        if (other != principal && other->durable) {
            other->durable = false;
            adu_pipeline_remember(p, other);
        }
    }
}

static bool refuse_one_more(struct adu_login *login, const char *text)
{
    login->why.stage = adu_stage_name(ADU_STAGE_CERT_AUTH);
    login->why.text = text;
    login->why.rule = login->connections_rule;
    login->why.limit = login->connections_most;
    return false;
}

/* Whether the certificate may open one connection more than those that this client id has. */
static bool has_room(struct adu_pipeline *p, const struct adu_connect *connect,
                     struct adu_login *login)
{
    if (login->connections_most == 0) {
        return true;
    }
    const char *fingerprint = adu_attributes_single(login->certificate, "cert.fingerprint");
    if (fingerprint == NULL) {
        return refuse_one_more(login, "the certificate has no fingerprint to count by");
    }
    const struct adu_principal *taken_over =
        adu_principals_of_client(p->principals, connect->client_id);
    return adu_sessions_held(p->sessions, fingerprint, taken_over) <
               (size_t)login->connections_most ||
           refuse_one_more(login, "this certificate has as many connections as it may have");
}

static bool open_session(struct adu_pipeline *p, const struct adu_connect *connect,
                         const struct adu_login *login, struct adu_principal *principal)
{
    struct adu_session *session = adu_sessions_open(
        p->sessions, connect->handle, connect->client_id, principal, connect->durable);
    const char *fingerprint = login->certificate != NULL
                                  ? adu_attributes_single(login->certificate, "cert.fingerprint")
                                  : NULL;
    if (session == NULL) {
        return false;
    }
    if (fingerprint != NULL && !adu_sessions_hold(p->sessions, session, fingerprint)) {
        adu_sessions_forget_handle(p->sessions, connect->handle);
        return false;
    }
    return true;
}

static bool admit(struct adu_pipeline *p, const struct adu_connect *connect,
                  struct adu_login *login, struct adu_now now)
{
    if (is_taken(p, connect->client_id, login, now)) {
        adu_pipeline_deny(login, "this client id is in use by another identity");
        return false;
    }
    if (!has_room(p, connect, login)) {
        return false;
    }
    struct adu_principal *principal =
        adu_principals_get(p->principals, connect->client_id, login->username);
    if (principal == NULL) {
        adu_pipeline_deny(login, "out of memory, or too many clients");
        return false;
    }
    if (!adu_bytes_copy(&principal->certificate, connect->certificate)) {
        adu_pipeline_deny(login, "out of memory");
        return false;
    }
    principal->watch.facts = (struct adu_certificate_facts){0}; /* it may be another */
    adu_bytes_move(&principal->record, &login->record);         /* that is of another log-in */
    principal->proven = login->proven;
    principal->address = adu_address_of(connect->address);
    principal->port = connect->port;
    principal->durable = connect->durable;
    adu_principals_seen(p->principals, principal, now.wall_ms);
    adu_pipeline_settle(p, principal, login, true, now);
    if (!principal->valid || !open_session(p, connect, login, principal)) {
        adu_pipeline_deny(login, "out of memory, or too many attributes");
        return false;
    }
    adu_bytes_wipe(&principal->secret);
    adu_bytes_move(&principal->secret, &login->secret);
    take_from_others(p, principal);
    adu_pipeline_remember(p, principal);
    return true;
}

static void tell_connected(struct adu_pipeline *p, const struct adu_connect *connect,
                           struct adu_now now)
{
    const struct adu_session *session =
        adu_sessions_find(p->sessions, connect->handle, connect->client_id);
    for (int kind = 0; session != NULL && kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->connected != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->connected(&call, &session->principal->subject,
                                       session->principal->state[kind]);
        }
    }
}

static bool is_well_named(struct adu_login *login)
{
    if (login->client_id == NULL || login->client_id[0] == '\0') {
        adu_pipeline_deny(login, "it has no client id");
    } else if (strlen(login->client_id) > CLIENT_ID_MOST) {
        adu_pipeline_deny(login, "its client id has more than 1024 bytes");
    } else {
        return true;
    }
    return false;
}

static void let_in(struct adu_pipeline *p, const struct adu_connect *connect,
                   const struct adu_login *login, struct adu_now now, char *username)
{
    snprintf(username, ADU_USERNAME_MOST + 1, "%s", login->username);
    p->counters.logins_accepted++;
    if (p->tell_allowed) {
        adu_pipeline_tell_connect(p, ADU_AUDIT_ALLOWED, connect, login, now);
    }
    tell_connected(p, connect, now);
}

enum adu_verdict adu_pipeline_log_in(struct adu_pipeline *p, const struct adu_connect *connect,
                                     struct adu_now now, uint64_t *ticket, char *username)
{
    struct adu_attributes certificate = {0};
    struct adu_login login = {
        .client_id = connect->client_id,
        .claimed_username = connect->username,
        .password = connect->password,
        .parsed = connect->parsed,
        .address = connect->address,
        .ticket = *ticket,
        .why = ADU_REASON_INIT,
    };
    enum adu_verdict verdict = ADU_DENY;
    if (p->refuse_all) {
        adu_pipeline_deny(&login, p->refuse_why);
    } else if (is_well_named(&login) &&
               adu_pipeline_read_certificate(p, connect->certificate, &certificate, &login)) {
        verdict = adu_pipeline_identify(p, &login, now);
        if (verdict == ADU_ALLOW &&
            (!adu_pipeline_in_time(&login, now) || !admit(p, connect, &login, now))) {
            verdict = ADU_DENY;
        }
    }
    if (verdict == ADU_ALLOW) {
        let_in(p, connect, &login, now, username);
    } else if (verdict == ADU_LATER) {
        *ticket = login.ticket;
    } else {
        adu_pipeline_refused(p, connect, &login, now);
        verdict = ADU_DENY;
    }
    adu_attributes_clear(&login.attributes);
    adu_bytes_clear(&login.record);
    adu_bytes_wipe(&login.secret);
    adu_attributes_clear(&certificate);
    return verdict;
}

static struct adu_principal *broker_principal(struct adu_pipeline *p, const char *client_id,
                                              const char *username)
{
    struct adu_principal *principal = adu_principals_get(p->principals, client_id, username);
    if (principal != NULL && principal->judged == 0) {
        adu_pipeline_remember(p, principal);
    }
    return principal;
}

bool adu_pipeline_own_by_name(struct adu_pipeline *p, struct adu_session *session)
{
    struct adu_principal *principal =
        broker_principal(p, session->client_id, p->host->username(session->handle));
    if (principal == NULL) {
        return false;
    }
    principal->address = adu_address_of(p->host->address(session->handle));
    principal->subject.address = principal->address;
    adu_sessions_own(session, principal);
    return true;
}
