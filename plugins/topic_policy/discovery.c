#include "plugins/topic_policy/discovery.h"
#include "common/hash.h"
#include <string.h>
#include <sys/mman.h>

enum { ROWS = 4, CELLS = 8192, CELL_BITS = 13, SILENT_MS = 86400000, LOOK_MS = 60000 };

/* What is looked at before any topic of a set is. */
struct sight {
    uint16_t tags[ADU_DISCOVERY_WAYS]; /* parts of their hashes; 0: nothing is there */
    uint32_t least;                    /* what the lightest of them weighed */
    uint32_t again; /* when they are to be looked at again, in LOOK_MS: one may be silent */
};

struct set {
    struct adu_found_topic ways[ADU_DISCOVERY_WAYS];
};

struct adu_discovery {
    size_t count;
    uint64_t left_out, displaced;
    unsigned hand; /* the cells that are halved next */
    uint16_t sketch[ROWS][CELLS];
    struct sight sights[ADU_DISCOVERY_SETS];
    struct set sets[ADU_DISCOVERY_SETS];
};

struct adu_discovery *adu_discovery_new(void)
{
    /* Aligned, and what nobody touches of it takes no memory. */
    void *memory = mmap(NULL, sizeof(struct adu_discovery), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void adu_discovery_free(struct adu_discovery *discovery)
{
    if (discovery != NULL) {
        munmap(discovery, sizeof *discovery);
    }
}

/* How many of `length` bytes of UTF-8 fit in `most` without half a character. */
static size_t clip(const char *text, size_t length, size_t most)
{
    if (length <= most) {
        return length;
    }
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) {
        most--;
    }
    return most;
}

/* --- how often one without a place has come lately --- */

/* Counts it, and says how often that makes: never less than it is. With each count a cell of each
 * row is halved, so that all are once in CELLS counts: "lately" is a few times as many. */
static uint32_t estimate(struct adu_discovery *d, uint64_t hash)
{
    uint16_t *cells[ROWS];
    uint16_t least = UINT16_MAX;
    for (int row = 0; row < ROWS; row++) {
        d->sketch[row][d->hand] /= 2;
        cells[row] = &d->sketch[row][(hash >> row * CELL_BITS) % CELLS];
        least = *cells[row] < least ? *cells[row] : least;
    }
    d->hand = (d->hand + 1) % CELLS;
    for (int row = 0; row < ROWS && least < UINT16_MAX; row++) {
        *cells[row] = *cells[row] == least ? (uint16_t)(least + 1) : *cells[row];
    }
    return (uint32_t)least + 1;
}

static uint64_t weight(const struct adu_found_topic *t)
{
    return t->messages + t->before;
}

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 32 | 1);
}

/* A free place, or that of one which has been silent. NULL: there is none, and what the lightest
 * weighs is noted. */
static struct adu_found_topic *room(struct adu_discovery *d, struct set *set, struct sight *sight,
                                    int64_t now_ms)
{
    uint64_t least = UINT32_MAX;
    for (int way = 0; way < ADU_DISCOVERY_WAYS; way++) {
        struct adu_found_topic *t = &set->ways[way];
        if (t->hash == 0) {
            d->count++;
            return t;
        }
        if (now_ms - t->heard_ms >= SILENT_MS) {
            d->displaced++;
            return t;
        }
        least = weight(t) < least ? weight(t) : least;
    }
    sight->least = (uint32_t)least;
    sight->again = (uint32_t)(now_ms / LOOK_MS) + 1;
    return NULL;
}

static struct adu_found_topic *lightest(struct set *set)
{
    struct adu_found_topic *least = &set->ways[0];
    for (int way = 1; way < ADU_DISCOVERY_WAYS; way++) {
        least = weight(&set->ways[way]) < weight(least) ? &set->ways[way] : least;
    }
    return least;
}

/* A place to be listed at; NULL: there is none. Those listed only gain weight, so that one which is
 * lighter than the lightest was is left out without a look at them. */
static struct adu_found_topic *place_for(struct adu_discovery *d, struct set *set,
                                         struct sight *sight, uint64_t hash, int64_t now_ms,
                                         uint32_t *before)
{
    *before = 0;
    if ((uint32_t)(now_ms / LOOK_MS) >= sight->again) {
        struct adu_found_topic *t = room(d, set, sight, now_ms);
        if (t != NULL) {
            return t;
        }
    }
    const uint32_t times = estimate(d, hash);
    struct adu_found_topic *least = times > sight->least ? lightest(set) : NULL;
    if (least == NULL || times <= weight(least)) {
        sight->least =
            least != NULL && weight(least) < UINT32_MAX ? (uint32_t)weight(least) : sight->least;
        d->left_out++;
        return NULL;
    }
    d->displaced++;
    *before = times - 1;
    return least;
}

/* --- one message --- */

