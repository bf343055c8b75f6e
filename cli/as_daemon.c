/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine as one of its daemons sees it: see as_daemon.h. */
#include "as_daemon.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fs.h"

enum { VARIABLES_BYTES = 64 << 10, GROUPS_MAX = 64 };

/* As workers/deploy and scheduler/deploy have them. */
const struct daemon_facts scheduler_facts = {
    .name = "scheduler",
    .user = "reelfarm",
    .config = "/etc/reelfarm/scheduler.yaml",
    .state = "/var/lib/reelfarm",
};
const struct daemon_facts worker_facts = {
    .name = "worker",
    .user = "reelfarm",
    .config = "/etc/reelfarm/worker.yaml",
    .variables = "/etc/reelfarm/worker.env",
    .token = "/etc/reelfarm/token",
};

/* ---- Variables ----------------------------------------------------------------- */

/* Of "NAME=...". */
static size_t name_length(const char *entry) {
    return strcspn(entry, "=");
}

/* A list that is being made longer. */
struct growing {
    struct arena *arena;
    char **list; /* ended by NULL */
    size_t count;
};

/* Begins with what there is, and room for so many more. */
static struct growing growing_of(struct arena *arena, char **list, size_t more) {
    struct growing growing = {.arena = arena};
    while (list != NULL && list[growing.count] != NULL) {
        growing.count++;
    }
    growing.list = arena_zero(arena, growing.count + more + 1, sizeof(*growing.list));
    if (growing.count > 0) {
        memcpy(growing.list, list, growing.count * sizeof(*list));
    }
    return growing;
}

static void add(struct growing *growing, char *entry) {
    growing->list[growing->count++] = entry;
}

/* Places in a list: by the names there, and of one name the earlier first. */
static int by_name(const void *left, const void *right) {
    char *const *one = *(char *const *const *)left;
    char *const *other = *(char *const *const *)right;
    size_t length = name_length(*one), other_length = name_length(*other);
    int order = memcmp(*one, *other, length < other_length ? length : other_length);
    if (order == 0) {
        order = (length > other_length) - (length < other_length);
    }
    return order != 0 ? order : (one > other) - (one < other);
}

/* Of what has a name that comes again later, drops all but the last. */
static void drop_repeated(struct growing *growing) {
    char ***places = arena_zero(growing->arena, growing->count + 1, sizeof(*places));
    for (size_t i = 0; i < growing->count; i++) {
        places[i] = &growing->list[i];
    }
    qsort(places, growing->count, sizeof(*places), by_name);
    for (size_t i = 0; i + 1 < growing->count; i++) {
        size_t length = name_length(*places[i]);
        if (length == name_length(*places[i + 1]) &&
            memcmp(*places[i], *places[i + 1], length) == 0) {
            *places[i] = NULL;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < growing->count; i++) {
        if (growing->list[i] != NULL) {
            growing->list[kept++] = growing->list[i];
        }
    }
    growing->list[kept] = NULL;
    growing->count = kept;
}

static bool is_name(const char *text, size_t length) {
    bool good = length > 0 && (text[0] < '0' || text[0] > '9');
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        good = good && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        (c >= '0' && c <= '9') || c == '_');
    }
    return good;
}

/* Ends it before the blanks after it, and takes off quotes around it. */
static char *value_of(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
        length--;
    }
    bool quoted = length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0];
    text[quoted ? length - 1 : length] = '\0';
    return quoted ? text + 1 : text;
}

/* Adds what such a line says; whether it says something, or need not. */
static bool read_line(struct growing *growing, char *line) {
    size_t length = name_length(line);
    if (*line == '\0' || *line == '#' || *line == ';') {
        return true;
    }
    char *value = line + length + (line[length] == '=' ? 1 : 0);
    bool has_value = line[length] == '=';
    while (length > 0 && strchr(" \t", line[length - 1]) != NULL) {
        length--;
    }
    if (!has_value || !is_name(line, length)) {
        return false;
    }
    add(growing, arena_format(growing->arena, "%.*s=%s", (int)length, line, value_of(value)));
    return true;
}

int variables_read(char ***list, struct arena *arena, char *text) {
    int odd = 0;
    char *next = text;
    size_t lines = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    struct growing growing = growing_of(arena, *list, lines);
    for (int number = 1; next != NULL; number++) {
        char *line = next + strspn(next, " \t\r");
        next = strchr(next, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (!read_line(&growing, line) && odd == 0) {
            odd = number;
        }
    }
    drop_repeated(&growing);
    *list = growing.list;
    return odd;
}

static int read_file(struct as_daemon *as, struct err *err) {
    struct buf text = {0};
    struct err why = {0};
    int failed = fs_read(&text, as->variables, VARIABLES_BYTES, &why);
    if (failed == 0) {
        as->odd_line = variables_read(&as->environment, &as->arena, (char *)buf_text(&text));
    } else {
        err_set(err, why.code, "the %s's variables: %s", as->facts->name, why.message);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.capacity); /* keys of stores may be in it */
    }
    buf_finish(&text);
    return failed;
}

/* Of this shell, but for what it would tell a daemon that it begins itself. */
static void keep_environment(struct as_daemon *as) {
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    struct growing growing = growing_of(&as->arena, NULL, count);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "REELFARM_", strlen("REELFARM_")) != 0) {
            add(&growing, environ[i]);
        }
    }
    as->environment = growing.list;
}

