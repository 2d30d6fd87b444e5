/* The compiled form of cert_auth.json, made by cert_policy.c and read by cert_auth.c. */
#ifndef ADUANA_CERT_AUTH_CERT_POLICY_H
#define ADUANA_CERT_AUTH_CERT_POLICY_H

#include "common/match.h"
#include "common/pattern.h"
#include "common/template.h"
#include "plugins/cert_auth/authority.h"
#include "plugins/cert_auth/binding.h"
#include "plugins/cert_auth/countdown.h"
#include "plugins/cert_auth/revocation.h"

/* One entry of "attributes": a constant, or what a pattern finds in another attribute. */
struct adu_cert_derived {
    const char *name;
    const char *constant;
    const char *from;
    const struct adu_pattern *pattern;
};

struct adu_cert_identity {
    struct adu_place place;
    const char *name;
    const struct adu_match *match;
    size_t derived_count;
    struct adu_cert_derived *derived;
    const struct adu_template *username;
    const struct adu_binding *binding; /* NULL: any client id */
    bool needs_password;
    long connections_most; /* 0: no limit */
    uint64_t authorities;  /* set of 1 << index: one of these must vouch */
    const int *roles;
};

enum { ADU_CERT_AUTHORITIES_MOST = 64 };

struct adu_cert_policy {
    size_t authority_count; /* 0: what the broker's own check of the chain says is enough */
    const struct adu_authority **authorities;
    const struct adu_revocation *revocation; /* NULL: nobody asks */
    size_t count;
    struct adu_cert_identity *identities;
    struct adu_countdown countdown;
};

#endif
