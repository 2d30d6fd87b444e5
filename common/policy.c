#include "common/policy.h"
#include "common/file.h"
#include "common/reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const stage_names[ADU_STAGES] = {
    [ADU_STAGE_CERT_AUTH] = "cert_auth",
    [ADU_STAGE_IAM_AUTH] = "iam_auth",
    [ADU_STAGE_RATE_MONITOR] = "rate_monitor",
    [ADU_STAGE_TOPIC_POLICY] = "topic_policy",
    [ADU_STAGE_ACL] = "acl",
};

const char *const adu_if_not_loaded_names[] = {"refuse", "ignore", NULL};
const char *const adu_mode_names[] = {"enforce", "watch", NULL};

const char *adu_stage_name(enum adu_stage_kind kind)
{
    return stage_names[kind];
}

static bool authenticates(const enum adu_presence presence[ADU_STAGES])
{
    return presence[ADU_STAGE_CERT_AUTH] == ADU_PRESENCE_LOADED ||
           presence[ADU_STAGE_IAM_AUTH] == ADU_PRESENCE_LOADED;
}

bool adu_policy_broker_authenticates(const enum adu_presence presence[ADU_STAGES])
{
    return !authenticates(presence) && (presence[ADU_STAGE_CERT_AUTH] == ADU_PRESENCE_IGNORED ||
                                        presence[ADU_STAGE_IAM_AUTH] == ADU_PRESENCE_IGNORED);
}

static const char *without_login(const enum adu_presence presence[ADU_STAGES], const char *alone)
{
    return authenticates(presence) ? alone
           : adu_policy_broker_authenticates(presence)
               ? "logins are left to the broker's password_file; without one it lets no user name "
                 "in"
               : "nobody says who a client is";
}

const char *adu_policy_without(const enum adu_presence presence[ADU_STAGES],
                               enum adu_stage_kind kind)
{
    switch (kind) {
    case ADU_STAGE_CERT_AUTH:
        return without_login(presence, "client certificates are not looked at, passwords alone say "
                                       "who a client is");
    case ADU_STAGE_IAM_AUTH:
        return without_login(presence, "passwords are not checked, client certificates alone say "
                                       "who a client is");
    case ADU_STAGE_RATE_MONITOR:
        return "rates are not watched and no alert is published";
    case ADU_STAGE_TOPIC_POLICY:
        return "topic names are not checked";
    case ADU_STAGE_ACL:
        return presence[kind] == ADU_PRESENCE_IGNORED
                   ? "permissions are left to the broker's acl_file; without one it refuses "
                     "everything"
                   : "nobody grants anything";
    case ADU_STAGES:
        break;
    }
    return "";
}

void adu_policy_left_out(const struct adu_policy *policy,
                         void (*tell)(void *context, const char *name, const char *without),
                         void *context)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (policy->presence[kind] == ADU_PRESENCE_IGNORED) {
            tell(context, stage_names[kind],
                 adu_policy_without(policy->presence, (enum adu_stage_kind)kind));
        }
    }
}

/* Who has a policy loaded: a broker knows which plugins it has; a person, by the files. */
enum asker { A_BROKER, A_PERSON, A_PERSON_WHO_WANTS_ALL };

enum { PATH_MOST = 4096 };

static bool file_path(const char *directory, const char *file, char *path, struct adu_error *error)
{
    return snprintf(path, PATH_MOST, "%s/%s", directory, file) < PATH_MOST ||
           adu_error_set(error, NULL, "the name of the policy folder is too long");
}

/* The common keys alone, for a file whose stage is not there to read the rest. */
static bool read_header(const struct adu_json *root, struct adu_stage_header *header,
                        struct adu_error *error)
{
    if (!adu_read_is_object(root, error)) {
        return false;
    }
    const struct adu_json *node = adu_json_member(root, "if_not_loaded");
    const char *text = node != NULL ? adu_read_string(node, error) : "refuse";
    if (text == NULL) {
        return false;
    }
    header->if_not_loaded = ADU_IF_NOT_LOADED_REFUSE;
    if (strcmp(text, "ignore") == 0) {
        header->if_not_loaded = ADU_IF_NOT_LOADED_IGNORE;
    } else if (strcmp(text, "refuse") != 0) {
        return adu_json_error(node, error, "expected one of \"refuse\", \"ignore\"");
    }
    return true;
}

