-- SPDX-License-Identifier: GPL-2.0-or-later
-- Of a push whose worker was lost: it may wake and put something late, which no edge refuses.
-- When what is wanted is brought there once more; 0: no need.
ALTER TABLE publication ADD COLUMN unsure_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX publication_unsure ON publication (unsure_at) WHERE unsure_at > 0;
