#include "common/counters.h"

json_t *adu_counters_json(const struct adu_counters *counters)
{
    json_t *object = json_object();
    bool complete = object != NULL;
#define X(name)                                                                                    \
    complete = complete &&                                                                         \
               json_object_set_new(object, #name, json_integer((json_int_t)counters->name)) == 0;
    ADU_COUNTERS(X)
#undef X
    if (!complete) {
        json_decref(object);
        return NULL;
    }
    return object;
}
