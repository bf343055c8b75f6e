/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm catalog`: the daemon of catalog/. */
#include "catalog/catalog.h"
#include "command.h"

const struct command command_catalog = {
    .name = "catalog",
    .summary = "a catalog of what was published, to be read and searched",
    .daemon = catalog_daemon,
};
