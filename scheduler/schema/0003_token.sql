-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who may call. The operator's token is not among them: it comes with the scheduler's start.

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,                        -- for people
    role TEXT NOT NULL,
    tenant TEXT NOT NULL,                      -- that it is bound to; '' for all
    hash TEXT NOT NULL,                        -- hex SHA-256 of the whole token
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,                   -- 0: never
    revoked BIGINT NOT NULL DEFAULT 0          -- 0: it is good
);
CREATE INDEX token_good ON token (id) WHERE revoked = 0;
