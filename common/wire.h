/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes say to each other: titles, plans, tasks, reports, and their
 * JSON. Each struct has X_write (appends itself as a member called `name`, NULL in
 * arrays) and X_read (fills `out` from a reader; the reader holds the error). Lists
 * and long strings of an X_read live in the arena it is given.
 *
 * Reading trusts nothing: numbers, lengths and counts have bounds, whatever may
 * become part of a path is a name, control characters in texts become spaces. After
 * an error `out` holds what was read so far: finish it as after success. A NULL
 * string is written as "".
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/grid.h"
#include "common/json.h"
#include "common/media.h"
#include "common/trace.h"

enum {
    WIRE_HASH_TEXT = 65,   /* SHA-256 in hex with its NUL */
    WIRE_TITLE_TEXT = 129, /* [a-z0-9][a-z0-9._-]{0,127} with its NUL */
    WIRE_RENDITION_TEXT = 48,
    WIRE_FOLDER_TEXT = 96,
    WIRE_OBJECT_TEXT = 32,
    WIRE_CLASS_TEXT = 24, /* a failure's class by name, with its NUL */
};

/* Whether the text is a title id: [a-z0-9][a-z0-9._-]{0,127}. */
bool title_id_valid(const char *text);

enum {
    PRIORITY_MIN = -100, /* of titles; larger goes first */
    PRIORITY_MAX = 100,
    LABELS_MAX = 16, /* of a title */
    LABEL_MAX = 128, /* bytes */
    TENANT_TEXT = 65 /* bytes of a tenant's name with its NUL */
};

/* Whether it may be a label: NAME=VALUE, both of letters, digits, '.', '_' and '-', in at most
 * LABEL_MAX bytes. */
bool title_label_valid(const char *label);

/* Whether it may be a tenant's name: 1 to 64 letters, digits, '.', '_' and '-'. */
bool tenant_name_valid(const char *name);

/* ---- Classes of failure (ARCHITECTURE section 5) -------------------------- */

enum failure_class {
    FAILURE_BAD_SOURCE,       /* fails the title */
    FAILURE_UNSUPPORTED,      /* fails the title */
    FAILURE_FRAME_COUNT,      /* fails the title */
    FAILURE_REFUSED,          /* fails the title: no space, no permission at the output */
    FAILURE_IO,               /* retried */
    FAILURE_KILLED,           /* retried */
    FAILURE_TIMEOUT,          /* retried */
    FAILURE_OOM,              /* retried with twice the memory */
    FAILURE_CRASH,            /* retried; three make the unit poison */
    FAILURE_LIES,             /* the child's report or segment broke the gate; retried as crash */
    FAILURE_NONDETERMINISTIC, /* leased once more, alone, with leave to replace */
    FAILURE_MISSING,          /* package: listed objects are not there; their units run again */
    FAILURE_ENDPOINT,         /* push: the edge or catalog does not do its part; tried for ever */
    FAILURE_COUNT
};

const char *failure_class_name(enum failure_class failure); /* "bad_source", ... */
int failure_class_from_name(const char *name);              /* -1 for an unknown one */

/* ---- What is said about segments ------------------------------------------ */

/* One GOP of a segment: two CMAF chunks (moof+mdat), the IDR alone first. */
struct fragment_report {
    uint32_t offset;   /* bytes from the segment's start to the first moof */
    uint32_t size;     /* bytes of both chunks */
    uint32_t idr_size; /* bytes of the first chunk: the I-frame byte range */
};

struct segment_report {
    int64_t number; /* in the title, from 1: the file's name */
    int64_t bytes;
    int64_t samples;             /* pictures, or packets of sound */
    int64_t decode_time;         /* tfdt of the first fragment, ticks of the track */
    int64_t duration;            /* sum of sample durations, ticks */
    char sha256[WIRE_HASH_TEXT]; /* set by the worker, never by the child */
    size_t fragment_count;       /* video: its GOPs; sound: 0 */
    struct fragment_report *fragments;
};

