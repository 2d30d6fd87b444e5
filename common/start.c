/* The first event: all plugins are loaded. What is there, what is missing, what is known of clients
 * from before. */
#include "common/pipeline_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_SAID = 20 };

static void refuse_all(struct adu_pipeline *p, const char *format, ...) ADU_PRINTF(2, 3);

static void refuse_all(struct adu_pipeline *p, const char *format, ...)
{
    char why[sizeof p->refuse_why];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    adu_pipeline_log(p, ADU_LOG_ERROR, "everything is refused: %s", why);
    if (!p->refuse_all) { /* the first reason is what each refusal says */
        memcpy(p->refuse_why, why, sizeof why);
    }
    p->refuse_all = true;
}

static void assess_missing(struct adu_pipeline *p, enum adu_stage_kind kind)
{
    const char *name = adu_stage_name(kind);
    const char *without = adu_policy_without(p->policy->presence, kind);
    switch (p->policy->presence[kind]) {
    case ADU_PRESENCE_LOADED:
        return;
    case ADU_PRESENCE_NONE:
        adu_pipeline_log(p, ADU_LOG_NOTICE, "aduana_%s.so is not loaded: %s", name, without);
        return;
    case ADU_PRESENCE_IGNORED:
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "aduana_%s.so is not loaded: %s (%s.json says \"if_not_loaded\": "
                         "\"ignore\")",
                         name, without, name);
        return;
    case ADU_PRESENCE_MISSED:
        refuse_all(
            p,
            "aduana_%s.so is not loaded but %s.json is in the policy folder; load it, or say "
            "\"if_not_loaded\": \"ignore\" there",
            name, name);
        return;
    }
}

void adu_pipeline_assess(struct adu_pipeline *p)
{
    const enum adu_presence *presence = p->policy->presence;
    p->refuse_all = false;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        assess_missing(p, (enum adu_stage_kind)kind);
    }
    p->broker_authenticates = adu_policy_broker_authenticates(presence);
    p->broker_permits = presence[ADU_STAGE_ACL] == ADU_PRESENCE_IGNORED;
    if (presence[ADU_STAGE_CERT_AUTH] != ADU_PRESENCE_LOADED &&
        presence[ADU_STAGE_IAM_AUTH] != ADU_PRESENCE_LOADED && !p->broker_authenticates) {
        refuse_all(p, "neither aduana_cert_auth.so nor aduana_iam_auth.so is loaded: load one, "
                      "or nobody says who a client is");
    }
    if (presence[ADU_STAGE_ACL] == ADU_PRESENCE_NONE) {
        refuse_all(p, "aduana_acl.so is not loaded: load it, or nobody grants anything");
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->policy->watch[kind]) {
            adu_pipeline_log(p, ADU_LOG_WARNING,
                             "%s.json is in watch mode: what it would refuse is logged and let "
                             "through until its \"mode\" is \"enforce\"%s",
                             adu_stage_name((enum adu_stage_kind)kind),
                             kind == ADU_STAGE_TOPIC_POLICY
                                 ? " (but for groups of \"clients\" with a mode of their own)"
                                 : "");
        }
    }
}

static void restore(void *context, const struct adu_state_row *row)
{
    struct adu_pipeline *p = context;
    struct adu_principal *principal =
        adu_principals_get(p->principals, row->client_id, row->username);
    if (principal == NULL || !adu_bytes_copy(&principal->certificate, row->certificate) ||
        !adu_bytes_copy(&principal->record, row->record)) {
        p->counters.state_errors++;
        return;
    }
    principal->proven = row->proven;
    principal->durable = row->durable;
    adu_principals_seen(p->principals, principal, row->seen_ms);
}

static const struct adu_stage *stage_of(const struct adu_pipeline *p, const char *name)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->client_restore != NULL &&
            strcmp(adu_stage_name((enum adu_stage_kind)kind), name) == 0) {
            return p->stages[kind];
        }
    }
    return NULL;
}

