/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Public addresses by tables of those that are not: see address.h. */
#include "common/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct block4 {
    uint8_t first[4];
    int bits;
};

static const struct block4 not_public4[] = {
    {{0, 0, 0, 0}, 8},       /* this network */
    {{10, 0, 0, 0}, 8},      /* private */
    {{100, 64, 0, 0}, 10},   /* shared by a provider's customers */
    {{127, 0, 0, 0}, 8},     /* loopback */
    {{169, 254, 0, 0}, 16},  /* link-local; clouds answer with credentials there */
    {{172, 16, 0, 0}, 12},   /* private */
    {{192, 0, 0, 0}, 24},    /* protocols */
    {{192, 0, 2, 0}, 24},    /* documentation */
    {{192, 88, 99, 0}, 24},  /* relays of 6to4 */
    {{192, 168, 0, 0}, 16},  /* private */
    {{198, 18, 0, 0}, 15},   /* benchmarks */
    {{198, 51, 100, 0}, 24}, /* documentation */
    {{203, 0, 113, 0}, 24},  /* documentation */
    {{224, 0, 0, 0}, 4},     /* multicast */
    {{240, 0, 0, 0}, 4},     /* reserved, and broadcast */
};

struct block6 {
    uint8_t first[6];
    int bits;
};

/* Within 2000::/3. */
static const struct block6 not_public6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocols, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00, 0x00}, 20}, /* documentation */
};

static bool begins_with(const uint8_t *address, const uint8_t *first, int bits) {
    int whole = bits / 8;
    int rest = bits % 8;
    return memcmp(address, first, (size_t)whole) == 0 &&
           (rest == 0 || ((address[whole] ^ first[whole]) >> (8 - rest)) == 0);
}

static bool is_public4(const uint8_t address[4]) {
    for (size_t i = 0; i < sizeof(not_public4) / sizeof(not_public4[0]); i++) {
        if (begins_with(address, not_public4[i].first, not_public4[i].bits)) {
            return false;
        }
    }
    return true;
}

static bool is_public6(const uint8_t address[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t given_out[1] = {0x20};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    if (begins_with(address, mapped, 96) || begins_with(address, nat64, 96)) {
        return is_public4(address + 12);
    }
    if (!begins_with(address, given_out, 3)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(not_public6) / sizeof(not_public6[0]); i++) {
        if (begins_with(address, not_public6[i].first, not_public6[i].bits)) {
            return false;
        }
    }
    return !begins_with(address, six_to_four, 16) || is_public4(address + 2);
}

bool address_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        return is_public4((const uint8_t *)&four->sin_addr);
    }
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    return address->sa_family == AF_INET6 && is_public6(six->sin6_addr.s6_addr);
}
