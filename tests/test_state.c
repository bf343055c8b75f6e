/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of allowed moves, drawn here a second time as lines, and the gate. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "scheduler/events.h"
#include "scheduler/rows.h"
#include "scheduler/state.h"

Suite *state_suite(void);

/* Every move that is allowed; all others are not. */
static const struct {
    enum machine machine;
    const char *from, *event, *to;
} moves[] = {
    {MACHINE_TITLE, "submitted", "plan", "running"},
    {MACHINE_TITLE, "submitted", "fail", "failing"},
    {MACHINE_TITLE, "submitted", "cancel", "cancelled"},
    {MACHINE_TITLE, "running", "finish", "done"},
    {MACHINE_TITLE, "running", "fail", "failing"},
    {MACHINE_TITLE, "running", "cancel", "cancelled"},
    {MACHINE_TITLE, "failing", "clear", "failed"},
    {MACHINE_TITLE, "failing", "cancel", "cancelled"},
    {MACHINE_TITLE, "failed", "submit", "submitted"},
    {MACHINE_TITLE, "cancelled", "submit", "submitted"},
    {MACHINE_TITLE, "done", "submit", "submitted"},
    {MACHINE_TITLE, "submitted", "remove", "removing"},
    {MACHINE_TITLE, "running", "remove", "removing"},
    {MACHINE_TITLE, "failing", "remove", "removing"},
    {MACHINE_TITLE, "failed", "remove", "removing"},
    {MACHINE_TITLE, "cancelled", "remove", "removing"},
    {MACHINE_TITLE, "done", "remove", "removing"},
    {MACHINE_TITLE, "removing", "fail", "failed"},
    {MACHINE_TITLE, "removing", "drop", "gone"},

    {MACHINE_UNIT, "blocked", "unblock", "ready"},
    {MACHINE_UNIT, "blocked", "cancel", "cancelled"},
    {MACHINE_UNIT, "ready", "lease", "leased"},
    {MACHINE_UNIT, "ready", "adopt", "leased"},
    {MACHINE_UNIT, "ready", "complete", "done"},
    {MACHINE_UNIT, "ready", "reuse", "done"},
    {MACHINE_UNIT, "ready", "fail", "failed"},
    {MACHINE_UNIT, "ready", "cancel", "cancelled"},
    {MACHINE_UNIT, "leased", "hedge", "leased"},
    {MACHINE_UNIT, "leased", "yield", "leased"},
    {MACHINE_UNIT, "leased", "block", "blocked"},
    {MACHINE_UNIT, "leased", "complete", "done"},
    {MACHINE_UNIT, "leased", "retry", "ready"},
    {MACHINE_UNIT, "leased", "return", "ready"},
    {MACHINE_UNIT, "leased", "fail", "failed"},
    {MACHINE_UNIT, "leased", "cancel", "cancelled"},
    {MACHINE_UNIT, "done", "redo", "ready"},

    {MACHINE_LEASE, "live", "complete", "ended"},
    {MACHINE_LEASE, "live", "fail", "ended"},
    {MACHINE_LEASE, "live", "stop", "stopping"},
    {MACHINE_LEASE, "live", "return", "ended"},
    {MACHINE_LEASE, "live", "lose", "ended"},
    {MACHINE_LEASE, "stopping", "complete", "ended"},
    {MACHINE_LEASE, "stopping", "fail", "ended"},
    {MACHINE_LEASE, "stopping", "quiet", "ended"},
    {MACHINE_LEASE, "stopping", "return", "ended"},
    {MACHINE_LEASE, "stopping", "lose", "ended"},
    {MACHINE_LEASE, "ended", "adopt", "live"},
};

static const struct {
    int states, events;
} sizes[MACHINE_COUNT] = {
    [MACHINE_TITLE] = {TITLE_STATE_COUNT, TITLE_EVENT_COUNT},
    [MACHINE_UNIT] = {UNIT_STATE_COUNT, UNIT_EVENT_COUNT},
    [MACHINE_LEASE] = {LEASE_STATE_COUNT, LEASE_EVENT_COUNT},
};

/* What the lines above say of a cell: a state or -1. */
static int drawn(enum machine machine, int state, int event) {
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        if (moves[i].machine == machine && strcmp(moves[i].from, state_name(machine, state)) == 0 &&
            strcmp(moves[i].event, state_event_name(machine, event)) == 0) {
            return strcmp(moves[i].to, "gone") == 0 ? TITLE_GONE
                                                    : state_from_name(machine, moves[i].to);
        }
    }
    return -1;
}

START_TEST(every_cell_is_as_drawn) {
    enum machine machine = (enum machine)_i;
    for (int state = 0; state < sizes[machine].states; state++) {
        for (int event = 0; event < sizes[machine].events; event++) {
            ck_assert_msg(state_next(machine, state, event) == drawn(machine, state, event),
                          "%s + %s", state_name(machine, state), state_event_name(machine, event));
        }
    }
}
END_TEST

