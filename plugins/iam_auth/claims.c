#include "plugins/iam_auth/claims.h"
#include <stdio.h>
#include <string.h>

/* The year 9999: times beyond it are mistakes, and multiply safely. */
#define LATEST_S INT64_C(253402300799)

static bool refuse(struct adu_answer *answer, const char *why)
{
    answer->outcome = ADU_OUTCOME_WRONG;
    snprintf(answer->why, sizeof answer->why, "%s", why);
    return false;
}

static bool out_of_memory(struct adu_answer *answer)
{
    answer->outcome = ADU_OUTCOME_UNAVAILABLE;
    snprintf(answer->why, sizeof answer->why, "out of memory");
    return false;
}

/* --- is it for us? --- */

static bool has_text(const json_t *value, const char *text)
{
    const char *found = json_string_value(value);
    return found != NULL && strcmp(found, text) == 0;
}

static bool is_of_issuer(const struct adu_token_rules *rules, const json_t *claims,
                         struct adu_answer *answer)
{
    return has_text(json_object_get(claims, "iss"), rules->issuer) ||
           refuse(answer, "the token is of another issuer");
}

static bool is_for_audience(const struct adu_token_rules *rules, const json_t *claims,
                            struct adu_answer *answer)
{
    const json_t *audience = json_object_get(claims, "aud");
    for (const char *const *a = rules->audiences; *a != NULL; a++) {
        if (has_text(audience, *a)) {
            return true;
        }
        for (size_t i = 0; i < json_array_size(audience); i++) {
            if (has_text(json_array_get(audience, i), *a)) {
                return true;
            }
        }
    }
    return refuse(answer, "the token is for another audience");
}

/* --- now? --- */

enum found { ABSENT, FOUND, MALFORMED };

/* A time in seconds since 1970, perhaps with a fraction. */
static enum found read_time(const json_t *claims, const char *name, int64_t *ms)
{
    const json_t *value = json_object_get(claims, name);
    if (value == NULL) {
        return ABSENT;
    }
    const double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0 && seconds <= (double)LATEST_S)) {
        return MALFORMED;
    }
    *ms = json_is_integer(value) ? (int64_t)json_integer_value(value) * 1000
                                 : (int64_t)(seconds * 1000);
    return FOUND;
}

static bool is_of_now(const struct adu_token_rules *rules, const json_t *claims, int64_t wall_ms,
                      struct adu_answer *answer)
{
    int64_t expires = 0, begins = 0, issued = 0;
    const enum found exp = read_time(claims, "exp", &expires),
                     nbf = read_time(claims, "nbf", &begins),
                     iat = read_time(claims, "iat", &issued);
    if (exp == ABSENT) {
        return refuse(answer, "the token never expires");
    }
    if (exp == MALFORMED || nbf == MALFORMED || iat == MALFORMED) {
        return refuse(answer, "the token's times are no times");
    }
    if (wall_ms >= expires + rules->skew_ms) {
        return refuse(answer, "the token has expired");
    }
    if (wall_ms < begins - rules->skew_ms) {
        return refuse(answer, "the token is not valid yet");
    }
    if (wall_ms < issued - rules->skew_ms) {
        return refuse(answer, "the token was issued in the future");
    }
    answer->valid_until_ms = expires + rules->skew_ms;
    return true;
}

/* --- what it says of its user --- */

struct collecting {
    struct adu_answer *answer;
    char name[sizeof "token." + ADU_TOKEN_NAME_MOST]; /* of what is being read */
    const char *too_much;                             /* NULL: out of memory */
};

static bool add(struct collecting *c, const char *value, size_t length)
{
    if (c->answer->attributes.count >= ADU_TOKEN_VALUES_MOST) {
        c->too_much = "the token says more than 200 things";
        return false;
    }
    return adu_attributes_add_bytes(&c->answer->attributes, c->name, value, length);
}

/* "planta:leer planta:mandar" (RFC 8693, RFC 9068) */
static bool add_words(struct collecting *c, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        if (length > 0 && !add(c, text, length)) {
            return false;
        }
        text += length + (text[length] == ' ');
    }
    return true;
}

