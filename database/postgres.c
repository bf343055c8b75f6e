/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thin driver over PostgreSQL: see driver.h. Several daemons may name one
 * database; who holds its advisory lock has it. The lock is the session's, and all
 * writes go through that session alone: with the connection the lock is gone, and
 * so is the way to write.
 *
 * A statement that is waited for costs a round trip. What nobody waits for, posted
 * statements and the words between them, is sent with what is waited for next, as one
 * pipeline: the server does it in order, and after an error leaves out the rest. Two
 * rules keep an error where it belongs. Posted statements are settled before a
 * savepoint is made, kept or undone, so that theirs are of the part that they are in.
 * And where such a word fails itself, nobody knows which part it was, so that all of
 * the transaction is undone at once.
 */
#include "driver.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum {
    WATCH_MS = 1000,
    PARAMETERS_MAX = 32,
    TYPE_BOOL = 16, /* numbers of pg_type.dat, which do not change */
    TYPE_INTEGER = 20,
    TYPE_TEXT = 25,
    TYPE_REAL = 701,
    NUMBER_TEXT = 32,
    SENT_MAX = 64, /* without a look at their answers, which fit the socket's buffer by far: the
                      server never waits for us while we wait for it */
};

struct statement {
    bool prepared;
    PGresult *rows; /* all of them; NULL: not started */
    int row;        /* -1: before the first */
};

/* A command under way. */
enum sent_kind { SENT_STATEMENT, SENT_POST, SENT_PREPARE, SENT_WORD };

struct sent {
    enum sent_kind kind;
    const char *sql;
    struct statement *prepares; /* of SENT_PREPARE */
};

struct postgres {
    struct driver driver;
    PGconn *connection;
    char *name; /* for people: without a password */
    int statement_count;
    struct statement *statements;
    int64_t changes;
    struct sent sent[SENT_MAX];
    int sent_count;
    bool posts;       /* some of them are posted statements */
    bool out_of_step; /* what the server says answers nobody knows what */
    bool begun;       /* a transaction, which may be among them */
};

/* The first that fits the beginning of an SQLSTATE. */
static const struct {
    const char *state;
    enum err_code code;
    const char *advice;
} states[] = {
    {"53100", ERR_NO_SPACE, "its server's disk is full; free some space there"},
    {"53", ERR_UNAVAILABLE, "its server has too little of something"},
    {"57", ERR_UNAVAILABLE, "its server has ended the connection"},
    {"08", ERR_UNAVAILABLE, "the connection to its server is broken"},
    {"25P03", ERR_UNAVAILABLE, "its server has ended the connection"},
    {"25006", ERR_UNAVAILABLE, "it is a copy that can't be written; name the server that can"},
    {"40", ERR_UNAVAILABLE, "another program writes to it"},
    {"58", ERR_UNAVAILABLE, "its server's disk does not work"},
    {"28", ERR_INVALID, "its server refuses this user; check PGUSER and PGPASSFILE"},
    {"3D", ERR_INVALID, "there is no such database; make it by createdb"},
    {"42501", ERR_INVALID, "this user may not do that there; make it the database's owner"},
    {"XX001", ERR_CORRUPT, "it is damaged; put a copy of it back"},
    {"XX002", ERR_CORRUPT, "it is damaged; run REINDEX on it"},
};

/* The first line of a message, without what libpq puts before it. */
static void first_line(const char *message, char out[200]) {
    snprintf(out, 200, "%.*s", (int)strcspn(message, "\n"), message);
}

static int fail(const struct postgres *postgres, const PGresult *result, const char *what,
                struct err *err) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char line[200];
    first_line(message != NULL ? message : PQerrorMessage(postgres->connection), line);
    for (size_t i = 0; state != NULL && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(states[i].state, state, strlen(states[i].state)) == 0) {
            return err_set(err, states[i].code, "the store %s: %s (%s)", postgres->name,
                           states[i].advice, line);
        }
    }
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        return err_set(err, ERR_UNAVAILABLE, "the store %s: the connection to it is lost (%s)",
                       postgres->name, line);
    }
    return err_set(err, ERR_INTERNAL, "the store %s refused '%.60s': %s", postgres->name, what,
                   line);
}

