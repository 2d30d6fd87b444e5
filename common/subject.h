/* Who asks: what one policy generation makes of what is known of a client. Rules see only this. */
#ifndef ADUANA_COMMON_SUBJECT_H
#define ADUANA_COMMON_SUBJECT_H

#include "common/attributes.h"
#include "common/network.h"
#include "common/roles.h"
#include "common/topic.h"

struct adu_subject {
    const char *client_id; /* as the client gave it; evidence only where an identity binds it */
    const char *username;  /* verified; NULL for a client that the broker let in without a name */
    struct adu_address address; /* of the last log-in; not known after a restart of the broker */
    uint16_t port;              /* of the listener it came to; 0: not known, as the address */
    struct adu_attributes attributes; /* all that rules may ask for */
    struct adu_roles roles;
    const char **values; /* by attribute slot of the vocabulary; NULL where none can be a level */
};

#endif
