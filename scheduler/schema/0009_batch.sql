-- SPDX-License-Identifier: GPL-2.0-or-later
-- A submission that is repeated is known by the key that its client gave it.
ALTER TABLE title ADD COLUMN request_key TEXT NOT NULL DEFAULT ''; -- '': it gave none

-- Titles are listed, and counted, by state, tenant and label.
CREATE INDEX title_by_state ON title (state, submission);
CREATE INDEX title_by_tenant ON title (tenant, submission);
CREATE INDEX title_label_back ON title_label (label);
