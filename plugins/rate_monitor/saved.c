#include "plugins/rate_monitor/saved.h"
#include <string.h>

enum { FIXED = offsetof(struct adu_saved, topic) };

size_t adu_saved_make(struct adu_saved *saved, const struct adu_learned *learned,
                      const struct adu_client_presence *presence, int64_t quarantined_until_ms)
{
    memset(saved, 0, sizeof *saved);
    saved->version = ADU_SAVED_VERSION;
    saved->size = sizeof *saved;
    saved->quarantined_until_ms = quarantined_until_ms;
    if (learned != NULL && learned->learn) {
        saved->learns = true;
        saved->habit = learned->habit;
    }
    if (presence != NULL && !presence->forgotten) {
        saved->present = true;
        saved->online = presence->online;
        saved->reason = presence->reason;
        saved->since_ms = presence->since_ms;
        if (presence->topic != NULL && strlen(presence->topic) <= ADU_SAVED_TOPIC_MOST) {
            memcpy(saved->topic, presence->topic, strlen(presence->topic));
        }
    }
    return saved->present || saved->learns || quarantined_until_ms != 0
               ? FIXED + strlen(saved->topic)
               : 0;
}

bool adu_saved_read(struct adu_saved *saved, struct adu_bytes record)
{
    memset(saved, 0, sizeof *saved);
    if (record.bytes == NULL || record.length < FIXED ||
        record.length > FIXED + ADU_SAVED_TOPIC_MOST) {
        return false;
    }
    memcpy(saved, record.bytes, record.length);
    if (saved->version != ADU_SAVED_VERSION || saved->size != sizeof *saved ||
        saved->reason >= ADU_PRESENCE_REASONS || saved->present > 1 || saved->online > 1 ||
        saved->learns > 1 || (saved->learns == 1 && !adu_habit_sound(&saved->habit))) {
        return false;
    }
    adu_habit_resume(&saved->habit);
    return true;
}
