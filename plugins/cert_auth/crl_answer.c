/* What the lists say of a certificate. */
#include "plugins/cert_auth/crl_live.h"
#include <stdio.h>
#include <string.h>

enum { SKEW_MS = 5 * 60 * 1000 /* the authority's clock may be ahead by that much */ };

const struct adu_crl *adu_crl_live_latest(const struct adu_crl_live *live, X509 *issuer)
{
    const struct adu_crl *best = adu_crl_latest(adu_crl_shelf_lists(live->shelf), issuer, NULL);
    for (size_t i = 0; live->addresses != NULL && i < live->settings->url_count; i++) {
        best = adu_crl_latest(&live->addresses[i].lists, issuer, best);
    }
    return best;
}

static enum adu_verdict revoked(const struct adu_revocation_question *q, const struct adu_crl *crl,
                                const struct adu_crl_entry *entry, struct adu_reason *why)
{
    char since[ADU_CRL_TIME];
    const char *reason = adu_crl_reason(entry);
    why->text = "its certificate has been revoked:";
    snprintf(why->detail, sizeof why->detail, "%s%s%s, says %.80s",
             adu_crl_time(entry->since_ms, since), reason[0] != '\0' ? ", " : "", reason,
             adu_crl_name(crl));
    if (!q->again) {
        q->counters->logins_revoked++;
    }
    return ADU_DENY;
}

/* NULL: what is not on the list has not been revoked. */
static const char *why_useless(const struct adu_crl_settings *s, const struct adu_crl *crl,
                               int64_t wall_ms)
{
    if (crl == NULL) {
        return "there is no CRL of its issuer";
    }
    if (adu_crl_from_ms(crl) > wall_ms + SKEW_MS) {
        return "the CRL of its issuer is of the future; is the clock right?";
    }
    return adu_crl_until_ms(crl) + s->grace_ms <= wall_ms ? "the CRL of its issuer has expired"
                                                          : NULL;
}

/* `crl`: the useless one, or NULL. */
static void describe(const struct adu_revocation_question *q, const struct adu_crl *crl,
                     struct adu_reason *why)
{
    char from[ADU_CRL_TIME], until[ADU_CRL_TIME];
    if (crl != NULL) {
        snprintf(why->detail, sizeof why->detail, "%.80s, from %s until %s", adu_crl_name(crl),
                 adu_crl_time(adu_crl_from_ms(crl), from),
                 adu_crl_time(adu_crl_until_ms(crl), until));
    } else if (q->issuer_count > 0) {
        adu_crl_issuer_name(q->issuers[0], why->detail, sizeof why->detail);
    }
}

static enum adu_verdict not_known(const struct adu_crl_settings *s,
                                  const struct adu_revocation_question *q,
                                  const struct adu_crl *crl, const char *text,
                                  struct adu_reason *why)
{
    if (q->again) {
        return ADU_ABSTAIN;
    }
    q->counters->logins_revocation_unknown++;
    if (crl == NULL && s->unknown_allowed) {
        return ADU_ABSTAIN;
    }
    why->text = text;
    why->rule = &s->place;
    describe(q, crl, why);
    return ADU_DENY;
}

/* A certificate in words shows no issuer's key: its name must do. */
static enum adu_verdict ask_in_words(const struct adu_crl_live *live,
                                     const struct adu_revocation_question *q,
                                     struct adu_reason *why)
{
    struct adu_serial serial;
    char name[256];
    const char *text = adu_attributes_single(q->certificate, "cert.serial");
    const char *cn = adu_attributes_single(q->certificate, "cert.issuer.cn");
    if (text == NULL || cn == NULL || !adu_serial_of_text(text, &serial)) {
        return ADU_ABSTAIN;
    }
    for (int i = 0; i < sk_X509_num(live->settings->issuers); i++) {
        X509 *issuer = sk_X509_value(live->settings->issuers, i);
        const struct adu_crl *crl = adu_crl_live_latest(live, issuer);
        const struct adu_crl_entry *entry = crl != NULL ? adu_crl_find(crl, &serial) : NULL;
        if (entry != NULL && strcmp(adu_crl_issuer_name(issuer, name, sizeof name), cn) == 0) {
            return revoked(q, crl, entry, why);
        }
    }
    return ADU_ABSTAIN;
}

/* Each authority that may have issued it must say that it is good. */
static enum adu_verdict ask_of_issuers(const struct adu_crl_live *live,
                                       const struct adu_revocation_question *q,
                                       struct adu_reason *why)
{
    struct adu_serial serial;
    const struct adu_crl *useless = NULL;
    const char *text = NULL;
    const bool listable = adu_serial_of(X509_get0_serialNumber(q->leaf), &serial);
    for (size_t i = 0; i < q->issuer_count; i++) {
        const struct adu_crl *crl = adu_crl_live_latest(live, q->issuers[i]);
        const struct adu_crl_entry *entry =
            crl != NULL && listable ? adu_crl_find(crl, &serial) : NULL;
        if (entry != NULL) {
            return revoked(q, crl, entry, why);
        }
        const char *wrong = why_useless(live->settings, crl, q->wall_ms);
        if (wrong != NULL && (text == NULL || useless == NULL)) { /* an expired one weighs more */
            text = wrong;
            useless = crl;
        }
    }
    if (q->issuer_count == 0) {
        text = "none of the authorities that may revoke it is known:";
    }
    return text == NULL ? ADU_ALLOW : not_known(live->settings, q, useless, text, why);
}

enum adu_verdict adu_crl_ask(void *thing, const struct adu_revocation_question *q,
                             struct adu_reason *why)
{
    const struct adu_crl_live *live = thing;
    if (live->settings == NULL) {
        return ADU_ABSTAIN;
    }
    return q->leaf == NULL ? ask_in_words(live, q, why) : ask_of_issuers(live, q, why);
}

static bool is_on_any(const struct adu_crl_list *lists, const struct adu_serial *serial)
{
    size_t i = 0;
    while (i < lists->count && adu_crl_find(lists->crls[i], serial) == NULL) {
        i++;
    }
    return i < lists->count;
}

/* By the number alone: whose certificate it is shows when the client is judged. */
bool adu_crl_doubts(void *thing, const struct adu_attributes *certificate)
{
    const struct adu_crl_live *live = thing;
    struct adu_serial serial;
    const char *text = adu_attributes_single(certificate, "cert.serial");
    if (live->settings == NULL || text == NULL || !adu_serial_of_text(text, &serial)) {
        return false;
    }
    bool found = is_on_any(adu_crl_shelf_lists(live->shelf), &serial);
    for (size_t i = 0; !found && live->addresses != NULL && i < live->settings->url_count; i++) {
        found = is_on_any(&live->addresses[i].lists, &serial);
    }
    return found;
}