/* {"if_not_loaded": "ignore"}, and besides at most comments and the schema's name. */
static bool does_without(const struct adu_json *root)
{
    bool ignores = false;
    if (!json_is_object(root->value)) {
        return false;
    }
    for (const struct adu_json *node = adu_read_next(root, NULL); node != NULL;
         node = adu_read_next(root, node)) {
        if (strcmp(node->key, "if_not_loaded") == 0 && json_is_string(node->value) &&
            strcmp(json_string_value(node->value), "ignore") == 0) {
            ignores = true;
        } else if (strcmp(node->key, "$schema") != 0) {
            return false;
        }
    }
    return ignores;
}

static bool load_missing(struct adu_policy *policy, enum adu_stage_kind kind,
                         const struct adu_json *root, struct adu_error *error)
{
    struct adu_stage_header header = {0};
    if (!read_header(root, &header, error)) {
        return false;
    }
    policy->presence[kind] = header.if_not_loaded == ADU_IF_NOT_LOADED_IGNORE ? ADU_PRESENCE_IGNORED
                                                                              : ADU_PRESENCE_MISSED;
    return true;
}

/* For the files that come after. */
static bool set_naming(struct adu_compiler *c, const struct adu_policy *policy,
                       const struct adu_stage *stage)
{
    struct adu_naming *naming = adu_arena_alloc(c->arena, sizeof *naming);
    if (naming == NULL) {
        return adu_error_no_memory(c->error);
    }
    naming->policy = policy->compiled[stage->kind];
    naming->possible = stage->possible;
    c->naming = naming;
    return true;
}

static bool load_stage(struct adu_compiler *c, struct adu_policy *policy,
                       const struct adu_stage *stage, const struct adu_json *root)
{
    const struct adu_json *mode = adu_json_member(root, "mode");
    if (mode != NULL && !stage->may_watch) {
        return adu_json_key_error(mode, c->error,
                                  "this file has no \"mode\": it is always enforced");
    }
    policy->compiled[stage->kind] = stage->compile(c, root);
    if (policy->compiled[stage->kind] == NULL) {
        return adu_json_error(root, c->error, "cannot be compiled");
    }
    policy->watch[stage->kind] = mode != NULL && json_is_string(mode->value) &&
                                 strcmp(json_string_value(mode->value), "watch") == 0;
    policy->follows |= stage->follows != NULL && stage->follows(policy->compiled[stage->kind]);
    policy->throttles |=
        stage->throttles != NULL && stage->throttles(policy->compiled[stage->kind]);
    return stage->possible == NULL || policy->watch[stage->kind] || set_naming(c, policy, stage);
}

/* *document is NULL where a file that may be missing is. c->file is its name from then on. */
static bool load_document(struct adu_compiler *c, const char *stem, bool may_be_missing,
                          struct adu_json_document **document)
{
    char name[64], path[PATH_MOST];
    *document = NULL;
    snprintf(name, sizeof name, "%s.json", stem);
    if (!file_path(c->directory, name, path, c->error)) {
        return false;
    }
    if (may_be_missing && access(path, F_OK) != 0) {
        return true;
    }
    if ((c->file = adu_arena_strdup(c->arena, name)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    *document = adu_json_load(name, path, c->error);
    return *document != NULL;
}

static bool load_file(struct adu_compiler *c, struct adu_policy *policy, enum adu_stage_kind kind,
                      const struct adu_stage *stage, enum asker asker)
{
    struct adu_json_document *document;
    policy->presence[kind] = stage != NULL ? ADU_PRESENCE_LOADED : ADU_PRESENCE_NONE;
    if (!load_document(c, stage_names[kind], stage == NULL, &document)) {
        return false;
    }
    bool good = true;
    if (document != NULL) {
        const struct adu_json *root = adu_json_root(document);
        good = stage != NULL && (asker == A_BROKER || !does_without(root))
                   ? load_stage(c, policy, stage, root)
                   : load_missing(policy, kind, root, c->error);
    }
    adu_json_free(document);
    return good;
}

static bool load_settings(struct adu_compiler *c, struct adu_policy *policy)
{
    struct adu_json_document *document;
    if (!load_document(c, "aduana", true, &document)) {
        return false;
    }
    const bool good =
        document == NULL || adu_settings_read(c, adu_json_root(document), &policy->settings);
    adu_json_free(document);
    return good;
}

static void add_left_out(void *context, const char *name, const char *without)
{
    char file[64];
    snprintf(file, sizeof file, "%s.json", name);
    adu_findings_add(context, "left-out", &(struct adu_place){.file = file},
                     "says only \"if_not_loaded\": \"ignore\", so everything is judged as "
                     "without aduana_%s: %s",
                     name, without);
}

/* Passes `good` on. `every`: an error goes to the findings, so that what follows is loaded all the
 * same. */
static bool went(struct adu_compiler *c, bool good, bool every)
{
    if (!good && every) {
        adu_findings_add_error(c->findings, c->error);
        *c->error = (struct adu_error){0};
    }
    return good;
}

static bool load_files(struct adu_compiler *c, struct adu_policy *policy,
                       const struct adu_stage *const stages[ADU_STAGES],
                       const struct adu_policy *before, enum asker asker)
{
    const bool every = asker == A_PERSON_WHO_WANTS_ALL;
    /* What topics may be called before those who name topics; who gives roles before acl. */
    static const enum adu_stage_kind order[ADU_STAGES] = {ADU_STAGE_TOPIC_POLICY,
                                                          ADU_STAGE_CERT_AUTH, ADU_STAGE_IAM_AUTH,
                                                          ADU_STAGE_RATE_MONITOR, ADU_STAGE_ACL};
    bool good = went(c, load_settings(c, policy), every);
    for (int i = 0; i < ADU_STAGES && (good || every); i++) {
        c->before = before != NULL ? before->compiled[order[i]] : NULL;
        good = went(c, load_file(c, policy, order[i], stages[order[i]], asker), every) && good;
    }
    if (every) {
        adu_policy_left_out(policy, add_left_out, c->findings);
    }
    policy->number = 1; /* until a pipeline counts it */
    policy->time_zone = c->time_zone;
    return good;
}

static bool is_missing(const struct adu_policy *policy)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (policy->presence[kind] == ADU_PRESENCE_IGNORED ||
            policy->presence[kind] == ADU_PRESENCE_MISSED) {
            return true;
        }
    }
    return false;
}

