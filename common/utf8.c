#include "common/utf8.h"
#include <string.h>

/* RFC 3629 section 4: the first byte fixes the length and the range of the second byte. */
static size_t lead(unsigned char byte, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (byte < 0x80) {
        return 1;
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        return 2;
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        *low = byte == 0xe0 ? 0xa0 : 0x80;
        *high = byte == 0xed ? 0x9f : 0xbf;
        return 3;
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        *low = byte == 0xf0 ? 0x90 : 0x80;
        *high = byte == 0xf4 ? 0x8f : 0xbf;
        return 4;
    }
    return 0;
}

size_t adu_utf8_sequence(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char low, high;
    const size_t size = lead(bytes[0], &low, &high);
    if (size == 0 || size > length) {
        return 0;
    }
    if (size > 1 && (bytes[1] < low || bytes[1] > high)) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return 0;
        }
    }
    return size;
}

bool adu_utf8_valid(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        if ((unsigned char)text[at] < 0x80) {
            at++;
            continue;
        }
        const size_t size = adu_utf8_sequence(text + at, length - at);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

void adu_utf8_trim(char *text)
{
    const size_t length = strlen(text);
    size_t at = length;
    while (at > 0 && length - at < 4 && ((unsigned char)text[at - 1] & 0xc0) == 0x80) {
        at--;
    }
    if (at > 0 && (unsigned char)text[at - 1] >= 0xc0 &&
        adu_utf8_sequence(text + at - 1, length - at + 1) == 0) {
        text[at - 1] = '\0';
    }
}
