/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates by GnuTLS, which the HTTP server's library speaks TLS with: see tls.h. */
#include "common/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"

enum { PEM_BYTES_MAX = 256 << 10 };

int tls_read_file(struct buf *out, const char *path, bool is_secret, struct err *err) {
    struct stat info;
    if (path == NULL) {
        return 0;
    }
    if (is_secret && stat(path, &info) == 0 && (info.st_mode & 007) != 0) {
        return err_set(err, ERR_INVALID,
                       "everybody may read the TLS key '%s'; run `chmod o= %s` and make a new one",
                       path, path);
    }
    int failed = fs_read(out, path, PEM_BYTES_MAX, err);
    err_wrap(failed != 0 ? err : NULL, "TLS");
    if (failed == 0 && (out->size == 0 || strlen(buf_text(out)) == 0)) {
        failed = err_set(err, ERR_INVALID,
                         "the TLS file '%s' is empty; put back the one that was there", path);
    }
    return failed;
}

static gnutls_datum_t text(const char *pem) {
    return (gnutls_datum_t){.data = (unsigned char *)pem, .size = (unsigned)strlen(pem)};
}

static int check_pair(gnutls_certificate_credentials_t credentials, const char *certificate,
                      const char *key, struct err *err) {
    gnutls_datum_t certificate_text = text(certificate);
    gnutls_datum_t key_text = text(key);
    int result = gnutls_certificate_set_x509_key_mem(credentials, &certificate_text, &key_text,
                                                     GNUTLS_X509_FMT_PEM);
    return result >= 0 ? 0
                       : err_set(err, ERR_INVALID,
                                 "the TLS certificate and its key will not do: %s; give a PEM file "
                                 "of the certificate and what it is signed by, and one of its key",
                                 gnutls_strerror(result));
}

static int check_authority(gnutls_certificate_credentials_t credentials, const char *client_ca,
                           struct err *err) {
    gnutls_datum_t authority = text(client_ca);
    int count = gnutls_certificate_set_x509_trust_mem(credentials, &authority, GNUTLS_X509_FMT_PEM);
    return count > 0 ? 0
                     : err_set(err, ERR_INVALID,
                               "there is no certificate in what is to vouch for workers; give a "
                               "PEM file of the authority's");
}

int tls_check(const char *certificate, const char *key, const char *client_ca, struct err *err) {
    gnutls_certificate_credentials_t credentials = NULL;
    if (key == NULL || gnutls_certificate_allocate_credentials(&credentials) < 0) {
        return err_set(err, ERR_INVALID, "the TLS certificate has no key; give one");
    }
    int failed = check_pair(credentials, certificate, key, err);
    if (failed == 0 && client_ca != NULL) {
        failed = check_authority(credentials, client_ca, err);
    }
    gnutls_certificate_free_credentials(credentials);
    return failed;
}

bool tls_peer_is_vouched(void *session) {
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0;
    int result = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return result >= 0 && status == 0;
}
