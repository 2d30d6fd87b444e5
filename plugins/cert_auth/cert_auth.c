#include "plugins/cert_auth/cert_auth.h"
#include "plugins/cert_auth/cert_policy.h"
#include "plugins/cert_auth/certificate.h"
#include <stdio.h>
#include <string.h>

/* Adds the identity's attributes to `all`. ABSTAIN when one of its patterns finds nothing: then the
 * identity does not match. ERROR when there is no room: then no other identity may match instead.
 */
static enum adu_verdict derive(const struct adu_cert_identity *id, struct adu_attributes *all)
{
    for (size_t i = 0; i < id->derived_count; i++) {
        const struct adu_cert_derived *d = &id->derived[i];
        struct adu_capture found = {.text = d->constant};
        if (d->constant != NULL) {
            found.length = strlen(d->constant);
        } else {
            const char *from = adu_attributes_single(all, d->from);
            if (from == NULL || !adu_pattern_matches(d->pattern, from, strlen(from), &found) ||
                found.length == 0) {
                return ADU_ABSTAIN;
            }
        }
        if (!adu_attributes_add_bytes(all, d->name, found.text, found.length)) {
            return ADU_ERROR;
        }
    }
    return ADU_ALLOW;
}

static enum adu_verdict refuse(struct adu_login *login, const struct adu_cert_identity *id,
                               const char *text)
{
    login->why.text = text;
    login->why.rule = id != NULL ? &id->place : NULL;
    return ADU_DENY;
}

static enum adu_verdict expand_username(const struct adu_cert_identity *id, struct adu_login *login,
                                        const struct adu_attributes *all)
{
    const char *missing;
    if (adu_template_expand(id->username, all, login->username, sizeof login->username, &missing)) {
        return ADU_ALLOW;
    }
    snprintf(login->why.detail, sizeof login->why.detail, "%s", missing != NULL ? missing : "");
    return refuse(login, id,
                  missing != NULL ? "the identity's user name needs one value of"
                                  : "the identity's user name would have more than 256 bytes");
}

static enum adu_verdict bind_client_id(const struct adu_cert_identity *id, struct adu_login *login,
                                       const struct adu_attributes *all)
{
    if (id->binding == NULL) {
        return ADU_ALLOW;
    }
    if (!adu_binding_allows(id->binding, all, login->client_id, &login->why)) {
        login->why.rule = &id->place;
        return ADU_DENY;
    }
    login->client_id_bound = true;
    return ADU_ALLOW;
}

/* The identity matches: what it makes of the client. `all` holds certificate and derived. */
static enum adu_verdict take(const struct adu_cert_identity *id, struct adu_login *login,
                             const struct adu_attributes *all)
{
    login->identity = id->name;
    enum adu_verdict verdict = expand_username(id, login, all);
    if (verdict == ADU_ALLOW) {
        verdict = bind_client_id(id, login, all);
    }
    if (verdict != ADU_ALLOW) {
        return verdict;
    }
    for (size_t i = login->certificate->count; i < all->count; i++) {
        if (!adu_attributes_add(&login->attributes, all->items[i].name, all->items[i].value)) {
            return ADU_ERROR;
        }
    }
    if (!adu_login_add_roles(login, id->roles)) {
        return refuse(login, id, "the identity gives more roles than one client may have");
    }
    login->proven |= ADU_FACTOR_CERTIFICATE;
    login->connections_most = id->connections_most;
    login->several_clients = id->connections_most > 1 || adu_binding_is_open(id->binding);
    login->connections_rule = &id->place;
    if (id->needs_password) {
        login->required |= ADU_FACTOR_PASSWORD;
    }
    return ADU_ALLOW;
}

/* --- who vouches --- */

/* The set of authorities that vouch for the certificate. If none does, `why` says what is wrong:
 * by the one that has to do with it, if there is one. */
static uint64_t vouching(const struct adu_cert_policy *policy, const struct adu_login *login,
                         int64_t wall_ms, char *why, size_t size)
{
    uint64_t set = 0;
    bool said = false;
    X509 *leaf = adu_certificate_parse(login->shown, login->parsed);
    snprintf(why, size, "out of memory");
    for (size_t i = 0; leaf != NULL && i < policy->authority_count; i++) {
        char text[120];
        bool related;
        if (adu_authority_vouches(policy->authorities[i], leaf, wall_ms, &related, text,
                                  sizeof text)) {
            set |= UINT64_C(1) << i;
        } else if (i == 0 || (related && !said)) {
            snprintf(why, size, "%.32s: %s", adu_authority_name(policy->authorities[i]), text);
            said = related;
        }
    }
    X509_free(leaf);
    return set;
}

