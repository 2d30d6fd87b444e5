#include "plugins/iam_auth/answer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool adu_answer_copy(struct adu_answer *to, const struct adu_answer *from)
{
    struct adu_attributes attributes = {0};
    if (!adu_attributes_add_all(&attributes, &from->attributes)) {
        adu_attributes_clear(&attributes);
        return false;
    }
    *to = *from;
    to->attributes = attributes;
    return true;
}

/* A record is texts, each with its NUL: the form, which says whether it is of grace, the provider,
 * the user name, until when, and names and values in turn. */
static const char form[] = "1", form_in_grace[] = "2";

bool adu_answer_write(const struct adu_answer *answer, const char *provider,
                      struct adu_bytes *record)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return false;
    }
    fprintf(out, "%s%c%s%c%s%c%lld%c", answer->in_grace ? form_in_grace : form, 0, provider, 0,
            answer->username, 0, (long long)answer->valid_until_ms, 0);
    for (size_t i = 0; i < answer->attributes.count; i++) {
        fprintf(out, "%s%c%s%c", answer->attributes.items[i].name, 0,
                answer->attributes.items[i].value, 0);
    }
    const bool good = ferror(out) == 0;
    if (fclose(out) != 0 || !good) {
        free(text);
        return false;
    }
    *record = (struct adu_bytes){.bytes = (unsigned char *)text, .length = length};
    return true;
}

/* The text at `*at`, which moves behind it; NULL where there is none. */
static const char *next_text(struct adu_bytes record, size_t *at)
{
    const char *text = (const char *)record.bytes + *at;
    const size_t left = record.length - *at, length = left > 0 ? strnlen(text, left) : 0;
    if (length == left) {
        return NULL;
    }
    *at += length + 1;
    return text;
}

const char *adu_answer_provider(struct adu_bytes record)
{
    size_t at = 0;
    const char *begin = record.bytes != NULL ? next_text(record, &at) : NULL;
    return begin != NULL && (strcmp(begin, form) == 0 || strcmp(begin, form_in_grace) == 0)
               ? next_text(record, &at)
               : NULL;
}

bool adu_answer_read(struct adu_bytes record, struct adu_answer *answer)
{
    size_t at = sizeof form;
    if (adu_answer_provider(record) == NULL) {
        return false;
    }
    next_text(record, &at);
    const char *username = next_text(record, &at), *until = next_text(record, &at), *name;
    if (until == NULL || strlen(username) >= sizeof answer->username) {
        return false;
    }
    answer->outcome = ADU_OUTCOME_VERIFIED;
    answer->in_grace = strcmp((const char *)record.bytes, form_in_grace) == 0;
    memcpy(answer->username, username, strlen(username) + 1);
    answer->valid_until_ms = atoll(until);
    while ((name = next_text(record, &at)) != NULL) {
        const char *value = next_text(record, &at);
        if (value == NULL || !adu_attributes_add(&answer->attributes, name, value)) {
            adu_answer_clear(answer);
            return false;
        }
    }
    return true;
}
