/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How tests/unruly_child.c behaves: the number is the spec's source_size. */
#ifndef TESTS_UNRULY_CHILD_H
#define TESTS_UNRULY_CHILD_H

enum unruly {
    UNRULY_NOT = 1000,    /* does all right: reads, tells, makes an init and a segment */
    UNRULY_CHATTERS,      /* the same, after a megabyte on stderr */
    UNRULY_CRASHES,       /* SIGSEGV */
    UNRULY_KILLED,        /* SIGKILL that the worker did not send */
    UNRULY_EXITS,         /* status 0 and no word */
    UNRULY_EXITS_BADLY,   /* status 3 and no word */
    UNRULY_HANGS,         /* says nothing */
    UNRULY_HANGS_HALFWAY, /* in the middle of a frame */
    UNRULY_DAWDLES,       /* tells progress for ever */
    UNRULY_SPINS,         /* burns CPU in many threads */
    UNRULY_GARBAGE,       /* bytes that are no frame */
    UNRULY_GIANT,         /* a frame of 4 GiB */
    UNRULY_OTHER_SIDE,    /* a frame that only a worker may send */
    UNRULY_NO_RUNG,       /* a segment of a rung that the task has not */
    UNRULY_NO_REPORT,     /* a segment whose report is no JSON */
    UNRULY_LONG_REPORT,   /* a segment whose report is longer than its frame */
    UNRULY_LONG_RECORD,   /* an init whose record is longer than its frame */
    UNRULY_PROBES,        /* a source document for a video task */
    UNRULY_NEVER_LISTENS, /* a thousand READs, and never takes an answer */
    UNRULY_ASKS_BEYOND,   /* a READ at a negative offset */
    UNRULY_HANGS_UP,      /* closes the pipe and goes on */
    UNRULY_SAYS_MEMORY,   /* FAIL internal "out of memory ..." */
    UNRULY_SAYS_BAD,      /* FAIL corrupt */
    UNRULY_SAYS_CANNOT,   /* FAIL unsupported */
    UNRULY_SAYS_REFUSED,  /* FAIL invalid */
    UNRULY_SAYS_DEFECT,   /* FAIL internal, with a newline and an escape in it */
    UNRULY_LOOKS_ROUND,   /* FAIL unsupported where it has more than it should have; else right */
    /* The rest are inside the sandbox. */
    UNRULY_TRIES_REFUSED, /* FAIL corrupt where all was refused, else unsupported with its name */
    UNRULY_WORKS_INSIDE,  /* FAIL corrupt where threads and memory are to be had */
    UNRULY_ABORTS_INSIDE, /* abort() */
    UNRULY_IS_FOREIGN,    /* a call by another architecture's number */
    UNRULY_TRIES_DEADLY,  /* this, and above, is deadly escape 0, 1, ...: escape.h */
};

#endif
