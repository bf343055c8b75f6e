/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libebur128 behind our error type: see loudness.h. */
#include "loudness.h"

#include <ebur128.h>
#include <math.h>

#include "audio.h"
#include "common/mem.h"

enum { BLOCK = 1024 }; /* samples of each channel that are interleaved at a time */

struct loudness_meter {
    ebur128_state *state; /* owned */
    int channels;
    float interleaved[BLOCK * AUDIO_CHANNELS_MAX];
};

static int fail(int code, struct err *err) {
    return code == EBUR128_ERROR_NOMEM
               ? err_set(err, ERR_INTERNAL, "out of memory while loudness is measured")
               : err_set(err, ERR_INTERNAL, "loudness can't be measured: libebur128 says %d", code);
}

int loudness_meter_create(struct loudness_meter **out, int sample_rate, int channels,
                          struct err *err) {
    ebur128_state *state = NULL;
    if (channels >= 1 && channels <= AUDIO_CHANNELS_MAX && sample_rate > 0) {
        state = ebur128_init((unsigned)channels, (unsigned long)sample_rate,
                             EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    }
    if (state == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "loudness of %d channels at %d Hz can't be measured",
                       channels, sample_rate);
    }
    *out = mem_zero(1, sizeof(**out));
    (*out)->state = state;
    (*out)->channels = channels;
    return 0;
}

void loudness_meter_destroy(struct loudness_meter *meter) {
    if (meter != NULL) {
        ebur128_destroy(&meter->state);
        mem_free(meter);
    }
}

int loudness_meter_add(struct loudness_meter *meter, float *const *planes, int count,
                       struct err *err) {
    for (int first = 0; first < count; first += BLOCK) {
        int samples = count - first < BLOCK ? count - first : BLOCK;
        for (int c = 0; c < meter->channels; c++) {
            for (int i = 0; i < samples; i++) {
                meter->interleaved[i * meter->channels + c] = planes[c][first + i];
            }
        }
        int code = ebur128_add_frames_float(meter->state, meter->interleaved, (size_t)samples);
        if (code != EBUR128_SUCCESS) {
            return fail(code, err);
        }
    }
    return 0;
}

/* The last bits of a logarithm hang on the C library's kernels for a processor. What is less
 * than `least`, minus infinity too, is `least`. */
static double settle(double value, double least) {
    return value > least ? round(value * 100) / 100 : least;
}

int loudness_meter_read(struct loudness_meter *meter, struct loudness *out, struct err *err) {
    double integrated = 0;
    double range = 0;
    double peak = 0;
    int code = ebur128_loudness_global(meter->state, &integrated);
    if (code == EBUR128_SUCCESS) {
        code = ebur128_loudness_range(meter->state, &range);
    }
    for (int c = 0; c < meter->channels && code == EBUR128_SUCCESS; c++) {
        double one = 0;
        code = ebur128_true_peak(meter->state, (unsigned)c, &one);
        peak = one > peak ? one : peak;
    }
    if (code != EBUR128_SUCCESS) {
        return fail(code, err);
    }
    *out = (struct loudness){
        .integrated_lufs = settle(integrated, LOUDNESS_GATE_LUFS),
        .range_lu = settle(range, 0),
        .true_peak_dbtp = settle(20 * log10(peak), LOUDNESS_SILENCE_DBTP),
    };
    return 0;
}
