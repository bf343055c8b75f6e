-- SPDX-License-Identifier: GPL-2.0-or-later
-- Publishing: what edges and catalogs are to hold of each title, what they hold, how they are.

CREATE TABLE endpoint (
    name TEXT PRIMARY KEY,
    is_catalog BIGINT NOT NULL,
    listed BIGINT NOT NULL,                    -- 1: the scheduler's file has it
    rules TEXT NOT NULL,                       -- which titles it is to hold, as the file had it
    reachable BIGINT NOT NULL DEFAULT 0,       -- 1: listed, its breaker closed, its window open
    state TEXT NOT NULL DEFAULT 'closed',      -- of its breaker, as are these: see breaker.h
    results BIGINT NOT NULL DEFAULT 0,
    row_fails BIGINT NOT NULL DEFAULT 0,
    mends BIGINT NOT NULL DEFAULT 0,
    pause_ms BIGINT NOT NULL DEFAULT 0,
    opened_at BIGINT NOT NULL DEFAULT 0,
    retry_at BIGINT NOT NULL DEFAULT 0,
    pushes DOUBLE PRECISION NOT NULL DEFAULT 1, -- of its limit
    best_ms DOUBLE PRECISION NOT NULL DEFAULT 0,
    last_ms DOUBLE PRECISION NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',            -- of the last failure; '' since a success
    granted_at BIGINT NOT NULL DEFAULT 0,      -- when a push to it was last given out
    brought BIGINT NOT NULL DEFAULT 0,         -- pushes that were done, from here on sums
    failed BIGINT NOT NULL DEFAULT 0,
    objects BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0
);

-- Of a title at an endpoint; outlives the title's row until the endpoint is clean.
CREATE TABLE publication (
    id BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    choice BIGINT NOT NULL DEFAULT 0,          -- 1: somebody wants it there, -1: not; 0: by the rules
    wanted TEXT NOT NULL,                      -- version; '': none
    held TEXT NOT NULL DEFAULT '',             -- what the last push that was done left current there
    revision BIGINT NOT NULL,                  -- grows with each change of what is wanted
    stage TEXT NOT NULL,                       -- settled, due, behind (others come first), running
    pushed TEXT NOT NULL DEFAULT '',           -- version of the push that runs
    pushed_revision BIGINT NOT NULL DEFAULT 0, -- and the revision that it brings
    skip BIGINT NOT NULL DEFAULT 0,            -- objects that are there already; -1: forget what runs
    total BIGINT NOT NULL DEFAULT 0,           -- objects in all; 0: not known
    failures BIGINT NOT NULL DEFAULT 0,        -- since it was last wanted or brought
    class TEXT NOT NULL DEFAULT '',            -- of the last failure
    error TEXT NOT NULL DEFAULT '',
    next_at BIGINT NOT NULL,                   -- not before
    rank BIGINT NOT NULL                       -- lower goes first
);
CREATE UNIQUE INDEX publication_of_title ON publication (title, endpoint);
CREATE INDEX publication_due ON publication (endpoint, rank, next_at) WHERE stage = 'due';
CREATE INDEX publication_next ON publication (endpoint, next_at) WHERE stage = 'due';
CREATE INDEX publication_behind ON publication (id) WHERE stage = 'behind';
CREATE INDEX publication_running ON publication (endpoint) WHERE stage = 'running';
CREATE INDEX publication_leaving ON publication (endpoint, next_at)
    WHERE wanted = '' AND stage <> 'settled';
INSERT INTO counter (name, value) VALUES ('publication', 0), ('revision', 0), ('publish_walk', -1);

-- Versions that may lie at an edge.
CREATE TABLE publication_version (
    publication BIGINT NOT NULL,
    version TEXT NOT NULL,
    going BIGINT NOT NULL DEFAULT 0,           -- 1: it is to go, 2: the push that runs was told so,
                                               -- 3: likewise, and once more when the origin has it
                                               -- no more; 4: for which it waits
    PRIMARY KEY (publication, version)
);

-- What a version is made of, for as long as the origin or an edge holds it.
CREATE TABLE version_folder (
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    position BIGINT NOT NULL,                  -- of the rendition in the plan
    rendition TEXT NOT NULL,                   -- id
    folder TEXT NOT NULL,                      -- below the title's
    segments BIGINT NOT NULL,
    PRIMARY KEY (title, version, position)
);

-- Titles that no endpoint is to hold, whatever its rules; and how popular titles are.
CREATE TABLE title_withheld (title TEXT PRIMARY KEY);
CREATE TABLE title_score (
    title TEXT PRIMARY KEY,
    score DOUBLE PRECISION NOT NULL
);
