-- SPDX-License-Identifier: GPL-2.0-or-later
-- Whether the worker has been told to end: it takes nothing new, and ends when its tasks have.
ALTER TABLE worker_session ADD COLUMN stopping BIGINT NOT NULL DEFAULT 0;
