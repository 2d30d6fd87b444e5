/* Which clients the monitor knows, which of them have something to tell, and what is left to say of
 * one that is forgotten. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>
#include <string.h>

struct adu_rate_monitor *adu_rate_monitor_new(void)
{
    struct adu_rate_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) {
        return NULL;
    }
    monitor->presences = adu_presences_new();
    monitor->quarantine = adu_quarantine_new();
    if (monitor->presences == NULL || monitor->quarantine == NULL) {
        adu_rate_monitor_free(monitor);
        return NULL;
    }
    return monitor;
}

struct adu_farewell *adu_rate_take_farewell(struct adu_rate_monitor *monitor)
{
    struct adu_farewell *first = monitor->farewells;
    monitor->farewells = first != NULL ? first->next : NULL;
    return first;
}

void adu_rate_monitor_free(struct adu_rate_monitor *monitor)
{
    struct adu_farewell *farewell;
    while (monitor != NULL && (farewell = adu_rate_take_farewell(monitor)) != NULL) {
        adu_meter_clear(&farewell->client.meter);
        free(farewell);
    }
    if (monitor != NULL) {
        free(monitor->all);
        adu_rate_groups_free(monitor);
        adu_rate_tree_clear(&monitor->tree);
        adu_presences_free(monitor->presences);
        adu_quarantine_free(monitor->quarantine);
    }
    free(monitor);
}

void adu_rate_list(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->listed) {
        return;
    }
    client->listed = true;
    client->earlier = NULL;
    client->later = monitor->first;
    if (monitor->first != NULL) {
        monitor->first->earlier = client;
    }
    monitor->first = client;
}

void adu_rate_unlist(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (!client->listed) {
        return;
    }
    client->listed = false;
    if (client->earlier != NULL) {
        client->earlier->later = client->later;
    } else {
        monitor->first = client->later;
    }
    if (client->later != NULL) {
        client->later->earlier = client->earlier;
    }
}

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
    put(monitor, monitor->all[--monitor->known], place);
    client->known = false;
}

/* --- forgetting --- */

/* Takes over what was counted of it. */
static struct adu_farewell *farewell_make(struct adu_rate_client *client)
{
    const size_t id = client->client_id != NULL ? strlen(client->client_id) + 1 : 0;
    const size_t user = client->username != NULL ? strlen(client->username) + 1 : 0;
    struct adu_farewell *farewell = calloc(1, sizeof *farewell + id + user);
    if (farewell == NULL) {
        return NULL;
    }
    farewell->client = *client;
    client->meter = (struct adu_meter){0};
    if (client->learned != NULL) {
        farewell->learned = *client->learned;
    }
    farewell->client.learned = client->learned != NULL ? &farewell->learned : NULL;
    if (id > 0) {
        farewell->client.client_id = memcpy(farewell->names, client->client_id, id);
    }
    if (user > 0) {
        farewell->client.username = memcpy(farewell->names + id, client->username, user);
    }
    return farewell;
}

/* Nothing may be published from here; the next tick does. */
void adu_rate_monitor_forget(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    const bool shown = client->learned != NULL && client->learned->shown != 0;
    const bool up = shown || adu_meter_told(&client->meter) != 0;
    struct adu_farewell *farewell = up ? farewell_make(client) : NULL;
    adu_rate_unlist(monitor, client);
    unknow(monitor, client);
    adu_presence_forget(monitor->presences, &client->presence);
    adu_meter_clear(&client->meter);
    free(client->learned);
    client->learned = NULL;
    if (!up) {
        return;
    }
    if (farewell == NULL) {
        monitor->farewells_lost++;
        return;
    }
    farewell->next = monitor->farewells;
    monitor->farewells = farewell;
}