/* What one unit (chunk x rung, or a whole sound track) made. */
struct unit_report {
    uint8_t record[512]; /* codec configuration record */
    size_t record_size;
    int reorder_frames;
    int priming;
    bool has_loudness; /* of sound; workers before it do not tell */
    struct loudness loudness;
    int64_t init_bytes;
    char init_sha256[WIRE_HASH_TEXT];
    size_t segment_count;
    struct segment_report *segments;
};

/* What the task as a whole cost and met. */
struct task_stats {
    int64_t frames_decoded;
    int64_t frames_repaired;  /* that show the picture before, their own being missing */
    int64_t frames_concealed; /* whose picture is damaged, as the decoder concealed it */
    int64_t source_bytes;     /* read through the pipe */
    double cpu_s;             /* of the child, all of it */
    double decode_cpu_s;
    double scale_cpu_s;
    double encode_cpu_s;
    double wall_s;
    int64_t peak_memory; /* bytes: the child's largest resident set */
    bool has_loudness;   /* only from child to worker, which puts it in the unit's report */
    struct loudness loudness;
};

/* All units of one rendition joined in the order of time, for the packager. */
struct rendition_report {
    struct unit_report joined;
    int64_t frames_repaired;
};

/* ---- The plan of a title --------------------------------------------------- */

struct rendition_plan {
    char id[WIRE_RENDITION_TEXT];  /* "h264-720p", "audio-und-aac-2" */
    char folder[WIRE_FOLDER_TEXT]; /* below the title: "video/h264-720p-<key>"; "" until the
                                      identity is known */
    char key[WIRE_HASH_TEXT];      /* "" until the identity is known */
    bool is_video;
    bool is_image; /* neither pictures nor sound to be played */
    struct video_spec video;
    struct audio_spec audio;
    struct image_spec image;
    int audio_track;        /* index in source->audio */
    const char *build_line; /* pinned for the title */
    int64_t tail_frames;    /* video: frames past a chunk's end that its encoder is shown */
};

/*
 * A rendition's objects, by the name of its folder: number 0 is init.mp4, those from 1 on are
 * segments; of a poster poster.avif and poster.jpg, then smaller ones, poster-320.avif on, from
 * the smallest; of a storyboard thumbnails.vtt and its sheets, 00001.jpg on. "" where there is no
 * such object.
 */
void rendition_object_name(const char *folder, int64_t number, char out[WIRE_OBJECT_TEXT]);

/* The number of the object of that name; -1 where a folder of its kind has no such object. */
int64_t rendition_object_number(const char *folder, const char *name);

/* What could not be made, and why: a class of failure, or "poison". */
struct missing_rendition {
    char id[WIRE_RENDITION_TEXT];
    char class[WIRE_CLASS_TEXT];
};

/* All that packaging needs to know, as the scheduler gives it to a package task. */
struct title_plan {
    struct arena arena;
    const char *title;
    const char *ladder;   /* its name */
    const char *identity; /* of the source; "" until known */
    struct source_document source;
    int gop_ms, segment_gops, chunk_ms;
    size_t waived_count;
    const char **waived; /* advice that the ladder waives */
    struct grid *grid;   /* owned */
    size_t rendition_count;
    struct rendition_plan *renditions;
    int64_t frames_repaired;  /* summed over accepted reports */
    int64_t frames_concealed; /* likewise */
    size_t missing_count;
    struct missing_rendition *missing; /* renditions that the title goes without, of the plan or
                                          left out of it */
};

void title_plan_finish(struct title_plan *plan);

/* ---- Workers --------------------------------------------------------------- */

/* What walls a task child in, the strongest first (workers/sandbox.h). Whatever of it that an
 * operator asks for the kernel lacks is an error, never left out. */
enum sandbox_level {
    SANDBOX_FULL,        /* both walls */
    SANDBOX_NO_LANDLOCK, /* seccomp alone, for kernels and containers without Landlock */
    SANDBOX_NONE,        /* neither: no more than limits, capabilities and descriptors */
    SANDBOX_LEVEL_COUNT,
};

/* "full", "no-landlock", "none"; ended by NULL. */
extern const char *const sandbox_level_names[SANDBOX_LEVEL_COUNT + 1];

