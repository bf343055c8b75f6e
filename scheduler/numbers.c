/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that are given once: see numbers.h. */
#include "numbers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Where the counter is; read from the store where it was not known. */
static size_t find_counter(struct numbers *numbers, struct tx *tx, const char *name) {
    size_t at = 0;
    while (at < numbers->count && strcmp(numbers->counters[at].name, name) != 0) {
        at++;
    }
    if (at == numbers->count) {
        assert(at < NUMBERS_COUNTERS);
        snprintf(numbers->counters[at].name, sizeof(numbers->counters[at].name), "%s", name);
        numbers->counters[at].last = sql_integer(tx, SQL_NUMBER_GET, VALUES(TEXT(name)), 0);
        numbers->counters[at].changed = false;
        numbers->count += tx_ok(tx) ? 1 : 0;
    }
    return at;
}

int64_t numbers_take(struct numbers *numbers, struct tx *tx, const char *counter, int64_t count) {
    size_t at = find_counter(numbers, tx, counter);
    int64_t first = numbers->counters[at].last + 1;
    numbers->counters[at].last += count;
    numbers->counters[at].changed = numbers->counters[at].changed || count != 0;
    return first;
}

void numbers_write(struct numbers *numbers, struct tx *tx) {
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->counters[i].changed) {
            sql_put(tx, SQL_NUMBER_SET,
                    VALUES(TEXT(numbers->counters[i].name), INTEGER(numbers->counters[i].last)));
            numbers->counters[i].changed = false;
        }
    }
}
