/* ask_directory FOLDER: asks the directory of FOLDER/iam_auth.json ("ldap") without a broker. A
 * question is a line of JSON on standard input, {"user": "ana", "password": "x"}; without a
 * password it is asked whether the account is good. "threads": that many ask at the same time, as
 * often as "times" says. The answer, or how many there were of each outcome, is a line of JSON. A
 * line
 * {"reload": true} compiles the settings anew. For test_ldap.py. */
#include "common/compiler.h"
#include "common/json.h"
#include "plugins/iam_auth/provider.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MOST = 64 };

static const char *const outcomes[] = {"unavailable", "unknown", "wrong", "barred", "verified"};

struct generation {
    struct adu_error error;
    struct adu_arena *arena;
    struct adu_compiler c;
    const void *settings;
};

static bool load(struct generation *g, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/iam_auth.json", folder);
    *g = (struct generation){.arena = adu_arena_new()};
    g->c = (struct adu_compiler){.arena = g->arena,
                                 .vocabulary = adu_vocabulary_new(g->arena),
                                 .error = &g->error,
                                 .directory = folder,
                                 .file = "iam_auth.json"};
    struct adu_json_document *document = adu_json_load("iam_auth.json", path, &g->error);
    if (document != NULL) {
        g->settings =
            adu_provider_ldap.compile(&g->c, adu_json_member(adu_json_root(document), "ldap"));
    }
    adu_json_free(document);
    if (g->settings == NULL) {
        char text[1024];
        fprintf(stderr, "%s\n", adu_error_format(&g->error, text, sizeof text));
    }
    return g->settings != NULL;
}

/* The roles that an answer gives, as names. */
static json_t *roles_of(const struct generation *g, const struct adu_answer *answer)
{
    struct adu_login login = {0};
    json_t *roles = json_array();
    if (answer->outcome == ADU_OUTCOME_VERIFIED &&
        adu_provider_ldap.describe(g->settings, answer, &login) == ADU_ALLOW) {
        for (size_t i = 0; i < login.role_count; i++) {
            json_array_append_new(roles, json_string(adu_vocabulary_role_name(
                                             g->c.vocabulary, (size_t)login.roles[i])));
        }
    }
    adu_attributes_clear(&login.attributes);
    return roles;
}

static json_t *attributes_of(const struct adu_answer *answer)
{
    json_t *attributes = json_object();
    for (size_t i = 0; i < answer->attributes.count; i++) {
        const struct adu_attribute *a = &answer->attributes.items[i];
        if (json_object_get(attributes, a->name) == NULL) {
            json_object_set_new(attributes, a->name, json_array());
        }
        json_array_append_new(json_object_get(attributes, a->name), json_string(a->value));
    }
    return attributes;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000;
}

static void tell(json_t *said)
{
    json_dumpf(said, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(said);
}

static void ask_once(const struct generation *g, const char *user, const char *password)
{
    struct adu_answer answer = {0};
    adu_provider_ldap.ask(g->settings, user, password, wall_ms(), &answer);
    json_t *said = json_pack("{s:s, s:s, s:s, s:o, s:o}", "outcome", outcomes[answer.outcome],
                             "username", answer.username, "why", answer.why, "attributes",
                             attributes_of(&answer), "roles", roles_of(g, &answer));
    adu_answer_clear(&answer);
    tell(said);
}

struct asking {
    const struct generation *g;
    const char *user, *password;
    long times;
    long counts[sizeof outcomes / sizeof outcomes[0]];
};

static void *ask_often(void *thing)
{
    struct asking *asking = thing;
    for (long i = 0; i < asking->times; i++) {
        struct adu_answer answer = {0};
        adu_provider_ldap.ask(asking->g->settings, asking->user, asking->password, wall_ms(),
                              &answer);
        asking->counts[answer.outcome]++;
        adu_answer_clear(&answer);
    }
    return NULL;
}

static void ask_at_once(const struct generation *g, const char *user, const char *password,
                        long threads, long times)
{
    pthread_t ids[THREADS_MOST];
    struct asking asking[THREADS_MOST];
    json_t *said = json_object();
    for (long i = 0; i < threads; i++) {
        asking[i] = (struct asking){.g = g, .user = user, .password = password, .times = times};
        if (pthread_create(&ids[i], NULL, ask_often, &asking[i]) != 0) {
            abort();
        }
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    for (size_t o = 0; o < sizeof outcomes / sizeof outcomes[0]; o++) {
        long sum = 0;
        for (long i = 0; i < threads; i++) {
            sum += asking[i].counts[o];
        }
        if (sum > 0) {
            json_object_set_new(said, outcomes[o], json_integer(sum));
        }
    }
    tell(said);
}

static void answer_line(const struct generation *g, const json_t *line)
{
    const char *user = json_string_value(json_object_get(line, "user"));
    const char *password = json_string_value(json_object_get(line, "password"));
    const long threads = (long)json_integer_value(json_object_get(line, "threads"));
    const long times = (long)json_integer_value(json_object_get(line, "times"));
    if (threads > 0 && threads <= THREADS_MOST) {
        ask_at_once(g, user, password, threads, times);
    } else {
        ask_once(g, user, password);
    }
}

/* The new generation first, as in the broker. */
static bool reload(struct generation *g, const char *folder)
{
    struct generation newer;
    const bool good = load(&newer, folder);
    struct generation *gone = good ? g : &newer;
    adu_arena_free(gone->arena);
    if (good) {
        *g = newer;
        g->c.error = &g->error;
    }
    tell(json_pack("{s:b}", "loaded", good));
    return good;
}

int main(int count, char **arguments)
{
    struct generation g;
    json_t *line;
    signal(SIGPIPE, SIG_IGN); /* as the broker does */
    if (count != 2 || !load(&g, arguments[1])) {
        return EXIT_FAILURE;
    }
    while ((line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        if (json_object_get(line, "reload") != NULL) {
            reload(&g, arguments[1]);
        } else {
            answer_line(&g, line);
        }
        json_decref(line);
    }
    adu_arena_free(g.arena);
    return EXIT_SUCCESS;
}
