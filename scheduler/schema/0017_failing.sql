-- SPDX-License-Identifier: GPL-2.0-or-later
-- Since when all has failed at an endpoint: few titles open its breaker by that.

ALTER TABLE endpoint ADD COLUMN failing_at BIGINT NOT NULL DEFAULT 0; -- 0: not since a success
ALTER TABLE endpoint ADD COLUMN by_time BIGINT NOT NULL DEFAULT 0;    -- 1: its breaker opened by that alone
