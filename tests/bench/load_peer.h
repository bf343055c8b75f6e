/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests/bench/load.c is held against. */
#ifndef TESTS_BENCH_LOAD_PEER_H
#define TESTS_BENCH_LOAD_PEER_H

/*
 * The statements of leasing and completing a task, by the database alone: no HTTP, JSON, threads,
 * savepoints or decisions. 64 workers take turns: each lease looks the worker up and finds its own
 * unit, as a call of its own must; what is written are the scheduler's rows, with `unit_report` as
 * each unit's report. `group` calls are a transaction, as the scheduler groups those that wait
 * together. Works off the ready units of the store, a copy that it spoils, for so long, and
 * prints a line of JSON. Returns the exit status.
 */
int load_peer(const char *store, double seconds, int group, const char *unit_report);

#endif
