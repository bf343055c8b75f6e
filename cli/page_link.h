/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address of the scheduler's page, which signs in who opens it first. Private to cli/. */
#ifndef CLI_PAGE_LINK_H
#define CLI_PAGE_LINK_H

#include "client.h"

/*
 * Appends "http://127.0.0.1:7430/#/enter/TOKEN", where TOKEN is a new one that is good for ten
 * minutes and for one sign-in: the page makes one of its own with it and revokes it. It is in the
 * part of the address that browsers send to nobody, and take out of their history. Where the
 * caller's token may make no tokens, the address alone, where people sign in by hand.
 */
int page_link_write(struct client *client, struct buf *out, struct err *err);

#endif
