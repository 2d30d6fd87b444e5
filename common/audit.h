/* Refusals in words. Pure: what is to be written, never how. */
#ifndef ADUANA_COMMON_AUDIT_H
#define ADUANA_COMMON_AUDIT_H

#include "common/principal.h"
#include "common/reason.h"
#include "common/request.h"

/* The broker cuts its log lines at 1,000 bytes; a line of ours stays below whatever a client sends.
 */
enum { ADU_AUDIT_LINE = 960, ADU_AUDIT_LINES = 10, ADU_AUDIT_WINDOW_MS = 10000 };

/* A client id or user name for a line of text: quoted, cut, and `-` for NULL. */
enum { ADU_AUDIT_NAME = 80 };
ADU_API const char *adu_audit_name(const char *name, char buffer[ADU_AUDIT_NAME]);

/* "acl: no rule of its roles (edge) allows it (level 2 "linea2") [acl.json:12]" */
ADU_API const char *adu_audit_reason(const struct adu_reason *why, char *buffer, size_t size);

/* The middle of it alone: `no rule of its roles (edge) allows it (level 2 "linea2")`. */
ADU_API const char *adu_audit_why(const struct adu_reason *why, char *buffer, size_t size);

/* The line for a refused (or, in watch mode, would-be refused) CONNECT. Any name may be NULL. */
ADU_API const char *adu_audit_connect(const char *client_id, const char *claimed_username,
                                      const char *address, const struct adu_reason *why,
                                      char line[ADU_AUDIT_LINE]);

/* The line for a refused request. `verb` is "refused" or "would refuse"; `will` names it as a will.
 */
ADU_API const char *adu_audit_request(const char *verb, bool will,
                                      const struct adu_request *request, const char *address,
                                      const struct adu_reason *why, char line[ADU_AUDIT_LINE]);

/* True if one more line may be written now; otherwise it is counted. When a new window begins,
 * `*left_out` says how many were not written in the last one (0 otherwise). */
ADU_API bool adu_audit_may_log(struct adu_log_window *window, int64_t now_ms, uint64_t *left_out);

#endif
