/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options as people and programs see them: see config.h. */
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/json.h"
#include "common/wrap.h"

enum { HELP_COLUMN = 28, NAME_COLUMN = 18 };

/* ---- Help ------------------------------------------------------------------------- */

static void add_flag(const struct config_option *option, struct buf *out) {
    static const char *const placeholders[] = {
        [CONFIG_BOOL] = "",      [CONFIG_INT] = " N",       [CONFIG_NUMBER] = " N",
        [CONFIG_TEXT] = " TEXT", [CONFIG_CHOICE] = " WORD",
    };
    buf_string(out, "  --");
    for (const char *c = option->name; *c != '\0'; c++) {
        buf_u8(out, (uint8_t)(*c == '_' ? '-' : *c));
    }
    buf_string(out, placeholders[option->type]);
}

static void add_facts(const struct config_option *option, struct buf *out) {
    const char *comma = " (";
    if (option->unit != NULL) {
        buf_format(out, "%s%s", comma, option->unit);
        comma = "; ";
    }
    if (option->type == CONFIG_CHOICE) {
        for (int i = 0; option->choices[i] != NULL; i++) {
            buf_format(out, "%s%s", i == 0 ? comma : ", ", option->choices[i]);
        }
        comma = "; ";
    } else if (option->max != 0 && option->type != CONFIG_TEXT) {
        buf_format(out, "%s%.15g to %.15g", comma, option->min, option->max);
        comma = "; ";
    }
    if (option->standard != NULL && option->type != CONFIG_BOOL) {
        buf_format(out, "%sdefault %s", comma, option->standard);
        comma = "; ";
    }
    buf_string(out, strcmp(comma, "; ") == 0 ? ")" : "");
}

void config_help(const struct config_option *options, size_t count, struct buf *out) {
    for (size_t i = 0; i < count; i++) {
        size_t from = out->size;
        add_flag(&options[i], out);
        size_t width = out->size - from;
        size_t gap = width < HELP_COLUMN ? HELP_COLUMN - width : 0;
        struct buf help = {0};
        buf_string(&help, options[i].help);
        add_facts(&options[i], &help);
        buf_format(out, "%*s  ", (int)gap, "");
        wrap_text(out, buf_text(&help), width + gap + 2, HELP_COLUMN + 2);
        buf_finish(&help);
    }
}

/* ---- Values ------------------------------------------------------------------------ */

static void write_value(const struct config *config, const struct config_option *option,
                        struct writer *w, const char *name) {
    const void *field = (const char *)config->target + option->offset;
    if (option->secret) {
        const char *text = option->type == CONFIG_TEXT ? *(const char *const *)field : "";
        writer_string(w, name, text != NULL ? "(secret)" : NULL);
        return;
    }
    switch (option->type) {
    case CONFIG_BOOL:
        writer_bool(w, name, *(const bool *)field);
        break;
    case CONFIG_INT:
        writer_int(w, name, *(const int64_t *)field);
        break;
    case CONFIG_NUMBER:
        writer_number(w, name, *(const double *)field);
        break;
    case CONFIG_TEXT:
        writer_string(w, name, *(const char *const *)field);
        break;
    case CONFIG_CHOICE:
        writer_string(w, name, option->choices[*(const int *)field]);
        break;
    }
}

void config_table(const struct config *config, struct buf *out) {
    for (size_t i = 0; i < config->count; i++) {
        const struct config_option *option = &config->options[i];
        struct buf value = {0};
        struct writer w = writer_of(&value);
        write_value(config, option, &w, NULL);
        bool is_unset = strcmp(buf_text(&value), "null") == 0;
        buf_format(out, "%-*s %s", NAME_COLUMN, option->name, is_unset ? "-" : buf_text(&value));
        buf_format(out, "%s%s  (%s)\n", option->unit != NULL ? " " : "",
                   option->unit != NULL ? option->unit : "", config->sources[i]);
        buf_format(out, "%-*s %s", NAME_COLUMN, "", option->help);
        add_facts(option, out);
        buf_string(out, "\n");
        buf_finish(&value);
    }
}

static void write_bounds(const struct config_option *option, struct writer *w) {
    if (option->min != 0 || option->max != 0) {
        writer_number(w, "min", option->min);
        writer_number(w, "max", option->max);
    } else {
        writer_raw(w, "min", "null", 4);
        writer_raw(w, "max", "null", 4);
    }
    writer_array(w, "choices");
    for (int i = 0; option->type == CONFIG_CHOICE && option->choices[i] != NULL; i++) {
        writer_string(w, NULL, option->choices[i]);
    }
    writer_array_end(w);
}

void config_json(const struct config *config, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    for (size_t i = 0; i < config->count; i++) {
        const struct config_option *option = &config->options[i];
        writer_object(&w, option->name);
        write_value(config, option, &w, "value");
        writer_string(&w, "source", config->sources[i]);
        writer_string(&w, "unit", option->unit);
        writer_string(&w, "default", option->secret ? NULL : option->standard);
        write_bounds(option, &w);
        writer_string(&w, "help", option->help);
        writer_object_end(&w);
    }
    writer_object_end(&w);
}

void config_show(const struct config *config, struct buf *out) {
    if (config->show == CONFIG_SHOW_JSON) {
        config_json(config, out);
        buf_string(out, "\n");
    } else {
        config_table(config, out);
    }
}

bool config_tell(const struct config *config, void (*help)(struct buf *out), bool *told) {
    struct buf text = {0};
    if (!config->wants_help && config->show == CONFIG_RUN) {
        return false;
    }
    if (config->wants_help) {
        help(&text);
    } else {
        config_show(config, &text);
    }
    *told = printf("%s", buf_text(&text)) >= 0 && fflush(stdout) == 0;
    buf_finish(&text);
    return true;
}