/* The level of that name; SANDBOX_LEVEL_COUNT where there is none. */
enum sandbox_level sandbox_level_find(const char *name);

/* Beside its encoders a worker announces, by this build line of no encoder, that it knows titles
 * with images as they are now: what reads all of such a title (package, early, remove, push) goes
 * to those alone. Its number is raised with what older workers would misread. */
#define KNOWS_IMAGES_NAME "knows-images"
#define KNOWS_IMAGES_LINE "titles with images 3"

/* Likewise that it asks webhooks for leave first, and keeps the pace that they let, where a task
 * says so: what such a webhook is to hear goes to those alone. */
#define KNOWS_LEAVE_NAME "knows-leave"
#define KNOWS_LEAVE_LINE "leave of webhooks 1"

/* Likewise that it brings all to an edge that falls back, which a task says by a field of that
 * name: it would tell an older worker that it has everything, and be left without. */
#define KNOWS_FALLS_BACK_NAME "knows-falls-back"
#define KNOWS_FALLS_BACK_LINE "edges that fall back 1"

/* ---- Tasks ------------------------------------------------------------------ */

enum task_kind {
    TASK_PROBE,
    TASK_VIDEO,
    TASK_AUDIO,
    TASK_PACKAGE,
    TASK_SWAP,
    TASK_REMOVE,
    TASK_PUSH,
    TASK_EARLY,
    TASK_IMAGES,
    TASK_SWEEP,
    TASK_KIND_COUNT
};

const char *task_kind_name(enum task_kind kind); /* "probe", "video", ... */
int task_kind_from_name(const char *name);       /* -1 for an unknown one */

/* What a child is told: no URL, no credential, no path. A pure function of this
 * and of the source's bytes. */
struct child_spec {
    enum task_kind kind; /* PROBE, VIDEO, AUDIO or IMAGES */
    int64_t source_size; /* bytes */
    /* probe */
    int max_width, max_height;
    int64_t max_frames;
    struct rational max_rate;
    enum deinterlace deinterlace;
    int64_t long_gop_ms;
    /* video, audio and images */
    struct source_document source; /* for images with its whole index, for video with the slice of
                                      the index it needs */
    /* video */
    struct chunk_grid chunk;
    int rung_count;
    struct video_spec *rungs;
    /* audio */
    int audio_track;
    struct audio_spec audio;
    struct grid *grid; /* owned: boundaries of the segments */
    /* images */
    struct image_spec image;
};

/* The source as a worker reads it. */
struct task_source {
    const char *url;      /* path, file:// or http(s):// */
    int64_t size;         /* pinned; -1 before the probe */
    const char *pin;      /* opaque: blob's text of ETag, or of mtime and inode; "" before the
                             probe */
    const char *identity; /* "" until known */
    const char *places;   /* of an http source: where it may redirect to, as places.h has it; ""
                             or NULL: anywhere */
};

/* One unit of a task and where its objects go. */
struct task_unit {
    int64_t id;
    char rendition[WIRE_RENDITION_TEXT];
    char folder[WIRE_FOLDER_TEXT]; /* "" until the identity is known: ask for it before the
                                      first put */
    bool may_replace;              /* after a nondeterministic attempt */
};

/* ---- Publishing (ARCHITECTURE section 8) ------------------------------------ */

enum { ENDPOINT_TEXT = 65, VERSION_TEXT = 17 };

/* Whether it may be an endpoint's name: 1 to 64 lower-case letters, digits, '.', '_' and '-'. */
bool endpoint_name_valid(const char *name);

/* Where titles are published besides their output: an edge or a catalog, as a worker is told of
 * it. Secrets are the worker's own, by the endpoint's name. */
struct push_endpoint {
    char name[ENDPOINT_TEXT];
    const char *driver;    /* a row of workers/edges/edge.h: "dav", "pull", "s3", "catalog" */
    const char *url;       /* of the folder above the titles' as it is written or purged; a
                              catalog's: of its API */
    const char *serves;    /* of that folder as players read it; "": the url */
    int connections;       /* of this task, at most at a time */
    int64_t bandwidth_bps; /* bits per second of this task; 0: any */
    int max_height;        /* rungs of more lines are not brought; 0: all are */
    bool falls_back;     /* it fetches what it lacks from the origin by itself, and so says that it
                            has everything */
    int verify_segments; /* read back of each rendition, spread evenly; documents all are */
};

