/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates by GnuTLS, which the HTTP server's library speaks TLS with: see tls.h. */
#include "common/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

static gnutls_datum_t text(const char *pem) {
    return (gnutls_datum_t){.data = (unsigned char *)pem, .size = (unsigned)strlen(pem)};
}

int tls_check(const char *certificate, const char *key, struct err *err) {
    gnutls_certificate_credentials_t credentials = NULL;
    gnutls_datum_t certificate_text = text(certificate);
    gnutls_datum_t key_text = text(key);
    int result = gnutls_certificate_allocate_credentials(&credentials);
    if (result >= 0) {
        result = gnutls_certificate_set_x509_key_mem(credentials, &certificate_text, &key_text,
                                                     GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    return result >= 0 ? 0
                       : err_set(err, ERR_INVALID,
                                 "the TLS certificate and its key will not do: %s; give a PEM file "
                                 "of the certificate and what it is signed by, and one of its key",
                                 gnutls_strerror(result));
}

bool tls_peer_is_vouched(void *session) {
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0;
    int result = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return result >= 0 && status == 0;
}
