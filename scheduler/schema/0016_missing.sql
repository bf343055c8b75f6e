-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a title's run goes without, since it could not be made and nobody needs it to watch.
CREATE TABLE title_missing (
    title TEXT NOT NULL,
    rendition TEXT NOT NULL,                   -- id, as the plan has it or would have it
    class TEXT NOT NULL,                       -- of its last failure
    error TEXT NOT NULL,
    PRIMARY KEY (title, rendition)
);
CREATE INDEX unit_images ON unit (id) WHERE state = 'ready' AND kind = 'images';
