/* Who is it? The authentication stages in turn, and what their findings make of a client. */
#include "common/audit.h"
#include "common/hash.h"
#include "common/pipeline_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum adu_verdict adu_pipeline_deny(struct adu_login *login, const char *text)
{
    login->why.stage = NULL;
    login->why.text = text;
    return ADU_DENY;
}

/* What is asked for must be proven, and something must be. */
static enum adu_verdict weigh(struct adu_login *login)
{
    const unsigned missing = login->required & ~login->proven;
    if (login->certificate_why.text != NULL &&
        ((missing & ADU_FACTOR_CERTIFICATE) != 0 || login->proven == 0)) {
        login->why = login->certificate_why;
        return ADU_DENY;
    }
    if ((missing & ADU_FACTOR_CERTIFICATE) != 0) {
        return adu_pipeline_deny(login, "a client certificate is required and there is none");
    }
    if ((missing & ADU_FACTOR_PASSWORD) != 0) {
        return adu_pipeline_deny(login, "a password is required and none was proven");
    }
    if (login->proven == 0) {
        return adu_pipeline_deny(login,
                                 "neither a client certificate nor a password says who this is");
    }
    if (login->username[0] == '\0') {
        return adu_pipeline_deny(login, "no stage gave it a user name");
    }
    return ADU_ALLOW;
}

enum adu_verdict adu_pipeline_identify(struct adu_pipeline *p, struct adu_login *login,
                                       struct adu_now now)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage == NULL || stage->identify == NULL) {
            continue;
        }
        const struct adu_stage_call call =
            adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
        login->why.stage = adu_stage_name((enum adu_stage_kind)kind);
        const enum adu_verdict verdict = stage->identify(&call, login);
        if (verdict == ADU_LATER) {
            return verdict;
        }
        if (verdict == ADU_ERROR) {
            p->counters.stage_errors++;
        }
        if (verdict != ADU_ALLOW && verdict != ADU_ABSTAIN) {
            return verdict;
        }
    }
    return weigh(login);
}

/* --- the certificate --- */

/* Its attributes, which `login` then points at. Without a certificate, or without the stage that
 * reads them, nothing. */
bool adu_pipeline_read_certificate(struct adu_pipeline *p, struct adu_bytes certificate,
                                   struct adu_attributes *attributes, struct adu_login *login)
{
    const struct adu_stage *stage = p->stages[ADU_STAGE_CERT_AUTH];
    if (certificate.bytes == NULL || stage == NULL || stage->read_certificate == NULL) {
        return true;
    }
    login->why.stage = adu_stage_name(ADU_STAGE_CERT_AUTH);
    login->why.text = "the certificate cannot be used:";
    if (!stage->read_certificate(certificate, login->parsed, attributes, login->why.detail,
                                 sizeof login->why.detail)) {
        return false;
    }
    login->shown = certificate;
    login->certificate = attributes;
    login->why.text = NULL;
    login->why.detail[0] = '\0';
    return true;
}

/* --- the subject: what rules see --- */

static bool collect_attributes(struct adu_subject *s, const struct adu_login *login)
{
    return (login->certificate == NULL ||
            adu_attributes_add_all(&s->attributes, login->certificate)) &&
           adu_attributes_add_all(&s->attributes, &login->attributes) &&
           (s->username == NULL || adu_attributes_add(&s->attributes, "username", s->username)) &&
           (!login->client_id_bound ||
            adu_attributes_add(&s->attributes, "client_id", s->client_id));
}

static bool bind_roles(struct adu_pipeline *p, struct adu_subject *s, struct adu_login *login,
                       struct adu_now now)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage != NULL && stage->bind != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            if (!stage->bind(&call, &s->attributes, login)) {
                return false;
            }
        }
    }
    const size_t words = adu_roles_words(adu_vocabulary_roles(p->policy->vocabulary));
    s->roles.words = calloc(words + 1, sizeof *s->roles.words);
    if (s->roles.words == NULL) {
        return false; /* an empty set, as it was */
    }
    s->roles.count = words;
    for (size_t i = 0; i < login->role_count; i++) {
        adu_roles_add(&s->roles, login->roles[i]);
    }
    return true;
}

/* Each attribute that a topic pattern may ask for, where it can stand as one level. */
static bool fill_values(struct adu_pipeline *p, struct adu_subject *s)
{
    const struct adu_vocabulary *v = p->policy->vocabulary;
    const size_t count = adu_vocabulary_attributes(v);
    s->values = calloc(count + 1, sizeof *s->values);
    for (size_t i = 0; s->values != NULL && i < count; i++) {
        const char *value =
            adu_attributes_single(&s->attributes, adu_vocabulary_attribute_name(v, i));
        s->values[i] = value != NULL && adu_topic_level_value(value) ? value : NULL;
    }
    return s->values != NULL;
}

static bool make_subject(struct adu_pipeline *p, struct adu_principal *principal,
                         struct adu_login *login, struct adu_now now)
{
    struct adu_subject *s = &principal->subject;
    s->address = principal->address;
    s->port = principal->port;
    return collect_attributes(s, login) && bind_roles(p, s, login, now) && fill_values(p, s);
}

static bool make_states(struct adu_pipeline *p, struct adu_principal *principal)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage != NULL && stage->client_state_size > 0 && principal->state[kind] == NULL &&
            (principal->state[kind] = calloc(1, stage->client_state_size)) == NULL) {
            return false;
        }
    }
    return true;
}