START_TEST(every_state_is_reached_and_names_are_unique) {
    enum machine machine = (enum machine)_i;
    bool reached[16] = {true}; /* state 0 is where rows begin; units also begin as ready */
    for (int round = 0; round < 16; round++) {
        for (int state = 0; state < sizes[machine].states; state++) {
            for (int event = 0; reached[state] && event < sizes[machine].events; event++) {
                int next = state_next(machine, state, event);
                if (next >= 0) {
                    reached[next] = true;
                }
            }
        }
    }
    for (int state = 0; state < sizes[machine].states; state++) {
        ck_assert_msg(reached[state], "%s", state_name(machine, state));
        ck_assert_int_eq(state_from_name(machine, state_name(machine, state)), state);
    }
    ck_assert_int_eq(state_from_name(machine, "nowhere"), -1);
}
END_TEST

/* ---- the gate ---------------------------------------------------------------- */

struct gate {
    struct store *store;
    char *folder;
};

static void open_gate(struct gate *gate) {
    gate->folder = fixture_folder();
    char *path = fixture_store(gate->folder);
    struct store_options options = {.path = path};
    struct err err = {0};
    ck_assert_msg(store_open(&gate->store, &options, &err) == 0, "%s", err.message);
    mem_free(path);
}

static void close_gate(struct gate *gate) {
    store_close(gate->store);
    fixture_folder_drop(gate->folder);
}

static void add_ready_unit(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_TITLE_ADD,
            VALUES(TEXT("t"), TEXT("running"), INTEGER(1), TEXT("/s"), TEXT("/o"), TEXT("{}"),
                   INTEGER(1)));
    sql_run(tx, SQL_UNIT_ADD,
            VALUES(INTEGER(7), TEXT("t"), INTEGER(1), INTEGER(0), TEXT("video"), INTEGER(0),
                   TEXT("h264-720p"), INTEGER(3), INTEGER(0), TEXT("ready"), INTEGER(0), REAL(1.5),
                   INTEGER(96), INTEGER(0), INTEGER(0)));
}

struct attempt {
    enum unit_state from;
    enum unit_event event;
};

static void try_move(struct tx *tx, void *context) {
    const struct attempt *attempt = context;
    struct state_note note = {.title = "t", .detail = "{\"fence\":1}"};
    unit_move(tx, 7, attempt->from, attempt->event, &note);
}

struct seen {
    enum unit_state state;
    int64_t events;
};

static void look(struct tx *tx, void *context) {
    struct seen *seen = context;
    struct unit_row unit;
    ck_assert(unit_find(tx, 7, &unit));
    seen->state = unit.state;
    seen->events = tx_numbers(tx, "event", 1) - 1; /* those written so far */
    err_set(tx_err(tx), ERR_CANCELLED, "only looking");
}

START_TEST(the_gate_guards_the_store) {
    struct gate gate;
    struct seen seen;
    struct err err = {0};
    open_gate(&gate);
    ck_assert_int_eq(store_call(gate.store, add_ready_unit, NULL, NULL), 0);

    struct attempt forbidden = {UNIT_READY, UNIT_RETRY};
    ck_assert_int_eq(store_call(gate.store, try_move, &forbidden, &err), ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, "a unit that is ready can't retry"));

    err_clear(&err);
    struct attempt stale = {UNIT_LEASED, UNIT_COMPLETE}; /* the row is ready, not leased */
    ck_assert_int_eq(store_call(gate.store, try_move, &stale, &err), ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, "was not leased in the store"));
    store_call(gate.store, look, &seen, NULL);
    ck_assert_int_eq(seen.state, UNIT_READY);
    ck_assert_int_eq(seen.events, 0); /* what is refused leaves no event */

    struct attempt good = {UNIT_READY, UNIT_LEASE};
    ck_assert_int_eq(store_call(gate.store, try_move, &good, NULL), 0);
    store_call(gate.store, look, &seen, NULL);
    ck_assert_int_eq(seen.state, UNIT_LEASED);
    ck_assert_int_eq(seen.events, 1);
    close_gate(&gate);
}
END_TEST

Suite *state_suite(void) {
    Suite *suite = suite_create("state");
    TCase *tables = tcase_create("tables");
    tcase_add_loop_test(tables, every_cell_is_as_drawn, 0, MACHINE_COUNT);
    tcase_add_loop_test(tables, every_state_is_reached_and_names_are_unique, 0, MACHINE_COUNT);
    suite_add_tcase(suite, tables);
    TCase *gate = tcase_create("gate");
    tcase_add_test(gate, the_gate_guards_the_store);
    suite_add_tcase(suite, gate);
    return suite;
}