static struct adu_found_topic *find(struct set *set, const struct sight *sight, uint64_t hash)
{
    for (int way = 0; way < ADU_DISCOVERY_WAYS; way++) {
        if (sight->tags[way] == tag_of(hash) && set->ways[way].hash == hash) {
            return &set->ways[way];
        }
    }
    return NULL;
}

static void list(struct adu_found_topic *t, uint64_t hash, struct adu_text topic, uint32_t before,
                 int64_t wall_ms)
{
    *t = (struct adu_found_topic){
        .hash = hash,
        .before = before,
        .first_ms = wall_ms,
        .length = (uint16_t)(topic.length < UINT16_MAX ? topic.length : UINT16_MAX),
        .kept = (uint8_t)clip(topic.bytes, topic.length, ADU_DISCOVERY_TOPIC)};
    memcpy(t->topic, topic.bytes, t->kept);
}

/* Whoever published last has the first place, so that one who goes on costs nothing. */
static void note_client(struct adu_found_topic *t, const char *client_id, uint32_t client)
{
    int i = 0;
    if (t->clients[0] == client) {
        return;
    }
    while (i < ADU_DISCOVERY_CLIENTS - 1 && t->clients[i] != client && t->clients[i] != 0) {
        i++;
    }
    memmove(&t->clients[1], &t->clients[0], (size_t)i * sizeof t->clients[0]);
    t->clients[0] = client;
    const size_t length = strnlen(client_id, ADU_DISCOVERY_CLIENT + 1);
    t->client_kept = (uint8_t)clip(client_id, length, ADU_DISCOVERY_CLIENT);
    memcpy(t->client_id, client_id, t->client_kept);
}

struct adu_found_topic *adu_discovery_note(struct adu_discovery *d, struct adu_text topic,
                                           const char *client_id, uint32_t client, int64_t now_ms,
                                           int64_t wall_ms)
{
    const uint64_t any = adu_hash64(topic.bytes, topic.length), hash = any != 0 ? any : 1;
    const size_t number = (hash >> ROWS * CELL_BITS) % ADU_DISCOVERY_SETS;
    struct set *set = &d->sets[number];
    struct sight *sight = &d->sights[number];
    struct adu_found_topic *t = find(set, sight, hash);
    if (t == NULL) {
        uint32_t before;
        t = place_for(d, set, sight, hash, now_ms, &before);
        if (t == NULL) {
            return NULL;
        }
        list(t, hash, topic, before, wall_ms);
        sight->tags[t - set->ways] = tag_of(hash);
        sight->again = 0; /* another is the lightest now */
    }
    t->messages++;
    t->last_ms = wall_ms;
    t->heard_ms = now_ms;
    note_client(t, client_id, client);
    return t;
}

/* --- reading --- */

const struct adu_found_topic *adu_discovery_next(const struct adu_discovery *d, size_t *place)
{
    while (*place < ADU_DISCOVERY_MOST) {
        const struct adu_found_topic *t =
            &d->sets[*place / ADU_DISCOVERY_WAYS].ways[*place % ADU_DISCOVERY_WAYS];
        ++*place;
        if (t->hash != 0) {
            return t;
        }
    }
    return NULL;
}

/* `heap` has the fewest messages first; its first has been replaced. */
static void sink(const struct adu_found_topic **heap, size_t count)
{
    size_t i = 0, child;
    while ((child = 2 * i + 1) < count) {
        child += child + 1 < count && heap[child + 1]->messages < heap[child]->messages;
        if (heap[i]->messages <= heap[child]->messages) {
            return;
        }
        const struct adu_found_topic *t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

static void rise(const struct adu_found_topic **heap, size_t i)
{
    for (; i > 0 && heap[i]->messages < heap[(i - 1) / 2]->messages; i = (i - 1) / 2) {
        const struct adu_found_topic *t = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = t;
    }
}

size_t adu_discovery_top(const struct adu_discovery *d, const struct adu_found_topic **top,
                         size_t most)
{
    const struct adu_found_topic *t;
    size_t count = 0, place = 0;
    while (most > 0 && (t = adu_discovery_next(d, &place)) != NULL) {
        if (count < most) {
            top[count] = t;
            rise(top, count++);
        } else if (t->messages > top[0]->messages) {
            top[0] = t;
            sink(top, count);
        }
    }
    for (size_t left = count; left > 1; left--) { /* the fewest go to the end */
        t = top[0];
        top[0] = top[left - 1];
        top[left - 1] = t;
        sink(top, left - 1);
    }
    return count;
}

size_t adu_discovery_count(const struct adu_discovery *d)
{
    return d->count;
}

uint64_t adu_discovery_left_out(const struct adu_discovery *d)
{
    return d->left_out;
}

uint64_t adu_discovery_displaced(const struct adu_discovery *d)
{
    return d->displaced;
}
