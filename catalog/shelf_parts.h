/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the shelf share. Private to shelf*.c. */
#ifndef CATALOG_SHELF_PARTS_H
#define CATALOG_SHELF_PARTS_H

#include "database/driver.h"
#include "shelf.h"
#include "shelf_sql.h"

struct shelf {
    struct driver *driver;
    int64_t few; /* SHELF_FEW; tests know others */
};

/* As driver_start. */
int shelf_start(struct shelf *shelf, enum shelf_sql_id id, const struct value *values, size_t count,
                struct err *err);

/* The first row, which driver_reset ends: 1; 0: there is none; negative: an error. */
int shelf_first(struct shelf *shelf, enum shelf_sql_id id, const struct value *values, size_t count,
                struct err *err);

#endif