/* A version that goes from there: its documents and playlists. */
struct push_old_version {
    char version[VERSION_TEXT];
    size_t rendition_count;
    const char **renditions; /* ids; each has a playlist, of video also one of I frames */
};

/* A rendition's folder that goes from there: init.mp4 and the segments 1 to `segments`. */
struct push_old_folder {
    char folder[WIRE_FOLDER_TEXT]; /* below the title's */
    int64_t segments;
};

/* By what a catalog lists a title, besides what its document says. */
struct push_listing {
    char tenant[TENANT_TEXT]; /* "": none */
    size_t label_count;
    const char **labels;
};

/* What may lie of the title at an edge besides the version that is brought: all else there that is
 * named as ours is an orphan. */
struct push_sweep {
    size_t version_count;
    struct push_old_version *versions; /* their renditions are not said */
    size_t folder_count;
    struct push_old_folder *folders;
};

/* What a push brings to one endpoint, and then takes from it. */
struct push {
    struct push_endpoint endpoint;
    bool has_listing; /* of a catalog's */
    struct push_listing listing;
    int64_t revision; /* of the title at this endpoint, larger each time; orders what a catalog is
                         told */
    int64_t skip;     /* objects at the head of the version's list (API versions/V/objects) that
                         earlier attempts are known to have brought */
    size_t old_version_count;
    struct push_old_version *old_versions;
    size_t old_folder_count;
    struct push_old_folder *old_folders;
    bool has_sweep; /* where the edge can be listed */
    struct push_sweep sweep;
};

/* ---- What lies at an edge in vain --------------------------------------------- */

enum {
    SWEEP_PAGE_MAX = 500,    /* groups that a worker tells of at a time */
    SWEEP_GROUPS_MAX = 5000, /* that are taken away at a time */
};

/* Objects of a title that stand or fall together: a version's documents (its name), a rendition's
 * folder, or a document with a stable name ("master.m3u8"). */
struct sweep_group {
    char title[WIRE_TITLE_TEXT];
    char path[WIRE_FOLDER_TEXT]; /* below the title's folder */
    int64_t objects;
    int64_t bytes; /* of them; 0 where the edge does not say */
};

/* What one lease looks for at an edge, or takes from there. */
struct sweep_task {
    struct push_endpoint endpoint;
    bool removes; /* else everything is listed and told of, page by page */
    size_t group_count;
    struct sweep_group *groups; /* that go */
};

/* A page of what was found. */
struct sweep_page {
    size_t group_count;
    struct sweep_group *groups;
};

/* What a push did, or a sweep: what it looked at or took away. */
struct push_report {
    int64_t objects;   /* brought, without those that were there */
    int64_t bytes;     /* of them */
    double request_ms; /* mean time of a request to the endpoint; 0: none was made */
    double cost_ms;  /* of a request that brought something, and as much for each 256 KiB of it, so
                        that pushes can be compared; 0: nothing was brought */
    int64_t refused; /* requests that failed and were tried again */
    bool fetches;    /* it went from there, and who asks for it there is given it from the output */
};

/* ---- Webhooks (ARCHITECTURE section 8) --------------------------------------- */

/* What an answer to an event means. */
enum hook_verdict {
    HOOK_TAKEN,   /* it is delivered */
    HOOK_REFUSED, /* this event is not taken; others may be */
    HOOK_BUSY,    /* nothing is taken for a while */
    HOOK_GONE,    /* nothing is to be sent there any more */
    HOOK_DOWN,    /* nothing is taken now: no answer, or one that is no receiver's */
    HOOK_VERDICT_COUNT
};

/* Of a status; 0 where no answer came. */
enum hook_verdict hook_judge(int status);

enum { HOOK_ORIGIN_MAX = 253, HOOK_RATE_MAX = 1000000 };

