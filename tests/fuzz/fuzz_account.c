/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of AWS's tools: credentials, and behind the first NUL the configuration. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/s3_account.h"
#include "harness.h"

/* A file in memory that the variable names. */
static int file_of(const char *variable) {
    char path[64];
    int file = memfd_create(variable, 0);
    assert(file >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    setenv(variable, path, 1);
    return file;
}

static void fill(int file, const uint8_t *data, size_t size) {
    assert(ftruncate(file, 0) == 0);
    assert(pwrite(file, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int credentials = -1;
    static int config = -1;
    if (credentials < 0) {
        credentials = file_of("AWS_SHARED_CREDENTIALS_FILE");
        config = file_of("AWS_CONFIG_FILE");
    }
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t first = end != NULL ? (size_t)(end - data) : size;
    fill(credentials, data, first);
    fill(config, end != NULL ? end + 1 : data, end != NULL ? size - first - 1 : 0);
    struct s3_account account = {0};
    if (s3_account_find(&account, NULL, NULL) == 0) {
        assert(s3_region_valid(account.region));
    }
    s3_account_finish(&account);
    return 0;
}
