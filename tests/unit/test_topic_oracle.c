/* The topic algebra against an oracle: a second implementation, slow and plain, that says what a
 * pattern matches level by level and knows of containment only its definition - every topic that
 * the filter matches matches the pattern too - by looking at every topic there is.
 *
 * Topics are made of the levels a, b, "" and $x. With patterns and filters of at most N levels
 * before a `#`, topics of N + 1 levels tell any two of them apart: a literal level leaves out at
 * least one of the four, and depth beyond a pattern's own is seen one level below it. The empty
 * topic is among them: no broker takes it, but the algebra has it, as the parent in "/#".
 *
 * What one pattern answers, and what the tree of all patterns answers, must both agree with it. */
#include "common/topic_trie.h"
#include "snippet.h"
#include <time.h>

enum { DEEPEST = 5, TOPICS_MOST = 4 + 16 + 64 + 256 + 1024, WORDS = (TOPICS_MOST + 63) / 64 };

/* What ${v}, ${d} and ${n} stand for in this session. */
static const struct {
    const char *level, *name, *value;
} attributes[] = {{"${v}", "v", "b"}, {"${d}", "d", "$x"}, {"${n}", "n", NULL}};

struct levels {
    int count;
    const char *level[DEEPEST + 1];
};

struct text {
    char bytes[64];
};

struct set {
    uint64_t words[WORDS];
};

static const char *const topic_levels[] = {"a", "b", "", "$x", NULL};
static const char *const filter_levels[] = {"a", "b", "", "$x", "+", NULL};
static const char *const pattern_levels[] = {"a", "b", "", "$x", "+", "${v}", "${d}", "${n}", NULL};

static struct levels topics[TOPICS_MOST];
static struct text topic_texts[TOPICS_MOST];
static int topic_count;

static struct text join(const struct levels *l)
{
    struct text text = {""};
    for (int i = 0; i < l->count; i++) {
        strcat(text.bytes, i > 0 ? "/" : "");
        strcat(text.bytes, l->level[i]);
    }
    return text;
}

static void make_topics(struct levels prefix, int depth)
{
    for (const char *const *level = topic_levels; *level != NULL && prefix.count < depth; level++) {
        struct levels topic = prefix;
        topic.level[topic.count++] = *level;
        topics[topic_count] = topic;
        topic_texts[topic_count++] = join(&topic);
        make_topics(topic, depth);
    }
}

/* --- the oracle ---------------------------------------------------------------------------------
 */

static bool one_level(const char *pattern, const char *level)
{
    for (int i = 0; i < ROWS(attributes); i++) {
        if (strcmp(pattern, attributes[i].level) == 0) {
            return attributes[i].value != NULL && strcmp(attributes[i].value, level) == 0;
        }
    }
    return strcmp(pattern, "+") == 0 || strcmp(pattern, level) == 0;
}

static bool rest_matches(const struct levels *pattern, int p, const struct levels *topic, int t)
{
    if (p == pattern->count) {
        return t == topic->count;
    }
    if (strcmp(pattern->level[p], "#") == 0) {
        return true;
    }
    return t < topic->count && one_level(pattern->level[p], topic->level[t]) &&
           rest_matches(pattern, p + 1, topic, t + 1);
}

static bool oracle_matches(const struct levels *pattern, const struct levels *topic)
{
    /* A `$` topic is reached only by a pattern that spells its first level out. */
    if (topic->level[0][0] == '$' && strcmp(pattern->level[0], topic->level[0]) != 0) {
        return false;
    }
    return rest_matches(pattern, 0, topic, 0);
}

