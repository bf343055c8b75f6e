-- SPDX-License-Identifier: GPL-2.0-or-later
-- Where attempts at what is missing may have left files, until those are gone; '': nowhere.
ALTER TABLE title_missing ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE INDEX title_missing_left ON title_missing (title) WHERE place <> '';