struct restoring {
    struct adu_pipeline *p;
    size_t unread;
};

static void restore_kept(void *context, const struct adu_kept *kept)
{
    struct restoring *r = context;
    struct adu_pipeline *p = r->p;
    const struct adu_stage *stage = stage_of(p, kept->stage);
    struct adu_principal *principal =
        adu_principals_find(p->principals, kept->client_id, kept->username);
    if (stage == NULL || principal == NULL) {
        return;
    }
    void **state = &principal->state[stage->kind];
    if (*state == NULL && (*state = calloc(1, stage->client_state_size)) == NULL) {
        r->unread++;
        return;
    }
    const struct adu_stage_call call = adu_pipeline_call(p, stage->kind, NULL, p->now);
    r->unread += !stage->client_restore(&call, &principal->subject, *state, kept->record);
}

static void restore_all_kept(struct adu_pipeline *p)
{
    struct adu_error error = {0};
    struct restoring r = {.p = p};
    if (!adu_state_each_kept(p->state, restore_kept, &r, &error)) {
        p->counters.state_errors++;
        adu_pipeline_log(p, ADU_LOG_ERROR, "%s", error.text);
    }
    if (r.unread > 0) {
        p->counters.state_errors += r.unread;
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "what was kept of %zu clients is of another version or damaged: what is "
                         "usual for them is learned anew",
                         r.unread);
    }
}

static void restore_all(struct adu_pipeline *p)
{
    struct adu_error error = {0};
    if (p->state == NULL) {
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "no plugin_opt_state_dir: after a restart of the broker, offline sessions "
                         "and retained messages are refused until their clients log in again");
    } else if (!adu_state_each(p->state, restore, p, &error)) {
        p->counters.state_errors++;
        adu_pipeline_log(p, ADU_LOG_ERROR, "%s", error.text);
    } else {
        restore_all_kept(p);
    }
}

struct adu_policy *adu_pipeline_load_policy(const char *directory,
                                            const struct adu_stage *const stages[ADU_STAGES],
                                            const struct adu_policy *before,
                                            struct adu_error *error)
{
    struct adu_findings *findings = adu_findings_new();
    struct adu_policy *made = adu_policy_load_again(directory, stages, before, findings, error);
    if (made != NULL) {
        made->findings = findings;
    } else {
        adu_findings_free(findings);
    }
    return made;
}

void adu_pipeline_say_findings(struct adu_pipeline *p)
{
    const unsigned long count = adu_findings_count(p->policy->findings);
    const struct adu_finding *finding = adu_findings_first(p->policy->findings);
    unsigned long said = 0;
    for (; finding != NULL && said < FINDINGS_SAID; finding = finding->next, said++) {
        struct adu_error place = {0};
        char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        adu_error_set(&place, finding->place.file != NULL ? &finding->place : NULL, "%s",
                      finding->text);
        adu_pipeline_log(p, ADU_LOG_WARNING, "%s [%s]", adu_error_format(&place, text, sizeof text),
                         finding->code);
    }
    if (count > said) {
        adu_pipeline_log(p, ADU_LOG_WARNING, "%lu more such findings: aduana check %s",
                         count - said, p->policy_dir);
    }
}

void adu_pipeline_start(struct adu_pipeline *p, struct adu_now now)
{
    if (p->started) {
        return;
    }
    p->started = true;
    p->now = p->since = now;
    restore_all(p);
    char list[128] = "";
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL) {
            const size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                     adu_stage_name((enum adu_stage_kind)kind));
        }
    }
    adu_pipeline_tell_where(p);
    adu_pipeline_measure_what(p);
    adu_pipeline_assess(p);
    adu_pipeline_log(p, ADU_LOG_NOTICE, "pipeline ready: %s; policy generation %lu from %s", list,
                     p->policy->number, p->policy_dir);
    adu_pipeline_say_watch(p);
    adu_pipeline_say_findings(p);
}
