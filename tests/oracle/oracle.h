/* Access decisions by the definition: plugins/acl/README.md, "The language, exactly", written down
 * once more, as plain as can be, from the JSON itself. Nothing of the engine is used here.
 *
 * A round is what there is to decide, as JSON:
 *   {"policy":   what acl.json says,
 *    "sessions": [{"client_id", "bound", "username", "address", "roles": [...],
 *                  "attributes": [[name, value], ...]}, ...],
 *    "requests": [{"action", "topic", "qos", "retain", "payload_bytes", "at"}, ...]}
 * `roles` are those that the identity gives, `bound` says whether the client id is evidence, `at`
 * counts seconds since 1970. What is left out is 0, false, or not known. */
#ifndef ADUANA_ORACLE_H
#define ADUANA_ORACLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oracle_action { ORACLE_PUBLISH, ORACLE_SUBSCRIBE, ORACLE_RECEIVE };

struct oracle_request {
    enum oracle_action action;
    const char *topic; /* of a SUBSCRIBE the whole filter; lives with the JSON */
    int qos;
    bool retain;
    long payload_bytes;
    int64_t at;
};

struct oracle_request oracle_request_of(const json_t *request);

/* ORACLE_WATCHED: logged as what would be refused, and let through. */
enum oracle_answer { ORACLE_REFUSED, ORACLE_WATCHED, ORACLE_ALLOWED };

extern const char *const oracle_answer_names[];

struct oracle;

/* The policy must be one that the engine has loaded. Borrows `round` and sets TZ, so there is one
 * oracle at a time. Exits when memory is gone. */
struct oracle *oracle_new(const json_t *round);
void oracle_free(struct oracle *oracle);

/* What that session of the round is answered to that request of the round. */
enum oracle_answer oracle_decide(const struct oracle *oracle, size_t session, size_t request);

#endif
