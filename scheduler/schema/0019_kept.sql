-- SPDX-License-Identifier: GPL-2.0-or-later
-- Whether the files of a title that was forgotten were to stay where they are.

ALTER TABLE title_gone ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