/* ---- The pipeline -------------------------------------------------------------- */

/* Makes room for one more command and opens the pipeline for it. */
static int pipeline_open(struct postgres *postgres, struct err *err) {
    bool is_open = PQpipelineStatus(postgres->connection) != PQ_PIPELINE_OFF;
    return is_open || PQenterPipelineMode(postgres->connection) == 1
               ? 0
               : fail(postgres, NULL, "a pipeline", err);
}

/* Notes a command that libpq took, or says why it did not. */
static int note_sent(struct postgres *postgres, int taken, struct sent sent, struct err *err) {
    if (taken != 1) {
        return fail(postgres, NULL, sent.sql, err);
    }
    postgres->sent[postgres->sent_count++] = sent;
    postgres->posts = postgres->posts || sent.kind == SENT_POST || sent.kind == SENT_PREPARE;
    return 0;
}

/* What became of the next command. Its error is the batch's where it is the first. */
static PGresult *take_answer(struct postgres *postgres, const struct sent *sent, struct err *why) {
    PGresult *result = PQgetResult(postgres->connection);
    ExecStatusType status = PQresultStatus(result);
    bool is_well = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_well && why->code == ERR_NONE) {
        fail(postgres, result, sent->sql, why);
    }
    if (sent->kind == SENT_PREPARE) {
        sent->prepares->prepared = is_well;
    } else if (sent->kind == SENT_POST && is_well) {
        postgres->driver.posted += strtoll(PQcmdTuples(result), NULL, 10);
    }
    if (result != NULL) {
        PQclear(PQgetResult(postgres->connection)); /* NULL, its end */
    }
    return result;
}

/* The transaction ends: what its parts are is not known any more. */
static void doom(struct postgres *postgres) {
    if (PQtransactionStatus(postgres->connection) == PQTRANS_INERROR) {
        PQclear(PQexec(postgres->connection, "ROLLBACK"));
    }
}

/* Waits for all that was sent. The last command's result goes to `last`, owned, unless it is NULL
 * or there was an error, which is the first one's. */
static int settle(struct postgres *postgres, PGresult **last, struct err *err) {
    struct err why = {0};
    bool is_word = false;
    int count = postgres->sent_count;
    if (count == 0) {
        return 0;
    }
    if (PQpipelineSync(postgres->connection) != 1) {
        fail(postgres, NULL, "the end of a pipeline", &why);
    }
    for (int i = 0; i < count; i++) {
        bool was_well = why.code == ERR_NONE;
        PGresult *result = take_answer(postgres, &postgres->sent[i], &why);
        is_word = is_word ||
                  (was_well && why.code != ERR_NONE && postgres->sent[i].kind == SENT_WORD);
        if (i == count - 1 && why.code == ERR_NONE && last != NULL) {
            *last = result;
        } else {
            PQclear(result);
        }
    }
    PQclear(PQgetResult(postgres->connection)); /* the pipeline's end */
    if (PQexitPipelineMode(postgres->connection) != 1) {
        postgres->out_of_step = true; /* answers would be taken for others' */
        fail(postgres, NULL, "the end of a pipeline", &why);
    }
    postgres->sent_count = 0;
    postgres->posts = false;
    if (is_word) {
        doom(postgres);
    }
    PGTransactionStatusType status = PQtransactionStatus(postgres->connection);
    postgres->begun = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
    return err_pass(err, &why);
}

/* Sends one of the six words. */
static int send_word(struct postgres *postgres, const char *sql, struct err *err) {
    int failed = postgres->sent_count < SENT_MAX ? 0 : settle(postgres, NULL, err);
    if (failed == 0) {
        failed = pipeline_open(postgres, err);
    }
    if (failed != 0) {
        return failed;
    }
    int taken = PQsendQueryParams(postgres->connection, sql, 0, NULL, NULL, NULL, NULL, 0);
    return note_sent(postgres, taken, (struct sent){.kind = SENT_WORD, .sql = sql}, err);
}

/* Runs a text; the last statement's result is owned. NULL with an error. */
static PGresult *ask(struct postgres *postgres, const char *sql, struct err *err) {
    if (settle(postgres, NULL, err) != 0) {
        return NULL;
    }
    PGresult *result = PQexec(postgres->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
        fail(postgres, result, sql, err);
        PQclear(result);
        return NULL;
    }
    return result;
}

