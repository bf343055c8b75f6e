-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who made a title's last submission: so a call that is made again, since its answer was lost, is
-- told apart from another of the same key.
ALTER TABLE title ADD COLUMN request_sender TEXT NOT NULL DEFAULT '';

-- A title's plan, of 100 kB and more, has a row of its own: each task that ends changes the title's.
CREATE TABLE title_plan (
    title TEXT PRIMARY KEY,
    plan TEXT NOT NULL                         -- JSON
);
INSERT INTO title_plan (title, plan) SELECT id, plan FROM title WHERE plan <> '';
ALTER TABLE title DROP COLUMN plan;

-- How many of its worker's slots a task takes: as many as its encoders have threads.
ALTER TABLE lease ADD COLUMN slots BIGINT NOT NULL DEFAULT 1;
