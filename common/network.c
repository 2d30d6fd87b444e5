#include "common/network.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED = 96, TEXT_MOST = 128 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool parse(const char *text, struct adu_address *address, bool *is_v4)
{
    *is_v4 = inet_pton(AF_INET, text, address->bytes + sizeof mapped) == 1;
    if (*is_v4) {
        memcpy(address->bytes, mapped, sizeof mapped);
    } else if (inet_pton(AF_INET6, text, address->bytes) != 1) {
        return false;
    }
    address->known = true;
    return true;
}

struct adu_address adu_address_of(const char *text)
{
    struct adu_address address = {0};
    char plain[TEXT_MOST];
    bool is_v4;
    const size_t length = text != NULL ? strcspn(text, "%") : 0;
    if (length > 0 && length < sizeof plain) {
        memcpy(plain, text, length);
        plain[length] = '\0';
        if (!parse(plain, &address, &is_v4)) {
            address = (struct adu_address){0};
        }
    }
    return address;
}

const char *adu_address_text(const struct adu_address *address, char buffer[ADU_ADDRESS_TEXT])
{
    if (!address->known) {
        return NULL;
    }
    const bool is_v4 = memcmp(address->bytes, mapped, sizeof mapped) == 0;
    return inet_ntop(is_v4 ? AF_INET : AF_INET6, address->bytes + (is_v4 ? sizeof mapped : 0),
                     buffer, ADU_ADDRESS_TEXT);
}

static bool bit(const struct adu_address *address, unsigned at)
{
    return (address->bytes[at / 8] >> (7 - at % 8) & 1) != 0;
}

const char *adu_network_parse(const char *text, struct adu_network *network)
{
    char plain[TEXT_MOST];
    bool is_v4;
    const size_t length = strcspn(text, "/");
    if (length >= sizeof plain) {
        return "is no network, such as 10.1.0.0/16 or fd00::/8";
    }
    memcpy(plain, text, length);
    plain[length] = '\0';
    *network = (struct adu_network){.bits = 128};
    if (!parse(plain, &network->address, &is_v4)) {
        return "is no network, such as 10.1.0.0/16 or fd00::/8";
    }
    if (text[length] == '/') {
        const char *bits = text + length + 1;
        const unsigned most = is_v4 ? 32 : 128;
        char *end;
        const unsigned long value = strtoul(bits, &end, 10);
        if (bits[0] < '0' || bits[0] > '9' || *end != '\0' || value > most) {
            return is_v4 ? "needs 0 to 32 behind the slash" : "needs 0 to 128 behind the slash";
        }
        network->bits = (unsigned)value + (is_v4 ? MAPPED : 0);
    }
    for (unsigned at = network->bits; at < 128; at++) {
        if (bit(&network->address, at)) {
            return "has bits set behind its length; write the network's own address";
        }
    }
    return NULL;
}

bool adu_network_has(const struct adu_network *network, const struct adu_address *address)
{
    const unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (!address->known || memcmp(network->address.bytes, address->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}
