/* What a certificate may be used for, the policies it was issued under (RFC 5280 sections 4.2.1.3,
 * 4.2.1.4 and 4.2.1.12), and extensions of a plant's own. */
#include "plugins/cert_auth/certificate_reading.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static bool add(const struct adu_certificate_reading *r, const char *name, const char *text)
{
    return adu_certificate_add(r, name, (const unsigned char *)text, strlen(text));
}

/* RFC 5280's names of the bits. */
static bool add_usage(const struct adu_certificate_reading *r, X509 *x509)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } usages[] = {
        {KU_DIGITAL_SIGNATURE, "digitalSignature"},
        {KU_NON_REPUDIATION, "nonRepudiation"},
        {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
        {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
        {KU_KEY_AGREEMENT, "keyAgreement"},
        {KU_KEY_CERT_SIGN, "keyCertSign"},
        {KU_CRL_SIGN, "cRLSign"},
    };
    const uint32_t usage = X509_get_key_usage(x509); /* all bits where the extension is missing */
    for (size_t i = 0; usage != UINT32_MAX && i < sizeof usages / sizeof usages[0]; i++) {
        if ((usage & usages[i].bit) != 0 && !add(r, "cert.ku", usages[i].name)) {
            return false;
        }
    }
    return true;
}

/* By the short name that OpenSSL has for it (clientAuth), else by number. */
static bool add_oid(const struct adu_certificate_reading *r, const char *name,
                    const ASN1_OBJECT *oid, bool by_name)
{
    char text[128];
    const int nid = OBJ_obj2nid(oid);
    if (by_name && nid != NID_undef) {
        return add(r, name, OBJ_nid2sn(nid));
    }
    const int length = OBJ_obj2txt(text, sizeof text, oid, 1);
    return length > 0 && (size_t)length < sizeof text
               ? add(r, name, text)
               : adu_certificate_refuse(r, name, "has a number that cannot be written");
}

static bool add_extended_usage(const struct adu_certificate_reading *r, const X509 *x509)
{
    int critical;
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, NULL);
    if (usages == NULL && critical != -1) {
        return adu_certificate_refuse(r, "extendedKeyUsage", "cannot be read, or is there twice");
    }
    bool good = true;
    for (int i = 0; good && i < sk_ASN1_OBJECT_num(usages); i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        const int nid = OBJ_obj2nid(usage);
        good = nid == NID_client_auth   ? add(r, "cert.eku", "clientAuth")
               : nid == NID_server_auth ? add(r, "cert.eku", "serverAuth")
                                        : add_oid(r, "cert.eku", usage, true);
    }
    EXTENDED_KEY_USAGE_free(usages);
    return good;
}

static bool add_policies(const struct adu_certificate_reading *r, const X509 *x509)
{
    int critical;
    CERTIFICATEPOLICIES *policies =
        X509_get_ext_d2i(x509, NID_certificate_policies, &critical, NULL);
    if (policies == NULL && critical != -1) {
        return adu_certificate_refuse(r, "certificatePolicies",
                                      "cannot be read, or is there twice");
    }
    bool good = true;
    for (int i = 0; good && i < sk_POLICYINFO_num(policies); i++) {
        good = add_oid(r, "cert.policy", sk_POLICYINFO_value(policies, i)->policyid, false);
    }
    CERTIFICATEPOLICIES_free(policies);
    return good;
}

/* An extension that OpenSSL has no name for, if its value is one string. What is anything else no
 * rule can ask for. */
static bool add_own(const struct adu_certificate_reading *r, X509_EXTENSION *extension)
{
    const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
    if (OBJ_obj2nid(oid) != NID_undef) {
        return true;
    }
    const unsigned char *at = ASN1_STRING_get0_data(data), *begin = at;
    const long length = ASN1_STRING_length(data);
    ASN1_TYPE *value = d2i_ASN1_TYPE(NULL, &at, length);
    bool good = true;
    /* Nothing may hide behind it. What is too long to be asked for is not there. */
    if (value != NULL && at == begin + length && length <= ADU_CERTIFICATE_VALUE) {
        switch (ASN1_TYPE_get(value)) {
        case V_ASN1_UTF8STRING:
        case V_ASN1_IA5STRING:
        case V_ASN1_PRINTABLESTRING:
        case V_ASN1_BMPSTRING:
            good = adu_certificate_add_of_oid(r, "cert.ext.", oid, value->value.asn1_string);
            break;
        }
    }
    ASN1_TYPE_free(value);
    return good;
}

bool adu_certificate_add_extensions(const struct adu_certificate_reading *r, X509 *x509)
{
    bool good = add_usage(r, x509) && add_extended_usage(r, x509) && add_policies(r, x509);
    for (int i = 0; good && i < X509_get_ext_count(x509); i++) {
        good = add_own(r, X509_get_ext(x509, i));
    }
    return good;
}
