/* certs: the certificates of who is connected or was seen lately. A page at a time. */
#include "common/control_parts.h"

static json_t *attribute(struct adu_control *c, const struct adu_principal *principal,
                         const char *name)
{
    return adu_control_said(c, adu_attributes_single(&principal->subject.attributes, name));
}

static json_t *one(struct adu_control *c, const struct adu_principal *principal,
                   const struct adu_certificate_health *health)
{
    const struct adu_certificate_facts *facts = &principal->watch.facts;
    return json_pack(
        "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o}", "client_id",
        adu_control_said(c, adu_principal_client_id(principal)), "username",
        adu_control_said(c, principal->username), "identity",
        adu_control_said(c, principal->identity), "online", principal->online > 0, "subject_cn",
        attribute(c, principal, "cert.cn"), "issuer_cn", attribute(c, principal, "cert.issuer.cn"),
        "serial", attribute(c, principal, "cert.serial"), "fingerprint",
        attribute(c, principal, "cert.fingerprint"), "not_before", adu_control_time(facts->from_ms),
        "not_after", adu_control_time(facts->until_ms), "days_left", (json_int_t)health->days_left,
        "level", adu_certificate_level_names[health->level], "findings",
        adu_certificate_findings_json(health->findings));
}

static bool add_client(struct adu_control *c, json_t *list, struct adu_principal *principals)
{
    struct adu_certificate_health health;
    struct adu_principal *user = principals != NULL ? adu_certificate_user(principals) : NULL;
    if (user == NULL || user->certificate.bytes == NULL) {
        return true;
    }
    adu_control_judge(c, user); /* its identity may be one of another policy */
    if (!adu_pipeline_assess_certificate(c->p, user, c->now, &health) || !health.watched) {
        return true;
    }
    c->sessions_left -= c->sessions_left > 0;
    return json_array_append_new(list, one(c, user, &health)) == 0;
}

json_t *adu_control_certs(struct adu_control *c, const struct adu_command *command,
                          struct adu_error *error)
{
    return adu_control_pages(c, command, "certs", add_client, error);
}
