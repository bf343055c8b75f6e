/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bwdif in a filter graph: see deinterlace.h. */
#include "deinterlace.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>

#include "common/mem.h"

struct deinterlacer {
    AVRational time_base;
    bool fields;
    AVFilterGraph *graph; /* made for the first picture, and anew when the format changes */
    AVFilterContext *source;
    AVFilterContext *sink;
    int format;
    int width;
    int height;
};

struct deinterlacer *deinterlacer_create(AVRational time_base, bool fields) {
    struct deinterlacer *deinterlacer = mem_zero(1, sizeof(*deinterlacer));
    deinterlacer->time_base = time_base;
    deinterlacer->fields = fields;
    return deinterlacer;
}

void deinterlacer_destroy(struct deinterlacer *deinterlacer) {
    if (deinterlacer != NULL) {
        avfilter_graph_free(&deinterlacer->graph);
        mem_free(deinterlacer);
    }
}

static int add_source(struct deinterlacer *deinterlacer, const AVFrame *frame) {
    AVBufferSrcParameters *parameters = av_buffersrc_parameters_alloc();
    deinterlacer->source =
        avfilter_graph_alloc_filter(deinterlacer->graph, avfilter_get_by_name("buffer"), "source");
    if (parameters == NULL || deinterlacer->source == NULL) {
        av_free(parameters);
        return AVERROR(ENOMEM);
    }
    parameters->format = frame->format;
    parameters->width = frame->width;
    parameters->height = frame->height;
    parameters->time_base = deinterlacer->time_base;
    parameters->sample_aspect_ratio = frame->sample_aspect_ratio;
#if LIBAVFILTER_VERSION_MAJOR >= 10
    parameters->color_space = frame->colorspace;
    parameters->color_range = frame->color_range;
#endif
    int status = av_buffersrc_parameters_set(deinterlacer->source, parameters);
    av_free(parameters);
    return status < 0 ? status : avfilter_init_str(deinterlacer->source, NULL);
}

static int build(struct deinterlacer *deinterlacer, const AVFrame *frame) {
    avfilter_graph_free(&deinterlacer->graph);
    AVFilterContext *filter = NULL;
    deinterlacer->graph = avfilter_graph_alloc();
    if (deinterlacer->graph == NULL) {
        return AVERROR(ENOMEM);
    }
    deinterlacer->graph->nb_threads = 1;
    /* No scaler behind our back: a format that bwdif lacks is told to the user. */
    avfilter_graph_set_auto_convert(deinterlacer->graph, AVFILTER_AUTO_CONVERT_NONE);
    int status = add_source(deinterlacer, frame);
    if (status >= 0) {
        const char *arguments = deinterlacer->fields
                                    ? "mode=send_field:parity=auto:deint=interlaced"
                                    : "mode=send_frame:parity=auto:deint=interlaced";
        status = avfilter_graph_create_filter(&filter, avfilter_get_by_name("bwdif"), "bwdif",
                                              arguments, NULL, deinterlacer->graph);
    }
    if (status >= 0) {
        status = avfilter_graph_create_filter(&deinterlacer->sink,
                                              avfilter_get_by_name("buffersink"), "sink", NULL,
                                              NULL, deinterlacer->graph);
    }
    if (status >= 0) {
        status = avfilter_link(deinterlacer->source, 0, filter, 0);
    }
    if (status >= 0) {
        status = avfilter_link(filter, 0, deinterlacer->sink, 0);
    }
    if (status >= 0) {
        status = avfilter_graph_config(deinterlacer->graph, NULL);
    }
    deinterlacer->format = frame->format;
    deinterlacer->width = frame->width;
    deinterlacer->height = frame->height;
    return status;
}

int deinterlacer_push(struct deinterlacer *deinterlacer, AVFrame *frame, struct err *err) {
    bool fits = deinterlacer->graph != NULL && frame != NULL &&
                deinterlacer->format == frame->format && deinterlacer->width == frame->width &&
                deinterlacer->height == frame->height;
    if (frame != NULL && !fits && build(deinterlacer, frame) < 0) {
        const char *name = av_get_pix_fmt_name(frame->format);
        return err_set(err, ERR_UNSUPPORTED,
                       "its interlaced pictures (%s) cannot be deinterlaced; use a ladder with "
                       "deinterlace: none, or convert them to a planar format",
                       name != NULL ? name : "unknown pixel format");
    }
    if (deinterlacer->graph == NULL) {
        return 0;
    }
    if (av_buffersrc_add_frame_flags(deinterlacer->source, frame, AV_BUFFERSRC_FLAG_KEEP_REF) < 0) {
        return err_set(err, ERR_INTERNAL, "the deinterlacer does not take a picture");
    }
    return 0;
}

int deinterlacer_pull(struct deinterlacer *deinterlacer, AVFrame *out, struct err *err) {
    if (deinterlacer->graph == NULL) {
        return 0;
    }
    av_frame_unref(out); /* the sink would not */
    int status = av_buffersink_get_frame(deinterlacer->sink, out);
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) {
        return 0;
    }
    if (status < 0) {
        return err_set(err, ERR_INTERNAL, "the deinterlacer gives no picture");
    }
    AVRational half = {deinterlacer->time_base.num, deinterlacer->time_base.den};
    half = av_mul_q(half, (AVRational){1, 2});
    out->pts = av_rescale_q(out->pts, av_buffersink_get_time_base(deinterlacer->sink), half);
    return 1;
}
