-- SPDX-License-Identifier: GPL-2.0-or-later
-- Why a title waits: what failed in its run, and which titles come before it.
CREATE INDEX event_of_trouble ON event (title, seq)
    WHERE kind IN ('title.submit', 'unit.retry', 'unit.fail', 'unit.return');
CREATE INDEX title_open ON title (priority, tenant, deadline, submission)
    WHERE state IN ('submitted', 'running');
