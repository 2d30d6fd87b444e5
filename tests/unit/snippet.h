/* Snippets of policy for tests: JSON in which ' stands for ", parsed and ready to be compiled. */
#ifndef ADUANA_TESTS_SNIPPET_H
#define ADUANA_TESTS_SNIPPET_H

#include "common/compiler.h"
#include "common/json.h"
#include "runner.h"
#include <string.h>

/* The JSON that `text` stands for; the caller frees it. */
static inline char *json_of(const char *text)
{
    char *json = strdup(text);
    ck_assert_ptr_nonnull(json);
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return json;
}

struct snippet {
    struct adu_error error;
    struct adu_arena *arena;
    struct adu_vocabulary *vocabulary;
    struct adu_json_document *document;
    const struct adu_json *root;
    struct adu_compiler c;
    char text[1024];
};

/* What a stage's `compile` is given, and the document for it. */
static inline void snippet_open(struct snippet *s, const char *file, const char *json)
{
    char *text = json_of(json);
    *s = (struct snippet){0};
    s->arena = adu_arena_new();
    s->vocabulary = adu_vocabulary_new(s->arena);
    s->document = adu_json_parse(file, text, strlen(text), &s->error);
    free(text);
    ck_assert_msg(s->document != NULL, "%s: %s",
                  adu_error_format(&s->error, s->text, sizeof s->text), json);
    s->root = adu_json_root(s->document);
    s->c = (struct adu_compiler){.arena = s->arena,
                                 .vocabulary = s->vocabulary,
                                 .error = &s->error,
                                 .directory = "/",
                                 .file = adu_arena_strdup(s->arena, file)};
}

/* Frees the document, as a policy does once its files are compiled: what was compiled must not
 * point into it. */
static inline void snippet_compiled(struct snippet *s)
{
    adu_json_free(s->document);
    s->document = NULL;
    s->root = NULL;
}

/* The error as people see it; "" if there is none. */
static inline const char *snippet_error(struct snippet *s)
{
    return adu_error_format(&s->error, s->text, sizeof s->text);
}

static inline void snippet_close(struct snippet *s)
{
    adu_json_free(s->document);
    adu_arena_free(s->arena);
}

#endif
