/* One question to the stages: may this subject publish, subscribe or receive here? */
#ifndef ADUANA_COMMON_REQUEST_H
#define ADUANA_COMMON_REQUEST_H

#include "common/bytes.h"
#include "common/certificate_health.h"
#include "common/reason.h"
#include "common/subject.h"
#include "common/topic.h"
#include <stdint.h>

enum adu_action { ADU_PUBLISH, ADU_SUBSCRIBE, ADU_RECEIVE };

/* MQTT 5 properties of a publish, as the broker keeps them: looked for only where a rule asks. Its
 * expiry is not among them: Mosquitto, up to 2.1.2 at least, takes that out before it asks its
 * plugins. */
struct adu_properties {
    const void *list; /* NULL: it has none */
    /* False if it is not there; the text is borrowed, any bytes. Allocates nothing. */
    bool (*content_type)(const void *list, struct adu_text *type);
};

struct adu_request {
    enum adu_action action;
    struct adu_text topic; /* well formed; for ADU_SUBSCRIBE the filter without $share/<group>/ */
    struct adu_text group; /* of a shared subscription, else empty */
    uint8_t qos;
    bool retain;
    uint32_t payload_length;
    const char *payload; /* any bytes; NULL: there are none, or they are not known */
    const struct adu_properties *properties; /* NULL: not known; brokers before 2.1 show none */
    const struct adu_subject *subject;
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* since 1970, UTC */
    bool attempt; /* the client does it now; false: asked about one who is away (a retained message)
                   */
};

/* What is given at CONNECT, and what the authentication stages make of it in turn. */
enum adu_factor { ADU_FACTOR_CERTIFICATE = 1, ADU_FACTOR_PASSWORD = 2 };

enum { ADU_USERNAME_MOST = 256, ADU_LOGIN_ROLES_MOST = 256 };

struct adu_login {
    /* Evidence. When a session is judged again under a new policy its secret is not at hand: then
     * `proven_before` says what its login proved, and `username_before` for whom. */
    bool again;
    unsigned proven_before;
    const char *username_before;
    const char *client_id, *claimed_username, *password;
    const char *address; /* NULL: not known */
    struct adu_bytes
        record_before; /* `again`: what the log-in had left in `record`; without bytes: nothing */
    bool refresh;      /* `again`: what may have changed is to be looked up anew, if that is due */
    bool assumed;      /* for inquiries alone: nobody can be asked, and no record was left */
    struct adu_bytes shown; /* the client certificate, in DER */
    struct x509_st
        *parsed; /* the same as the broker's OpenSSL has it; NULL: nobody has parsed it */
    const struct adu_attributes *certificate; /* what it says; NULL: there is none */

    /* Conclusions, each stage adding its own. */
    unsigned proven, required; /* sets of enum adu_factor */
    char username[ADU_USERNAME_MOST + 1];
    bool client_id_bound;
    long connections_most; /* open at a time by this certificate; 0: as many as it likes */
    const struct adu_place *connections_rule;
    bool several_clients;               /* may use this certificate, its identity says */
    struct adu_certificate_facts facts; /* of a certificate that proved something */
    const char
        *identity; /* the name of the rule that says who it is; lives as long as the policy */
    int roles[ADU_LOGIN_ROLES_MOST];
    size_t role_count;
    int64_t valid_until_ms; /* wall clock; 0: for ever. The least of what proved the client */
    struct adu_attributes attributes; /* derived; freed by whoever made the login */
    /* Of a question whose answer the stage was waiting for: set by it with ADU_LATER, given back to
     * it when the answer has come; 0: none. The password is not at hand then. */
    uint64_t ticket;
    struct adu_bytes record; /* to be kept with the client; freed by whoever made the login */
    long refresh_seconds;    /* `refresh` is due after so long; 0: never */
    struct adu_reason why;   /* of a refusal */
    struct adu_reason
        certificate_why; /* of a certificate that proves nothing; text NULL otherwise */
};

/* Adds the roles of a list that ends with -1. false when there are too many. */
static inline bool adu_login_add_roles(struct adu_login *login, const int *roles)
{
    for (; *roles >= 0; roles++) {
        if (login->role_count >= ADU_LOGIN_ROLES_MOST) {
            return false;
        }
        login->roles[login->role_count++] = *roles;
    }
    return true;
}

#endif
