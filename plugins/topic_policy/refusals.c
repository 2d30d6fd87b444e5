#include "plugins/topic_policy/refusals.h"
#include "common/hash.h"
#include "common/utf8.h"
#include <stdio.h>
#include <string.h>

struct adu_refusals *adu_refusals_new(struct adu_arena *arena, size_t namespaces)
{
    struct adu_refusals *r = adu_arena_alloc(arena, sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->namespaces = namespaces;
    r->uses = adu_arena_array(arena, namespaces + 1, sizeof *r->uses);
    return r->uses != NULL ? r : NULL;
}

uint64_t adu_refused_who(struct adu_refused_client *client, const struct adu_subject *subject)
{
    if (client->who == 0) {
        const char *id = subject->client_id, *user = subject->username;
        const uint64_t who =
            adu_hash64(id, strlen(id)) * 3 + (user != NULL ? adu_hash64(user, strlen(user)) : 0);
        client->who = who != 0 ? who : 1;
    }
    return client->who;
}

static uint64_t sum(const struct adu_tally *tally)
{
    return tally->refused + tally->would_refuse;
}

static void copy(struct adu_text from, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)from.length, from.bytes);
    adu_utf8_trim(to);
}

/* --- by client --- */

static struct adu_offender *find(struct adu_refusals *r, uint64_t who)
{
    for (size_t i = 0; i < r->offenders; i++) {
        if (r->offender[i].who == who) {
            return &r->offender[i];
        }
    }
    return NULL;
}

/* Of those listed the one with the fewest, if that is fewer than `count`. */
static struct adu_offender *less_than(struct adu_refusals *r, uint64_t count)
{
    struct adu_offender *least = &r->offender[0];
    for (size_t i = 1; i < r->offenders; i++) {
        if (sum(&r->offender[i].tally) < sum(&least->tally)) {
            least = &r->offender[i];
        }
    }
    return sum(&least->tally) < count ? least : NULL;
}

/* The client's own tally is exact, so the list is of those who have most. */
static struct adu_offender *place_for(struct adu_refusals *r,
                                      const struct adu_refused_client *client,
                                      const struct adu_request *request)
{
    struct adu_offender *o = r->offenders < ADU_OFFENDERS_MOST ? &r->offender[r->offenders++]
                                                               : less_than(r, sum(&client->tally));
    if (o == NULL) {
        return NULL;
    }
    *o = (struct adu_offender){
        .who = client->who, .tally = client->tally, .first_ms = request->wall_ms};
    copy(adu_text_of(request->subject->client_id), o->client_id, sizeof o->client_id);
    if (request->subject->username != NULL) {
        copy(adu_text_of(request->subject->username), o->username, sizeof o->username);
    }
    return o;
}

static void note_client(struct adu_refusals *r, struct adu_refused_client *client,
                        unsigned long generation, const struct adu_request *request,
                        const struct adu_reason *why, bool would)
{
    if (client->generation != generation) {
        client->generation = generation;
        client->tally = (struct adu_tally){0};
    }
    adu_tally_add(&client->tally, would);
    struct adu_offender *o = find(r, adu_refused_who(client, request->subject));
    if (o != NULL) {
        adu_tally_add(&o->tally, would);
    } else if ((o = place_for(r, client, request)) == NULL) {
        return;
    }
    o->last_ms = request->wall_ms;
    o->text = why->text;
    o->rule = why->rule;
    copy(request->topic, o->topic, sizeof o->topic);
}

/* --- by client and namespace --- */

static uint64_t weight(const struct adu_offence *o)
{
    return sum(&o->tally) + o->before;
}

/* Its own place, an empty one, or that of the one with fewest. */
static struct adu_offence *offence_of(struct adu_refusals *r, uint64_t who, uint32_t namespace)
{
    struct adu_offence *least = &r->offence[0];
    for (size_t i = 0; i < r->offences; i++) {
        struct adu_offence *o = &r->offence[i];
        if (o->who == who && o->namespace == namespace) {
            return o;
        }
        least = weight(o) < weight(least) ? o : least;
    }
    return r->offences < ADU_OFFENCES_MOST ? &r->offence[r->offences++] : least;
}

static void note_offence(struct adu_refusals *r, uint64_t who, const struct adu_request *request,
                         uint32_t namespace, bool would)
{
    struct adu_offence *o = offence_of(r, who, namespace);
    if (o->who != who || o->namespace != namespace) {
        *o = (struct adu_offence){.who = who, .namespace = namespace, .before = weight(o)};
        copy(adu_text_of(request->subject->client_id), o->client_id, sizeof o->client_id);
    }
    adu_tally_add(&o->tally, would);
    o->last_ms = request->wall_ms;
}

/* --- by reason --- */

/* Texts are few, and each stands in one place. */
static void note_reason(struct adu_refusals *r, const struct adu_reason *why, bool would)
{
    size_t i = 0;
    while (i < r->reasons && (r->reason[i].text != why->text || r->reason[i].rule != why->rule)) {
        i++;
    }
    if (i == ADU_REASONS_MOST) {
        return;
    }
    if (i == r->reasons) {
        r->reason[r->reasons++] = (struct adu_refused_reason){.text = why->text, .rule = why->rule};
    }
    adu_tally_add(&r->reason[i].tally, would);
}

void adu_refusals_note(struct adu_refusals *r, struct adu_refused_client *client,
                       unsigned long generation, const struct adu_request *request,
                       const struct adu_reason *why, uint32_t namespace, bool would)
{
    const uint32_t known = namespace <= r->namespaces ? namespace : 0;
    adu_tally_add(&r->all, would);
    adu_tally_add(&r->uses[known].tally, would);
    note_reason(r, why, would);
    if (client != NULL) {
        note_client(r, client, generation, request, why, would);
        note_offence(r, client->who, request, known, would);
    }
}
