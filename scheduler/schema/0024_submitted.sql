-- SPDX-License-Identifier: GPL-2.0-or-later
-- When a title was submitted, for the last of its runs; 0: nobody knows any more.
ALTER TABLE title ADD COLUMN submitted_at BIGINT NOT NULL DEFAULT 0;

-- Of those that are known the feed says it, for as far back as it is kept. The kinds are those of
-- the index.
UPDATE title SET submitted_at = coalesce((SELECT max(e.at) FROM event e WHERE e.title = title.id
    AND e.kind IN ('title.submit', 'unit.retry', 'unit.fail', 'unit.return', 'unit.yield')
    AND e.kind = 'title.submit'), 0);
