/* Which client ids a certificate may use: "client_id" of an identity. Pure. */
#ifndef ADUANA_CERT_AUTH_BINDING_H
#define ADUANA_CERT_AUTH_BINDING_H

#include "common/attributes.h"
#include "common/compiler.h"
#include "common/json.h"
#include "common/reason.h"

struct adu_binding;

/* Compiles "<template>", the one client id there is, or {"prefix": "<template>"}: several, of which
 * each adds 1 to 64 bytes of [A-Za-z0-9_.-] of its own. Where the prefix ends with a separator (one
 * of - _ . : /), it must not come again in them: then the client ids of two certificates with
 * different values are never the same. A prefix without one is warned of. NULL with c->error set.
 */
const struct adu_binding *adu_binding_compile(struct adu_compiler *c, const struct adu_json *node);

/* True if a client with these attributes may use `client_id`. Otherwise why->text and why->detail
 * say what was expected. Any thread. */
bool adu_binding_allows(const struct adu_binding *binding, const struct adu_attributes *attributes,
                        const char *client_id, struct adu_reason *why);

/* True if several client ids may be used with one certificate on purpose: by a prefix. NULL-safe.
 */
bool adu_binding_is_open(const struct adu_binding *binding);

#endif