static int run(struct postgres *postgres, const char *sql, struct err *err) {
    struct err why = {0};
    PGresult *result = ask(postgres, sql, &why);
    PQclear(result);
    return result != NULL ? 0 : err_pass(err, &why);
}

/* ---- Opening ------------------------------------------------------------------- */

/* A server notices in this time that the scheduler's machine is dead, or that the scheduler
 * itself hangs, and lets another have the lock. Settings that it does not know are left out. */
static const char session_settings[] =
    "SELECT set_config(s.name, w.value, false) FROM (VALUES "
    "('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', "
    "'3'), ('tcp_user_timeout', '10000'), ('idle_session_timeout', '15000'), "
    "('idle_in_transaction_session_timeout', '15000'), ('synchronous_commit', 'on')) "
    "w (name, value) JOIN pg_settings s ON s.name = w.name "
    /* `on` promises the least that will do */
    "WHERE s.name <> 'synchronous_commit' OR s.setting = 'off'";

/* Of each schema: its name is part of the lock's. */
static const char lock_text[] =
    "SELECT pg_try_advisory_lock(1382378598, hashtext(current_schema()))";

static const char look_text[] =
    "SELECT coalesce(obj_description(to_regclass('migration'), 'pg_class'), ''), "
    "(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))";

/* "postgresql://HOST:PORT/DATABASE" of what the path says; INVALID where that is no such
 * path or has a password in it. */
static int read_path(char **name, const char *path, struct err *err) {
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(path, &message);
    if (options == NULL) {
        PQfreemem(message); /* which may repeat a password */
        return err_set(err, ERR_INVALID,
                       "the store's address is no URL as postgresql://USER@HOST:PORT/DATABASE");
    }
    const char *host = "", *port = "", *database = "";
    bool has_secret = false;
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        const char *value = option->val != NULL ? option->val : "";
        host = strcmp(option->keyword, "host") == 0 ? value : host;
        port = strcmp(option->keyword, "port") == 0 ? value : port;
        database = strcmp(option->keyword, "dbname") == 0 ? value : database;
        has_secret = has_secret || (strstr(option->keyword, "password") != NULL && *value != '\0');
    }
    if (!has_secret) {
        *name =
            mem_format("postgresql://%s%s%s/%s", host, *port != '\0' ? ":" : "", port, database);
    }
    PQconninfoFree(options);
    return !has_secret ? 0
                       : err_set(err, ERR_INVALID,
                                 "the store's address has a password in it, which others would "
                                 "see; put that into the file that PGPASSFILE names");
}

static void ignore_notice(void *context, const char *message) {
    (void)context;
    (void)message;
}

/* Of two equal keywords the later one counts: what the path says goes before ours. */
static int connect_to(struct postgres *postgres, const char *path, struct err *err) {
    static const char *const keywords[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "fallback_application_name",
        "client_encoding",  "dbname",           NULL};
    const char *const values[] = {"5", "5", "2", "3", "10000", "reelfarm", "UTF8", path, NULL};
    postgres->connection = PQconnectdbParams(keywords, values, 1);
    PGPing found = PQPING_OK;
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        found = PQpingParams(keywords, values, 1);
    }
    if (PQstatus(postgres->connection) != CONNECTION_OK && found == PQPING_OK) {
        PQfinish(postgres->connection); /* it may have come up just then */
        postgres->connection = PQconnectdbParams(keywords, values, 1);
    }
    if (PQstatus(postgres->connection) == CONNECTION_OK) {
        PQsetNoticeProcessor(postgres->connection, ignore_notice, NULL);
        return 0;
    }
    char line[200];
    first_line(PQerrorMessage(postgres->connection), line);
    /* libpq tells no SQLSTATE of a connection that was refused. */
    bool is_full = strstr(line, "too many clients") != NULL ||
                   strstr(line, "remaining connection slots") != NULL;
    bool is_away = found == PQPING_REJECT || found == PQPING_NO_RESPONSE || is_full;
    return err_set(err, is_away ? ERR_UNAVAILABLE : ERR_INVALID, "the store %s: %s (%s)",
                   postgres->name,
                   is_full   ? "its server takes no more clients"
                   : is_away ? "its server can't be reached"
                             : "it can't be opened",
                   line);
}

