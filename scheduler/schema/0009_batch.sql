-- SPDX-License-Identifier: GPL-2.0-or-later
-- A submission that is repeated is known by the key that its client gave it.
ALTER TABLE title ADD COLUMN request_key TEXT NOT NULL DEFAULT ''; -- '': it gave none
