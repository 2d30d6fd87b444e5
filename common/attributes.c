#include "common/attributes.h"
#include <stdlib.h>
#include <string.h>

static bool grow(struct adu_attributes *list)
{
    if (list->count < list->room) {
        return true;
    }
    if (list->count >= ADU_ATTRIBUTES_MOST) {
        return false;
    }
    const size_t room = list->room == 0 ? 8 : list->room * 2;
    struct adu_attribute *items = realloc(list->items, room * sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->room = room;
    return true;
}

bool adu_attributes_add_bytes(struct adu_attributes *list, const char *name, const char *value,
                              size_t length)
{
    if (!grow(list)) {
        return false;
    }
    const size_t named = strlen(name) + 1;
    char *memory = malloc(named + length + 1);
    if (memory == NULL) {
        return false;
    }
    memcpy(memory, name, named);
    memcpy(memory + named, value, length);
    memory[named + length] = '\0';
    list->items[list->count++] = (struct adu_attribute){.name = memory, .value = memory + named};
    return true;
}

bool adu_attributes_add(struct adu_attributes *list, const char *name, const char *value)
{
    return adu_attributes_add_bytes(list, name, value, strlen(value));
}

bool adu_attributes_add_all(struct adu_attributes *list, const struct adu_attributes *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!adu_attributes_add(list, from->items[i].name, from->items[i].value)) {
            return false;
        }
    }
    return true;
}

const char *adu_attributes_single(const struct adu_attributes *list, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            if (value != NULL) {
                return NULL;
            }
            value = list->items[i].value;
        }
    }
    return value;
}

bool adu_attributes_equal(const struct adu_attributes *a, const struct adu_attributes *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
            strcmp(a->items[i].value, b->items[i].value) != 0) {
            return false;
        }
    }
    return true;
}

void adu_attributes_clear(struct adu_attributes *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
    }
    free(list->items);
    *list = (struct adu_attributes){0};
}
