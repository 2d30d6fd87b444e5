#include "plugins/topic_policy/scan.h"
#include "common/utf8.h"
#include <float.h>
#include <string.h>

void adu_scan_blanks(struct adu_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

bool adu_scan_take(struct adu_scan *scan, char wanted)
{
    adu_scan_blanks(scan);
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

bool adu_scan_word(struct adu_scan *scan, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) {
        return false;
    }
    scan->at += length;
    return true;
}

/* --- strings --- */

/* Four digits; -1 if they are none. */
static long hexadecimal(const char *at, const char *end)
{
    long value = 0;
    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        const char c = at[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high(long unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(long unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* Bytes of the escape that begins with a backslash at `at`, 0 if it is none; `*character` is what
 * it stands for. */
static size_t escape(const char *at, const char *end, long *character)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (end - at < 2) {
        return 0;
    }
    const char *simple = at[1] != '\0' ? strchr(from, at[1]) : NULL;
    if (simple != NULL) {
        *character = to[simple - from];
        return 2;
    }
    *character = at[1] == 'u' ? hexadecimal(at + 2, end) : -1;
    if (*character < 0 || is_low(*character)) {
        return 0;
    }
    if (!is_high(*character)) {
        return 6;
    }
    const long low =
        end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? hexadecimal(at + 8, end) : -1;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return is_low(low) ? 12 : 0;
}

const char *adu_scan_string(struct adu_scan *scan, struct adu_text *raw)
{
    const char *at = scan->at + 1;
    bool ascii = true;
    raw->bytes = at;
    for (;;) {
        while (at < scan->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) {
            ascii = ascii && (unsigned char)*at < 0x80;
            at++;
        }
        if (at == scan->end) {
            return "a string does not end";
        }
        if (*at == '"') {
            break;
        }
        long character;
        const size_t length = *at == '\\' ? escape(at, scan->end, &character) : 0;
        if (length == 0) {
            return *at == '\\' ? "a string has an escape that JSON does not know"
                               : "a string has a control character";
        }
        at += length;
    }
    raw->length = (size_t)(at - raw->bytes);
    scan->at = at + 1;
    return ascii || adu_utf8_valid(raw->bytes, raw->length) ? NULL : "a string is not UTF-8";
}

static size_t encode(long c, char bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    const size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    bytes[0] = (char)(first[length] | c);
    return length;
}

bool adu_scan_unescape(struct adu_text raw, char *buffer, size_t size, size_t *length)
{
    const char *at = raw.bytes, *end = raw.bytes + raw.length;
    size_t used = 0;
    while (at < end) {
        char bytes[4] = {*at};
        long character;
        size_t count = 1;
        if (*at == '\\') {
            const size_t taken = escape(at, end, &character);
            if (taken == 0) {
                return false;
            }
            at += taken;
            count = encode(character, bytes);
        } else {
            at++;
        }
        if (size - used < count) {
            return false;
        }
        memcpy(buffer + used, bytes, count);
        used += count;
    }
    *length = used;
    return true;
}

size_t adu_scan_characters(struct adu_text raw)
{
    const char *at = raw.bytes, *end = raw.bytes + raw.length;
    size_t count = 0;
    long character;
    while (at < end) {
        if (*at == '\\') {
            const size_t taken = escape(at, end, &character);
            at += taken > 0 ? taken : 1;
            count++;
        } else {
            count += ((unsigned char)*at++ & 0xc0) != 0x80;
        }
    }
    return count;
}

/* --- numbers --- */

static bool is_digit(const struct adu_scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* A number as it is being read: `digits` * 10^exponent. */
struct number {
    uint64_t digits;
    long exponent;
};

enum { EXPONENT_MOST = 100000 };

/* Takes digits, of which the first nineteen count; true if there was one. */
static bool take_digits(struct adu_scan *scan, struct number *n, bool behind_point)
{
    const char *first = scan->at;
    for (; is_digit(scan); scan->at++) {
        const unsigned digit = (unsigned)(*scan->at - '0');
        if (n->digits < UINT64_C(1000000000000000000)) {
            n->digits = n->digits * 10 + digit;
            n->exponent -= behind_point;
        } else {
            n->exponent += !behind_point;
        }
    }
    return scan->at > first;
}

static bool take_exponent(struct adu_scan *scan, struct number *n)
{
    bool negative = false;
    long exponent = 0;
    scan->at++;
    if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-')) {
        negative = *scan->at++ == '-';
    }
    const char *first = scan->at;
    for (; is_digit(scan); scan->at++) {
        exponent = exponent < EXPONENT_MOST ? exponent * 10 + (*scan->at - '0') : exponent;
    }
    n->exponent += negative ? -exponent : exponent;
    return scan->at > first;
}

/* Near enough to be compared with a limit: within the last bits of a double. */
static long double value_of(const struct number *n)
{
    long double value = (long double)n->digits, power = 10;
    if (n->digits == 0) {
        return 0;
    }
    const bool negative = n->exponent < 0;
    unsigned long rest = (unsigned long)(negative ? -n->exponent : n->exponent);
    if (rest > 400) {
        return negative ? 0 : LDBL_MAX;
    }
    for (; rest > 0; rest >>= 1, power *= power) {
        if ((rest & 1) != 0) {
            value = negative ? value / power : value * power;
        }
    }
    return value;
}

const char *adu_scan_number(struct adu_scan *scan, double *value)
{
    static const char none[] = "a value is none that JSON knows";
    const bool negative = scan->at < scan->end && *scan->at == '-';
    struct number n = {0};
    scan->at += negative;
    if (!is_digit(scan)) {
        return none;
    }
    if (*scan->at == '0') {
        scan->at++;
        if (is_digit(scan)) {
            return "a number begins with 0";
        }
    }
    take_digits(scan, &n, false);
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!take_digits(scan, &n, true)) {
            return none;
        }
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E') &&
        !take_exponent(scan, &n)) {
        return none;
    }
    const long double magnitude = value_of(&n);
    if (magnitude > (long double)DBL_MAX) {
        return "a number is larger than any that can be used";
    }
    *value = negative ? -(double)magnitude : (double)magnitude;
    return NULL;
}