/* As who logs in there, or a unit, has it. */
static void new_environment(struct as_daemon *as, const struct passwd *user) {
    enum { MOST = 6 };
    struct arena *arena = &as->arena;
    struct growing growing = growing_of(arena, NULL, MOST);
    add(&growing,
        arena_string(arena, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    add(&growing, arena_format(arena, "HOME=%s", user->pw_dir));
    add(&growing, arena_format(arena, "USER=%s", user->pw_name));
    add(&growing, arena_format(arena, "LOGNAME=%s", user->pw_name));
    add(&growing, arena_format(arena, "SHELL=%s", user->pw_shell));
    if (as->is_unit && as->facts->state != NULL) {
        add(&growing, arena_format(arena, "STATE_DIRECTORY=%s", as->facts->state));
    }
    as->environment = growing.list;
}

/* ---- Who it is ------------------------------------------------------------------- */

bool may_be_there(const char *path) {
    return path != NULL && (access(path, F_OK) == 0 || errno == EACCES);
}

static const char *there(const char *path) {
    return may_be_there(path) ? path : NULL;
}

static int take_user(struct as_daemon *as, const char *name, struct err *err) {
    const struct passwd *user = name != NULL ? getpwnam(name) : getpwuid(geteuid());
    if (user == NULL && name != NULL) {
        return err_set(err, ERR_INVALID, "there is no user '%.64s'", name);
    }
    as->uid = user != NULL ? user->pw_uid : geteuid();
    as->gid = user != NULL ? user->pw_gid : getegid();
    as->user = user != NULL ? arena_string(&as->arena, user->pw_name) : "this user";
    as->is_other = as->uid != geteuid();
    if (as->is_other) {
        int count = GROUPS_MAX;
        as->groups = arena_zero(&as->arena, GROUPS_MAX, sizeof(*as->groups));
        getgrouplist(as->user, as->gid, as->groups, &count); /* more than that are left out */
        as->group_count = count < GROUPS_MAX ? (size_t)count : GROUPS_MAX;
    }
    if (user != NULL && (as->is_other || as->is_unit)) {
        new_environment(as, user);
    } else {
        keep_environment(as);
    }
    return 0;
}

static int become(struct as_daemon *as, struct err *err) {
    int count = getgroups(0, NULL);
    as->own_uid = geteuid();
    as->own_gid = getegid();
    as->own_group_count = count > 0 ? (size_t)count : 0;
    as->own_groups = arena_zero(&as->arena, as->own_group_count + 1, sizeof(*as->own_groups));
    if (getgroups(count, as->own_groups) != count || setgroups(as->group_count, as->groups) != 0) {
        return err_set_errno(err, errno, "cannot become user %s", as->user);
    }
    as->became = true; /* wholly, but for the way back, which what is started has not */
    return setresgid(as->gid, as->gid, as->own_gid) == 0 &&
                   setresuid(as->uid, as->uid, as->own_uid) == 0
               ? 0
               : err_set_errno(err, errno, "cannot become user %s", as->user);
}

static void come_back(struct as_daemon *as) {
    int failed = setresuid(as->own_uid, as->own_uid, as->own_uid); /* first: for its rights */
    failed += setresgid(as->own_gid, as->own_gid, as->own_gid);
    failed += setgroups(as->own_group_count, as->own_groups);
    assert(failed == 0);
    as->became = false;
}

/* Root of a container may not. */
static bool can_become(struct as_daemon *as) {
    struct err why = {0};
    bool can = become(as, &why) == 0;
    if (as->became) {
        come_back(as);
    }
    return can;
}

/* Root alone can become another user, and reads a unit's variables for it. */
static void find_blindness(struct as_daemon *as) {
    if (as->is_other && geteuid() != 0) {
        as->blind = arena_format(&as->arena, "it begins as user %s", as->user);
    } else if (as->is_other && !can_become(as)) {
        as->blind = arena_format(&as->arena, "this root may not become user %s", as->user);
    } else if (as->is_unit && as->variables != NULL && access(as->variables, R_OK) != 0) {
        as->blind = arena_format(&as->arena, "%s is not for this user to read", as->variables);
    }
}

int as_daemon_init(struct as_daemon *out, const struct daemon_facts *facts,
                   const struct daemon_names *names, struct err *err) {
    bool is_named = names->config != NULL || names->user != NULL || names->variables != NULL;
    bool has_files = there(facts->config) != NULL || there(facts->variables) != NULL;
    *out = (struct as_daemon){.facts = facts, .own_folder = -1};
    out->is_unit = !is_named && has_files && getpwnam(facts->user) != NULL;
    out->config = names->config != NULL ? names->config : there(facts->config);
    out->variables = out->is_unit ? there(facts->variables) : names->variables;
    int failed = take_user(out, out->is_unit ? facts->user : names->user, err);
    if (failed == 0) {
        find_blindness(out);
    }
    if (failed == 0 && out->variables != NULL && out->blind == NULL) {
        failed = read_file(out, err);
    }
    return failed;
}

void as_daemon_finish(struct as_daemon *as) {
    arena_finish(&as->arena);
    *as = (struct as_daemon){.own_folder = -1};
}

/* ---- There and back ---------------------------------------------------------------- */

int as_daemon_enter(struct as_daemon *as, struct err *err) {
    int failed = 0;
    assert(as->blind == NULL);
    as->own_environment = environ;
    environ = as->environment;
    if (as->is_unit) {
        as->own_folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool stays = as->own_folder < 0; /* there would be no way back */
        failed = !stays && chdir("/") != 0 ? err_set_errno(err, errno, "cannot go to /") : 0;
    }
    if (failed == 0 && as->is_other) {
        failed = become(as, err);
    }
    if (failed != 0) {
        as_daemon_leave(as);
    }
    return failed;
}

void as_daemon_leave(struct as_daemon *as) {
    if (as->became) {
        come_back(as);
    }
    environ = as->own_environment;
    if (as->own_folder >= 0) {
        int failed = fchdir(as->own_folder);
        assert(failed == 0);
        close(as->own_folder);
        as->own_folder = -1;
    }
}
