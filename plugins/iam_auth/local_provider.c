/* Users of the policy itself: their hashes in iam_auth.json or in a file of mosquitto_passwd. */
#include "common/hash.h"
#include "common/match.h"
#include "common/reader.h"
#include "plugins/iam_auth/password_file.h"
#include "plugins/iam_auth/passwords.h"
#include "plugins/iam_auth/provider.h"
#include <stdio.h>
#include <string.h>

struct attribute {
    const char *name, *value;
};

struct user {
    const char *name;
    struct adu_passwords passwords;
    bool by_policy;   /* where they are, and not in the file */
    const int *roles; /* ends with -1 */
    size_t attribute_count;
    struct attribute *attributes;
    UT_hash_handle hh;
};

struct local {
    struct user *users;
    const struct adu_passwords *decoy; /* compared with when the user is not known */
};

struct keys {
    const char *password_file;
    const struct adu_json *users;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, password_file, STRING),
    ADU_FIELD(struct keys, users, OBJECT),
    {0},
};

struct user_keys {
    const char *password;
    const struct adu_json *passwords, *roles, *attributes;
};

static const struct adu_field user_fields[] = {
    ADU_FIELD(struct user_keys, password, STRING),
    ADU_FIELD(struct user_keys, passwords, ARRAY),
    ADU_FIELD(struct user_keys, roles, ARRAY),
    ADU_FIELD(struct user_keys, attributes, OBJECT),
    {0},
};

static void release(void *thing)
{
    struct local *local = thing;
    HASH_CLEAR(hh, local->users);
}

static struct user *find(const struct local *local, const char *name)
{
    struct user *user;
    HASH_FIND_STR(local->users, name, user);
    return user;
}

static struct user *add(struct adu_compiler *c, struct local *local, const char *name)
{
    static const int none[] = {ADU_NO_NAME};
    struct user *user = adu_arena_alloc(c->arena, sizeof *user);
    if (user != NULL && (user->name = adu_arena_strdup(c->arena, name)) != NULL) {
        user->roles = none;
        HASH_ADD_KEYPTR(hh, local->users, user->name, strlen(user->name), user);
        if (user->hh.tbl != NULL) {
            return user;
        }
    }
    adu_error_no_memory(c->error);
    return NULL;
}

static bool compile_attributes(struct adu_compiler *c, const struct adu_json *object,
                               struct user *user)
{
    if (object == NULL) {
        return true;
    }
    user->attributes = adu_arena_array(c->arena, adu_read_count(object), sizeof *user->attributes);
    const struct adu_json *node = NULL;
    while (user->attributes != NULL && (node = adu_read_next(object, node)) != NULL) {
        const char *value = adu_read_string(node, c->error);
        if (value == NULL || !adu_read_is_name(node, node->key, c->error)) {
            return false;
        }
        if (adu_vocabulary_is_reserved(node->key)) {
            return adu_json_key_error(node, c->error,
                                      "this name is the bundle's own; choose another");
        }
        struct attribute *a = &user->attributes[user->attribute_count++];
        a->name = adu_arena_strdup(c->arena, node->key);
        a->value = adu_arena_strdup(c->arena, value);
        if (a->name == NULL || a->value == NULL ||
            adu_vocabulary_define_attribute(c->vocabulary, a->name) == ADU_NO_NAME) {
            return adu_error_no_memory(c->error);
        }
    }
    return user->attributes != NULL || adu_error_no_memory(c->error);
}

static bool compile_passwords(struct adu_compiler *c, const struct adu_json *node,
                              const struct user_keys *keys, struct user *user)
{
    user->by_policy = keys->password != NULL || keys->passwords != NULL;
    if (keys->password != NULL && keys->passwords != NULL) {
        return adu_json_key_error(node, c->error,
                                  "has \"password\" and \"passwords\": one of them");
    }
    if (keys->passwords != NULL) {
        return adu_passwords_compile(c, keys->passwords, node->key, &user->passwords);
    }
    return keys->password == NULL ||
           adu_passwords_add(c, &user->passwords, keys->password, NULL, node->key,
                             &adu_json_member(node, "password")->place);
}

static bool compile_user(struct adu_compiler *c, struct local *local, const struct adu_json *node)
{
    struct user_keys keys = {0};
    struct user *user = add(c, local, node->key);
    if (user == NULL || !adu_read_object(node, user_fields, &keys, c->error) ||
        !compile_passwords(c, node, &keys, user)) {
        return false;
    }
    user->roles = adu_role_list_compile(c, keys.roles);
    return user->roles != NULL && compile_attributes(c, keys.attributes, user);
}