/* Text, whole numbers, true and false. */
static bool add_scalar(struct collecting *c, const json_t *value)
{
    char number[32];
    const char *text = json_string_value(value);
    if (text != NULL) {
        return strcmp(c->name, "token.scope") == 0 ? add_words(c, text)
                                                   : add(c, text, strlen(text));
    }
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        return add(c, number, strlen(number));
    }
    if (json_is_boolean(value)) {
        text = json_is_true(value) ? "true" : "false";
        return add(c, text, strlen(text));
    }
    return true;
}

static bool add_object(struct collecting *c, const json_t *object, int depth);

/* What a list within a list holds is nobody's value. */
static bool add_value(struct collecting *c, const json_t *value, int depth)
{
    if (json_is_object(value)) {
        return add_object(c, value, depth + 1);
    }
    if (!json_is_array(value)) {
        return add_scalar(c, value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!add_scalar(c, json_array_get(value, i))) {
            return false;
        }
    }
    return true;
}

static bool add_object(struct collecting *c, const json_t *object, int depth)
{
    const size_t length = strlen(c->name);
    for (void *at = json_object_iter((json_t *)object); at != NULL;
         at = json_object_iter_next((json_t *)object, at)) {
        const char *key = json_object_iter_key(at);
        if (depth > ADU_TOKEN_DEPTH_MOST || length + 1 + strlen(key) >= sizeof c->name) {
            c->too_much = "the token says something too deep, or under too long a name";
            return false;
        }
        snprintf(c->name + length, sizeof c->name - length, ".%s", key);
        const bool good = add_value(c, json_object_iter_value(at), depth);
        c->name[length] = '\0';
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool collect(const json_t *claims, struct adu_answer *answer)
{
    struct collecting c = {.answer = answer, .name = "token"};
    if (add_object(&c, claims, 1)) {
        return true;
    }
    return c.too_much != NULL ? refuse(answer, c.too_much) : out_of_memory(answer);
}

static bool is_name(const char *text)
{
    const size_t length = strlen(text);
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
    }
    return length > 0 && length <= ADU_USERNAME_MOST;
}

/* By the attribute that the claim has become, so that its path is looked up in one way only. NULL
 * if there is not one, or if it is no name. */
static const char *name_in(const struct adu_token_rules *rules, const struct adu_answer *answer)
{
    char name[sizeof "token." + ADU_TOKEN_NAME_MOST];
    snprintf(name, sizeof name, "token.%s", rules->username_claim);
    const char *found = adu_attributes_single(&answer->attributes, name);
    return found != NULL && is_name(found) ? found : NULL;
}

static bool is_of_user(const struct adu_token_rules *rules, const char *username,
                       struct adu_answer *answer)
{
    const char *found = name_in(rules, answer);
    if (found == NULL) {
        return refuse(answer, "the token does not say one name of its user");
    }
    if (username == NULL || username[0] == '\0') {
        if (!rules->username_optional) {
            return refuse(answer, "the client does not say its user name");
        }
    } else if (strcmp(found, username) != 0) {
        return refuse(answer, "the token is of somebody else");
    }
    snprintf(answer->username, sizeof answer->username, "%s", found);
    return true;
}

void adu_claims_judge(const struct adu_token_rules *rules, const json_t *claims,
                      const char *username, int64_t wall_ms, struct adu_answer *answer)
{
    if (is_of_issuer(rules, claims, answer) && is_for_audience(rules, claims, answer) &&
        is_of_now(rules, claims, wall_ms, answer) && collect(claims, answer) &&
        is_of_user(rules, username, answer)) {
        answer->outcome = ADU_OUTCOME_VERIFIED;
    }
}

bool adu_claims_name(const struct adu_token_rules *rules, const json_t *claims, char *username)
{
    struct adu_answer said = {0};
    const char *found = collect(claims, &said) ? name_in(rules, &said) : NULL;
    if (found != NULL) {
        snprintf(username, ADU_USERNAME_MOST + 1, "%s", found);
    }
    adu_answer_clear(&said);
    return found != NULL;
}
