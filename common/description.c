#include "common/description.h"
#include <glib.h>
#include <string.h>

static const char *take(char **place, const char *value)
{
    if (*place != NULL) {
        return "is said twice";
    }
    *place = strdup(value);
    return *place != NULL ? NULL : "out of memory";
}

const char *adu_description_say(struct adu_description *d, const char *key, const char *value)
{
    if (value[0] == '\0') {
        return "has no value";
    }
    if (!g_utf8_validate(value, -1, NULL)) {
        return "is no UTF-8 text";
    }
    if (strcmp(key, "client_id") == 0) {
        return take(&d->client_id, value);
    }
    if (strcmp(key, "username") == 0) {
        return take(&d->username, value);
    }
    if (strncmp(key, "cert.", 5) != 0) {
        return "is neither cert.* nor client_id nor username: what else there is, the policy makes "
               "of these";
    }
    return adu_attributes_add(&d->certificate, key, value) ? NULL : "is more than can be kept";
}

struct adu_described adu_description_of(const struct adu_description *d)
{
    const char *cn = adu_attributes_single(&d->certificate, "cert.cn");
    const char *otherwise = cn != NULL ? cn : d->username;
    return (struct adu_described){
        .client_id = d->client_id != NULL ? d->client_id
                     : otherwise != NULL  ? otherwise
                                          : "nobody",
        .username = d->username,
        .certificate = d->certificate.count > 0 ? &d->certificate : NULL,
        .address = d->address,
    };
}

void adu_description_clear(struct adu_description *d)
{
    adu_attributes_clear(&d->certificate);
    free(d->client_id);
    free(d->username);
    free(d->address);
    *d = (struct adu_description){0};
}

bool adu_moment_read(const char *text, const char *zone, int64_t *wall_ms)
{
    static const char without_seconds[] = "2026-11-23T08:00";
    GTimeZone *local = g_time_zone_new_identifier(zone != NULL ? zone : "UTC");
    const bool short_one = strcspn(text, "Z+") == sizeof without_seconds - 1;
    char *whole = short_one ? g_strdup_printf("%.16s:00%s", text, text + 16) : g_strdup(text);
    GDateTime *moment = local != NULL ? g_date_time_new_from_iso8601(whole, local) : NULL;
    if (moment != NULL) {
        *wall_ms = g_date_time_to_unix(moment) * 1000;
        g_date_time_unref(moment);
    }
    if (local != NULL) {
        g_time_zone_unref(local);
    }
    g_free(whole);
    return moment != NULL;
}
