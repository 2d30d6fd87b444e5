/* What is known of a client's certificate without its names, and what a policy thinks of it: how
 * long it has left, and what is doubtful in it. */
#ifndef ADUANA_COMMON_CERTIFICATE_HEALTH_H
#define ADUANA_COMMON_CERTIFICATE_HEALTH_H

#include "common/api.h"
#include "common/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum adu_key_kind { ADU_KEY_OTHER, ADU_KEY_RSA, ADU_KEY_EC };

/* Zeroed: it has not been looked at. */
struct adu_certificate_facts {
    int64_t from_ms, until_ms; /* wall clock; `until_ms` is long ago, not 0, where it has no end */
    uint32_t key_bits;
    uint8_t key;         /* enum adu_key_kind */
    bool weak_signature; /* made with SHA-1 or MD5 */
};

/* What may be doubtful: name, the code that people and programs see, what it says of "its
 * certificate". */
#define ADU_CERTIFICATE_FINDINGS(X)                                                                \
    X(WEAK_KEY, "weak-key", "its key is RSA below 2048 bits, or an elliptic curve below 256")      \
    X(WEAK_SIGNATURE, "weak-signature", "it is signed with SHA-1 or MD5")                          \
    X(LONG_LIFETIME, "long-lifetime", "it is valid for longer than lifetime_most_days")            \
    X(SHARED, "shared", "several clients are connected with it at the same time")

enum adu_certificate_finding {
#define X(name, code, text) ADU_CERTIFICATE_##name,
    ADU_CERTIFICATE_FINDINGS(X)
#undef X
        ADU_CERTIFICATE_FINDING_COUNT
};

enum adu_certificate_level {
    ADU_CERTIFICATE_GOOD, /* for longer than warn_days */
    ADU_CERTIFICATE_WARN,
    ADU_CERTIFICATE_CRITICAL,
    ADU_CERTIFICATE_EXPIRED
};

/* One client's certificate as it is used. */
struct adu_certificate_sight {
    const struct adu_certificate_facts *facts;
    int64_t away_ms; /* since it was last seen; 0: it is connected */
    bool shared;     /* others are connected with it too, and its identity does not expect them */
};

struct adu_certificate_health {
    bool watched; /* false: it has not been seen for so long that nothing is said of it */
    enum adu_certificate_level level;
    unsigned findings; /* set of 1 << enum adu_certificate_finding */
    int64_t days_left; /* whole ones, a day that has begun left out; below 0: it has expired */
    long days_limit;   /* of its level; 0: has none */
    const struct adu_place *rule;
};

/* "good", "warn", "critical", "expired". */
ADU_API extern const char *const adu_certificate_level_names[];

/* A new list of the codes of a set of findings; NULL when memory is gone. */
ADU_API json_t *adu_certificate_findings_json(unsigned findings);

#endif
