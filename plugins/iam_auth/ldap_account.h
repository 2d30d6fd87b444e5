/* What an entry says of the account itself: disabled, locked, or past its end. Pure. */
#ifndef ADUANA_IAM_AUTH_LDAP_ACCOUNT_H
#define ADUANA_IAM_AUTH_LDAP_ACCOUNT_H

#include "common/api.h"
#include <stdbool.h>
#include <stdint.h>

/* The attributes that are looked at; ends with NULL. */
extern const char *const adu_ldap_account_attributes[];

/* Why an account whose attribute `name` (in any case) has this value may not be used at `wall_ms`,
 * in words; NULL if nothing keeps it from being used, also where `name` is none of the above.
 *
 * A lock that wrong passwords brought about and that ends by itself is none: who sends wrong
 * passwords must not be able to end the session of a device. At a log-in the directory itself looks
 * at those. */
const char *adu_ldap_account_barred(const char *name, const char *value, int64_t wall_ms);

/* Why a bind that failed did so, from the text that Active Directory gives ("... data 533, ..."):
 * as above, NULL if it says nothing of the account. `*unknown` is set if it knows no such user. */
const char *adu_ldap_account_diagnosis(const char *diagnostic, bool *unknown);

#endif
