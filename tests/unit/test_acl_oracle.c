/* The access rules against an oracle: random policies, and a second implementation, slow and plain,
 * that looks at every topic there is - what a pattern matches is found level by level, and a filter
 * is granted (or denied as a whole) if one pattern has every topic that it can match.
 *
 * Patterns and filters have at most two levels before a `#`, topics three: enough to tell any two
 * patterns apart, as a level that no pattern spells out and one level below the deepest are there.
 * ADU_TEST_SEED chooses other policies; a failure prints the seed and the policy. */
#include "asker.h"
#include "plugins/acl/acl.h"

enum {
    LEVELS = 5,
    TOPICS = LEVELS + LEVELS * LEVELS + LEVELS * LEVELS * LEVELS,
    WORDS = (TOPICS + 63) / 64,
    TEXT = 80,
    ROLES_MOST = 130,
    RULES_MOST = 2048,
    SEED = 20240611,
};

/* Few roles with many patterns, and many roles that share a few: then a pattern means something to
 * more roles than one looks through, and roles fill more than one word. */
static const struct shape {
    int roles, policies, patterns; /* patterns 0: a new one each time */
    int denies_in;                 /* one rule in so many denies */
} shapes[] = {{3, 800, 0, 3}, {ROLES_MOST, 100, 6, 12}, {20, 300, 12, 8}};

/* Long names and short ones. ${v} is B, ${d} is $x (which no attribute reaches at the first level),
 * ${n} has no value. No pattern spells OTHER out. */
#define A          "linea-de-empaquetado-1"
#define B          "estacion-de-paletizado"
#define OTHER      "linea-de-empaquetado-2"
#define ATTRIBUTES "v=" B ";d=$x"

static const char *const topic_levels[LEVELS] = {A, B, OTHER, "", "$x"};
static const char *const filter_levels[] = {A, B, "", "$x", "+"};
static const char *const pattern_levels[] = {A, B, "", "$x", "+", "+", "${v}", "${d}", "${n}"};

struct set {
    uint64_t words[WORDS];
};

/* One pattern of one rule, as the oracle has it. */
struct rule {
    int role;
    bool deny, publish, subscribe, receive;
    struct set topics;
};

static char topics[TOPICS][TEXT];
static struct rule rules[RULES_MOST];
static int rule_count;
static const struct shape *shape;
static bool has[ROLES_MOST]; /* the roles of who asks */
static char pool[16][TEXT];  /* of patterns, where they are shared */
static char policy[256 * 1024];
static uint64_t seed, random_state;

