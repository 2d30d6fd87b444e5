/* User name and secret -> identity, by the providers of iam_auth.json; and what every log-in must
 * prove. */
#ifndef ADUANA_IAM_AUTH_H
#define ADUANA_IAM_AUTH_H

#include "plugins/iam_auth/iam_policy.h"

/* What outlives a generation: questions on their way, and what is known. */
struct adu_iam;

/* NULL when memory or chance is gone. */
struct adu_iam *adu_iam_new(void);
void adu_iam_free(struct adu_iam *iam); /* NULL-safe */

/* Says what must be proven, and proves ADU_FACTOR_PASSWORD where that is asked for. DENY with
 * login->why when the password is wrong, or belongs to somebody else than the certificate; LATER
 * where that is asked of a worker. */
enum adu_verdict adu_iam_auth_identify(const struct adu_stage_call *call, struct adu_login *login);

/* The next ticket whose answer has come; 0: none. */
uint64_t adu_iam_auth_answered(struct adu_iam *iam);
void adu_iam_auth_abandon(struct adu_iam *iam, uint64_t ticket);

/* Waits for a ticket's answer, as long as a broker may that cannot delay log-ins: at most
 * login_budget_ms for one, and for all together a quarter of any time. */
bool adu_iam_auth_wait(const struct adu_stage_call *call, uint64_t ticket);

/* Tells of providers that have gone, or are back. */
void adu_iam_auth_tick(const struct adu_stage_call *call);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_iam_auth_stage;

#endif