static int lock(struct postgres *postgres, struct err *err) {
    struct err why = {0};
    PGresult *result = ask(postgres, lock_text, &why);
    if (result == NULL) {
        return err_pass(err, &why);
    }
    bool no_schema = PQgetisnull(result, 0, 0) != 0;
    bool is_ours = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    if (no_schema) {
        return err_set(err, ERR_INVALID,
                       "the store %s: the schema of its search_path is not there; make it by "
                       "CREATE SCHEMA",
                       postgres->name);
    }
    return is_ours ? 0
                   : err_set(err, ERR_CONFLICT, "the store %s: another scheduler is active on it",
                             postgres->name);
}

/* An empty schema becomes ours; one with tables of somebody else's is refused. */
static int claim(struct postgres *postgres, const char *first_table, struct err *err) {
    struct err why = {0};
    PGresult *result = ask(postgres, look_text, &why);
    if (result == NULL) {
        return err_pass(err, &why);
    }
    bool is_ours = strcmp(PQgetvalue(result, 0, 0), "reelfarm") == 0;
    bool is_empty = strcmp(PQgetvalue(result, 0, 1), "0") == 0;
    PQclear(result);
    if (is_ours) {
        return 0;
    }
    if (!is_empty) {
        return err_set(err, ERR_INVALID,
                       "the store %s is a database of another program; name an empty one",
                       postgres->name);
    }
    char *sql = mem_format("%s; COMMENT ON TABLE migration IS 'reelfarm'", first_table);
    int failed = run(postgres, sql, err); /* in one transaction */
    mem_free(sql);
    return failed;
}

static void postgres_close(struct driver *driver) {
    struct postgres *postgres = (struct postgres *)driver;
    for (int i = 0; i < postgres->statement_count; i++) {
        PQclear(postgres->statements[i].rows);
    }
    if (PQstatus(postgres->connection) == CONNECTION_OK) { /* else it is unlocked some time later */
        run(postgres, "SELECT pg_advisory_unlock_all()", NULL);
    }
    PQfinish(postgres->connection);
    mem_free(postgres->statements);
    mem_free(postgres->name);
    mem_free(postgres);
}

static int postgres_open(struct driver **out, const char *path,
                         const struct driver_options *options, struct err *err) {
    if (options->first_table == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "this store is a file; name one, and no server");
    }
    struct postgres *postgres = mem_zero(1, sizeof(*postgres));
    postgres->driver.kind = &driver_postgres;
    postgres->statement_count = options->statement_count;
    postgres->statements =
        mem_zero((size_t)options->statement_count, sizeof(*postgres->statements));
    int result = read_path(&postgres->name, path, err);
    if (result == 0) {
        result = connect_to(postgres, path, err);
    }
    if (result == 0) {
        result = run(postgres, session_settings, err);
    }
    if (result == 0) {
        result = lock(postgres, err);
    }
    if (result == 0) {
        result = claim(postgres, options->first_table, err);
    }
    if (result != 0) {
        postgres_close(&postgres->driver);
        return result;
    }
    *out = &postgres->driver;
    return 0;
}

/* ---- Statements ---------------------------------------------------------------- */

static int postgres_script(struct driver *driver, const char *sql, struct err *err) {
    return run((struct postgres *)driver, sql, err);
}

/* Sends the text at its first use. */
static int prepare(struct postgres *postgres, struct statement *statement, const char *name,
                   const char *sql, const struct value *values, size_t count, struct err *err) {
    static const Oid types[] = {
        [VALUE_INTEGER] = TYPE_INTEGER, [VALUE_REAL] = TYPE_REAL, [VALUE_TEXT] = TYPE_TEXT};
    Oid given[PARAMETERS_MAX];
    if (statement->prepared) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        given[i] = types[values[i].type];
    }
    int taken = PQsendPrepare(postgres->connection, name, sql, (int)count, given);
    statement->prepared = taken == 1; /* by the time that those behind it are done, or it says so */
    return note_sent(postgres, taken,
                     (struct sent){.kind = SENT_PREPARE, .sql = sql, .prepares = statement}, err);
}

