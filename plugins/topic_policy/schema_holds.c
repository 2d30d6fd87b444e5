/* Whether a payload is as its schema says: read once, from its first byte to its last. */
#include "plugins/topic_policy/scan.h"
#include "plugins/topic_policy/schema.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { KEYS_MOST = 512, KEY_BYTES_MOST = 256 };

/* A value that is no container. */
struct seen {
    enum adu_schema_type type;
    bool boolean;
    double number;
    struct adu_text raw; /* of a string */
};

struct holding {
    struct adu_scan scan;
    const char *begin;
    unsigned depth;
    size_t key_count;          /* of all objects that are open */
    uint64_t keys[KEYS_MOST];  /* their hashes: two that are alike are taken for the same */
    char where[48], wrong[72]; /* filled in when something is wrong */
};

static bool value(struct holding *h, const struct adu_schema *schema, struct seen *seen);

static bool wrong(struct holding *h, const char *text)
{
    snprintf(h->wrong, sizeof h->wrong, "%s", text);
    return false;
}

static bool broken(struct holding *h, const char *text)
{
    snprintf(h->wrong, sizeof h->wrong, "%s at byte %zu", text,
             (size_t)(h->scan.at - h->begin) + 1);
    return false;
}

/* Names the place from the inside out; what finds no room is left out. */
static void within(struct holding *h, struct adu_text name)
{
    const size_t inner = strlen(h->where), dot = inner > 0 ? 1 : 0;
    if (inner + dot + 1 > sizeof h->where - 1) {
        return;
    }
    const size_t room = sizeof h->where - 1 - inner - dot;
    const size_t length = name.length < room ? name.length : room;
    memmove(h->where + length + dot, h->where, inner + 1);
    memcpy(h->where, name.bytes, length);
    memcpy(h->where + length, ".", dot);
}

/* --- values by themselves --- */

static bool in_range(struct holding *h, const struct adu_schema_range *r, double number,
                     const char *unit)
{
    const bool low = r->has_minimum && (r->above ? number <= r->minimum : number < r->minimum);
    const bool high = r->has_maximum && (r->below ? number >= r->maximum : number > r->maximum);
    if (low || high) {
        const bool or_equal = low ? !r->above : !r->below;
        snprintf(h->wrong, sizeof h->wrong, "%s %.10g%s%.16s",
                 low ? or_equal ? "less than" : "not more than"
                     : (or_equal ? "more than" : "not less than"),
                 low ? r->minimum : r->maximum, unit != NULL ? " " : "", unit != NULL ? unit : "");
    }
    return !low && !high;
}

static bool same_text(struct adu_text raw, struct adu_text text)
{
    char plain[KEY_BYTES_MOST];
    size_t length;
    if (memchr(raw.bytes, '\\', raw.length) == NULL) {
        return raw.length == text.length && memcmp(raw.bytes, text.bytes, text.length) == 0;
    }
    return text.length < sizeof plain && adu_scan_unescape(raw, plain, sizeof plain, &length) &&
           length == text.length && memcmp(plain, text.bytes, length) == 0;
}

static bool same_value(const struct adu_schema_value *v, const struct seen *seen)
{
    if (v->type != seen->type) {
        return false;
    }
    return v->type == ADU_TYPE_NUMBER    ? v->number == seen->number
           : v->type == ADU_TYPE_STRING  ? same_text(seen->raw, v->text)
           : v->type == ADU_TYPE_BOOLEAN ? v->boolean == seen->boolean
                                         : true;
}

static bool one_of_the_values(struct holding *h, const struct adu_schema *schema,
                              const struct seen *seen)
{
    for (size_t i = 0; i < schema->value_count; i++) {
        if (same_value(&schema->values[i], seen)) {
            return true;
        }
    }
    return schema->value_count == 0 || wrong(h, "none of the values that it may have");
}

static bool type_fits(struct holding *h, const struct adu_schema *schema, const struct seen *seen)
{
    unsigned types = seen->type;
    if (seen->type == ADU_TYPE_NUMBER && seen->number == floor(seen->number)) {
        types |= ADU_TYPE_INTEGER;
    }
    return schema->types == 0 || (schema->types & types) != 0 || wrong(h, "of another type");
}

static bool string_fits(struct holding *h, const struct adu_schema *schema, struct adu_text raw)
{
    if (schema->min_length < 0 && schema->max_length < 0) {
        return true;
    }
    const long characters = (long)adu_scan_characters(raw);
    if (characters < schema->min_length) {
        return wrong(h, "too short");
    }
    return schema->max_length < 0 || characters <= schema->max_length || wrong(h, "too long");
}

