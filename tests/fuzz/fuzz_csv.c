/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV of any kind: it ends, and lines are counted on. */
#include <stdlib.h>

#include "common/csv.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct csv csv = csv_of(data, size);
    struct csv_record record = {0};
    size_t at = 0;
    while (csv_next(&csv, &record, NULL) != 0) {
        if (csv.at <= at || csv.line < record.line) {
            abort();
        }
        at = csv.at;
    }
    csv_record_finish(&record);
    return 0;
}
