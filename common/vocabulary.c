#include "common/vocabulary.h"
#include "common/hash.h"
#include "common/text.h"
#include <stdlib.h>
#include <string.h>

struct name {
    const char *text;
    int number;
    bool defined;
    bool used;
    struct adu_place first_use;
    UT_hash_handle hh;
};

struct table {
    struct name *by_text;
    struct name **by_number;
    size_t count, room;
};

struct adu_vocabulary {
    struct adu_arena *arena;
    struct table roles, attributes;
};

/* What a client certificate can show; certificate.c of cert_auth fills these in. */
#define OF_A_NAME(prefix)                                                                          \
    prefix "cn", prefix "ou", prefix "o", prefix "l", prefix "st", prefix "c", prefix "dc",        \
        prefix "uid", prefix "serial_number", prefix "email", prefix "title", prefix "given_name", \
        prefix "surname"

static const char *const built_in[] = {
    OF_A_NAME("cert."),
    OF_A_NAME("cert.issuer."),
    "cert.serial",
    "cert.fingerprint",
    "cert.san.dns",
    "cert.san.uri",
    "cert.san.email",
    "cert.san.ip",
    "cert.san.upn",
    "cert.ku",
    "cert.eku",
    "cert.policy",
    "username",
    "client_id",
    NULL,
};

/* Followed by the OID of something that is somebody's own. */
static const char *const built_in_of_oid[] = {"cert.ext.", "cert.san.other.", NULL};

static void release(void *thing)
{
    struct adu_vocabulary *v = thing;
    HASH_CLEAR(hh, v->roles.by_text);
    HASH_CLEAR(hh, v->attributes.by_text);
    free(v->roles.by_number);
    free(v->attributes.by_number);
}

struct adu_vocabulary *adu_vocabulary_new(struct adu_arena *arena)
{
    struct adu_vocabulary *v = adu_arena_alloc(arena, sizeof *v);
    if (v == NULL || !adu_arena_at_free(arena, release, v)) {
        return NULL;
    }
    v->arena = arena;
    return v;
}

static bool make_room(struct table *t)
{
    if (t->count < t->room) {
        return true;
    }
    const size_t room = t->room == 0 ? 16 : t->room * 2;
    struct name **by_number = realloc(t->by_number, room * sizeof(struct name *));
    if (by_number == NULL) {
        return false;
    }
    t->by_number = by_number;
    t->room = room;
    return true;
}

static struct name *intern(struct adu_vocabulary *v, struct table *t, const char *text)
{
    struct name *n;
    HASH_FIND_STR(t->by_text, text, n);
    if (n != NULL) {
        return n;
    }
    n = adu_arena_alloc(v->arena, sizeof *n);
    if (n == NULL || (n->text = adu_arena_strdup(v->arena, text)) == NULL || !make_room(t)) {
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, t->by_text, n->text, strlen(n->text), n);
    if (n->hh.tbl == NULL) {
        return NULL;
    }
    n->number = (int)t->count;
    t->by_number[t->count++] = n;
    return n;
}

static int use(struct adu_vocabulary *v, struct table *t, const char *text,
               const struct adu_place *place)
{
    struct name *n = intern(v, t, text);
    if (n == NULL) {
        return ADU_NO_NAME;
    }
    if (!n->used) {
        const char *file = adu_arena_strdup(v->arena, place->file);
        if (file == NULL) {
            return ADU_NO_NAME;
        }
        n->used = true;
        n->first_use = *place;
        n->first_use.file = file;
    }
    return n->number;
}

static int define(struct adu_vocabulary *v, struct table *t, const char *text)
{
    struct name *n = intern(v, t, text);
    if (n == NULL) {
        return ADU_NO_NAME;
    }
    n->defined = true;
    return n->number;
}

int adu_vocabulary_use_role(struct adu_vocabulary *v, const char *name,
                            const struct adu_place *used)
{
    return use(v, &v->roles, name, used);
}

int adu_vocabulary_define_role(struct adu_vocabulary *v, const char *name)
{
    return define(v, &v->roles, name);
}

int adu_vocabulary_use_attribute(struct adu_vocabulary *v, const char *name,
                                 const struct adu_place *used)
{
    return use(v, &v->attributes, name, used);
}

int adu_vocabulary_define_attribute(struct adu_vocabulary *v, const char *name)
{
    return define(v, &v->attributes, name);
}

bool adu_vocabulary_role_is_used(const struct adu_vocabulary *v, const char *name)
{
    const struct name *n;
    HASH_FIND_STR(v->roles.by_text, name, n);
    return n != NULL && n->used;
}

size_t adu_vocabulary_roles(const struct adu_vocabulary *v)
{
    return v->roles.count;
}

size_t adu_vocabulary_attributes(const struct adu_vocabulary *v)
{
    return v->attributes.count;
}

const char *adu_vocabulary_role_name(const struct adu_vocabulary *v, size_t role)
{
    return v->roles.by_number[role]->text;
}

const char *adu_vocabulary_attribute_name(const struct adu_vocabulary *v, size_t slot)
{
    return v->attributes.by_number[slot]->text;
}

static bool is_built_in(const char *text)
{
    for (size_t i = 0; built_in[i] != NULL; i++) {
        if (strcmp(built_in[i], text) == 0) {
            return true;
        }
    }
    for (size_t i = 0; built_in_of_oid[i] != NULL; i++) {
        const size_t length = strlen(built_in_of_oid[i]);
        if (strncmp(built_in_of_oid[i], text, length) == 0) {
            return text[length + strspn(text + length, "0123456789.")] == '\0' &&
                   strchr(text + length, '.') != NULL;
        }
    }
    return false;
}

bool adu_vocabulary_is_reserved(const char *name)
{
    return is_built_in(name) || strcmp(name, "role") == 0 || strncmp(name, "cert.", 5) == 0;
}

/* The defined names, for "did you mean"; the list ends with NULL and is freed by the caller. */
static const char **defined_names(const struct table *t, const char *const *more)
{
    size_t extra = 0;
    while (more != NULL && more[extra] != NULL) {
        extra++;
    }
    const char **names = calloc(t->count + extra + 1, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; names != NULL && i < t->count; i++) {
        if (t->by_number[i]->defined) {
            names[count++] = t->by_number[i]->text;
        }
    }
    for (size_t i = 0; names != NULL && i < extra; i++) {
        names[count++] = more[i];
    }
    return names;
}

static bool undefined(const struct table *t, const struct name *n, const char *kind,
                      const char *const *more, struct adu_error *error)
{
    const char **names = defined_names(t, more);
    const char *nearest = names != NULL ? adu_text_nearest(n->text, names) : NULL;
    if (nearest != NULL) {
        adu_error_set(error, &n->first_use, "%s \"%s\" is defined nowhere; did you mean \"%s\"?",
                      kind, n->text, nearest);
    } else {
        adu_error_set(error, &n->first_use, "%s \"%s\" is defined nowhere", kind, n->text);
    }
    free(names);
    return false;
}

bool adu_vocabulary_check(const struct adu_vocabulary *v, bool roles_are_complete,
                          struct adu_error *error)
{
    for (size_t i = 0; roles_are_complete && i < v->roles.count; i++) {
        if (!v->roles.by_number[i]->defined) {
            return undefined(&v->roles, v->roles.by_number[i], "the role", NULL, error);
        }
    }
    for (size_t i = 0; i < v->attributes.count; i++) {
        const struct name *n = v->attributes.by_number[i];
        if (!n->defined && !is_built_in(n->text)) {
            return undefined(&v->attributes, n, "the attribute", built_in, error);
        }
    }
    return true;
}
