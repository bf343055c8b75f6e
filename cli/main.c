/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reelfarm: the client, the scheduler, `encode` and `up`. Links no codec. */
#include "cli/cli.h"

int main(int argc, char **argv) {
    return cli_main(argc, argv);
}