static struct set oracle_set(const struct levels *pattern)
{
    struct set set = {{0}};
    for (int i = 0; i < topic_count; i++) {
        if (oracle_matches(pattern, &topics[i])) {
            set.words[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    return set;
}

static bool oracle_contains(const struct set *pattern, const struct set *filter)
{
    for (int i = 0; i < WORDS; i++) {
        if ((filter->words[i] & ~pattern->words[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* --- the engine under test ----------------------------------------------------------------------
 */

enum { CASES_MOST = 2048 };

struct side {
    int count;
    struct levels levels[CASES_MOST];
    struct text texts[CASES_MOST];
    struct set sets[CASES_MOST];
};

static struct side patterns, filters;
static const struct adu_topic_pattern *compiled[CASES_MOST];
static const char *values[ROWS(attributes)];

static void add_case(struct side *side, const struct levels *l)
{
    const struct text text = join(l);
    if (text.bytes[0] != '\0') {
        ck_assert_int_lt(side->count, CASES_MOST);
        side->texts[side->count] = text;
        side->levels[side->count] = *l;
        side->sets[side->count++] = oracle_set(l);
    }
}

static void add_with_rest(struct side *side, struct levels l)
{
    if (l.count > 0) {
        add_case(side, &l);
    }
    l.level[l.count++] = "#";
    add_case(side, &l);
}

static void add_all(struct side *side, const char *const *alphabet, struct levels prefix, int depth)
{
    add_with_rest(side, prefix);
    for (int i = 0; prefix.count < depth && alphabet[i] != NULL; i++) {
        struct levels l = prefix;
        l.level[l.count++] = alphabet[i];
        add_all(side, alphabet, l, depth);
    }
}

static uint64_t random_state;

/* xorshift64*: the same numbers everywhere. */
static unsigned random_below(unsigned limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void add_random(struct side *side, const char *const *alphabet, int depth, int count)
{
    unsigned letters = 0;
    while (alphabet[letters] != NULL) {
        letters++;
    }
    while (side->count < count) {
        struct levels l = {.count = 0};
        for (int left = 1 + (int)random_below((unsigned)depth); left > 0; left--) {
            l.level[l.count++] = alphabet[random_below(letters)];
        }
        add_with_rest(side, l);
    }
}

static void compile_patterns(struct snippet *s)
{
    static char json[CASES_MOST * 72];
    size_t used = 0;
    for (int i = 0; i < patterns.count; i++) {
        used += (size_t)snprintf(json + used, sizeof json - used, "%c'%s'", i == 0 ? '[' : ',',
                                 patterns.texts[i].bytes);
    }
    snprintf(json + used, sizeof json - used, "]");
    snippet_open(s, "oracle.json", json);
    const struct adu_json *node = s->root->first;
    for (int i = 0; i < patterns.count; i++, node = node->next) {
        compiled[i] = adu_topic_pattern_compile(&s->c, node);
        ck_assert_msg(compiled[i] != NULL, "%s: %s", patterns.texts[i].bytes, snippet_error(s));
    }
    snippet_compiled(s);
    for (size_t slot = 0; slot < adu_vocabulary_attributes(s->vocabulary); slot++) {
        for (int i = 0; i < ROWS(attributes); i++) {
            if (strcmp(adu_vocabulary_attribute_name(s->vocabulary, slot), attributes[i].name) ==
                0) {
                values[slot] = attributes[i].value;
            }
        }
    }
}

/* --- comparing ----------------------------------------------------------------------------------
 */

/* The shortest pair on which the two disagree. */
struct mismatch {
    long count;
    const char *pattern, *other;
    bool oracle;
};

static void differ(struct mismatch *m, const char *pattern, const char *other, bool oracle)
{
    if (m->count++ == 0 ||
        strlen(pattern) + strlen(other) < strlen(m->pattern) + strlen(m->other)) {
        m->pattern = pattern;
        m->other = other;
        m->oracle = oracle;
    }
}

static long compare_matches(void)
{
    struct mismatch m = {0};
    for (int i = 0; i < patterns.count; i++) {
        for (int t = 0; t < topic_count; t++) {
            const bool oracle = (patterns.sets[i].words[t / 64] >> (t % 64) & 1) != 0;
            if (adu_topic_pattern_matches(compiled[i], adu_text_of(topic_texts[t].bytes), values) !=
                oracle) {
                differ(&m, patterns.texts[i].bytes, topic_texts[t].bytes, oracle);
            }
        }
    }
    ck_assert_msg(m.count == 0, "%ld wrong; \"%s\" should %smatch the topic \"%s\"", m.count,
                  m.pattern, m.oracle ? "" : "not ", m.other);
    return (long)patterns.count * topic_count;
}

static long compare_contains(void)
{
    struct mismatch m = {0};
    for (int i = 0; i < patterns.count; i++) {
        for (int f = 0; f < filters.count; f++) {
            const bool oracle = oracle_contains(&patterns.sets[i], &filters.sets[f]);
            if (adu_topic_pattern_contains(compiled[i], adu_text_of(filters.texts[f].bytes),
                                           values) != oracle) {
                differ(&m, patterns.texts[i].bytes, filters.texts[f].bytes, oracle);
            }
        }
    }
    ck_assert_msg(m.count == 0, "%ld wrong; \"%s\" should %scontain the filter \"%s\"", m.count,
                  m.pattern, m.oracle ? "" : "not ", m.other);
    return (long)patterns.count * filters.count;
}

/* --- the same of the tree ---------------------------------------------------------------------
 */

static uint32_t leaf_of[CASES_MOST]; /* by pattern */
static bool visited[CASES_MOST];     /* by leaf */

static const struct adu_topic_trie *make_trie(struct snippet *s)
{
    struct adu_topic_trie_builder *builder = adu_topic_trie_begin();
    ck_assert_ptr_nonnull(builder);
    for (int i = 0; i < patterns.count; i++) {
        leaf_of[i] = adu_topic_trie_add(builder, compiled[i]);
        ck_assert_uint_lt(leaf_of[i], adu_topic_trie_leaves(builder));
    }
    const struct adu_topic_trie *trie = adu_topic_trie_finish(builder, s->arena, NULL);
    ck_assert_ptr_nonnull(trie);
    return trie;
}

static bool visit(void *context, uint32_t leaf)
{
    (void)context;
    visited[leaf] = true;
    return true;
}

static void compare_trie_matches(const struct adu_topic_trie *trie)
{
    struct mismatch m = {0};
    for (int t = 0; t < topic_count; t++) {
        memset(visited, 0, sizeof visited);
        adu_topic_trie_match(trie, adu_text_of(topic_texts[t].bytes), values, visit, NULL);
        for (int i = 0; i < patterns.count; i++) {
            const bool oracle = (patterns.sets[i].words[t / 64] >> (t % 64) & 1) != 0;
            if (visited[leaf_of[i]] != oracle) {
                differ(&m, patterns.texts[i].bytes, topic_texts[t].bytes, oracle);
            }
        }
    }
    ck_assert_msg(m.count == 0, "%ld wrong; in the tree \"%s\" should %smatch the topic \"%s\"",
                  m.count, m.pattern, m.oracle ? "" : "not ", m.other);
}

static void compare_trie_contains(const struct adu_topic_trie *trie)
{
    struct mismatch m = {0};
    for (int f = 0; f < filters.count; f++) {
        memset(visited, 0, sizeof visited);
        adu_topic_trie_contain(trie, adu_text_of(filters.texts[f].bytes), values, visit, NULL);
        for (int i = 0; i < patterns.count; i++) {
            const bool oracle = oracle_contains(&patterns.sets[i], &filters.sets[f]);
            if (visited[leaf_of[i]] != oracle) {
                differ(&m, patterns.texts[i].bytes, filters.texts[f].bytes, oracle);
            }
        }
    }
    ck_assert_msg(m.count == 0, "%ld wrong; in the tree \"%s\" should %scontain the filter \"%s\"",
                  m.count, m.pattern, m.oracle ? "" : "not ", m.other);
}

static void begin(int topic_depth)
{
    topic_count = patterns.count = filters.count = 0;
    make_topics((struct levels){.count = 0}, topic_depth);
}

static long compare(void)
{
    struct snippet s;
    compile_patterns(&s);
    const long decisions = compare_matches() + compare_contains();
    const struct adu_topic_trie *trie = make_trie(&s);
    compare_trie_matches(trie);
    compare_trie_contains(trie);
    snippet_close(&s);
    return 2 * decisions;
}

START_TEST(every_pattern_of_three_levels)
{
    begin(4);
    ck_assert_int_eq(topic_count, 4 + 16 + 64 + 256);
    add_all(&patterns, pattern_levels, (struct levels){.count = 0}, 3);
    add_all(&filters, filter_levels, (struct levels){.count = 0}, 3);
    const long decisions = compare();
    printf("%d patterns, %d filters, %d topics: %ld decisions\n", patterns.count, filters.count,
           topic_count, decisions);
    ck_assert_int_gt(decisions, 1400000);
}
END_TEST

/* ADU_TEST_SEED chooses other ones. */
START_TEST(random_patterns_of_four_levels)
{
    const char *chosen = getenv("ADU_TEST_SEED");
    random_state = chosen != NULL ? strtoull(chosen, NULL, 10) : 20240607;
    printf("ADU_TEST_SEED=%llu\n", (unsigned long long)random_state);
    begin(5);
    add_random(&patterns, pattern_levels, 4, 1000);
    add_random(&filters, filter_levels, 4, 1000);
    ck_assert_int_gt(compare(), 2000000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic_oracle");
    suite_add(suite, every_pattern_of_three_levels);
    suite_add(suite, random_patterns_of_four_levels);
    return run_suite(suite);
}