static bool scalar_fits(struct holding *h, const struct adu_schema *schema, const struct seen *seen)
{
    return schema == NULL ||
           (type_fits(h, schema, seen) &&
            (seen->type != ADU_TYPE_NUMBER ||
             in_range(h, &schema->range, seen->number, schema->unit)) &&
            (seen->type != ADU_TYPE_STRING || string_fits(h, schema, seen->raw)) &&
            one_of_the_values(h, schema, seen));
}

static bool scalar(struct holding *h, struct seen *seen)
{
    const char *what = NULL;
    const char first = *h->scan.at;
    if (first == '"') {
        seen->type = ADU_TYPE_STRING;
        what = adu_scan_string(&h->scan, &seen->raw);
    } else if (adu_scan_word(&h->scan, "true") || adu_scan_word(&h->scan, "false")) {
        seen->type = ADU_TYPE_BOOLEAN;
        seen->boolean = first == 't';
    } else if (adu_scan_word(&h->scan, "null")) {
        seen->type = ADU_TYPE_NULL;
    } else {
        seen->type = ADU_TYPE_NUMBER;
        what = adu_scan_number(&h->scan, &seen->number);
    }
    return what == NULL || broken(h, what);
}

/* --- arrays --- */

static bool array(struct holding *h, const struct adu_schema *schema)
{
    const struct adu_schema *items = schema != NULL ? schema->items : NULL;
    long count = 0;
    struct seen seen;
    h->scan.at++;
    if (!adu_scan_take(&h->scan, ']')) {
        do {
            count++;
            if (!value(h, items, &seen)) {
                within(h, (struct adu_text){"[]", 2});
                return false;
            }
        } while (adu_scan_take(&h->scan, ','));
        if (!adu_scan_take(&h->scan, ']')) {
            return broken(h, "no , or ]");
        }
    }
    if (schema != NULL && count < schema->min_items) {
        return wrong(h, "too few items");
    }
    return schema == NULL || schema->max_items < 0 || count <= schema->max_items ||
           wrong(h, "too many items");
}

/* --- objects --- */

struct members {
    const struct adu_schema *schema; /* may be NULL */
    uint64_t present;                /* properties, by their number */
    struct seen measured, measured_in;
};

