/* Which clients the monitor knows, and what is left to say of one that is forgotten. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>
#include <string.h>

/* --- all clients --- */

/* True when there is room for one more. */
static bool make_room(struct adu_rate_monitor *monitor)
{
    enum { LEAST_ROOM = 64 };
    if (monitor->known < monitor->room) {
        return true;
    }
    const size_t room = monitor->room + monitor->room / 2 + LEAST_ROOM;
    struct adu_rate_client **all =
        reallocarray(monitor->all, room, sizeof(struct adu_rate_client *));
    if (all == NULL) {
        return false;
    }
    monitor->all = all;
    monitor->room = room;
    return true;
}

static void put(struct adu_rate_monitor *monitor, struct adu_rate_client *client, size_t place)
{
    monitor->all[place] = client;
    client->place = (uint32_t)place;
}

bool adu_rate_know(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->known) {
        return true;
    }
    if (!make_room(monitor)) {
        return false;
    }
    client->known = true;
    put(monitor, client, monitor->known++);
    return true;
}

/* Its place goes to the last one; if this round has visited it already, by way of one that has been
 * visited too: so nobody is left out of a round, or visited twice in it. */
static void unknow(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (!client->known) {
        return;
    }
    size_t place = client->place;
    if (place < monitor->visited) {
        put(monitor, monitor->all[--monitor->visited], place);
        place = monitor->visited;
    }
    if (place != --monitor->known) {
        put(monitor, monitor->all[monitor->known], place);
    }
    client->known = false;
}

/* --- forgetting --- */

struct adu_farewell *adu_rate_take_farewell(struct adu_rate_monitor *monitor)
{
    struct adu_farewell *first = monitor->farewells;
    monitor->farewells = first != NULL ? first->next : NULL;
    return first;
}

void adu_rate_farewell_free(struct adu_farewell *farewell)
{
    adu_meter_clear(&farewell->client.meter);
    free(farewell->client.incident);
    free(farewell);
}

/* Takes over the incident, and what was counted of it. */
static struct adu_farewell *farewell_make(struct adu_rate_client *client,
                                          struct adu_rate_incident *incident)
{
    const char *client_id = client->subject->client_id, *username = client->subject->username;
    const size_t id = client_id != NULL ? strlen(client_id) + 1 : 0;
    const size_t user = username != NULL ? strlen(username) + 1 : 0;
    struct adu_farewell *farewell = calloc(1, sizeof *farewell + id + user);
    if (farewell == NULL) {
        return NULL;
    }
    farewell->client = *client;
    farewell->client.incident = incident;
    client->meter = (struct adu_meter){0};
    if (client->learned != NULL) {
        farewell->learned = *client->learned;
    }
    farewell->client.learned = client->learned != NULL ? &farewell->learned : NULL;
    farewell->client.subject = &farewell->subject;
    if (id > 0) {
        farewell->subject.client_id = memcpy(farewell->names, client_id, id);
    }
    if (user > 0) {
        farewell->subject.username = memcpy(farewell->names + id, username, user);
    }
    return farewell;
}

/* Nothing may be published from here; the next tick does. */
static void say_farewell(struct adu_rate_monitor *monitor, struct adu_rate_client *client,
                         struct adu_rate_incident *incident)
{
    struct adu_farewell *farewell = farewell_make(client, incident);
    if (farewell == NULL) {
        monitor->farewells_lost++;
        free(incident);
        return;
    }
    farewell->next = monitor->farewells;
    monitor->farewells = farewell;
}

void adu_rate_monitor_forget(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    const bool shown = client->learned != NULL && client->learned->shown != 0;
    struct adu_rate_incident *incident = adu_rate_take_incident(monitor, client);
    if (incident != NULL && (shown || adu_meter_told(&client->meter) != 0)) {
        say_farewell(monitor, client, incident);
    } else {
        free(incident);
    }
    unknow(monitor, client);
    adu_presence_forget(monitor->presences, &client->presence);
    adu_meter_clear(&client->meter);
    free(client->learned);
    client->learned = NULL;
}
