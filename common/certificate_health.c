#include "common/certificate_health.h"

const char *const adu_certificate_level_names[] = {[ADU_CERTIFICATE_GOOD] = "good",
                                                   [ADU_CERTIFICATE_WARN] = "warn",
                                                   [ADU_CERTIFICATE_CRITICAL] = "critical",
                                                   [ADU_CERTIFICATE_EXPIRED] = "expired"};

json_t *adu_certificate_findings_json(unsigned findings)
{
    static const char *const codes[] = {
#define X(name, code, text) code,
        ADU_CERTIFICATE_FINDINGS(X)
#undef X
    };
    json_t *list = json_array();
    bool complete = list != NULL;
    for (unsigned i = 0; complete && i < ADU_CERTIFICATE_FINDING_COUNT; i++) {
        complete =
            (findings & 1u << i) == 0 || json_array_append_new(list, json_string(codes[i])) == 0;
    }
    if (!complete) {
        json_decref(list);
        return NULL;
    }
    return list;
}
