-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands for the migration of another branch, whose file takes this one's place.
SELECT 1;
