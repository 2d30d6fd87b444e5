#include "printed.h"
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fuzz_printed {
    char *subject, *issuer, *alternatives; /* a line each: CN=..., URI:... */
};

static char *text_of(BIO *bio)
{
    char *bytes;
    const long length = BIO_get_mem_data(bio, &bytes);
    char *text = malloc((size_t)length + 1);
    if (text != NULL && length > 0) {
        memcpy(text, bytes, (size_t)length);
    }
    if (text != NULL) {
        text[length] = '\0';
    }
    BIO_free(bio);
    return text;
}

/* A line each. Where a field's value would be mistaken for the end of it, RFC 2253's escapes stand.
 */
static char *print_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0,
                       ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT |
                           XN_FLAG_SEP_MULTILINE | XN_FLAG_FN_SN);
    char *text = text_of(bio);
    for (char *plus = text; plus != NULL && (plus = strstr(plus, " + ")) != NULL;) {
        memmove(plus + 1, plus + 3, strlen(plus + 3) + 1); /* of one RDN */
        *plus = '\n';
    }
    return text;
}

static char *print_alternatives(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
        BIO_puts(bio, "\n");
    }
    GENERAL_NAMES_free(names);
    return text_of(bio);
}

struct fuzz_printed *fuzz_print(const unsigned char *der, size_t length)
{
    const unsigned char *at = der;
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    struct fuzz_printed *printed = x509 != NULL ? calloc(1, sizeof *printed) : NULL;
    if (printed != NULL) {
        printed->subject = print_name(X509_get_subject_name(x509));
        printed->issuer = print_name(X509_get_issuer_name(x509));
        printed->alternatives = print_alternatives(x509);
    }
    X509_free(x509);
    return printed;
}

void fuzz_printed_free(struct fuzz_printed *printed)
{
    if (printed != NULL) {
        free(printed->subject);
        free(printed->issuer);
        free(printed->alternatives);
        free(printed);
    }
}

static int hex(char c)
{
    const char *digits = "0123456789ABCDEF", *digit = c != '\0' ? strchr(digits, c) : NULL;
    return digit != NULL ? (int)(digit - digits) : -1;
}

/* The value at `from`, up to the end of its line, without the escapes. */
static void unescape(const char *from, char *to, size_t size)
{
    size_t used = 0;
    while (*from != '\0' && *from != '\n' && used + 1 < size) {
        if (from[0] == '\\' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
            to[used++] = (char)(hex(from[1]) * 16 + hex(from[2]));
            from += 3;
        } else {
            from += from[0] == '\\';
            to[used++] = *from++;
        }
    }
    to[used] = '\0';
}

/* The next "<field>=<value>" from the line at `*text` on; false at the end. */
static bool next_value(const char **text, const char *field, char *value, size_t size)
{
    const size_t length = strlen(field);
    while (**text != '\0') {
        const char *line = *text;
        *text += strcspn(*text, "\n");
        *text += **text == '\n';
        if (strncmp(line, field, length) == 0 && line[length] == '=') {
            unescape(line + length + 1, value, size);
            return true;
        }
    }
    return false;
}

enum { VALUE = 4096 };

static const char *single(const char *text, const char *field)
{
    static char value[VALUE], again[VALUE];
    return next_value(&text, field, value, sizeof value) &&
                   !next_value(&text, field, again, sizeof again)
               ? value
               : NULL;
}

const char *fuzz_printed_subject(const struct fuzz_printed *printed, const char *field)
{
    return single(printed->subject, field);
}

const char *fuzz_printed_issuer(const struct fuzz_printed *printed, const char *field)
{
    return single(printed->issuer, field);
}

bool fuzz_printed_has(const struct fuzz_printed *printed, const char *field, const char *value)
{
    const char *text = printed->subject;
    char found[VALUE];
    while (next_value(&text, field, found, sizeof found)) {
        if (strcmp(found, value) == 0) {
            return true;
        }
    }
    return false;
}

bool fuzz_printed_alternative(const struct fuzz_printed *printed, const char *text)
{
    const size_t length = strlen(text);
    const char *line = printed->alternatives;
    while (*line != '\0') {
        if (strcspn(line, "\n") == length && strncmp(line, text, length) == 0) {
            return true;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}
