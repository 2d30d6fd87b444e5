/* Those who ask in the tests of the decision cores: attributes, roles and subjects out of text. */
#ifndef ADUANA_TESTS_ASKER_H
#define ADUANA_TESTS_ASKER_H

#include "common/request.h"
#include "snippet.h"

/* Adds "cert.cn=edge-linea1;cert.ou=edge" to `list`. */
static inline void attributes_of(struct adu_attributes *list, const char *text)
{
    while (*text != '\0') {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
        text += strcspn(text, "=") + 1;
        const size_t length = strcspn(text, ";");
        ck_assert(adu_attributes_add_bytes(list, name, text, length));
        text += length + (text[length] == ';');
    }
}

/* A subject as the pipeline makes one of a log-in under one generation. */
struct asker {
    struct adu_subject subject;
    uint64_t roles[4];
    const char *values[16];
};

/* `roles` are divided by spaces; those that the policy does not know are left out. */
static inline void asker_make(struct asker *a, const struct adu_vocabulary *v,
                              const char *attributes, const char *roles)
{
    *a = (struct asker){0};
    a->subject.client_id = "client";
    a->subject.username = "user";
    a->subject.roles = (struct adu_roles){.words = a->roles, .count = 4};
    a->subject.values = a->values;
    attributes_of(&a->subject.attributes, attributes);
    for (size_t i = 0; i < adu_vocabulary_attributes(v); i++) {
        const char *value =
            adu_attributes_single(&a->subject.attributes, adu_vocabulary_attribute_name(v, i));
        ck_assert_uint_lt(i, ROWS(a->values));
        a->values[i] = value != NULL && adu_topic_level_value(value) ? value : NULL;
    }
    while (*roles != '\0') {
        const size_t length = strcspn(roles, " ");
        for (size_t i = 0; i < adu_vocabulary_roles(v); i++) {
            const char *name = adu_vocabulary_role_name(v, i);
            if (strlen(name) == length && memcmp(name, roles, length) == 0) {
                adu_roles_add(&a->subject.roles, (int)i);
            }
        }
        roles += length + (roles[length] == ' ');
    }
}

static inline void asker_free(struct asker *a)
{
    adu_attributes_clear(&a->subject.attributes);
}

/* "linea1 [edge,operador] linea=linea1 bound +password" of a log-in that was accepted: the user
 * name, the roles, the attributes that were derived, whether its client id is evidence, and whether
 * a password is required too. */
static inline const char *login_text(const struct adu_login *login, const struct adu_vocabulary *v)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "%s [", login->username);
    for (size_t i = 0; i < login->role_count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "," : "",
                                 adu_vocabulary_role_name(v, (size_t)login->roles[i]));
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "]");
    for (size_t i = 0; i < login->attributes.count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, " %s=%s",
                                 login->attributes.items[i].name, login->attributes.items[i].value);
    }
    snprintf(text + used, sizeof text - used, "%s%s", login->client_id_bound ? " bound" : "",
             (login->required & ADU_FACTOR_PASSWORD) != 0 ? " +password" : "");
    return text;
}

/* `what` and why, with what follows between quotes: `refused: wrong password`. */
static inline const char *why_text(const char *what, const struct adu_reason *why)
{
    static char text[1024];
    const char *quote = why->detail[0] != '\0' ? "\"" : "";
    snprintf(text, sizeof text, "%s: %s%s%s%s%s", what, why->text != NULL ? why->text : "(nothing)",
             why->detail[0] != '\0' ? " " : "", quote, why->detail, quote);
    return text;
}

#endif
