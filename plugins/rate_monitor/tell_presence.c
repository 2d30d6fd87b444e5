/* Presence on its way to the plant and to the disk, and what the disk knows of clients. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include "plugins/rate_monitor/saved.h"
#include <stdlib.h>
#include <string.h>

enum { TOLD_A_TICK = 256, SAVE_AFTER_S = 600, QUARANTINE_MOST_MS = 86400000 };

static struct adu_rate_client *client_of(const struct adu_client_presence *presence)
{
    return presence->owner != NULL
               ? (struct adu_rate_client *)((char *)presence->owner -
                                            offsetof(struct adu_rate_client, presence))
               : NULL;
}

/* False: the client's names cannot be levels, or are too long; or presence is not asked for. */
static bool topic_of(const struct adu_stage_call *call, const struct adu_client_presence *presence,
                     const char *username, char *topic, size_t size)
{
    const struct adu_rate_policy *policy = call->policy;
    struct adu_attributes values = {0};
    const char *missing;
    const bool good = policy->presence_topic != NULL &&
                      adu_topic_level_value(presence->client_id) &&
                      (username == NULL || adu_topic_level_value(username)) &&
                      adu_attributes_add(&values, "client_id", presence->client_id) &&
                      (username == NULL || adu_attributes_add(&values, "username", username)) &&
                      adu_template_expand(policy->presence_topic, &values, topic, size, &missing);
    adu_attributes_clear(&values);
    return good;
}

/* An empty retained message takes the last one out of the broker. */
static void take_back(const struct adu_stage_call *call, struct adu_client_presence *presence)
{
    const struct adu_rate_policy *policy = call->policy;
    call->outlet->publish(call->outlet->context, presence->topic, "", policy->presence_qos, true);
    free(presence->topic);
    presence->topic = NULL;
}

static void tell(const struct adu_stage_call *call, struct adu_client_presence *presence,
                 const char *username, const char *topic)
{
    const struct adu_rate_policy *policy = call->policy;
    char *json = adu_presence_json(presence, username);
    if (presence->topic == NULL) {
        presence->topic = strdup(topic);
    }
    if (json != NULL && presence->topic != NULL) {
        call->outlet->publish(call->outlet->context, topic, json, policy->presence_qos, true);
        call->counters->presence_told++;
        presence->untold = false;
    } else {
        call->counters->stage_errors++; /* told with its next change */
    }
    free(json);
}

static void tell_one(const struct adu_stage_call *call, struct adu_rate_monitor *monitor,
                     struct adu_client_presence *presence)
{
    const struct adu_rate_policy *policy = call->policy;
    struct adu_rate_client *client = client_of(presence);
    const char *username = client != NULL ? client->subject->username : NULL;
    char topic[ADU_SAVED_TOPIC_MOST + 1];
    const bool tellable =
        !presence->forgotten && topic_of(call, presence, username, topic, sizeof topic);
    if (presence->topic != NULL && (!tellable || strcmp(presence->topic, topic) != 0)) {
        take_back(call, presence);
        presence->untold = true;
    }
    if (presence->forgotten || policy->presence_topic == NULL) {
        adu_presence_remove(monitor->presences, presence);
        return;
    }
    if (tellable && presence->untold) {
        tell(call, presence, username, topic);
    } else if (!tellable) {
        call->counters->presence_left_out++;
    }
    if (client != NULL) {
        adu_rate_save(call, client);
    }
}

void adu_rate_tell_presence(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    struct adu_client_presence *presence;
    if (monitor->presence_generation != call->generation) {
        monitor->presence_generation = call->generation;
        adu_presence_all_due(monitor->presences);
    }
    for (int n = 0; n < TOLD_A_TICK && (presence = adu_presence_next(monitor->presences)) != NULL;
         n++) {
        tell_one(call, monitor, presence);
    }
}

void adu_rate_present(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const struct adu_rate_policy *policy = call->policy;
    struct adu_rate_monitor *monitor = call->instance;
    if (policy->presence_topic != NULL &&
        !adu_presence_connected(monitor->presences, &client->presence, client->subject->client_id,
                                call->wall_ms)) {
        call->counters->stage_errors++;
    }
}

/* --- what outlives the broker --- */

void adu_rate_save(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const struct adu_rate_monitor *monitor = call->instance;
    const int64_t left_ms = adu_quarantine_left(monitor->quarantine, client->subject->client_id,
                                                client->subject->username, call->now_ms);
    struct adu_saved saved;
    const size_t length = call->outlet->keep != NULL
                              ? adu_saved_make(&saved, client->learned, client->presence,
                                               left_ms > 0 ? call->wall_ms + left_ms : 0)
                              : 0;
    if (client->learned != NULL) {
        client->learned->saved_s = (uint32_t)(call->now_ms / 1000);
    }
    if (length > 0) {
        call->outlet->keep(call->outlet->context, ADU_STAGE_RATE_MONITOR,
                           client->subject->client_id, client->subject->username,
                           (struct adu_bytes){.bytes = (unsigned char *)&saved, .length = length});
    }
}

bool adu_rate_save_due(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const uint32_t now_s = (uint32_t)(call->now_ms / 1000);
    struct adu_learned *learned = client->learned;
    if (learned == NULL || !learned->learn) {
        return false;
    }
    if (learned->saved_s == 0) { /* there is nothing worth keeping yet */
        learned->saved_s = now_s;
    }
    if (now_s - learned->saved_s < SAVE_AFTER_S) {
        return false;
    }
    adu_rate_save(call, client);
    return true;
}

/* No longer than a policy may ask for, whatever the clock has done since. */
static bool restore_quarantine(const struct adu_stage_call *call, const char *client_id,
                               const char *username, int64_t until_ms)
{
    const struct adu_rate_monitor *monitor = call->instance;
    const int64_t left_ms = until_ms > call->wall_ms ? until_ms - call->wall_ms : 0;
    return left_ms == 0 ||
           adu_quarantine_add(monitor->quarantine, client_id, username,
                              call->now_ms +
                                  (left_ms < QUARANTINE_MOST_MS ? left_ms : QUARANTINE_MOST_MS));
}

bool adu_rate_monitor_restore(const struct adu_stage_call *call, const struct adu_subject *subject,
                              struct adu_rate_client *client, struct adu_bytes record)
{
    struct adu_rate_monitor *monitor = call->instance;
    struct adu_saved saved;
    client->subject = subject;
    if (!adu_saved_read(&saved, record)) {
        return false;
    }
    if (saved.learns && (client->learned = calloc(1, sizeof *client->learned)) != NULL) {
        client->learned->habit = saved.habit;
    }
    const bool kept_out =
        restore_quarantine(call, subject->client_id, subject->username, saved.quarantined_until_ms);
    const bool restored =
        !saved.present ||
        adu_presence_restore(monitor->presences, &client->presence, subject->client_id,
                             saved.online, (enum adu_presence_reason)saved.reason, saved.since_ms,
                             saved.topic[0] != '\0' ? saved.topic : NULL, call->wall_ms);
    return restored && kept_out && (!saved.learns || client->learned != NULL);
}
