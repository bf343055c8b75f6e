-- SPDX-License-Identifier: GPL-2.0-or-later
-- Titles are listed from the newest submission on.
CREATE INDEX title_by_submission ON title (submission);
