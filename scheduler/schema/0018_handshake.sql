-- SPDX-License-Identifier: GPL-2.0-or-later
-- The leave that a webhook's receiver gave to send it events.

ALTER TABLE endpoint ADD COLUMN leave_until BIGINT NOT NULL DEFAULT 0; -- 0: it did not
ALTER TABLE endpoint ADD COLUMN leave_rate BIGINT NOT NULL DEFAULT 0;  -- requests a minute; 0: any