/* Whether it is a DNS name, of at most HOOK_ORIGIN_MAX letters, digits, '-' and '.'. */
bool hook_origin_valid(const char *text);

/* Whether a receiver that answered with these headers (NULL: without it) lets `origin` send, and
 * then in `*rate` how many requests a minute, 0 for any. Its status says nothing of that. NULL
 * where it does; else what is wrong, to stand behind "its answer": a literal. */
const char *hook_leave_refused(const char *origin, const char *allowed_origin,
                               const char *allowed_rate, int *rate);

struct hook_event {
    int64_t event;     /* its number in the feed */
    const char *title; /* of one title none is sent behind one that was not taken */
    const char *body;  /* a CloudEvent in JSON, sent as it stands */
};

/* By whose leave events are sent where the receiver must give it first ("HTTP 1.1 Web Hooks for
 * Event Delivery", 4). */
struct hook_leave {
    const char *origin; /* the DNS name by which the farm asks; goes with each request */
    bool ask;           /* before anything is sent */
    int rate;           /* requests a minute, as it was given; 0: any, or it is asked first */
};

/* What one lease brings to a webhook, which is push.endpoint. */
struct hook_task {
    bool batch; /* many in one request */
    int timeout_ms;
    bool has_leave; /* else there is nobody to ask */
    struct hook_leave leave;
    size_t event_count; /* 0: the task is of another kind of endpoint */
    struct hook_event *events;
};

struct hook_result {
    int64_t event;
    enum hook_verdict verdict;
    int status;        /* of the answer; 0: none came */
    const char *error; /* a sentence; "" where it was taken */
};

/* The leave that a receiver gave when it was asked. */
struct hook_grant {
    int rate; /* requests a minute; 0: any */
};

/* Of those that were tried; the rest was not. */
struct hook_report {
    int64_t retry_after_s; /* as the receiver asked; 0: it did not */
    bool has_grant;        /* it was asked for leave, and gave it */
    struct hook_grant grant;
    size_t result_count;
    struct hook_result *results;
};

/* ---- Watching while it is encoded (ARCHITECTURE section 8) ------------------- */

/* Early playlists lie in early/RUN below the title's folder, and early.m3u8 names the last. */
struct early_task {
    int64_t run;      /* EARLY: which are written */
    int64_t chunks;   /* EARLY: that they list already; they never list fewer */
    size_t run_count; /* REMOVE: runs whose playlists go */
    const char **runs;
    bool top;   /* REMOVE: early.m3u8 too */
    bool alone; /* REMOVE: and nothing else */
};

/* What one lease carries. */
struct task {
    struct arena arena;
    int64_t fence;
    enum task_kind kind;
    char title[WIRE_TITLE_TEXT];
    char trace[TRACE_TEXT]; /* of the title's run; "": none is known */
    int attempt;            /* from 1 */
    struct task_source source;
    const char *output; /* URL of the folder above the title's */
    size_t unit_count;
    struct task_unit *units; /* rung i of a video spec belongs to units[i] */
    int64_t memory_bytes;    /* limit of the child's address space */
    int64_t reserve_bytes;   /* of its worker's memory that it counts for: what it is known to
                                take, at most the limit */
    double wall_limit_s;     /* limit of the attempt */
    struct child_spec spec;  /* PROBE, VIDEO, AUDIO */
    const char *version;     /* SWAP: which version to make current; PUSH: which the stable names
                                are to give at the endpoint, "": none, they go first of all */
    bool everything;         /* REMOVE: all that the title put there, its versions too */
    size_t version_count;    /* REMOVE: versions to drop; 0: none, and what no version names goes */
    const char **versions;
    size_t folder_count; /* REMOVE: folders of renditions that only those name */
    const char **folders;
    struct push push;      /* PUSH */
    struct hook_task hook; /* PUSH to a webhook */
    struct early_task early;
    struct sweep_task sweep; /* SWEEP */
};

void task_finish(struct task *task); /* also frees what spec owns */

