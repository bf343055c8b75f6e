-- SPDX-License-Identifier: GPL-2.0-or-later
-- Where an endpoint is and how it is spoken to, as a hash: what was brought to another place is not
-- at this one. '': it was not noted yet.
ALTER TABLE endpoint ADD COLUMN place TEXT NOT NULL DEFAULT '';

-- 1: nothing of it is wanted there, and players get it there still, from the output.
ALTER TABLE publication ADD COLUMN fetches BIGINT NOT NULL DEFAULT 0;

-- What a push costs is by bytes too now; what was known of it was not.
UPDATE endpoint SET best_ms = 0;

-- Titles that waited for a catalog which was not listed any more, when that was not told.
UPDATE counter SET value = 0 WHERE name = 'publish_walk' AND EXISTS (SELECT 1 FROM endpoint);
