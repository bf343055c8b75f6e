-- SPDX-License-Identifier: GPL-2.0-or-later
-- Titles of which something may still be put at an output that no version names: by a worker that
-- was lost, for as long as it goes on by itself; or in runs that were cancelled.

ALTER TABLE worker_session ADD COLUMN keep_ms BIGINT NOT NULL DEFAULT 600000;

CREATE TABLE leftover (
    title TEXT NOT NULL,
    output TEXT NOT NULL,
    due_at BIGINT NOT NULL, -- when it is looked for and removed
    attempts BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,  -- of the task that does; 0: none yet
    parked BIGINT NOT NULL DEFAULT 0, -- 1: not before the title's next end
    PRIMARY KEY (title, output)
);
CREATE INDEX leftover_due ON leftover (due_at) WHERE parked = 0;
