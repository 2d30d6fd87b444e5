/* The conditions of a rule: "when" in acl.json. Pure. */
#ifndef ADUANA_ACL_WHEN_H
#define ADUANA_ACL_WHEN_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/request.h"
#include "common/time_zone.h"

struct adu_when;

/* UNKNOWN where the answer depends on what is not known of this request: then nothing is allowed,
 * and what would be denied is. */
enum adu_holds { ADU_HOLDS_NOT, ADU_HOLDS, ADU_HOLDS_UNKNOWN };

/* Compiles the object "when" of a rule that names the actions of the set `actions` (1 << enum
 * adu_action). `zone` is NULL where the file names none. NULL with c->error set. */
const struct adu_when *adu_when_compile(struct adu_compiler *c, const struct adu_json *object,
                                        unsigned actions, const struct adu_time_zone *zone);

/* True if it asks for what only a SUBSCRIBE has, and none of its deliveries. */
bool adu_when_is_of_subscribe(const struct adu_when *when);

/* True if all conditions hold for the request. Hot path. */
enum adu_holds adu_when_holds(const struct adu_when *when, const struct adu_request *request);

#endif
