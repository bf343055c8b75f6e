-- SPDX-License-Identifier: GPL-2.0-or-later
-- Workers that are given nothing new, by name: one that comes back is still among them.
CREATE TABLE worker_drain (
    worker TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
