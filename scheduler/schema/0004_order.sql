-- SPDX-License-Identifier: GPL-2.0-or-later
-- The order in which titles are served: priority, tenant, deadline, age; and labels for people.

ALTER TABLE title ADD COLUMN priority BIGINT NOT NULL DEFAULT 0; -- larger goes first
ALTER TABLE title ADD COLUMN tenant TEXT NOT NULL DEFAULT '';    -- who shares the farm with others
ALTER TABLE title ADD COLUMN deadline BIGINT NOT NULL DEFAULT 0; -- 0: none

CREATE TABLE title_label (
    title TEXT NOT NULL,
    label TEXT NOT NULL,                       -- NAME=VALUE
    PRIMARY KEY (title, label)
);

-- Copies of the title's, so that one index holds the queue.
ALTER TABLE unit ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE unit ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE unit ADD COLUMN due BIGINT NOT NULL DEFAULT 9223372036854775807; -- largest: never

-- Steps over tenants, then over their priorities; the units of one build line lie in order.
CREATE INDEX unit_queue ON unit (tenant, priority DESC, build, due, submission, position)
    WHERE state = 'ready';
CREATE INDEX unit_ready_at ON unit (ready_at) WHERE state = 'ready';
DROP INDEX unit_ready;
