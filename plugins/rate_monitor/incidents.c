/* Whose alerts are up. An alert begins on the way of a message, where nothing may be allocated: the
 * client is only put into a list there, and the next tick makes an incident for it. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>
#include <utlist.h>

unsigned adu_rate_up(const struct adu_rate_client *client)
{
    const unsigned up =
        client->learned != NULL ? (unsigned)client->learned->up << ADU_RATE_KINDS : 0;
    return up | adu_meter_raised(&client->meter);
}

static void link_in(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident)
{
    incident->listed = true;
    DL_PREPEND2(monitor->incidents, incident, earlier, later);
}

static void unlink_from(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident)
{
    if (incident->listed) {
        incident->listed = false;
        DL_DELETE2(monitor->incidents, incident, earlier, later);
    }
}

void adu_rate_list(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->fresh) {
        return;
    }
    if (client->incident == NULL) {
        client->fresh = true;
        LL_PREPEND2(monitor->fresh, client, next_fresh);
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

struct adu_rate_incident *adu_rate_take_incident(struct adu_rate_monitor *monitor,
                                                 struct adu_rate_client *client)
{
    struct adu_rate_incident *incident = client->fresh ? NULL : client->incident;
    if (client->fresh) { /* they are few: those of a tenth of a second */
        LL_DELETE2(monitor->fresh, client, next_fresh);
        client->fresh = false;
    } else if (incident != NULL) {
        unlink_from(monitor, incident);
    }
    client->incident = NULL;
    return incident;
}
