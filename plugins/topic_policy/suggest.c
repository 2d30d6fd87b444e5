#include "plugins/topic_policy/suggest.h"
#include "common/text.h"
#include "plugins/topic_policy/tree_form.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>

/* A level longer than this is not guessed at, nor a topic of more levels; and so many nodes of the
 * tree, and texts behind one of them, are looked at. */
enum { LEVEL_MOST = 64, LEVELS_MOST = 16, NODES_MOST = 500, TEXTS_MOST = 100 };

/* How a blank within a level may be written. The last way leaves out dashes too, which only a rule
 * may ask for. */
enum { WAYS = 4, LIKELY_WAYS = 3 };
static const char *const blanks[WAYS] = {"", "_", "-", ""};

struct guess {
    char text[LEVEL_MOST + 8];
};

struct guessing {
    const struct adu_names *names;
    const struct adu_tree *tree;
    adu_topic_values values;
    size_t count, looked_at;
    struct guess plain[LEVELS_MOST][WAYS]; /* each level by itself */
    struct guess chosen[LEVELS_MOST];
};

/* --- a level by itself --- */

static bool is_legal(const struct guessing *g, const char *text)
{
    struct adu_reason why = ADU_REASON_INIT;
    return adu_names_level_legal(g->names, adu_text_of(text), &why);
}

/* Appends a character if it is legal, else what is left of it without accents. */
static void append(const struct guessing *g, gunichar character, char *text)
{
    char bytes[8] = "";
    const size_t used = strlen(text);
    bytes[g_unichar_to_utf8(character, bytes)] = '\0';
    if (!is_legal(g, bytes)) {
        gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
        g_unichar_fully_decompose(character, true, parts, G_UNICHAR_MAX_DECOMPOSITION_LENGTH);
        memset(bytes, 0, sizeof bytes);
        g_unichar_to_utf8(g_unichar_tolower(parts[0]), bytes);
    }
    if (is_legal(g, bytes) && used + strlen(bytes) < LEVEL_MOST) {
        strcpy(text + used, bytes);
    }
}

/* In lower case, unless upper case is legal, and without what is not. */
static void simplify(const struct guessing *g, struct adu_text level, int way, char *text)
{
    const char *blank = blanks[way];
    text[0] = '\0';
    for (size_t i = 0; i < level.length;) {
        const gunichar character =
            g_utf8_get_char_validated(level.bytes + i, (gssize)(level.length - i));
        if (character > 0x10ffff) {
            return;
        }
        i += (size_t)(g_utf8_next_char(level.bytes + i) - (level.bytes + i));
        const bool dash = character == '-' || character == '_';
        if (g_unichar_isspace(character) || character == '.' || (dash && way == WAYS - 1)) {
            strcat(text, strlen(text) < LEVEL_MOST && text[0] != '\0' ? blank : "");
        } else {
            append(g, is_legal(g, "A") ? character : g_unichar_tolower(character), text);
        }
    }
}

/* False if nothing is left of some level; empty levels are left out. */
static bool simplify_levels(struct guessing *g, struct adu_text topic)
{
    struct adu_text level;
    while (adu_topic_next_level(&topic, &level)) {
        if (level.length == 0) {
            continue;
        }
        if (level.length > LEVEL_MOST || g->count == LEVELS_MOST) {
            return false;
        }
        for (int way = 0; way < WAYS; way++) {
            simplify(g, level, way, g->plain[g->count][way].text);
        }
        if (g->plain[g->count++][0].text[0] == '\0') {
            return false;
        }
    }
    return g->count > 0;
}

/* "linea 1" is rather linea1, and "sala de hornos" sala_de_hornos. */
static const char *likely(const struct guessing *g, size_t depth)
{
    const struct guess *plain = g->plain[depth];
    const char last = plain[0].text[strlen(plain[0].text) - 1];
    const bool number = last >= '0' && last <= '9';
    for (int way = number ? 0 : 1; way < LIKELY_WAYS; way++) {
        if (is_legal(g, plain[way].text)) {
            return plain[way].text;
        }
    }
    return plain[0].text;
}

/* --- levels of templates --- */

static bool same_letters(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (*a == '\0' || *b == '\0' || g_ascii_tolower(*a) != g_ascii_tolower(*b)) {
            return *a == *b;
        }
    }
}

/* Of several texts the one that is meant: the same but for dashes, else the only one that begins
 * so, else one with few letters between. NULL if none is near. */