static int property_of(const struct adu_schema *schema, struct adu_text name)
{
    for (size_t i = 0; schema != NULL && i < schema->property_count; i++) {
        const struct adu_text known = schema->properties[i].name;
        if (known.length == name.length && memcmp(known.bytes, name.bytes, name.length) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* A key without its escapes. */
static bool plain_key(struct holding *h, struct adu_text *name, char buffer[KEY_BYTES_MOST])
{
    if (memchr(name->bytes, '\\', name->length) == NULL) {
        return true;
    }
    if (!adu_scan_unescape(*name, buffer, KEY_BYTES_MOST, &name->length)) {
        return wrong(h, "a key has too many bytes");
    }
    name->bytes = buffer;
    return true;
}

/* A key that the schema does not name, which must not come twice either. */
static bool other_key(struct holding *h, size_t first, struct adu_text name)
{
    const uint64_t hash = XXH3_64bits(name.bytes, name.length);
    for (size_t i = first; i < h->key_count; i++) {
        if (h->keys[i] == hash) {
            return wrong(h, "there twice");
        }
    }
    if (h->key_count == KEYS_MOST) {
        return wrong(h, "one key more than can be compared");
    }
    h->keys[h->key_count++] = hash;
    return true;
}

static bool known_key(struct holding *h, struct members *m, int property)
{
    const uint64_t bit = UINT64_C(1) << property;
    if ((m->present & bit) != 0) {
        return wrong(h, "there twice");
    }
    m->present |= bit;
    return true;
}

static bool member_value(struct holding *h, struct members *m, int property, size_t first,
                         struct adu_text name)
{
    const struct adu_schema *schema = m->schema;
    struct seen seen = {.type = ADU_TYPE_OBJECT};
    if (property < 0) {
        if (schema != NULL && schema->closed) {
            return wrong(h, "no property of the schema");
        }
        return other_key(h, first, name) && value(h, schema != NULL ? schema->others : NULL, &seen);
    }
    if (!known_key(h, m, property) || !value(h, schema->properties[property].schema, &seen)) {
        return false;
    }
    if (schema->unit_count > 0 && property == schema->measured) {
        m->measured = seen;
    } else if (schema->unit_count > 0 && property == schema->measured_in) {
        m->measured_in = seen;
    }
    return true;
}

static bool member(struct holding *h, struct members *m, size_t first)
{
    char buffer[KEY_BYTES_MOST];
    struct adu_text name;
    if (adu_scan_take(&h->scan, '"')) {
        h->scan.at--;
    } else {
        return broken(h, "no key");
    }
    const char *what = adu_scan_string(&h->scan, &name);
    if (what != NULL || !adu_scan_take(&h->scan, ':')) {
        return broken(h, what != NULL ? what : "no :");
    }
    if (!plain_key(h, &name, buffer)) {
        return false;
    }
    if (!member_value(h, m, property_of(m->schema, name), first, name)) {
        within(h, name);
        return false;
    }
    return true;
}

static bool all_required(struct holding *h, const struct members *m)
{
    const uint64_t missing = m->schema->required & ~m->present;
    if (missing == 0) {
        return true;
    }
    size_t property = 0;
    while ((missing >> property & 1) == 0) {
        property++;
    }
    within(h, m->schema->properties[property].name);
    return wrong(h, "missing");
}

/* The value's range is that of its unit; without the value there is nothing to measure. */
static bool unit_fits(struct holding *h, const struct members *m)
{
    const struct adu_schema *schema = m->schema;
    if (schema->unit_count == 0 || m->measured.type != ADU_TYPE_NUMBER) {
        return true;
    }
    for (size_t i = 0; i < schema->unit_count && m->measured_in.type == ADU_TYPE_STRING; i++) {
        const struct adu_schema_unit *unit = &schema->units[i];
        if (!same_text(m->measured_in.raw, unit->name)) {
            continue;
        }
        char name[17];
        snprintf(name, sizeof name, "%.*s", (int)unit->name.length, unit->name.bytes);
        if (in_range(h, &unit->range, m->measured.number, name)) {
            return true;
        }
        within(h, schema->properties[schema->measured].name);
        return false;
    }
    within(h, schema->properties[schema->measured_in].name);
    return wrong(h, "none of the units");
}

static bool object(struct holding *h, const struct adu_schema *schema)
{
    struct members m = {.schema = schema};
    const size_t first = h->key_count;
    h->scan.at++;
    if (!adu_scan_take(&h->scan, '}')) {
        do {
            if (!member(h, &m, first)) {
                return false;
            }
        } while (adu_scan_take(&h->scan, ','));
        if (!adu_scan_take(&h->scan, '}')) {
            return broken(h, "no , or }");
        }
    }
    h->key_count = first;
    return schema == NULL || (all_required(h, &m) && unit_fits(h, &m));
}

/* --- any value --- */

static bool container(struct holding *h, const struct adu_schema *schema, struct seen *seen)
{
    seen->type = *h->scan.at == '{' ? ADU_TYPE_OBJECT : ADU_TYPE_ARRAY;
    if (schema != NULL && (!type_fits(h, schema, seen) || !one_of_the_values(h, schema, seen))) {
        return false;
    }
    if (++h->depth > ADU_SCHEMA_DEPTH_MOST) {
        return wrong(h, "too deep");
    }
    const bool good = seen->type == ADU_TYPE_OBJECT ? object(h, schema) : array(h, schema);
    h->depth--;
    return good;
}

static bool value(struct holding *h, const struct adu_schema *schema, struct seen *seen)
{
    adu_scan_blanks(&h->scan);
    if (h->scan.at == h->scan.end) {
        return broken(h, "no value");
    }
    if (*h->scan.at == '{' || *h->scan.at == '[') {
        return container(h, schema, seen);
    }
    return scalar(h, seen) && scalar_fits(h, schema, seen);
}

bool adu_schema_holds(const struct adu_schema *schema, struct adu_text payload,
                      char what[ADU_SCHEMA_WHAT])
{
    struct holding h; /* not cleared: its keys are many, and filled in one by one */
    struct seen seen = {.type = ADU_TYPE_NULL};
    h.scan = (struct adu_scan){.at = payload.bytes, .end = payload.bytes + payload.length};
    h.begin = payload.bytes;
    h.depth = 0;
    h.key_count = 0;
    h.where[0] = h.wrong[0] = '\0';
    if (value(&h, schema, &seen)) {
        adu_scan_blanks(&h.scan);
        if (h.scan.at == h.scan.end) {
            return true;
        }
        broken(&h, "more than one value");
    }
    snprintf(what, ADU_SCHEMA_WHAT, "%s%s%s", h.where, h.where[0] != '\0' ? ": " : "", h.wrong);
    return false;
}
