#include "common/template.h"
#include "common/reader.h"
#include <string.h>

struct part {
    bool is_name;
    const char *text;
    struct part *next;
};

struct adu_template {
    struct part *first;
};

size_t adu_template_name(const char *text)
{
    if (text[0] != '$' || text[1] != '{') {
        return 0;
    }
    const char *end = strchr(text + 2, '}');
    return end == NULL || end == text + 2 ? (size_t)-1 : (size_t)(end - text - 2);
}

static bool allowed(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

static bool take_name(struct adu_compiler *c, struct part *part, const struct adu_json *node,
                      const char *const *names)
{
    if (names != NULL) {
        return allowed(part->text, names) ||
               adu_json_error(node, c->error, "${%s} is not known here", part->text);
    }
    return adu_vocabulary_use_attribute(c->vocabulary, part->text, &node->place) != ADU_NO_NAME ||
           adu_error_no_memory(c->error);
}

/* Cuts the next part off `*text`. */
static struct part *next_part(struct adu_compiler *c, const char **text,
                              const struct adu_json *node, const char *const *names)
{
    struct part *part = adu_arena_alloc(c->arena, sizeof *part);
    const size_t name = adu_template_name(*text);
    if (name == (size_t)-1) {
        adu_json_error(node, c->error, "\"${\" needs a name and a \"}\"");
        return NULL;
    }
    const char *from = name > 0 ? *text + 2 : *text;
    const char *stop = strstr(*text + 1, "${");
    const size_t length = name > 0 ? name : stop != NULL ? (size_t)(stop - *text) : strlen(*text);
    if (part == NULL || (part->text = adu_arena_strndup(c->arena, from, length)) == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    part->is_name = name > 0;
    *text += name > 0 ? name + 3 : length;
    return part->is_name && !take_name(c, part, node, names) ? NULL : part;
}

const struct adu_template *adu_template_compile(struct adu_compiler *c, const char *text,
                                                const struct adu_json *node,
                                                const char *const *names)
{
    struct adu_template *t = adu_arena_alloc(c->arena, sizeof *t);
    if (t == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    struct part **last = &t->first;
    while (*text != '\0') {
        struct part *part = next_part(c, &text, node, names);
        if (part == NULL) {
            return NULL;
        }
        *last = part;
        last = &part->next;
    }
    return t;
}

static bool append(char *buffer, size_t size, size_t *used, const char *text)
{
    const size_t length = strlen(text);
    if (length >= size - *used) {
        return false;
    }
    memcpy(buffer + *used, text, length + 1);
    *used += length;
    return true;
}

bool adu_template_expand(const struct adu_template *t, const struct adu_attributes *values,
                         char *buffer, size_t size, const char **missing)
{
    size_t used = 0;
    *missing = NULL;
    buffer[0] = '\0';
    for (const struct part *part = t->first; part != NULL; part = part->next) {
        const char *text = part->text;
        if (part->is_name) {
            text = adu_attributes_single(values, part->text);
            if (text == NULL || text[0] == '\0') {
                *missing = part->text;
                return false;
            }
        }
        if (!append(buffer, size, &used, text)) {
            return false;
        }
    }
    return true;
}

bool adu_template_replace(const struct adu_template *t, const char *with, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (const struct part *part = t->first; part != NULL; part = part->next) {
        if (!append(buffer, size, &used, part->is_name ? with : part->text)) {
            return false;
        }
    }
    return true;
}