static bool load_all(struct adu_compiler *c, struct adu_policy *policy,
                     const struct adu_stage *const stages[ADU_STAGES],
                     const struct adu_policy *before, enum asker asker)
{
    return adu_file_trusted(c->directory, c->directory, c->error) &&
           load_files(c, policy, stages, before, asker) &&
           (is_missing(policy) ||
            adu_vocabulary_check(policy->vocabulary, stages[ADU_STAGE_ACL] != NULL, c->error));
}

static struct adu_policy *load(const char *directory,
                               const struct adu_stage *const stages[ADU_STAGES],
                               const struct adu_policy *before, struct adu_findings *findings,
                               enum asker asker, struct adu_error *error)
{
    struct adu_policy *policy = calloc(1, sizeof *policy);
    if (policy != NULL) {
        policy->arena = adu_arena_new();
    }
    if (policy != NULL && policy->arena != NULL) {
        policy->vocabulary = adu_vocabulary_new(policy->arena);
    }
    if (policy == NULL || policy->vocabulary == NULL) {
        adu_error_no_memory(error);
    } else {
        struct adu_compiler c = {.arena = policy->arena,
                                 .vocabulary = policy->vocabulary,
                                 .error = error,
                                 .findings = findings,
                                 .directory = directory};
        if (load_all(&c, policy, stages, before, asker)) {
            return policy;
        }
    }
    adu_policy_free(policy);
    return NULL;
}

struct adu_policy *adu_policy_load(const char *directory,
                                   const struct adu_stage *const stages[ADU_STAGES],
                                   struct adu_findings *findings, struct adu_error *error)
{
    return load(directory, stages, NULL, findings, A_PERSON, error);
}

struct adu_policy *adu_policy_load_again(const char *directory,
                                         const struct adu_stage *const stages[ADU_STAGES],
                                         const struct adu_policy *before,
                                         struct adu_findings *findings, struct adu_error *error)
{
    return load(directory, stages, before, findings, A_BROKER, error);
}

struct adu_policy *adu_policy_check(const char *directory,
                                    const struct adu_stage *const stages[ADU_STAGES],
                                    struct adu_findings *findings)
{
    struct adu_error error = {0};
    struct adu_policy *policy =
        load(directory, stages, NULL, findings, A_PERSON_WHO_WANTS_ALL, &error);
    if (error.set) { /* one that belongs to no single file */
        adu_findings_add_error(findings, &error);
    }
    return policy;
}

void adu_policy_free(struct adu_policy *policy)
{
    if (policy != NULL) {
        adu_findings_free(policy->findings);
        adu_arena_free(policy->arena);
        free(policy);
    }
}
