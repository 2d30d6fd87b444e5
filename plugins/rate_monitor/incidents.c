/* Whose alerts are up. An alert begins on the way of a message, where nothing may be allocated: the
 * client is only put into a list there, and the next tick makes an incident for it. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>

unsigned adu_rate_up(const struct adu_rate_client *client)
{
    const unsigned up =
        client->learned != NULL ? (unsigned)client->learned->up << ADU_RATE_KINDS : 0;
    return up | adu_meter_raised(&client->meter);
}

static void link_in(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident)
{
    incident->listed = true;
    incident->earlier = NULL;
    incident->later = monitor->incidents;
    if (monitor->incidents != NULL) {
        monitor->incidents->earlier = incident;
    }
    monitor->incidents = incident;
}

static void unlink_from(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident)
{
    if (!incident->listed) {
        return;
    }
    incident->listed = false;
    if (incident->earlier != NULL) {
        incident->earlier->later = incident->later;
    } else {
        monitor->incidents = incident->later;
    }
    if (incident->later != NULL) {
        incident->later->earlier = incident->earlier;
    }
}

void adu_rate_list(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->fresh) {
        return;
    }
    if (client->incident == NULL) {
        client->fresh = true;
        client->next_fresh = monitor->fresh;
        monitor->fresh = client;
    } else if (!client->incident->listed) {
        link_in(monitor, client->incident);
    }
}

unsigned adu_rate_open_incidents(struct adu_rate_monitor *monitor)
{
    struct adu_rate_client *client = monitor->fresh, *next;
    unsigned lost = 0;
    monitor->fresh = NULL;
    for (; client != NULL; client = next) {
        struct adu_rate_incident *incident = calloc(1, sizeof *incident);
        next = client->next_fresh;
        client->fresh = false;
        client->incident = incident;
        if (incident == NULL) {
            lost++;
            adu_rate_list(monitor, client);
            continue;
        }
        incident->client = client;
        link_in(monitor, incident);
    }
    return lost;
}

void adu_rate_rest_incident(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident)
{
    unlink_from(monitor, incident);
    if (adu_rate_up(incident->client) == 0) {
        incident->client->incident = NULL;
        free(incident);
    }
}

/* They are few: those of a tenth of a second. */
static void take_fresh(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    struct adu_rate_client **link = &monitor->fresh;
    while (*link != client) {
        link = &(*link)->next_fresh;
    }
    *link = client->next_fresh;
    client->fresh = false;
    client->incident = NULL;
}

struct adu_rate_incident *adu_rate_take_incident(struct adu_rate_monitor *monitor,
                                                 struct adu_rate_client *client)
{
    if (client->fresh) {
        take_fresh(monitor, client);
    }
    struct adu_rate_incident *incident = client->incident;
    if (incident != NULL) {
        unlink_from(monitor, incident);
    }
    client->incident = NULL;
    return incident;
}