struct taking {
    struct adu_compiler *c;
    struct local *local;
};

static bool take_line(void *context, const char *name, const char *hash, const char *until,
                      const struct adu_place *place)
{
    const struct taking *t = context;
    struct user *user = find(t->local, name);
    if (user == NULL && (user = add(t->c, t->local, name)) == NULL) {
        return false;
    }
    if (user->by_policy) {
        return adu_error_set(t->c->error, place, "the user \"%s\" has a password already", name);
    }
    return adu_passwords_add(t->c, &user->passwords, hash, until, name, place);
}

/* Every user of the policy must have a password somewhere. */
static bool complete(struct adu_compiler *c, struct local *local, const struct adu_json *users)
{
    const struct adu_json *node = NULL;
    while (users != NULL && (node = adu_read_next(users, node)) != NULL) {
        if (find(local, node->key)->passwords.count == 0) {
            return adu_json_key_error(node, c->error,
                                      "has no password, neither here nor in password_file");
        }
    }
    for (const struct user *user = local->users; user != NULL && local->decoy == NULL;
         user = user->hh.next) {
        local->decoy = &user->passwords;
    }
    return true;
}

static const void *compile(struct adu_compiler *c, const struct adu_json *settings)
{
    struct keys keys = {0};
    struct local *local = adu_arena_alloc(c->arena, sizeof *local);
    if (local == NULL || !adu_arena_at_free(c->arena, release, local)) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(settings, fields, &keys, c->error)) {
        return NULL;
    }
    const struct adu_json *node = NULL;
    while (keys.users != NULL && (node = adu_read_next(keys.users, node)) != NULL) {
        if (!compile_user(c, local, node)) {
            return NULL;
        }
    }
    struct taking taking = {.c = c, .local = local};
    if (keys.password_file != NULL &&
        !adu_password_file_read(c, keys.password_file, take_line, &taking)) {
        return NULL;
    }
    return complete(c, local, keys.users) ? local : NULL;
}

/* Users and hashes, in whatever order the file has them. */
static uint32_t stamp(const void *settings)
{
    uint32_t sum = 0;
    for (const struct user *u = ((const struct local *)settings)->users; u != NULL;
         u = u->hh.next) {
        const uint32_t both[] = {adu_hash(u->name, strlen(u->name)),
                                 adu_passwords_stamp(&u->passwords)};
        sum += adu_hash(both, sizeof both);
    }
    return sum;
}

static const struct adu_passwords *passwords_of(const struct local *local, const char *username)
{
    const struct user *user = find(local, username);
    return user != NULL ? &user->passwords : local->decoy;
}

static bool dear(const void *settings, const char *username)
{
    const struct adu_passwords *passwords = passwords_of(settings, username);
    return passwords != NULL && adu_passwords_are_dear(passwords);
}

/* An unknown user costs as much as a wrong password, so that the time tells nobody's name. Without
 * a password the account is asked about: it outlives each of its passwords. */
static void ask(const void *settings, const char *username, const char *password, int64_t wall_ms,
                struct adu_answer *answer)
{
    const struct local *local = settings;
    const struct user *user = find(local, username);
    const struct adu_passwords *passwords = passwords_of(local, username);
    answer->outcome = ADU_OUTCOME_VERIFIED;
    if (password != NULL && passwords != NULL) {
        adu_passwords_ask(passwords, password, wall_ms, answer);
    }
    if (user == NULL) {
        *answer = (struct adu_answer){.outcome = ADU_OUTCOME_UNKNOWN};
    } else {
        snprintf(answer->username, sizeof answer->username, "%s", username);
    }
}

static enum adu_verdict describe(const void *settings, const struct adu_answer *answer,
                                 struct adu_login *login)
{
    const struct user *user = find(settings, answer->username);
    if (user == NULL) {
        return ADU_ABSTAIN;
    }
    for (size_t i = 0; i < user->attribute_count; i++) {
        if (!adu_attributes_add(&login->attributes, user->attributes[i].name,
                                user->attributes[i].value)) {
            return ADU_ERROR;
        }
    }
    return adu_login_add_roles(login, user->roles) ? ADU_ALLOW : ADU_ERROR;
}

const struct adu_provider adu_provider_local = {
    .name = "local",
    .compile = compile,
    .stamp = stamp,
    .rechecks = true,
    .dear = dear,
    .ask = ask,
    .describe = describe,
};
