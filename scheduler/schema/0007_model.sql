-- SPDX-License-Identifier: GPL-2.0-or-later
-- What tasks really take, by the farm's own reports; which run longer than they should; and
-- what a worker is.

-- Of a class of units, or of a host: natural logarithms of what was measured over what the
-- table of plan_task.c expects (of a host: over what the class expects).
CREATE TABLE model (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,                        -- of the last report
    wall_weight DOUBLE PRECISION NOT NULL DEFAULT 0,
    wall_mean DOUBLE PRECISION NOT NULL DEFAULT 0,
    wall_variance DOUBLE PRECISION NOT NULL DEFAULT 0,
    wall_most DOUBLE PRECISION NOT NULL DEFAULT 0,
    memory_weight DOUBLE PRECISION NOT NULL DEFAULT 0,
    memory_mean DOUBLE PRECISION NOT NULL DEFAULT 0,
    memory_variance DOUBLE PRECISION NOT NULL DEFAULT 0,
    memory_most DOUBLE PRECISION NOT NULL DEFAULT 0
);
INSERT INTO counter (name, value) VALUES ('model', 0);
ALTER TABLE unit ADD COLUMN model BIGINT NOT NULL DEFAULT 0;              -- its class; 0: none

ALTER TABLE lease ADD COLUMN expected_s DOUBLE PRECISION NOT NULL DEFAULT 0; -- by the clock
ALTER TABLE lease ADD COLUMN table_bytes BIGINT NOT NULL DEFAULT 0;       -- memory by the table
ALTER TABLE lease ADD COLUMN reserve_bytes BIGINT NOT NULL DEFAULT 0;     -- that it counts for
ALTER TABLE lease ADD COLUMN hedge_ms BIGINT NOT NULL DEFAULT 0;          -- a straggler when so old; 0: never
ALTER TABLE lease ADD COLUMN hedge_at BIGINT NOT NULL DEFAULT 0;          -- may be hedged from then on; 0: not
ALTER TABLE lease ADD COLUMN hedges BIGINT NOT NULL DEFAULT 0;            -- fence of the straggler that it doubles; 0: none
CREATE INDEX lease_hedge ON lease (hedge_at) WHERE state = 'live' AND hedge_at > 0;

ALTER TABLE worker_session ADD COLUMN cores BIGINT NOT NULL DEFAULT 0;    -- 0: it did not say
ALTER TABLE worker_session ADD COLUMN sandbox BIGINT NOT NULL DEFAULT 2;  -- enum sandbox_level: 2 is none

-- Beside what 0006 knew: what one of two workers of a unit failed or gave up.
DROP INDEX event_of_trouble;
CREATE INDEX event_of_trouble ON event (title, seq)
    WHERE kind IN ('title.submit', 'unit.retry', 'unit.fail', 'unit.return', 'unit.yield');