static int execute(struct postgres *postgres, const char *name, struct sent sent,
                   const struct value *values, size_t count, struct err *err) {
    char numbers[PARAMETERS_MAX][NUMBER_TEXT];
    const char *texts[PARAMETERS_MAX];
    for (size_t i = 0; i < count; i++) {
        texts[i] = values[i].type == VALUE_TEXT ? values[i].text : numbers[i];
        if (values[i].type == VALUE_INTEGER) {
            snprintf(numbers[i], NUMBER_TEXT, "%lld", (long long)values[i].integer);
        } else if (values[i].type == VALUE_REAL) {
            snprintf(numbers[i], NUMBER_TEXT, "%.17g", values[i].real);
        }
    }
    int taken = PQsendQueryPrepared(postgres->connection, name, (int)count, texts, NULL, NULL, 0);
    return note_sent(postgres, taken, sent, err);
}

static int send_statement(struct postgres *postgres, int id, struct sent sent,
                          const struct value *values, size_t count, struct err *err) {
    struct statement *statement = &postgres->statements[id];
    char name[16];
    assert(statement->rows == NULL && count <= PARAMETERS_MAX);
    snprintf(name, sizeof(name), "s%d", id);
    /* room for two: its text may have to go before it */
    int failed = postgres->sent_count < SENT_MAX - 1 ? 0 : settle(postgres, NULL, err);
    if (failed == 0) {
        failed = pipeline_open(postgres, err);
    }
    if (failed == 0) {
        failed = prepare(postgres, statement, name, sent.sql, values, count, err);
    }
    return failed == 0 ? execute(postgres, name, sent, values, count, err) : failed;
}

static int postgres_start(struct driver *driver, int id, const char *sql,
                          const struct value *values, size_t count, struct err *err) {
    struct postgres *postgres = (struct postgres *)driver;
    struct statement *statement = &postgres->statements[id];
    struct sent sent = {.kind = SENT_STATEMENT, .sql = sql};
    PGresult *result = NULL;
    int failed = send_statement(postgres, id, sent, values, count, err);
    if (failed == 0) {
        failed = settle(postgres, &result, err);
    }
    if (failed == 0) {
        postgres->changes = strtoll(PQcmdTuples(result), NULL, 10);
        statement->rows = result;
        statement->row = -1;
    }
    return failed;
}

static int postgres_post(struct driver *driver, int id, const char *sql, const struct value *values,
                         size_t count, struct err *err) {
    struct postgres *postgres = (struct postgres *)driver;
    struct sent sent = {.kind = SENT_POST, .sql = sql};
    int failed = send_statement(postgres, id, sent, values, count, err);
    /* Without a transaction it is one of its own, and done when this is. */
    return failed == 0 && !postgres->begun ? settle(postgres, NULL, err) : failed;
}

static void postgres_reset(struct driver *driver, int id) {
    struct postgres *postgres = (struct postgres *)driver;
    PQclear(postgres->statements[id].rows);
    postgres->statements[id].rows = NULL;
}

static int postgres_step(struct driver *driver, int id, struct err *err) {
    (void)err; /* all rows are here since the start */
    struct statement *statement = &((struct postgres *)driver)->statements[id];
    assert(statement->rows != NULL);
    if (++statement->row < PQntuples(statement->rows)) {
        return 1;
    }
    postgres_reset(driver, id);
    return 0;
}

static int64_t postgres_changes(struct driver *driver) {
    return ((struct postgres *)driver)->changes;
}

/* NULL is "". */
static const char *postgres_text(struct driver *driver, int id, int column) {
    const struct statement *statement = &((struct postgres *)driver)->statements[id];
    return PQgetvalue(statement->rows, statement->row, column);
}

static int64_t postgres_integer(struct driver *driver, int id, int column) {
    const char *text = postgres_text(driver, id, column);
    bool is_truth = PQftype(((struct postgres *)driver)->statements[id].rows, column) == TYPE_BOOL;
    return is_truth ? text[0] == 't' : strtoll(text, NULL, 10);
}