static const char *meant(const char *plain, const char *const *texts)
{
    const char *begins = NULL;
    size_t beginnings = 0;
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (same_letters(plain, texts[i])) {
            return texts[i];
        }
        if (strlen(plain) >= 3 && strncmp(plain, texts[i], strlen(plain)) == 0) {
            begins = texts[i];
            beginnings++;
        }
    }
    return beginnings == 1 ? begins : adu_text_nearest(plain, texts);
}

/* What stands in the tree as texts behind a node. */
static const char *meant_text(const struct guessing *g, uint32_t number, const char *plain,
                              uint32_t *node)
{
    char copies[TEXTS_MOST][LEVEL_MOST];
    const char *texts[TEXTS_MOST + 1];
    uint32_t nodes[TEXTS_MOST];
    size_t count = 0;
    uint32_t child = g->tree->branching[number].first;
    for (; child != ADU_TREE_NONE && count < TEXTS_MOST; child = g->tree->branching[child].next) {
        const struct adu_tree_branching *b = &g->tree->branching[child];
        if (b->rule != NULL) {
            break; /* texts stand first */
        }
        if (b->text.length < LEVEL_MOST) {
            snprintf(copies[count], LEVEL_MOST, "%.*s", (int)b->text.length, b->text.bytes);
            texts[count] = copies[count];
            nodes[count++] = child;
        }
    }
    texts[count] = NULL;
    const char *found = meant(plain, texts);
    for (size_t i = 0; found != NULL && i < count; i++) {
        if (texts[i] == found) {
            *node = nodes[i];
            return g->tree->branching[nodes[i]].text.bytes;
        }
    }
    return NULL;
}

static const char *meant_by_rule(const struct guessing *g, const struct adu_level_rule *rule,
                                 size_t depth)
{
    if (rule->kind == ADU_LEVEL_LIST) {
        return meant(g->plain[depth][0].text, rule->values);
    }
    if (rule->kind == ADU_LEVEL_FREE) {
        return likely(g, depth);
    }
    for (int way = 0; way < WAYS; way++) {
        const char *text = g->plain[depth][way].text;
        if (adu_level_rule_fits(rule, adu_text_of(text), g->values)) {
            return text;
        }
    }
    return NULL;
}

static bool fit(struct guessing *g, uint32_t number, size_t depth);

static bool go_on(struct guessing *g, uint32_t child, size_t depth, const char *text, size_t length)
{
    snprintf(g->chosen[depth].text, sizeof g->chosen[depth].text, "%.*s", (int)length, text);
    return fit(g, child, depth + 1);
}

/* Fits the levels from `depth` on to the tree, the more specific ways first. */
static bool fit(struct guessing *g, uint32_t number, size_t depth)
{
    const struct adu_tree_branching *node = &g->tree->branching[number];
    uint32_t child = ADU_TREE_NONE;
    if (++g->looked_at > NODES_MOST) {
        return false;
    }
    if (depth == g->count) {
        return node->leaf != ADU_TREE_NONE || node->rest != ADU_TREE_NONE;
    }
    const char *text = meant_text(g, number, g->plain[depth][0].text, &child);
    if (text != NULL && go_on(g, child, depth, text, g->tree->branching[child].text.length)) {
        return true;
    }
    for (child = g->tree->branching[number].first; child != ADU_TREE_NONE;
         child = g->tree->branching[child].next) {
        const struct adu_level_rule *rule = g->tree->branching[child].rule;
        text = rule != NULL ? meant_by_rule(g, rule, depth) : NULL;
        if (text != NULL && go_on(g, child, depth, text, strlen(text))) {
            return true;
        }
    }
    for (size_t i = depth; node->rest != ADU_TREE_NONE && i < g->count; i++) {
        snprintf(g->chosen[i].text, sizeof g->chosen[i].text, "%s", likely(g, i));
    }
    return node->rest != ADU_TREE_NONE;
}

bool adu_suggest(const struct adu_names *names, const struct adu_tree *tree, struct adu_text topic,
                 adu_topic_values values, char suggestion[ADU_SUGGEST_BYTES])
{
    struct guessing g = {.names = names, .tree = tree, .values = values};
    size_t used = 0;
    if (!simplify_levels(&g, topic) || (tree != NULL && !fit(&g, 0, 0))) {
        return false;
    }
    for (size_t i = 0; i < g.count; i++) {
        const char *level = tree != NULL ? g.chosen[i].text : likely(&g, i);
        const int more =
            snprintf(suggestion + used, ADU_SUGGEST_BYTES - used, "%s%s", i > 0 ? "/" : "", level);
        used += (size_t)more;
        if (used >= ADU_SUGGEST_BYTES) {
            return false;
        }
    }
    return !adu_text_is(topic, suggestion);
}
