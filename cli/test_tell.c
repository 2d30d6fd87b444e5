#include "cli/test_tell.h"
#include "cli/source.h"
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <string.h>

struct adu_test_results {
    GPtrArray *rows;     /* of struct row */
    GPtrArray *rules;    /* of const struct adu_place * */
    GHashTable *touched; /* set of the same */
    size_t failed, left;
};

struct row {
    char file[ADU_ERROR_FILE];
    unsigned line;
    char *name, *client_id, *action, *topic, *expected, *got, *why, *reason;
    bool passed, left;
};

static bool failed(const struct row *row)
{
    return !row->passed && !row->left;
}

static void row_free(void *item)
{
    struct row *row = item;
    char *const texts[] = {row->name,     row->client_id, row->action, row->topic,
                           row->expected, row->got,       row->why,    row->reason};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    g_free(row);
}

struct adu_test_results *adu_test_results_new(void)
{
    struct adu_test_results *results = g_new0(struct adu_test_results, 1);
    results->rows = g_ptr_array_new_with_free_func(row_free);
    results->rules = g_ptr_array_new();
    results->touched = g_hash_table_new(NULL, NULL);
    return results;
}

void adu_test_results_free(struct adu_test_results *results)
{
    g_ptr_array_free(results->rows, TRUE);
    g_ptr_array_free(results->rules, TRUE);
    g_hash_table_destroy(results->touched);
    g_free(results);
}

void adu_test_add(struct adu_test_results *results, const struct adu_assertion_result *r)
{
    struct row *row = g_new0(struct row, 1);
    g_strlcpy(row->file, r->place.file, sizeof row->file);
    row->line = r->place.line;
    row->name = g_strdup(r->name);
    row->client_id = g_strdup(r->client_id);
    row->action = g_strdup(r->action);
    row->topic = g_strdup(r->topic);
    row->expected = g_strdup(r->expected);
    row->got = g_strdup(r->got);
    row->why = g_strdup(r->why);
    row->reason = g_strdup(r->reason);
    row->passed = r->passed;
    row->left = r->left;
    results->failed += failed(row);
    results->left += r->left;
    g_ptr_array_add(results->rows, row);
}

void adu_test_add_rule(struct adu_test_results *results, const struct adu_place *rule)
{
    g_ptr_array_add(results->rules, (void *)rule);
}

void adu_test_touch(struct adu_test_results *results, const struct adu_place *rule)
{
    g_hash_table_add(results->touched, (void *)rule);
}

static size_t count_passed(const struct adu_test_results *results)
{
    return results->rows->len - results->failed - results->left;
}

bool adu_test_passed(const struct adu_test_results *results)
{
    return count_passed(results) > 0 && results->failed == 0;
}

/* Calls for each rule that no assertion touches. */
static size_t each_untouched(const struct adu_test_results *results,
                             void (*tell)(void *context, const struct adu_place *rule),
                             void *context)
{
    size_t count = 0;
    for (guint i = 0; i < results->rules->len; i++) {
        const struct adu_place *rule = g_ptr_array_index(results->rules, i);
        if (!g_hash_table_contains(results->touched, rule)) {
            count++;
            tell(context, rule);
        }
    }
    return count;
}

/* --- for people --- */

/* Where a rule's pattern is read, and to where it is written. */
struct listing {
    struct adu_source source;
    const char *directory;
    FILE *out;
};

static void show_rule(void *context, const struct adu_place *rule)
{
    struct listing *l = context;
    char pattern[200];
    fprintf(l->out, "  %s:%u:%u: no assertion touches %s\n", rule->file, rule->line, rule->column,
            adu_source_string(&l->source, l->directory, rule, pattern, sizeof pattern));
}

static void show_row(const struct row *row, FILE *out)
{
    fprintf(out, "%-4s %s:%u: %s %s%s%s",
            row->passed ? "ok"
            : row->left ? "-"
                        : "FAIL",
            row->file, row->line, row->client_id, row->action, row->topic != NULL ? " " : "",
            row->topic != NULL ? row->topic : "");
    if (!failed(row)) {
        fprintf(out, ": %s", row->got);
    } else {
        fprintf(out, ": expected %s%s%s, got %s%s%s", row->expected, row->why != NULL ? " by " : "",
                row->why != NULL ? row->why : "", row->got, row->reason[0] != '\0' ? ": " : "",
                row->reason);
    }
    fprintf(out, "%s%s%s\n", row->name != NULL ? " (" : "", row->name != NULL ? row->name : "",
            row->name != NULL ? ")" : "");
}