/* xorshift64*: the same numbers everywhere. */
static unsigned below(unsigned limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

/* --- the oracle ---------------------------------------------------------------------------------
 */

static bool one_level(const char *pattern, size_t length, const char *level, size_t level_length)
{
    static const char *const values[][2] = {{"${v}", B}, {"${d}", "$x"}, {"${n}", NULL}};
    for (int i = 0; i < ROWS(values); i++) {
        if (strncmp(pattern, values[i][0], length) == 0 && length == 4) {
            return values[i][1] != NULL && strlen(values[i][1]) == level_length &&
                   memcmp(values[i][1], level, level_length) == 0;
        }
    }
    return (length == 1 && pattern[0] == '+') ||
           (length == level_length && memcmp(pattern, level, length) == 0);
}

/* NULL stands for what comes after the last level. */
static bool rest_matches(const char *pattern, const char *topic)
{
    if (pattern == NULL || topic == NULL) {
        return pattern == topic || (pattern != NULL && strcmp(pattern, "#") == 0);
    }
    if (strcmp(pattern, "#") == 0) {
        return true;
    }
    const size_t p = strcspn(pattern, "/"), t = strcspn(topic, "/");
    return one_level(pattern, p, topic, t) &&
           rest_matches(pattern[p] == '/' ? pattern + p + 1 : NULL,
                        topic[t] == '/' ? topic + t + 1 : NULL);
}

static struct set topics_of(const char *pattern)
{
    struct set set = {{0}};
    for (int i = 0; i < TOPICS; i++) {
        /* A `$` topic is reached only by a pattern that spells its first level out. */
        if ((topics[i][0] != '$' || strncmp(pattern, "$x", 2) == 0) &&
            rest_matches(pattern, topics[i])) {
            set.words[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    return set;
}

static bool all_within(const struct set *filter, const struct set *pattern)
{
    for (int i = 0; i < WORDS; i++) {
        if ((filter->words[i] & ~pattern->words[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* `what` is one topic or all that a filter matches. */
static bool oracle_allows(enum adu_action action, const struct set *what)
{
    bool granted = false;
    for (int i = 0; i < rule_count; i++) {
        const struct rule *r = &rules[i];
        const bool about = action == ADU_PUBLISH     ? r->publish
                           : action == ADU_SUBSCRIBE ? r->subscribe
                                                     : r->receive || r->subscribe;
        if (!has[r->role] || !about || !all_within(what, &r->topics)) {
            continue;
        }
        if (r->deny) {
            return false;
        }
        granted = true;
    }
    return granted;
}

/* --- random policies ----------------------------------------------------------------------------
 */

static void make_topics(void)
{
    int count = 0;
    for (int a = 0; a < LEVELS; a++) {
        snprintf(topics[count++], sizeof topics[0], "%s", topic_levels[a]);
        for (int b = 0; b < LEVELS; b++) {
            snprintf(topics[count++], sizeof topics[0], "%s/%s", topic_levels[a], topic_levels[b]);
            for (int c = 0; c < LEVELS; c++) {
                snprintf(topics[count++], sizeof topics[0], "%s/%s/%s", topic_levels[a],
                         topic_levels[b], topic_levels[c]);
            }
        }
    }
    ck_assert_int_eq(count, TOPICS);
}

/* Up to two levels, then perhaps a `#`; never empty. */
static void random_pattern(char *text, size_t size)
{
    do {
        size_t used = 0;
        const unsigned levels = below(3);
        text[0] = '\0';
        for (unsigned i = 0; i < levels; i++) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "/" : "",
                                     pattern_levels[below(ROWS(pattern_levels))]);
        }
        if (below(3) == 0) {
            snprintf(text + used, size - used, "%s#", levels > 0 ? "/" : "");
        }
    } while (text[0] == '\0');
}

static size_t put(size_t used, const char *text)
{
    return used + (size_t)snprintf(policy + used, sizeof policy - used, "%s", text);
}

static void choose_pattern(char *text, size_t size)
{
    if (shape->patterns == 0) {
        random_pattern(text, size);
    } else {
        snprintf(text, size, "%s", pool[below((unsigned)shape->patterns)]);
    }
}

/* {"publish": [...], "receive": [...]} with one or two patterns each. */
static size_t put_rule(size_t used, int role, bool deny)
{
    static const char *const keys[] = {"'publish': [", "'subscribe': [", "'receive': ["};
    const unsigned actions = 1 + below(7);
    const char *comma = "{";
    for (int action = 0; action < 3; action++) {
        if ((actions >> action & 1) == 0) {
            continue;
        }
        used = put(put(used, comma), keys[action]);
        for (unsigned left = 1 + below(2); left > 0; left--) {
            char pattern[TEXT];
            choose_pattern(pattern, sizeof pattern);
            ck_assert_int_lt(rule_count, RULES_MOST);
            rules[rule_count++] = (struct rule){.role = role,
                                                .deny = deny,
                                                .publish = action == ADU_PUBLISH,
                                                .subscribe = action == ADU_SUBSCRIBE,
                                                .receive = action == ADU_RECEIVE,
                                                .topics = topics_of(pattern)};
            used = put(put(put(used, "'"), pattern), left > 1 ? "', " : "'");
        }
        used = put(used, "]");
        comma = ", ";
    }
    return put(used, "}");
}

static size_t put_rules(size_t used, int role, bool deny, unsigned count)
{
    used = put(used, deny ? ", 'deny': [" : "'allow': [");
    for (; count > 0; count--) {
        used = put(put_rule(used, role, deny), count > 1 ? ", " : "");
    }
    return put(used, "]");
}

static void random_policy(void)
{
    size_t used = put(0, "{'roles': {");
    rule_count = 0;
    for (int i = 0; i < shape->patterns; i++) {
        random_pattern(pool[i], sizeof pool[i]);
    }
    for (int role = 0; role < shape->roles; role++) {
        used += (size_t)snprintf(policy + used, sizeof policy - used, "%s'r%d': {",
                                 role > 0 ? ", " : "", role);
        used = put_rules(used, role, false, below(3));
        used = put_rules(used, role, true, below((unsigned)shape->denies_in) == 0 ? 1 : 0);
        used = put(used, "}");
    }
    used = put(used, "}}");
    ck_assert_uint_lt(used, sizeof policy - 1);
}

/* A few roles, as text too. */
static const char *random_roles(void)
{
    static char names[ROLES_MOST * 5];
    size_t used = 0;
    names[0] = '\0';
    memset(has, 0, sizeof has);
    for (unsigned left = 1 + below(4); left > 0; left--) {
        has[below((unsigned)shape->roles)] = true;
    }
    for (int role = 0; role < shape->roles; role++) {
        if (has[role]) {
            used += (size_t)snprintf(names + used, sizeof names - used, "r%d ", role);
        }
    }
    return names;
}

/* --- comparing ----------------------------------------------------------------------------------
 */

static long asked, granted;

static void compare(const struct adu_acl *acl, const struct asker *asker, const char *roles,
                    enum adu_action action, const char *topic, const struct set *what)
{
    static const char *const names[] = {"publish", "subscribe", "receive"};
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_request request = {
        .action = action, .topic = adu_text_of(topic), .subject = &asker->subject};
    const bool expected = oracle_allows(action, what);
    const enum adu_verdict verdict = adu_acl_decide(acl, &request, &why);
    if (verdict != (expected ? ADU_ALLOW : ADU_DENY)) {
        printf("%s\n", policy);
        ck_abort_msg("ADU_TEST_SEED=%llu: %s \"%s\" with the roles %sshould be %s by the policy "
                     "above",
                     (unsigned long long)seed, names[action], topic, roles,
                     expected ? "allowed" : "refused");
    }
    asked++;
    granted += expected;
}

static void compare_topics(const struct adu_acl *acl, const struct asker *asker, const char *roles)
{
    for (int i = 0; i < TOPICS; i++) {
        struct set one = {{0}};
        one.words[i / 64] = UINT64_C(1) << (i % 64);
        if (topics[i][0] != '\0') { /* no broker takes the empty one */
            compare(acl, asker, roles, ADU_PUBLISH, topics[i], &one);
            compare(acl, asker, roles, ADU_RECEIVE, topics[i], &one);
        }
    }
}

static void compare_filters(const struct adu_acl *acl, const struct asker *asker, const char *roles)
{
    char filter[TEXT];
    for (int a = 0; a < ROWS(filter_levels); a++) {
        for (int b = -1; b < ROWS(filter_levels); b++) {
            for (int rest = 0; rest < 2; rest++) {
                snprintf(filter, sizeof filter, "%s%s%s%s", filter_levels[a], b >= 0 ? "/" : "",
                         b >= 0 ? filter_levels[b] : "", rest ? "/#" : "");
                const struct set all = topics_of(filter);
                if (filter[0] != '\0') {
                    compare(acl, asker, roles, ADU_SUBSCRIBE, filter, &all);
                }
            }
        }
    }
    const struct set everything = topics_of("#");
    compare(acl, asker, roles, ADU_SUBSCRIBE, "#", &everything);
}

/* Other files have asked for some of the roles before, in an order of their own. */
static void number_roles(struct adu_vocabulary *vocabulary)
{
    for (unsigned left = below(8); left > 0; left--) {
        char name[16];
        snprintf(name, sizeof name, "r%u", below((unsigned)shape->roles));
        ck_assert_int_ne(adu_vocabulary_define_role(vocabulary, name), ADU_NO_NAME);
    }
}

static void compare_policy(void)
{
    struct snippet s;
    struct asker asker;
    random_policy();
    snippet_open(&s, "acl.json", policy);
    number_roles(s.vocabulary);
    const struct adu_acl *acl = adu_acl_compile(&s.c, s.root);
    ck_assert_msg(acl != NULL, "%s: %s", snippet_error(&s), policy);
    snippet_compiled(&s);
    const char *roles = random_roles();
    asker_make(&asker, s.vocabulary, ATTRIBUTES, roles);
    compare_topics(acl, &asker, roles);
    compare_filters(acl, &asker, roles);
    asker_free(&asker);
    snippet_close(&s);
}

START_TEST(random_policies)
{
    const char *chosen = getenv("ADU_TEST_SEED");
    seed = random_state = chosen != NULL ? strtoull(chosen, NULL, 10) : SEED;
    ck_assert_msg(seed != 0, "a seed of 0 makes no numbers");
    asked = granted = 0;
    shape = &shapes[_i];
    make_topics();
    for (int i = 0; i < shape->policies; i++) {
        compare_policy();
    }
    printf("%d roles: %ld requests, %ld of them granted\n", shape->roles, asked, granted);
    ck_assert_msg(_i > 0 || asked > 200000, "only %ld requests", asked);
    ck_assert_msg(granted > asked / 20 && granted < asked * 3 / 4,
                  "the policies say hardly anything: %ld granted", granted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acl_oracle");
    suite_add_rows(suite, random_policies, ROWS(shapes));
    return run_suite(suite);
}
