/* What a token says whose signature is good: is it for us, now, and for this user? Pure. */
#ifndef ADUANA_IAM_AUTH_CLAIMS_H
#define ADUANA_IAM_AUTH_CLAIMS_H

#include "plugins/iam_auth/token.h"
#include <jansson.h>

/* As adu_token_judge, of an object that the issuer has signed. */
void adu_claims_judge(const struct adu_token_rules *rules, const json_t *claims,
                      const char *username, int64_t wall_ms, struct adu_answer *answer);

/* As adu_token_name. */
bool adu_claims_name(const struct adu_token_rules *rules, const json_t *claims, char *username);

#endif
