-- SPDX-License-Identifier: GPL-2.0-or-later
-- The first schema. Times are milliseconds since 1970 by the store's clock.

-- Numbers that are given once: units, fences, events, submissions.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('unit', 0), ('fence', 0), ('event', 0), ('submission', 0), ('build', 0);

CREATE TABLE title (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    submission BIGINT NOT NULL,                -- of this run: titles are served in this order
    source TEXT NOT NULL,                      -- path or URL
    output TEXT NOT NULL,                      -- URL or path of the folder above the title's
    ladder TEXT NOT NULL,                      -- JSON, normalised
    identity TEXT NOT NULL DEFAULT '',         -- of the source; '' until known
    pin TEXT NOT NULL DEFAULT '',              -- of the source as the probe opened it
    source_size BIGINT NOT NULL DEFAULT -1,
    plan TEXT NOT NULL DEFAULT '',             -- JSON of the title plan; '' until there is one
    packaged TEXT NOT NULL DEFAULT '',         -- version that this run's package made
    version TEXT NOT NULL DEFAULT '',          -- current one: of the last run that finished
    class TEXT NOT NULL DEFAULT '',            -- why it failed
    error TEXT NOT NULL DEFAULT '',
    redone BIGINT NOT NULL DEFAULT 0,          -- times that package sent units back in this run
    tasks BIGINT NOT NULL DEFAULT 0,           -- sums over this run, from here on
    failures BIGINT NOT NULL DEFAULT 0,
    losses BIGINT NOT NULL DEFAULT 0,
    frames_decoded BIGINT NOT NULL DEFAULT 0,
    source_bytes BIGINT NOT NULL DEFAULT 0,
    cpu_s DOUBLE PRECISION NOT NULL DEFAULT 0,
    decode_cpu_s DOUBLE PRECISION NOT NULL DEFAULT 0,
    scale_cpu_s DOUBLE PRECISION NOT NULL DEFAULT 0,
    encode_cpu_s DOUBLE PRECISION NOT NULL DEFAULT 0,
    wall_s DOUBLE PRECISION NOT NULL DEFAULT 0,
    peak_memory BIGINT NOT NULL DEFAULT 0      -- the largest
);

-- The nodes of the current run's plan.
CREATE TABLE unit (
    id BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    submission BIGINT NOT NULL,                -- the title's
    position BIGINT NOT NULL,                  -- order of leasing; index in the plan; -1 the probe, -2 the remove
    kind TEXT NOT NULL,
    rendition BIGINT NOT NULL,                 -- index in the plan; -1: none
    rendition_id TEXT NOT NULL,
    chunk BIGINT NOT NULL,                     -- index in the grid; -1: none
    build BIGINT NOT NULL,                     -- build_line that a worker needs; 0: any
    state TEXT NOT NULL,
    waiting BIGINT NOT NULL,                   -- units that it needs and that are not done
    place TEXT NOT NULL DEFAULT '',
    key TEXT NOT NULL DEFAULT '',
    cost_s DOUBLE PRECISION NOT NULL,
    frames BIGINT NOT NULL,                    -- of video, else 0
    ready_at BIGINT NOT NULL,                  -- not leased before
    attempts BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,        -- the task's fault
    crashes BIGINT NOT NULL DEFAULT 0,         -- failures that killed the child or broke its word
    losses BIGINT NOT NULL DEFAULT 0,          -- the worker's fault
    doublings BIGINT NOT NULL DEFAULT 0,       -- of its memory limit
    alone BIGINT NOT NULL DEFAULT 0,           -- 1: never in one task with others
    may_replace BIGINT NOT NULL DEFAULT 0,     -- 1: after a nondeterministic attempt
    avoid TEXT NOT NULL DEFAULT '',            -- worker that failed it last
    repaired BIGINT NOT NULL DEFAULT 0,        -- frames
    concealed BIGINT NOT NULL DEFAULT 0,       -- frames
    reused BIGINT NOT NULL DEFAULT 0           -- 1: made by an earlier run
);
CREATE UNIQUE INDEX unit_of_title ON unit (title, position);
CREATE INDEX unit_ready ON unit (submission, position) WHERE state = 'ready';
CREATE INDEX unit_blocked ON unit (title) WHERE state = 'blocked';

-- Edges of the plan.
CREATE TABLE unit_need (
    unit BIGINT NOT NULL,
    needs BIGINT NOT NULL,
    PRIMARY KEY (unit, needs)
);
CREATE INDEX unit_need_back ON unit_need (needs);

-- Hosts that were lost while they ran a unit.
CREATE TABLE unit_loss (
    unit BIGINT NOT NULL,
    host TEXT NOT NULL,
    PRIMARY KEY (unit, host)
);

-- Accepted results of video and sound, which outlive the run that made them.
CREATE TABLE product (
    place TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    report TEXT NOT NULL,                      -- JSON of the unit_report
    repaired BIGINT NOT NULL,                  -- frames
    concealed BIGINT NOT NULL,                 -- frames
    published BIGINT NOT NULL DEFAULT 0,       -- 1: a version that was current names it
    PRIMARY KEY (place, key)
);
CREATE INDEX product_of_title ON product (title);

CREATE TABLE lease (
    fence BIGINT PRIMARY KEY,
    session TEXT NOT NULL,
    worker TEXT NOT NULL,
    host TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX lease_of_session ON lease (session) WHERE state <> 'ended';
CREATE INDEX lease_of_title ON lease (title);

CREATE TABLE lease_unit (
    fence BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    PRIMARY KEY (fence, unit)
);
CREATE INDEX lease_of_unit ON lease_unit (unit);

CREATE TABLE worker_session (
    id TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    slots BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    seen_at BIGINT NOT NULL                    -- may lag behind by a sixth of the lease time
);

CREATE TABLE build_line (
    id BIGINT PRIMARY KEY,
    line TEXT NOT NULL UNIQUE
);

CREATE TABLE session_encoder (
    session TEXT NOT NULL,
    name TEXT NOT NULL,
    codec TEXT NOT NULL,
    build BIGINT NOT NULL,
    tail_frames BIGINT NOT NULL,
    PRIMARY KEY (session, name)
);

-- What a source was when it was last read whole.
CREATE TABLE source_identity (
    url TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    pin TEXT NOT NULL,
    identity TEXT NOT NULL
);

CREATE TABLE event (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    title TEXT NOT NULL,
    unit BIGINT NOT NULL,                      -- 0: of the title as a whole
    kind TEXT NOT NULL,
    detail TEXT NOT NULL                       -- JSON object, or ''
);
