#include "plugins/cert_auth/certificate_reading.h"
#include "common/utf8.h"
#include <stdio.h>
#include <string.h>

bool adu_certificate_refuse(const struct adu_certificate_reading *r, const char *name,
                            const char *what)
{
    snprintf(r->why, r->size, "%s %s", name, what);
    return false;
}

bool adu_certificate_add(const struct adu_certificate_reading *r, const char *name,
                         const unsigned char *text, size_t length)
{
    if (length > ADU_CERTIFICATE_VALUE) {
        return adu_certificate_refuse(r, name, "has more than 1024 bytes");
    }
    for (size_t i = 0; i < length; i++) {
        const bool c1 = text[i] == 0xc2 && i + 1 < length && text[i + 1] < 0xa0; /* U+0080-9F */
        if (text[i] < 0x20 || text[i] == 0x7f || c1) {
            return adu_certificate_refuse(r, name, "holds a control character");
        }
    }
    if (!adu_utf8_valid((const char *)text, length)) {
        return adu_certificate_refuse(r, name, "is not valid UTF-8");
    }
    return adu_attributes_add_bytes(r->attributes, name, (const char *)text, length) ||
           adu_certificate_refuse(r, name, "is one field too many");
}

bool adu_certificate_add_asn1(const struct adu_certificate_reading *r, const char *name,
                              const ASN1_STRING *string)
{
    unsigned char *utf8 = NULL;
    const int length = ASN1_STRING_to_UTF8(&utf8, string);
    if (length < 0) {
        return adu_certificate_refuse(r, name, "is not text");
    }
    const bool good = adu_certificate_add(r, name, utf8, (size_t)length);
    OPENSSL_free(utf8);
    return good;
}

bool adu_certificate_add_of_oid(const struct adu_certificate_reading *r, const char *prefix,
                                const ASN1_OBJECT *oid, const ASN1_STRING *string)
{
    char name[64 + 1]; /* what a policy can name at all */
    const size_t used = strlen(prefix);
    memcpy(name, prefix, used);
    const int length = OBJ_obj2txt(name + used, (int)(sizeof name - used), oid, 1);
    return length <= 0 || (size_t)length >= sizeof name - used ||
           adu_certificate_add_asn1(r, name, string);
}
