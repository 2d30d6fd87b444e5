#include "cli/stages.h"
#include "cli/command.h"
#include "common/json.h"
#include "common/reader.h"
#include <stdio.h>
#include <string.h>

static bool is_text(const struct adu_json *node, const char *text)
{
    return json_is_string(node->value) && strcmp(json_string_value(node->value), text) == 0;
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
        if (strcmp(node->key, "if_not_loaded") == 0 && is_text(node, "ignore")) {
            ignores = true;
        } else if (strcmp(node->key, "$schema") != 0) {
            return false;
        }
    }
    return ignores;
}

static bool is_left_out(const char *directory, enum adu_stage_kind kind)
{
    char name[64], path[4096];
    struct adu_error error = {0};
    snprintf(name, sizeof name, "%s.json", adu_stage_name(kind));
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) {
        return false;
    }
    struct adu_json_document *document = adu_json_load(name, path, &error);
    const bool left_out = document != NULL && does_without(adu_json_root(document));
    adu_json_free(document);
    return left_out;
}

void adu_stages_choose(const char *directory, const struct adu_stage *stages[ADU_STAGES])
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        stages[kind] =
            is_left_out(directory, (enum adu_stage_kind)kind) ? NULL : adu_command_stages[kind];
    }
}

void adu_stages_left_out(const enum adu_presence presence[ADU_STAGES],
                         void (*tell)(void *context, const char *name, const char *without),
                         void *context)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (presence[kind] == ADU_PRESENCE_IGNORED) {
            tell(context, adu_stage_name((enum adu_stage_kind)kind),
                 adu_policy_without(presence, (enum adu_stage_kind)kind));
        }
    }
}
