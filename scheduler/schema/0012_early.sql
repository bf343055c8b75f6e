-- SPDX-License-Identifier: GPL-2.0-or-later
-- Titles that can be watched while they are encoded.
ALTER TABLE title ADD COLUMN early BIGINT NOT NULL DEFAULT 0; -- 1: its submission asked for it

-- Early playlists that lie in the folder early/RUN of a title, or are about to.
CREATE TABLE early_run (
    title TEXT NOT NULL,
    run BIGINT NOT NULL,                       -- the submission that began them
    submission BIGINT NOT NULL,                -- the one that went on with them last
    key TEXT NOT NULL,                         -- of what they list: another one begins anew
    output TEXT NOT NULL,                      -- the folder above the title's in which they lie
    chunks BIGINT NOT NULL DEFAULT 0,          -- that they list
    begun BIGINT NOT NULL DEFAULT 0,           -- 1: a task has written them, or part of them
    whole BIGINT NOT NULL DEFAULT 0,           -- 1: that is all, and they say so
    at BIGINT NOT NULL,                        -- when they last changed
    replaced BIGINT NOT NULL DEFAULT 0,        -- since when nothing is added; 0: it may be
    dropping BIGINT NOT NULL DEFAULT 0,        -- 1: they may be gone
    refused BIGINT NOT NULL DEFAULT 0,         -- when their removal was last given up
    PRIMARY KEY (title, run)
);
CREATE INDEX early_run_old ON early_run (at);

-- Of a rendition that early playlists list.
ALTER TABLE unit ADD COLUMN early BIGINT NOT NULL DEFAULT 0;
CREATE INDEX unit_early ON unit (title, chunk) WHERE early = 1 AND state <> 'done';