void adu_test_tell(const struct adu_test_results *results, const char *directory, bool quiet,
                   FILE *out)
{
    struct listing listing = {.directory = directory, .out = out};
    for (guint i = 0; i < results->rows->len; i++) {
        const struct row *row = g_ptr_array_index(results->rows, i);
        if (!quiet || failed(row)) {
            show_row(row, out);
        }
    }
    if (results->rows->len == 0) {
        fprintf(out, "no assertions: nothing in %s/tests/*.json\n", directory);
    } else if (!quiet) {
        each_untouched(results, show_rule, &listing);
    }
    guint touched = 0;
    for (guint i = 0; i < results->rules->len; i++) {
        touched += g_hash_table_contains(results->touched, g_ptr_array_index(results->rules, i));
    }
    fprintf(out, "%zu passed, %zu failed", count_passed(results), results->failed);
    if (results->left > 0) {
        fprintf(out, ", %zu left to the broker", results->left);
    }
    fprintf(out, "; %u of %u rules touched\n", touched, results->rules->len);
    adu_source_clear(&listing.source);
}

/* --- for programs --- */

static void add_place(void *context, const struct adu_place *rule)
{
    json_array_append_new(context, json_pack("{s:s, s:i, s:i}", "file", rule->file, "line",
                                             (int)rule->line, "column", (int)rule->column));
}

static json_t *row_json(const struct row *row)
{
    return json_pack("{s:s, s:i, s:s?, s:s, s:s, s:s?, s:s, s:s, s:s?, s:s, s:b, s:b}", "file",
                     row->file, "line", (int)row->line, "name", row->name, "client_id",
                     row->client_id, "action", row->action, "topic", row->topic, "expected",
                     row->expected, "got", row->got, "why", row->why, "reason", row->reason,
                     "passed", row->passed, "left", row->left);
}

void adu_test_tell_json(const struct adu_test_results *results, FILE *out)
{
    json_t *rows = json_array(), *untouched = json_array();
    for (guint i = 0; i < results->rows->len; i++) {
        json_array_append_new(rows, row_json(g_ptr_array_index(results->rows, i)));
    }
    each_untouched(results, add_place, untouched);
    json_t *all =
        json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "passed", (json_int_t)count_passed(results),
                  "failed", (json_int_t)results->failed, "left", (json_int_t)results->left, "rules",
                  (json_int_t)results->rules->len, "untouched", untouched, "results", rows);
    json_dumpf(all, out, JSON_INDENT(2));
    fprintf(out, "\n");
    json_decref(all);
}

static void write_case(const struct row *row, FILE *out)
{
    char *head = g_markup_printf_escaped(
        "  <testcase classname=\"%s\" name=\"%s%s%s %s %s\" file=\"%s\" line=\"%u\"", row->file,
        row->name != NULL ? row->name : "", row->name != NULL ? ": " : "", row->client_id,
        row->action, row->topic != NULL ? row->topic : "", row->file, row->line);
    char *failure =
        row->passed ? g_strdup("/>\n")
        : row->left ? g_strdup("><skipped message=\"left to the broker\"/></testcase>\n")
                    : g_markup_printf_escaped(
                          "><failure message=\"expected %s%s%s, got %s\">%s</failure></testcase>\n",
                          row->expected, row->why != NULL ? " by " : "",
                          row->why != NULL ? row->why : "", row->got, row->reason);
    fprintf(out, "%s%s", head, failure);
    g_free(head);
    g_free(failure);
}

bool adu_test_write_junit(const struct adu_test_results *results, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out != NULL) {
        fprintf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuite name=\"aduana\" tests=\"%u\" failures=\"%zu\" skipped=\"%zu\">\n",
                results->rows->len, results->failed, results->left);
        for (guint i = 0; i < results->rows->len; i++) {
            write_case(g_ptr_array_index(results->rows, i), out);
        }
        fprintf(out, "</testsuite>\n");
    }
    if (out == NULL || (ferror(out) | fclose(out)) != 0) {
        fprintf(stderr, "aduana: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}
