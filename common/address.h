/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network addresses are public: those that the internet routes to somebody. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/*
 * Whether an address is nobody's private one: no loopback, private, link-local, shared,
 * documentation, multicast or reserved address by the registries of RFC 6890, none of IPv6
 * outside of what is given out (2000::/3), and none that carries such an IPv4 address inside
 * (mapped, NAT64 by RFC 6052, 6to4 by RFC 3056; Teredo is refused as a whole).
 * False for every family but IPv4 and IPv6.
 */
bool address_is_public(const struct sockaddr *address);

#endif