/* --- identifying --- */

/* Whether that is a refusal depends on what else the client proves, and on what is required. */
static enum adu_verdict nobody(struct adu_login *login, const char *text)
{
    struct adu_reason *why = &login->certificate_why;
    *why = (struct adu_reason)ADU_REASON_INIT;
    why->stage = adu_stage_name(ADU_STAGE_CERT_AUTH);
    why->text = text;
    return ADU_ABSTAIN;
}

static enum adu_verdict no_identity(struct adu_login *login)
{
    const char *cn = adu_attributes_single(login->certificate, "cert.cn");
    const char *issuer = adu_attributes_single(login->certificate, "cert.issuer.cn");
    nobody(login, "no identity of cert_auth.json matches the certificate");
    snprintf(login->certificate_why.detail, sizeof login->certificate_why.detail,
             "CN=%.48s, issuer CN=%.48s", cn != NULL ? cn : "-", issuer != NULL ? issuer : "-");
    return ADU_ABSTAIN;
}

/* By the first identity that matches and that one of the set `authorities` vouches for. */
static enum adu_verdict identify(const struct adu_cert_policy *policy, struct adu_login *login,
                                 uint64_t authorities)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct adu_cert_identity *id = &policy->identities[i];
        struct adu_attributes all = {0};
        enum adu_verdict verdict = ADU_ABSTAIN;
        if ((id->authorities & authorities) == 0 ||
            !adu_match_holds(id->match, login->certificate, NULL)) {
            continue;
        }
        if (!adu_attributes_add_all(&all, login->certificate)) {
            verdict = ADU_ERROR;
        } else if ((verdict = derive(id, &all)) == ADU_ALLOW) {
            verdict = take(id, login, &all);
        }
        adu_attributes_clear(&all);
        if (verdict != ADU_ABSTAIN) {
            return verdict;
        }
    }
    return no_identity(login);
}

/* The session ends with the certificate. */
static enum adu_verdict identify_for_a_time(const struct adu_cert_policy *policy,
                                            struct adu_login *login, uint64_t authorities)
{
    const enum adu_verdict verdict = identify(policy, login, authorities);
    if (verdict == ADU_ALLOW) {
        adu_certificate_facts(login->shown, login->parsed, &login->facts);
        login->valid_until_ms = login->facts.until_ms;
    }
    return verdict;
}

enum adu_verdict adu_cert_auth_identify(const struct adu_cert_policy *policy,
                                        struct adu_login *login, int64_t wall_ms)
{
    if (login->certificate == NULL) {
        return ADU_ABSTAIN;
    }
    if (policy->authority_count == 0) {
        return identify_for_a_time(policy, login, UINT64_MAX);
    }
    char wrong[sizeof login->why.detail];
    const uint64_t authorities = vouching(policy, login, wall_ms, wrong, sizeof wrong);
    if (authorities == 0) {
        nobody(login, "no authority of cert_auth.json vouches for the certificate:");
        snprintf(login->certificate_why.detail, sizeof wrong, "%s", wrong);
        return ADU_ABSTAIN;
    }
    return identify_for_a_time(policy, login, authorities);
}

enum adu_verdict adu_cert_auth_assume(const struct adu_cert_policy *policy, struct adu_login *login)
{
    return login->certificate != NULL ? identify(policy, login, UINT64_MAX) : ADU_ABSTAIN;
}

void adu_cert_auth_explain(const struct adu_cert_policy *policy, const struct adu_login *login,
                           const struct adu_explainer *to)
{
    char misses[512];
    for (size_t i = 0; login->certificate != NULL && i < policy->count; i++) {
        const struct adu_cert_identity *id = &policy->identities[i];
        struct adu_attributes all = {0};
        adu_match_misses(id->match, login->certificate, NULL, misses, sizeof misses);
        if (misses[0] == '\0' && adu_attributes_add_all(&all, login->certificate) &&
            derive(id, &all) != ADU_ALLOW) {
            snprintf(misses, sizeof misses, "a pattern of its \"attributes\" finds nothing");
        }
        adu_attributes_clear(&all);
        const struct adu_rule_told told = {.place = &id->place,
                                           .name = id->name,
                                           .effect = "identity",
                                           .not_by = misses[0] != '\0' ? misses : NULL};
        to->rule(to->context, &told);
    }
}

void adu_cert_auth_assess(const struct adu_cert_policy *policy,
                          const struct adu_certificate_sight *sight, int64_t wall_ms,
                          struct adu_certificate_health *health)
{
    adu_countdown_assess(&policy->countdown, sight, wall_ms, health);
}
