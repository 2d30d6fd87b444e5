/* Addresses and networks (CIDR, RFC 4632 and 4291), IPv4 as the mapped part of IPv6. Pure. */
#ifndef ADUANA_COMMON_NETWORK_H
#define ADUANA_COMMON_NETWORK_H

#include "common/api.h"
#include <stdbool.h>
#include <stdint.h>

/* Zeroed: not known. */
struct adu_address {
    bool known;
    uint8_t bytes[16];
};

struct adu_network {
    unsigned bits; /* of `address` that count, of 128 */
    struct adu_address address;
};

/* An address as the broker writes it; not known if `text` is NULL or none. A zone (fe80::1%eth0) is
 * left out. */
ADU_API struct adu_address adu_address_of(const char *text);

/* The address as text, in `buffer`; NULL for one that is not known. */
enum { ADU_ADDRESS_TEXT = 48 };
ADU_API const char *adu_address_text(const struct adu_address *address,
                                     char buffer[ADU_ADDRESS_TEXT]);

/* "10.1.0.0/16", "fd00::/8", or a single address. NULL if it is one, else what is wrong with it. */
ADU_API const char *adu_network_parse(const char *text, struct adu_network *network);

/* False for an address that is not known. */
ADU_API bool adu_network_has(const struct adu_network *network, const struct adu_address *address);

#endif
