/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that people type: `reelfarm COMMAND ...`. One file a command; each
 * is a row of the table in command.c, from which help, completion and the usage
 * errors come.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Runs the command line and returns the process's exit code: 0 done, 1 failed,
 * 2 wrong usage, 3 scheduler unreachable, 4 refused, 130 interrupted. */
int cli_main(int argc, char **argv);

#endif
