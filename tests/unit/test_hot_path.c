/* What is allowed costs no allocation and takes no lock, in any stage, whether the answer is
 * remembered or not. This program's own malloc and pthread_mutex_lock stand before the C library's
 * for all shared objects, and count what the thread that asks does while it asks. */
#include "plant.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

/* The C library's own, under the names that it keeps for this: dlsym may allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

#define SEEN_BY_ALL __attribute__((visibility("default")))

static _Thread_local bool counting;
static long allocations, frees, locks;

SEEN_BY_ALL void *malloc(size_t size)
{
    allocations += counting;
    return __libc_malloc(size);
}

SEEN_BY_ALL void *calloc(size_t count, size_t size)
{
    allocations += counting;
    return __libc_calloc(count, size);
}

SEEN_BY_ALL void *realloc(void *memory, size_t size)
{
    allocations += counting;
    return __libc_realloc(memory, size);
}

SEEN_BY_ALL void *aligned_alloc(size_t alignment, size_t size)
{
    allocations += counting;
    return __libc_memalign(alignment, size);
}

SEEN_BY_ALL int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations += counting;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

SEEN_BY_ALL void free(void *memory)
{
    frees += counting;
    __libc_free(memory);
}

/* Some lock of the C library by its own function. */
#define LOCKS(name, type)                                                                          \
    SEEN_BY_ALL int name(type *lock)                                                               \
    {                                                                                              \
        static int (*own)(type * lock);                                                            \
        if (own == NULL) {                                                                         \
            own = (int (*)(type *))dlsym(RTLD_NEXT, #name);                                        \
        }                                                                                          \
        locks += counting;                                                                         \
        return own(lock);                                                                          \
    }

LOCKS(pthread_mutex_lock, pthread_mutex_t)
LOCKS(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCKS(pthread_rwlock_wrlock, pthread_rwlock_t)

/* --- the plant --- */

static const char acl[] =
    "{'time_zone': 'America/Mexico_City', 'roles': {"
    "'edge': {'includes': ['base'], 'allow': ["
    "{'publish': ['planta/${linea}/+', 'planta/+/${client_id}/estado'], 'subscribe': "
    "['planta/${linea}/comandos/#']},"
    "{'publish': ['planta/${linea}/horno/receta'], 'when': {'qos': {'max': 1}, 'retain': false, "
    "'payload_bytes': {'max': 4096}, 'networks': ['10.0.0.0/8', 'fd00::/8'], "
    "'times': [{'days': ['mon-sun'], 'from': '00:00', 'to': '24:00'}]}},"
    "{'subscribe': ['planta/${linea}/turno/#'], 'when': {'share_groups': ['turno']}}],"
    "'deny': [{'publish': ['planta/+/consigna']}, {'receive': ['planta/+/comandos/secreto/#']},"
    "{'publish': ['planta/+/horno/receta'], 'when': {'networks': ['192.168.0.0/16']}}]},"
    "'base': {'allow': [{'publish': ['planta/${linea}/_sys/#'], 'receive': ['planta/avisos/+']}]},"
    "'operador': {'allow': [{'subscribe': ['planta/#']}]}},"
    "'bindings': [{'match': {'username': {'pattern': 'linea.*'}}, 'roles': ['base']}]}";

/* That of the plant, with the topics in use gathered. */
static const char topic_policy[] =
    "{'names': {'characters': 'a-z0-9_-', 'max_level_bytes': 32}, 'depth': {'min': 3, 'max': 6},"
    "'reserved_levels': {'_sys': {'publish_roles': ['edge', 'operador']}}, 'discovery': {},"
    "'exempt': ['$SYS/#', 'libre/#']}";

static struct plant plant;
static struct connection edge;

static void open_plant(void)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "10.1.2.3"};
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "acl.json", acl);
    folder_write_json(&plant.policies, "topic_policy.json", topic_policy);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
}

static const struct row {
    enum adu_action action;
    const char *topic;
} rows[] = {
    {ADU_PUBLISH, "planta/linea1/temperatura"},
    {ADU_PUBLISH, "planta/linea1/_sys/a/b"},
    {ADU_PUBLISH, "planta/linea9/edge-linea1/estado"},
    {ADU_PUBLISH, "planta/linea1/horno/receta"},
    {ADU_SUBSCRIBE, "planta/linea1/comandos/#"},
    {ADU_SUBSCRIBE, "planta/linea1/comandos/+/x"},
    {ADU_SUBSCRIBE, "$share/turno/planta/linea1/turno/#"},
    {ADU_RECEIVE, "planta/linea1/comandos/a/b"},
    {ADU_RECEIVE, "planta/linea1/turno/tarde"},
    {ADU_RECEIVE, "planta/avisos/fuego"},
};

/* Allowed, and nothing of what is counted was done for it. */
static void ask(enum adu_action action, const char *topic, const char *how)
{
    const struct adu_question question = {.handle = &edge,
                                          .client_id = edge.client_id,
                                          .action = action,
                                          .topic = topic,
                                          .qos = 1,
                                          .payload_length = 100};
    allocations = frees = locks = 0;
    counting = true;
    const enum adu_verdict verdict = adu_pipeline_decide(plant.p, &question, plant.now);
    counting = false;
    ck_assert_msg(verdict == ADU_ALLOW, "%s: %s", topic, last_line());
    ck_assert_msg(allocations == 0 && frees == 0 && locks == 0,
                  "%s, %s: %ld allocations, %ld frees, %ld locks", topic, how, allocations, frees,
                  locks);
}

/* Or the rest would prove nothing: what libaduana allocates and locks is seen. */
START_TEST(what_libaduana_does_is_counted)
{
    struct adu_attributes list = {0};
    open_plant();
    allocations = frees = locks = 0;
    counting = true;
    const bool added = adu_attributes_add(&list, "linea", "linea1");
    adu_attributes_clear(&list);
    counting = false;
    ck_assert(added);
    ck_assert_int_eq(allocations, 2); /* the list, the attribute */
    ck_assert_int_ge(frees, 2);
    counting = true;
    adu_pipeline_reload(plant.p, plant.now); /* hands a job to the worker */
    counting = false;
    ck_assert_int_gt(locks, 0);
    plant_end(&plant);
}
END_TEST

START_TEST(asked_for_the_first_time_and_again)
{
    const struct row *row = &rows[_i];
    open_plant();
    ask(row->action, row->topic, "the first time");
    ask(row->action, row->topic, "the second time");
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 0); /* the turn that judges everybody anew */
    ask(row->action, row->topic, "after a reload");
    ask(row->action, row->topic, "again after a reload");
    plant_end(&plant);
}
END_TEST

/* More topics than anything remembers, so that what is remembered makes room all the time. */
START_TEST(many_topics)
{
    enum { TOPICS = 40000, A_TICK = 100, TICK_MS = 100 };
    char topic[64];
    open_plant();
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic, sizeof topic, "planta/linea1/s%d", i);
        ask(ADU_PUBLISH, topic, "one of many");
        snprintf(topic, sizeof topic, "planta/linea1/comandos/s%d", i);
        ask(ADU_RECEIVE, topic, "one of many");
        if (i % A_TICK == 0) {
            plant_pass(&plant, TICK_MS);
        }
    }
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hot_path");
    suite_add(suite, what_libaduana_does_is_counted);
    suite_add_rows(suite, asked_for_the_first_time_and_again, ROWS(rows));
    suite_add(suite, many_topics);
    return run_suite(suite);
}
