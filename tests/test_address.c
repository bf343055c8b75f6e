/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are public, at the edges of each block. */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "common/address.h"

Suite *address_suite(void);

static const struct {
    const char *text;
    bool is_public;
} cases[] = {
    {"8.8.8.8", true},
    {"1.0.0.0", true},
    {"0.255.255.255", false},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.64.0.0", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"128.0.0.0", true},
    {"169.253.255.255", true},
    {"169.254.169.254", false},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.0.0.9", false},
    {"192.0.1.0", true},
    {"192.0.2.1", false},
    {"192.88.99.1", false},
    {"192.167.255.255", true},
    {"192.168.0.0", false},
    {"192.168.255.255", false},
    {"192.169.0.0", true},
    {"198.17.255.255", true},
    {"198.18.0.0", false},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"223.255.255.255", true},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.0", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::8.8.8.8", false},
    {"::ffff:8.8.8.8", true},
    {"::ffff:10.0.0.1", false},
    {"::ffff:127.0.0.1", false},
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b::a9fe:a9fe", false},
    {"64:ff9b:1::8.8.8.8", false},
    {"100::1", false},
    {"1fff:ffff::1", false},
    {"2000::1", true},
    {"2001::1", false},
    {"2001:1ff:ffff::1", false},
    {"2001:200::1", true},
    {"2001:db7:ffff::1", true},
    {"2001:db8::1", false},
    {"2001:db9::1", true},
    {"2002:0808:0808::1", true},
    {"2002:0a00:0001::1", false},
    {"2606:4700::1111", true},
    {"3fff:0fff::1", false},
    {"3fff:1000::1", true},
    {"4000::1", false},
    {"fc00::1", false},
    {"fdff::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
};

START_TEST(the_table_is_right) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    if (inet_pton(AF_INET, cases[_i].text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
    } else {
        ck_assert_int_eq(inet_pton(AF_INET6, cases[_i].text, &six->sin6_addr), 1);
        six->sin6_family = AF_INET6;
    }
    ck_assert_msg(address_is_public((struct sockaddr *)&storage) == cases[_i].is_public, "%s",
                  cases[_i].text);
}
END_TEST

START_TEST(other_families_are_not) {
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    ck_assert(!address_is_public((struct sockaddr *)&storage));
}
END_TEST

Suite *address_suite(void) {
    Suite *suite = suite_create("address");
    TCase *table = tcase_create("table");
    tcase_add_loop_test(table, the_table_is_right, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(table, other_families_are_not);
    suite_add_tcase(suite, table);
    return suite;
}
