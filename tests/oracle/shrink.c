#include "shrink.h"
#include <string.h>

/* Edits are numbered in the order in which they are met. `*left` counts down to the one that is to
 * be made; true once it is made. */

/* `text` without its level number `*left`; NULL if it has no such level, or only one. */
static json_t *without_level(const char *text, int *left)
{
    char copy[512];
    const char *start = text;
    if (strchr(text, '/') == NULL || strlen(text) >= sizeof copy) {
        return NULL;
    }
    while (start != NULL) {
        const char *slash = strchr(start, '/');
        if ((*left)-- == 0) {
            const size_t before = (size_t)(start - text);
            memcpy(copy, text, before);
            strcpy(copy + before, slash != NULL ? slash + 1 : "");
            if (slash == NULL) {
                copy[before - 1] = '\0'; /* the slash before the last */
            }
            return json_string(copy);
        }
        start = slash != NULL ? slash + 1 : NULL;
    }
    return NULL;
}

static bool edit(json_t *node, int *left);

/* What is in an array or object: shorter if it is a text, or something within it. */
static bool edit_child(json_t *child, int *left, json_t **replaced)
{
    if (json_is_string(child)) {
        *replaced = without_level(json_string_value(child), left);
        return *replaced != NULL;
    }
    return edit(child, left);
}

static bool edit_array(json_t *array, int *left)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *replaced = NULL;
        if ((*left)-- == 0) {
            return json_array_remove(array, i) == 0;
        }
        if (edit_child(json_array_get(array, i), left, &replaced)) {
            return replaced == NULL || json_array_set_new(array, i, replaced) == 0;
        }
    }
    return false;
}

static bool edit_object(json_t *object, int *left)
{
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        json_t *replaced = NULL;
        if ((*left)-- == 0) {
            return json_object_del(object, json_object_iter_key(at)) == 0;
        }
        if (edit_child(json_object_iter_value(at), left, &replaced)) {
            return replaced == NULL || json_object_iter_set_new(object, at, replaced) == 0;
        }
    }
    return false;
}

static bool edit(json_t *node, int *left)
{
    return json_is_array(node)    ? edit_array(node, left)
           : json_is_object(node) ? edit_object(node, left)
                                  : false;
}

/* Once through all edits; each that leaves the difference is kept. True if one was. */
static bool pass(json_t **round, bool (*differs)(const json_t *round))
{
    bool kept = false;
    for (int number = 0;;) {
        int left = number;
        json_t *less = json_deep_copy(*round);
        if (!edit(less, &left)) {
            json_decref(less);
            return kept;
        }
        if (differs(less)) {
            json_decref(*round);
            *round = less;
            kept = true;
        } else {
            json_decref(less);
            number++;
        }
    }
}

json_t *shrink_round(json_t *round, bool (*differs)(const json_t *round))
{
    while (pass(&round, differs)) {
    }
    return round;
}
