/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An endpoint and a title at it: see edge_fixture.h. */
#include "edge_fixture.h"

struct push_endpoint edge_fixture_endpoint(const char *driver, const char *url) {
    return (struct push_endpoint){
        .name = "paris", .driver = driver, .url = url, .serves = "", .connections = 8};
}

struct edge_target edge_fixture_target(const struct push_endpoint *endpoint, const char *origin) {
    static const struct edge_secret no_secret;
    static atomic_bool never;
    return (struct edge_target){.endpoint = endpoint,
                                .secret = &no_secret,
                                .origin = origin,
                                .title = "t",
                                .trace = "",
                                .cancel = &never,
                                .stall_s = 1};
}