static double postgres_real(struct driver *driver, int id, int column) {
    return strtod(postgres_text(driver, id, column), NULL);
}

/* ---- Transactions -------------------------------------------------------------- */

static bool postgres_is_lost(const struct driver *driver) {
    const struct postgres *postgres = (const struct postgres *)driver;
    return postgres->out_of_step || PQstatus(postgres->connection) != CONNECTION_OK;
}

static bool postgres_in_transaction(struct driver *driver) {
    const struct postgres *postgres = (const struct postgres *)driver;
    return postgres->begun && !postgres_is_lost(driver);
}

/* Waits for the end of a transaction. */
static int end(struct postgres *postgres, const char *sql, struct err *err) {
    PGresult *result = NULL;
    int failed = send_word(postgres, sql, err);
    if (failed == 0) {
        failed = settle(postgres, &result, err);
    }
    if (failed != 0) {
        return failed;
    }
    /* A failed transaction's COMMIT does well, as a ROLLBACK. */
    bool is_said = strcmp(PQcmdStatus(result), sql) == 0;
    PQclear(result);
    return is_said ? 0
                   : err_set(err, ERR_INTERNAL, "the store %s undid a transaction", postgres->name);
}

static int postgres_transact(struct driver *driver, enum driver_word word, struct err *err) {
    static const struct {
        const char *sql;
        bool waits;    /* for its own end */
        bool settles;  /* what was posted before it, */
        bool whatever; /* however that went: it is undone anyway */
    } words[DRIVER_WORD_COUNT] = {
        [DRIVER_BEGIN] = {"BEGIN", false, true, false},
        [DRIVER_SAVE] = {"SAVEPOINT call", false, true, false},
        [DRIVER_KEEP] = {"RELEASE call", false, false, false},
        [DRIVER_UNDO] = {"ROLLBACK TO call", false, true, true},
        [DRIVER_COMMIT] = {"COMMIT", true, false, false},
        [DRIVER_ROLLBACK] = {"ROLLBACK", true, true, true},
    };
    struct postgres *postgres = (struct postgres *)driver;
    if (words[word].settles && (postgres->posts || words[word].whatever)) {
        int failed = settle(postgres, NULL, words[word].whatever ? NULL : err);
        if (failed != 0 && !words[word].whatever) {
            return failed;
        }
    }
    if (!postgres->begun && word != DRIVER_BEGIN) { /* as doom() may have ended it */
        return err_set(err, ERR_INTERNAL, "the store %s undid a transaction", postgres->name);
    }
    if (words[word].waits) {
        return end(postgres, words[word].sql, err);
    }
    bool posts = postgres->posts;
    int failed = send_word(postgres, words[word].sql, err);
    postgres->begun = postgres->begun || (failed == 0 && word == DRIVER_BEGIN);
    return failed == 0 && word == DRIVER_KEEP && posts ? settle(postgres, NULL, err) : failed;
}

/* ---- Its server ---------------------------------------------------------------- */

static int postgres_watch(struct driver *driver, struct err *err) {
    return run((struct postgres *)driver, "SELECT 1", err);
}

static void postgres_size(struct driver *driver, int64_t *database, int64_t *log) {
    PGresult *result =
        ask((struct postgres *)driver, "SELECT pg_database_size(current_database())", NULL);
    *database = result != NULL ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    *log = -1; /* is of all databases of the server, and its own affair */
    PQclear(result);
}

const struct driver_kind driver_postgres = {
    .prefixes = {"postgresql://", "postgres://"},
    .is_shared = true,
    .watch_ms = WATCH_MS,
    .copies = "the store is PostgreSQL's; make the copy by pg_dump, while the farm works",
    .open = postgres_open,
    .close = postgres_close,
    .script = postgres_script,
    .start = postgres_start,
    .post = postgres_post,
    .step = postgres_step,
    .reset = postgres_reset,
    .changes = postgres_changes,
    .integer = postgres_integer,
    .real = postgres_real,
    .text = postgres_text,
    .transact = postgres_transact,
    .in_transaction = postgres_in_transaction,
    .watch = postgres_watch,
    .is_lost = postgres_is_lost,
    .size = postgres_size,
};