/* What the worker answers: one report a unit, in the order of task.units. */
struct task_report {
    struct arena arena;
    struct task_stats stats;
    size_t unit_count;
    struct unit_report *units;
    /* probe */
    bool has_source;
    struct source_document source;
    char identity[256]; /* "sha256:...", "etag:..."; "" while still being read */
    const char *pin;
    int64_t source_size;
    /* package */
    char version[VERSION_TEXT];
    int64_t output_bytes;    /* of all objects of the version */
    int64_t early_chunks;    /* early: that the playlists list now */
    struct push_report push; /* push, sweep */
    struct hook_report hook; /* push to a webhook */
};

void task_report_finish(struct task_report *report);

/* ---- JSON ------------------------------------------------------------------- */

void rational_write(struct writer *w, const char *name, struct rational value); /* "24000/1001" */
void rational_read(struct rational *out, struct reader *r, const char *name);

/* A grid: each list as runs of equal lengths, [count, length, ...], since nearly all
 * are. Readers take the member called `name`; `*out` is owned, and left alone after
 * an error. */
void grid_write(const struct grid *grid, struct writer *w, const char *name);
void grid_read(struct grid **out, struct reader *r, const char *name);
void chunk_grid_write(const struct chunk_grid *chunk, struct writer *w, const char *name);
void chunk_grid_read(struct chunk_grid *out, struct reader *r, const char *name);

void source_document_write(const struct source_document *document, struct writer *w,
                           const char *name);
void source_document_read(struct source_document *out, struct reader *r);

void video_spec_write(const struct video_spec *spec, struct writer *w, const char *name);
void video_spec_read(struct video_spec *out, struct reader *r);
void audio_spec_write(const struct audio_spec *spec, struct writer *w, const char *name);
void audio_spec_read(struct audio_spec *out, struct reader *r);
void image_spec_write(const struct image_spec *spec, struct writer *w, const char *name);
void image_spec_read(struct image_spec *out, struct reader *r);

/* As reports, title documents and the API have it. */
void loudness_write(const struct loudness *loudness, struct writer *w, const char *name);
void loudness_read(struct loudness *out, struct reader *r);

void segment_report_write(const struct segment_report *report, struct writer *w, const char *name);
void segment_report_read(struct segment_report *out, struct arena *arena, struct reader *r);
void unit_report_write(const struct unit_report *report, struct writer *w, const char *name);
void unit_report_read(struct unit_report *out, struct arena *arena, struct reader *r);

void task_stats_write(const struct task_stats *stats, struct writer *w, const char *name);
void task_stats_read(struct task_stats *out, struct reader *r);

void child_spec_write(const struct child_spec *spec, struct writer *w, const char *name);
void child_spec_read(struct child_spec *out, struct arena *arena, struct reader *r);
void child_spec_finish(struct child_spec *spec);

/* How many cores it keeps at work: the threads of the encoder that has the most, 1 of what has no
 * encoder of pictures. */
int child_spec_threads(const struct child_spec *spec);

void push_write(const struct push *push, struct writer *w, const char *name);
void push_read(struct push *out, struct arena *arena, struct reader *r);
void push_report_write(const struct push_report *report, struct writer *w, const char *name);
void push_report_read(struct push_report *out, struct reader *r);
void sweep_task_write(const struct sweep_task *sweep, struct writer *w, const char *name);
void sweep_task_read(struct sweep_task *out, struct arena *arena, struct reader *r);
void sweep_page_write(const struct sweep_page *page, struct writer *w, const char *name);
void sweep_page_read(struct sweep_page *out, struct arena *arena, struct reader *r);

void hook_task_write(const struct hook_task *hook, struct writer *w, const char *name);
void hook_task_read(struct hook_task *out, struct arena *arena, struct reader *r);
void hook_report_write(const struct hook_report *report, struct writer *w, const char *name);
void hook_report_read(struct hook_report *out, struct arena *arena, struct reader *r);

void task_write(const struct task *task, struct writer *w, const char *name);
void task_read(struct task *out, struct reader *r);
void task_report_write(const struct task_report *report, struct writer *w, const char *name);
void task_report_read(struct task_report *out, struct reader *r);

void title_plan_write(const struct title_plan *plan, struct writer *w, const char *name);
void title_plan_read(struct title_plan *out, struct reader *r);

#endif
