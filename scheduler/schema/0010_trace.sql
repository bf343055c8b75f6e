-- SPDX-License-Identifier: GPL-2.0-or-later
-- One trace id for each run of a title. In a table of its own: every event asks for it, and a
-- title's row has the plan in it, which may be megabytes.
CREATE TABLE title_trace (
    title TEXT PRIMARY KEY,
    trace TEXT NOT NULL                        -- 32 hex digits
);
ALTER TABLE event ADD COLUMN trace TEXT NOT NULL DEFAULT ''; -- of the run then
