/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an object store is and who we are there, found as AWS's own tools find it, so
 * that what works for them works here:
 *   - region, endpoint, style: AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3,
 *     AWS_ENDPOINT_URL, REELFARM_S3_STYLE (path or host), then the profile's `region`,
 *     `endpoint_url` and `addressing_style` (alone or below `s3 =`);
 *   - who vouches for the store's certificate: AWS_CA_BUNDLE, then the profile's `ca_bundle`;
 *   - credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, then the
 *     profile's, then those of the instance's role (EC2 IMDSv2).
 * The profile is AWS_PROFILE, which must then be there, or "default", in
 * AWS_SHARED_CREDENTIALS_FILE (default ~/.aws/credentials) and AWS_CONFIG_FILE (default
 * ~/.aws/config). A profile that wants sign-on, another role, a web identity or a
 * `credential_process` is refused: none of these is followed.
 */
#ifndef COMMON_S3_ACCOUNT_H
#define COMMON_S3_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/*
 * Another account than that of the environment, by a profile of AWS's files or by keys: the
 * variables that say who and where are then not looked at, nor is an instance's role. What
 * `region` and `endpoint` don't say is as the profile says it, else AWS's own. All borrowed; NULL:
 * not said.
 */
struct s3_choice {
    const char *profile;
    const char *access_key; /* both keys or none */
    const char *secret_key;
    const char *region;
    const char *endpoint; /* "https://host[:port]" */
};

struct s3_account {
    char *endpoint;    /* owned; "https://host[:port]"; "" for AWS's own, by region */
    char *region;      /* owned; "us-east-1" where none is said */
    char *ca_file;     /* owned; PEM; NULL: the system's authorities */
    bool path_style;   /* bucket in the path rather than in the host's name: default for an
                          endpoint of one's own */
    bool style_chosen; /* by the user */
};

/* Whether the text can be a region's name. */
bool s3_region_valid(const char *region);

enum { S3_RENEW_S = 300 }; /* before credentials end, new ones are looked for */

/* Looks in environment and files, or goes by `choice`, NULL for none. INVALID for a file that can't
 * be read or understood; files that are not there are none. Ends with s3_account_finish. */
int s3_account_find(struct s3_account *out, const struct s3_choice *choice, struct err *err);

void s3_account_finish(struct s3_account *account);

struct s3_credentials {
    char *access_key;    /* owned */
    char *secret_key;    /* owned */
    char *session_token; /* owned; NULL for none */
    int64_t expires_s;   /* since 1970; 0: never */
};

/* Finds the credentials in force, or those of `choice`, NULL for none; those of an instance's role
 * are kept for the whole process until S3_RENEW_S before they expire, or until somebody asks for
 * them `anew`. INVALID where there are none or only a part, UNAVAILABLE where the metadata service
 * fails. */
int s3_credentials_find(struct s3_credentials *out, const struct s3_choice *choice, bool anew,
                        struct err *err);

/* Forgets, and overwrites the secret. Takes a zeroed one. */
void s3_credentials_finish(struct s3_credentials *credentials);

#endif
