/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slips of who types: see nearest.h. */
#include "nearest.h"

#include <stdbool.h>
#include <string.h>

enum { LETTERS_MAX = 32, LONG = 6 };

static int least(int one, int other) {
    return one < other ? one : other;
}

/* The distance of Damerau and Levenshtein, of neighbours that changed places once. */
static int count_slips(const char *one, size_t length, const char *other, size_t other_length) {
    int table[LETTERS_MAX + 1][LETTERS_MAX + 1];
    for (size_t i = 0; i <= length; i++) {
        for (size_t j = 0; j <= other_length; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = (int)(i + j);
                continue;
            }
            bool same = one[i - 1] == other[j - 1];
            bool swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
                           one[i - 2] == other[j - 1];
            table[i][j] = least(least(table[i - 1][j], table[i][j - 1]) + 1,
                                table[i - 1][j - 1] + (same ? 0 : 1));
            if (swapped) {
                table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[length][other_length];
}

void nearest_try(struct nearest *nearest, const char *word) {
    size_t length = strlen(word);
    if (nearest->length == 0 || nearest->length > LETTERS_MAX || length > LETTERS_MAX) {
        return;
    }
    int slips = count_slips(nearest->typed, nearest->length, word, length);
    bool begins = nearest->length > 1 && strncmp(nearest->typed, word, nearest->length) == 0;
    int allowed = least((int)length, (int)nearest->length) < LONG ? 1 : 2;
    bool is_near = begins || slips <= allowed;
    if (is_near && (nearest->word == NULL || slips < nearest->slips)) {
        nearest->word = word;
        nearest->slips = slips;
    }
}