/* Not everybody at once, though everybody came at once. A judgement that asked nobody anew, as
 * after a reload, puts off nothing that was due before: reloads would keep a revoked session alive.
 */
static void refresh_later(struct adu_pipeline *p, struct adu_principal *principal,
                          const struct adu_login *login, struct adu_now now)
{
    const int64_t due_ms = login->again && !login->refresh ? principal->refresh_ms : 0;
    principal->refresh_ms = 0;
    if (principal->valid && login->refresh_seconds > 0) {
        const int64_t most_ms = (int64_t)login->refresh_seconds * 1000;
        const unsigned draw = adu_hash(&principal, sizeof principal);
        principal->refresh_ms = now.mono_ms + most_ms - (int64_t)(draw % 1000) * most_ms / 8000;
        if (due_ms != 0 && due_ms < principal->refresh_ms) {
            principal->refresh_ms = due_ms;
        }
        if (p->refresh_ms == 0 || principal->refresh_ms < p->refresh_ms) {
            p->refresh_ms = principal->refresh_ms;
        }
    }
}

/* Puts a judgement on the principal. Without memory it is not valid: refused, and judged again by
 * the next sweep or log-in. */
void adu_pipeline_settle(struct adu_pipeline *p, struct adu_principal *principal,
                         struct adu_login *login, bool valid, struct adu_now now)
{
    adu_principal_unjudge(principal);
    principal->why[0] = '\0';
    principal->identity = login->identity;
    const bool made = make_subject(p, principal, login, now) && make_states(p, principal);
    principal->judged = made || !valid ? p->policy->number : 0;
    principal->valid = valid && made;
    principal->valid_until_ms = principal->valid ? login->valid_until_ms : 0;
    principal->watch.several = login->several_clients;
    if (login->facts.until_ms != 0) {
        principal->watch.facts = login->facts;
    }
    adu_pipeline_expires(p, principal->valid_until_ms);
    refresh_later(p, principal, login, now);
    principal->recent = principal->valid ? calloc(1, sizeof *principal->recent) : NULL;
    if (!valid) {
        adu_audit_reason(&login->why, principal->why, sizeof principal->why);
    } else if (!made) {
        p->counters.stage_errors++;
        snprintf(principal->why, sizeof principal->why, "out of memory, or too many attributes");
    }
}

static void tell_judged(struct adu_pipeline *p, struct adu_principal *principal, struct adu_now now)
{
    for (int kind = 0; principal->valid && kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->judged != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->judged(&call, &principal->subject, principal->state[kind]);
        }
    }
}

/* `refresh` with `*ticket` as of adu_login. false: an answer comes later, under `*ticket`. */
static bool judge(struct adu_pipeline *p, struct adu_principal *principal, struct adu_now time,
                  bool afresh, uint64_t *ticket)
{
    const struct adu_now now = adu_pipeline_believed(p, time);
    struct adu_login login = {
        .again = true,
        .proven_before = principal->proven,
        .username_before = principal->username,
        .client_id = adu_principal_client_id(principal),
        .claimed_username = principal->username,
        .record_before = principal->record,
        .secret_before = principal->secret,
        .refresh = afresh,
        .ticket = *ticket,
        .why = ADU_REASON_INIT,
    };
    struct adu_attributes certificate = {0};
    bool valid;
    enum adu_verdict verdict = ADU_ALLOW;
    if (p->broker_authenticates && principal->proven == 0) {
        valid = true;
    } else {
        verdict = adu_pipeline_read_certificate(p, principal->certificate, &certificate, &login)
                      ? adu_pipeline_identify(p, &login, now)
                      : ADU_ERROR; /* it could be read when it was shown */
        if (verdict == ADU_LATER) {
            *ticket = login.ticket;
            adu_attributes_clear(&login.attributes);
            adu_attributes_clear(&certificate);
            return false;
        }
        valid = verdict == ADU_ALLOW;
        if (valid &&
            (principal->username == NULL || strcmp(principal->username, login.username) != 0)) {
            adu_pipeline_deny(&login, "the policy now gives it another user name");
            valid = false;
        }
    }
    /* Who is away gets what waits for him with a log-in only, which asks again. */
    valid = valid && (principal->online == 0 || adu_pipeline_in_time(&login, now));
    const bool is_new = login.record.bytes != NULL;
    if (is_new) {
        adu_bytes_move(&principal->record, &login.record);
    }
    adu_pipeline_settle(p, principal, &login, valid, now);
    tell_judged(p, principal, now);
    if (verdict == ADU_ERROR) {
        principal->judged = 0; /* nobody knows yet */
    }
    if (is_new) {
        adu_pipeline_remember(p, principal);
    }
    adu_attributes_clear(&login.attributes);
    adu_attributes_clear(&certificate);
    return true;
}

void adu_pipeline_judge(struct adu_pipeline *p, struct adu_principal *principal, struct adu_now now)
{
    uint64_t none = 0;
    judge(p, principal, now, false, &none);
}

bool adu_pipeline_judge_afresh(struct adu_pipeline *p, struct adu_principal *principal,
                               struct adu_now now, uint64_t *ticket)
{
    return judge(p, principal, now, true, ticket);
}
