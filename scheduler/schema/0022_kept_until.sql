-- SPDX-License-Identifier: GPL-2.0-or-later
-- An edge may leave a version later than the output did, and who plays it there plays on: up to
-- when a version stays at an edge, once another has taken its place there; 0: it is current there.
ALTER TABLE publication_version ADD COLUMN kept_until BIGINT NOT NULL DEFAULT 0;
UPDATE publication_version SET kept_until = 1 WHERE version <>
    (SELECT p.held FROM publication p WHERE p.id = publication_version.publication);

-- When versions that the output has no more are to go from there too; 0: there are none.
ALTER TABLE publication ADD COLUMN goes_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX publication_goes ON publication (goes_at) WHERE goes_at > 0;
