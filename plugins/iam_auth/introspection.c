#include "plugins/iam_auth/introspection.h"
#include "common/fetch.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void conclude(struct adu_answer *answer, enum adu_outcome outcome, const char *why)
{
    answer->outcome = outcome;
    snprintf(answer->why, sizeof answer->why, "%s", why);
}

void adu_introspection_read(const char *text, size_t length, struct adu_answer *answer)
{
    json_t *said = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *active = json_object_get(said, "active");
    if (json_is_false(active)) {
        conclude(answer, ADU_OUTCOME_BARRED, "its issuer says that the token is not active");
    } else if (!json_is_true(active)) {
        conclude(answer, ADU_OUTCOME_UNAVAILABLE,
                 "the issuer's answer does not say whether the token is active");
    }
    json_decref(said);
}

/* A token is base64url and dots, which stand for themselves in a form. */
static char *form(const char *token)
{
    static const char begin[] = "token_type_hint=access_token&token=";
    char *body = malloc(sizeof begin + strlen(token));
    if (body != NULL) {
        strcpy(body, begin);
        strcat(body, token);
    }
    return body;
}

void adu_introspect(const struct adu_introspection *introspection, const char *token,
                    struct adu_answer *answer)
{
    struct adu_fetched fetched;
    char why[ADU_FETCH_WHY];
    char *body = form(token);
    if (body == NULL) {
        conclude(answer, ADU_OUTCOME_UNAVAILABLE, "out of memory");
        return;
    }
    const struct adu_fetch what = {.url = introspection->url,
                                   .ca_file = introspection->ca_file,
                                   .user = introspection->client_id,
                                   .password = introspection->secret,
                                   .body = body,
                                   .body_length = strlen(body),
                                   .content_type = "application/x-www-form-urlencoded",
                                   .accept = "application/json",
                                   .most = ADU_INTROSPECTION_MOST_BYTES,
                                   .timeout_ms = introspection->timeout_ms};
    if (adu_fetch(&what, &fetched, why)) {
        adu_introspection_read((const char *)fetched.bytes, fetched.length, answer);
        free(fetched.bytes);
    } else {
        answer->outcome = ADU_OUTCOME_UNAVAILABLE;
        snprintf(answer->why, sizeof answer->why, "its issuer cannot be asked: %s", why);
    }
    explicit_bzero(body, strlen(body));
    free(body);
}
