-- SPDX-License-Identifier: GPL-2.0-or-later
-- Versions of titles that are kept, and titles that were taken away.

-- Each version that was current and is not dropped yet.
CREATE TABLE title_version (
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    output TEXT NOT NULL,                      -- the folder above the title's in which it lies
    since BIGINT NOT NULL,                     -- when it became current
    replaced BIGINT NOT NULL DEFAULT 0,        -- when another took its place; 0: it is current
    dropping BIGINT NOT NULL DEFAULT 0,        -- 1: its objects may be gone
    refused BIGINT NOT NULL DEFAULT 0,         -- when its removal was last given up
    PRIMARY KEY (title, version, output)
);
CREATE INDEX title_version_old ON title_version (replaced) WHERE replaced > 0;

-- The renditions that it names, by the places of their folders.
CREATE TABLE version_rendition (
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    output TEXT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (title, version, output, place)
);

INSERT INTO title_version (title, version, output, since)
    SELECT id, version, output, 0 FROM title WHERE version <> '';
INSERT INTO version_rendition (title, version, output, place)
    SELECT DISTINCT t.id, t.version, t.output, p.place FROM title t
    JOIN product p ON p.title = t.id AND p.published = 1 WHERE t.version <> '';

-- Whose the titles were whose events are in the feed still: up to `seq` they are that tenant's.
CREATE TABLE title_gone (
    title TEXT NOT NULL,
    seq BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (title, seq)
);
