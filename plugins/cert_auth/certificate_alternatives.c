/* subjectAltName (RFC 5280 section 4.2.1.6). */
#include "plugins/cert_auth/certificate_reading.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

static bool add_address(const struct adu_certificate_reading *r, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    const int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;
    if ((family == AF_INET6 && ASN1_STRING_length(ip) != 16) ||
        inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof text) == NULL) {
        return adu_certificate_refuse(r, "cert.san.ip", "is no address");
    }
    return adu_certificate_add(r, "cert.san.ip", (unsigned char *)text, strlen(text));
}

/* A name of somebody's own kind, known by its OID. The one that everybody meets is Microsoft's
 * user principal name. What is no text, no rule can ask for. */
static bool add_other(const struct adu_certificate_reading *r, const OTHERNAME *other)
{
    const ASN1_TYPE *value = other->value;
    switch (ASN1_TYPE_get(value)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_BMPSTRING:
        break;
    default:
        return true;
    }
    if (OBJ_obj2nid(other->type_id) == NID_ms_upn) {
        return adu_certificate_add_asn1(r, "cert.san.upn", value->value.asn1_string);
    }
    return adu_certificate_add_of_oid(r, "cert.san.other.", other->type_id,
                                      value->value.asn1_string);
}

static bool add_alternative(const struct adu_certificate_reading *r, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return adu_certificate_add_asn1(r, "cert.san.dns", name->d.dNSName);
    case GEN_URI:
        return adu_certificate_add_asn1(r, "cert.san.uri", name->d.uniformResourceIdentifier);
    case GEN_EMAIL:
        return adu_certificate_add_asn1(r, "cert.san.email", name->d.rfc822Name);
    case GEN_IPADD:
        return add_address(r, name->d.iPAddress);
    case GEN_OTHERNAME:
        return add_other(r, name->d.otherName);
    default:
        return true; /* kinds that no rule can ask for */
    }
}

bool adu_certificate_add_alternatives(const struct adu_certificate_reading *r, const X509 *x509)
{
    int critical;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    if (names == NULL && critical != -1) {
        return adu_certificate_refuse(r, "subjectAltName", "cannot be read, or is there twice");
    }
    bool good = true;
    for (int i = 0; good && i < sk_GENERAL_NAME_num(names); i++) {
        good = add_alternative(r, sk_GENERAL_NAME_value(names, i));
    }
    GENERAL_NAMES_free(names);
    return good;
}
