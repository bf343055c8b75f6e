/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the HTTP server's TLS needs beyond its library. */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

/* Appends the text of a PEM file; an unset path (NULL) has none. INVALID where everybody may read
 * a secret one, or where it is empty. */
int tls_read_file(struct buf *out, const char *path, bool is_secret, struct err *err);

/* Whether certificate and key (PEM texts) are readable and belong together, and `client_ca`
 * (NULL: none) holds a certificate; INVALID where not. */
int tls_check(const char *certificate, const char *key, const char *client_ca, struct err *err);

/* Whether the client of a session has shown a certificate that its time and the session's
 * authorities allow. `session` is GnuTLS's, borrowed. */
bool tls_peer_is_vouched(void *session);

#endif
