/* Addresses and networks, against the definition: the first bits are the same. */
#include "common/network.h"
#include "runner.h"
#include <string.h>

static const struct {
    const char *network;
    const char *in[6], *out[6];
} rows[] = {
    {"10.1.0.0/16",
     {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3"},
     {"10.2.0.0", "10.0.255.255", "::", "10.1"}},
    {"10.1.2.3", {"10.1.2.3"}, {"10.1.2.2", "10.1.2.4", "::10.1.2.3"}},
    {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255"}, {"::1", "fd00::1"}},
    {"::/0", {"::", "fd00::1", "10.1.2.3"}, {NULL}},
    {"fd00::/8", {"fd00::", "fdff::1", "fd12:3456::1%eth0"}, {"fc00::1", "fe00::", "10.0.0.1"}},
    {"192.168.4.0/22", {"192.168.4.0", "192.168.7.255"}, {"192.168.3.255", "192.168.8.0"}},
    {"192.168.4.1/32", {"192.168.4.1"}, {"192.168.4.0"}},
    {"2001:db8::1/128", {"2001:db8::1", "2001:0db8:0:0::1"}, {"2001:db8::2"}},
};

START_TEST(networks)
{
    struct adu_network network;
    const char *wrong = adu_network_parse(rows[_i].network, &network);
    ck_assert_msg(wrong == NULL, "%s %s", rows[_i].network, wrong);
    for (int i = 0; i < 6 && rows[_i].in[i] != NULL; i++) {
        const struct adu_address address = adu_address_of(rows[_i].in[i]);
        ck_assert_msg(adu_network_has(&network, &address), "%s in %s", rows[_i].in[i],
                      rows[_i].network);
    }
    for (int i = 0; i < 6 && rows[_i].out[i] != NULL; i++) {
        const struct adu_address address = adu_address_of(rows[_i].out[i]);
        ck_assert_msg(!adu_network_has(&network, &address), "%s not in %s", rows[_i].out[i],
                      rows[_i].network);
    }
}
END_TEST

static const struct {
    const char *text, *wrong;
} bad[] = {
    {"", "is no network"},
    {"10.1", "is no network"},
    {"10.1.0.0.0", "is no network"},
    {"host.planta", "is no network"},
    {"10.01.0.0/16", "is no network"}, /* an octal number, or not: nobody agrees */
    {"10.1.0.0/", "0 to 32"},
    {"10.1.0.0/33", "0 to 32"},
    {"10.1.0.0/-1", "0 to 32"},
    {"10.1.0.0/ 8", "0 to 32"},
    {"10.1.0.0/8x", "0 to 32"},
    {"10.1.0.0/99999999999999999999", "0 to 32"},
    {"fd00::/129", "0 to 128"},
    {"10.1.2.0/16", "bits set"},
    {"fd00::1/8", "bits set"},
};

START_TEST(not_networks)
{
    struct adu_network network;
    const char *wrong = adu_network_parse(bad[_i].text, &network);
    ck_assert_msg(wrong != NULL && strstr(wrong, bad[_i].wrong) != NULL, "%s: %s", bad[_i].text,
                  wrong);
}
END_TEST

START_TEST(addresses_that_are_not_known)
{
    static const char *const texts[] = {NULL,    "",          "localhost", "10.1.2",
                                        "%eth0", "1.2.3.4.5", "bridge"};
    struct adu_network all;
    ck_assert_ptr_null(adu_network_parse("::/0", &all));
    for (int i = 0; i < ROWS(texts); i++) {
        const struct adu_address address = adu_address_of(texts[i]);
        ck_assert(!address.known);
        ck_assert(!adu_network_has(&all, &address));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    suite_add_rows(suite, networks, ROWS(rows));
    suite_add_rows(suite, not_networks, ROWS(bad));
    suite_add(suite, addresses_that_are_not_known);
    return run_suite(suite);
}
