-- SPDX-License-Identifier: GPL-2.0-or-later
-- Webhooks: endpoints that are told of events.

ALTER TABLE endpoint ADD COLUMN events BIGINT NOT NULL DEFAULT 0; -- a bit each: hook_events.h
ALTER TABLE endpoint ADD COLUMN label TEXT NOT NULL DEFAULT '';   -- of those titles alone
ALTER TABLE endpoint ADD COLUMN tenant TEXT NOT NULL DEFAULT '';  -- likewise
ALTER TABLE endpoint ADD COLUMN max_age_ms BIGINT NOT NULL DEFAULT 0; -- of what waits there
ALTER TABLE endpoint ADD COLUMN gone_at BIGINT NOT NULL DEFAULT 0; -- it said 410; 0: it did not
ALTER TABLE endpoint ADD COLUMN pause_until BIGINT NOT NULL DEFAULT 0; -- as it asked for
ALTER TABLE endpoint ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;  -- events, as are these: sums
ALTER TABLE endpoint ADD COLUMN died BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;   -- dead ones that had no room

-- An event on its way to an endpoint; it owns what it tells, which the feed may drop meanwhile.
CREATE TABLE delivery (
    endpoint TEXT NOT NULL,
    event BIGINT NOT NULL,                     -- its number in the feed, which is the order
    at BIGINT NOT NULL,                        -- when it happened
    title TEXT NOT NULL,
    kind TEXT NOT NULL,                        -- as the feed has it
    data TEXT NOT NULL,                        -- what is told besides: a JSON object
    state TEXT NOT NULL,                       -- waiting, running, delivered, dead
    fence BIGINT NOT NULL DEFAULT 0,           -- of the lease that carries it; 0: none does
    attempts BIGINT NOT NULL DEFAULT 0,
    status BIGINT NOT NULL DEFAULT 0,          -- of the last answer; 0: there was none
    error TEXT NOT NULL DEFAULT '',            -- of the last attempt; '': it went well
    next_at BIGINT NOT NULL DEFAULT 0,         -- not before
    until BIGINT NOT NULL,                     -- it is tried till then
    ended_at BIGINT NOT NULL DEFAULT 0,        -- when it became what it is; 0: it waits or runs
    PRIMARY KEY (endpoint, event)
);
CREATE INDEX delivery_state ON delivery (endpoint, state, event);
CREATE INDEX delivery_title ON delivery (endpoint, title, event);
CREATE INDEX delivery_next ON delivery (endpoint, next_at) WHERE state = 'waiting';
CREATE INDEX delivery_until ON delivery (until) WHERE state = 'waiting';
CREATE INDEX delivery_fence ON delivery (fence) WHERE state = 'running';
CREATE INDEX delivery_ended ON delivery (ended_at) WHERE ended_at > 0;
INSERT INTO counter (name, value) VALUES ('delivery', 0);

-- Of which version a title's being published was told last.
ALTER TABLE title ADD COLUMN told TEXT NOT NULL DEFAULT '';
UPDATE title SET told = version;
