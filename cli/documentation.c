/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Man page and completion from the table of commands: see documentation.h. */
#include "documentation.h"

#include <string.h>

#include "command.h"

/* ---- Man page ------------------------------------------------------------------- */

/* Text in which nothing is a request or an escape of roff. */
static void roff_text(const char *text, struct buf *out) {
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\'')) {
            buf_string(out, "\\&");
        }
        if (*text == '\\') {
            buf_string(out, "\\e");
        } else if (*text == '-') {
            buf_string(out, "\\-");
        } else {
            buf_append(out, text, 1);
        }
        line_start = *text == '\n';
    }
}

static void manual_option(const struct option_row *row, struct buf *out) {
    buf_string(out, ".TP\n.B ");
    char typed[64] = "--";
    strncat(typed, row->name, sizeof(typed) - 3);
    roff_text(typed, out);
    if (row->value != NULL) {
        buf_string(out, "\\fR \\fI");
        roff_text(row->value, out);
    }
    buf_string(out, "\n");
    roff_text(row->help, out);
    buf_string(out, "\n");
}

static void manual_command(const struct command *command, struct buf *out) {
    buf_string(out, ".SS reelfarm ");
    roff_text(command->name, out);
    buf_string(out, " ");
    roff_text(command->words != NULL ? command->words : "[options]", out);
    buf_string(out, "\n");
    roff_text(command->summary, out);
    buf_string(out, ".\n.PP\n.nf\n");
    roff_text(command->help != NULL ? command->help : "Its options: --help.\n", out);
    buf_string(out, ".fi\n");
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        manual_option(row, out);
    }
}

void manual_write(struct buf *out) {
    buf_string(out, ".TH REELFARM 1 \"\" \"reelfarm " REELFARM_VERSION "\" \"User Commands\"\n"
                    ".SH NAME\nreelfarm \\- turn source titles into HLS and DASH streams\n"
                    ".SH SYNOPSIS\n.B reelfarm\n.I COMMAND\n.RI [ options ]\n"
                    ".SH DESCRIPTION\n"
                    "reelfarm splits a title into chunks, encodes them into a ladder of renditions "
                    "in boxed\nworker processes, and writes HLS and DASH manifests over one set of "
                    "CMAF segments.\n.SH COMMANDS\n");
    const struct command *command = NULL;
    for (int i = 0; (command = command_at(i)) != NULL; i++) {
        manual_command(command, out);
    }
    buf_string(out, ".SH EXIT STATUS\n"
                    "0 done, 1 failed, 2 wrong usage, 3 scheduler unreachable, 4 refused, "
                    "130 interrupted.\n");
}

/* ---- Completion for bash ---------------------------------------------------------- */

static void completion_case(const struct command *command, struct buf *out) {
    buf_format(out, "    %s) words=\"", command->name);
    const struct option_row *row = NULL;
    for (int i = 0; (row = command_option_at(command, i)) != NULL; i++) {
        buf_format(out, "%s--%s", i > 0 ? " " : "", row->name);
    }
    buf_string(out, "\" ;;\n");
}

/* Names of files come a line each, so that they may hold spaces. */
void completion_write(struct buf *out) {
    buf_string(out, "# bash completion for reelfarm, written from its table of commands\n"
                    "_reelfarm() {\n"
                    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
                    "words=\n"
                    "    local -a kind=(-f)\n"
                    "    case ${COMP_WORDS[1]} in\n");
    const struct command *command = NULL;
    for (int i = 0; (command = command_at(i)) != NULL; i++) {
        completion_case(command, out);
    }
    buf_string(out, "    esac\n"
                    "    case $before in\n"
                    "    --out) kind=(-d) ;;\n"
                    "    --ladder) kind=(-f -W \"$(reelfarm ladder list 2>/dev/null |"
                    " sed -n 's/^\\([a-z0-9-]*\\):.*/\\1/p')\") ;;\n"
                    "    ladder) kind=(-W \"list show check plan\") ;;\n"
                    "    endpoints) kind=(-W \"sweep forget $words\") ;;\n"
                    "    *) [[ $word != -* ]] || kind=(-W \"$words\") ;;\n"
                    "    esac\n"
                    "    [ \"$COMP_CWORD\" != 1 ] || kind=(-W \"");
    for (int i = 0; (command = command_at(i)) != NULL; i++) {
        buf_format(out, "%s ", command->name);
    }
    buf_string(out, "--help\")\n"
                    "    [ \"${kind[0]}\" = -W ] || compopt -o filenames\n"
                    "    mapfile -t COMPREPLY < <(compgen \"${kind[@]}\" -- \"$word\")\n"
                    "}\n"
                    "complete -F _reelfarm reelfarm\n");
}
