/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All SQL of the scheduler: see store_sql.h. */
#include "store_sql.h"

#include <assert.h>
#include <stddef.h>

/* The worker of session s is drained, or has been told to end. */
#define TAKES_NOTHING                                                                              \
    "(s.stopping = 1 OR EXISTS (SELECT 1 FROM worker_drain d WHERE d.worker = s.worker))"

#define UNIT_COLUMNS                                                                               \
    "u.id, u.title, u.position, u.kind, u.rendition, u.rendition_id, u.chunk, u.build, "           \
    "u.state, u.key <> '', u.cost_s, u.ready_at, u.attempts, u.failures, u.crashes, u.doublings, " \
    "u.alone, u.may_replace, u.avoid, u.tenant, u.priority, u.due, u.submission, u.model, "        \
    "u.early "

/* A unit that becomes ready at $4 is ready from then on, or from when it may be tried again. */
#define UNIT_READY_SINCE                                                                           \
    ", ready_at = CASE WHEN $3 = 'ready' AND ready_at < $4 THEN $4 ELSE ready_at END "

/* A title's deadline: the largest number stands for none. */
#define TITLE_DUE "CASE WHEN t.deadline = 0 THEN 9223372036854775807 ELSE t.deadline END "

/* What a unit has of its title's order. */
#define UNIT_ORDER "t.priority, t.tenant, " TITLE_DUE

/* An edge keeps a version v at $3: it is still to leave it, and can be reached (it failed fewer
 * than $4 times); or did so lately, and who plays it there plays on. */
#define EDGE_KEEPS                                                                                 \
    "EXISTS (SELECT 1 FROM publication p JOIN publication_version h ON h.publication = p.id "      \
    "AND h.version = v.version JOIN endpoint e ON e.name = p.endpoint WHERE p.title = v.title "    \
    "AND p.wanted <> '' AND h.going = 0 AND (h.kept_until > $3 OR (h.kept_until = 0 "              \
    "AND v.version <> p.wanted AND p.stage <> 'settled' AND e.reachable = 1 AND p.failures < $4 "  \
    "AND p.class <> 'refused'))) "

/* A version v, of title t, whose time is past: replaced up to $1, not among the newest $2 of those
 * that were, and kept by no edge. One that is being dropped goes on being so. */
#define VERSION_DUE                                                                                \
    "v.replaced > 0 AND v.replaced <= $1 AND v.output = t.output AND (v.dropping = 1 OR "          \
    "((SELECT count(*) FROM title_version n WHERE n.title = v.title AND n.output = v.output "      \
    "AND n.replaced > v.replaced) >= $2 AND NOT " EDGE_KEEPS ")) "

/* Versions of title $1 that are dropped now: those at its output, since one task has one. */
#define VERSION_DROPPING "dropping = 1 AND output = (SELECT t.output FROM title t WHERE t.id = $1) "

/* The places of renditions that versions of title $1 name, of which `which` is true. */
#define VERSION_PLACES(which)                                                                      \
    "SELECT r.place FROM version_rendition r JOIN (SELECT title, version, output FROM "            \
    "title_version WHERE title = $1 AND " which ") v ON v.title = r.title "                        \
    "AND v.version = r.version AND v.output = r.output"

/* No task of title t runs, and none is to but by its plan. */
#define TITLE_RESTS                                                                                \
    "NOT EXISTS (SELECT 1 FROM lease l WHERE l.title = t.id AND l.state <> 'ended') "              \
    "AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.title = t.id AND u.position < 0 "                \
    "AND u.state IN ('blocked', 'ready', 'leased')) "

/* Units u of images, an index of their own, that alone keep their titles, of a build line that no
 * worker has though some are there. */
#define IMAGES_UNMADE                                                                              \
    "u.state = 'ready' AND u.kind = 'images' AND NOT EXISTS (SELECT 1 FROM session_encoder e "     \
    "WHERE e.build = u.build) AND EXISTS (SELECT 1 FROM worker_session) AND NOT EXISTS "           \
    "(SELECT 1 FROM unit o WHERE o.title = u.title AND o.kind IN ('probe', 'video', 'audio') "     \
    "AND o.state <> 'done') "

/* Titles that want work; said as the index of these says it. */
#define TITLES_OPEN "WHERE state IN ('submitted', 'running') "

/* A page of titles before $1; state $2, tenant $3 and labels $4, $6, $7 and $8 are "" for any. */
#define STATE_ASKED  "($2 = '' OR state = $2)"
#define TENANT_ASKED "($3 = '' OR tenant = $3)"
#define LABEL_ASKED(label)                                                                         \
    "(" label                                                                                      \
    " = '' OR EXISTS (SELECT 1 FROM title_label o WHERE o.title = t.id AND o.label = " label "))"
#define TITLES_PAGE(from, state, tenant, label)                                                    \
    "SELECT submission, id, state, source, output, version, class, error, priority, tenant, "      \
    "deadline, submitted_at FROM " from " WHERE submission < $1 AND " state " AND " tenant         \
    " AND " label " AND " LABEL_ASKED("$6") " AND " LABEL_ASKED("$7") " AND " LABEL_ASKED(         \
        "$8") " ORDER BY submission DESC LIMIT $5"

/* A publication p, and its endpoint e. */
#define PUBLICATION_COLUMNS                                                                        \
    "p.id, p.title, p.endpoint, p.choice, p.wanted, p.held, p.revision, p.stage, p.pushed, "       \
    "p.pushed_revision, p.skip, p.total, p.failures, p.class, p.error, p.next_at, p.rank, "        \
    "e.is_catalog, e.reachable, p.unsure_at, e.listed, p.fetches "
#define PUBLICATIONS "FROM publication p JOIN endpoint e ON e.name = p.endpoint "

/* Publications p that a worker knows all of; `images` is 1 where it knows those. */
#define KNOWN(images)                                                                              \
    "(" images " = 1 OR NOT EXISTS (SELECT 1 FROM version_folder f WHERE f.title = p.title "       \
    "AND f.folder LIKE 'images/%')) "

/* The origin keeps a version v of a title no more. */
#define VERSION_DROPPED(title)                                                                     \
    "NOT EXISTS (SELECT 1 FROM title_version t WHERE t.title = " title                             \
    " AND t.version = v.version AND t.dropping = 0)"

/* Versions of publication $1, of title $3 of which $2 is wanted, that are to go from there at $4:
 * all where none is wanted, else what somebody asked for, or what the origin keeps no more and
 * another has taken the place of, there, for long enough. */
#define VERSIONS_TO_GO                                                                             \
    "v.publication = $1 AND v.going <> 4 AND ($2 = '' OR v.version <> $2 AND (v.going > 0 "        \
    "OR v.kept_until > 0 AND v.kept_until <= $4 AND " VERSION_DROPPED("$3") "))"

#define LEASE_COLUMNS                                                                              \
    "l.fence, l.session, l.worker, l.host, l.title, l.kind, l.state, l.attempt, l.at, "            \
    "l.expected_s, l.table_bytes, l.reserve_bytes, l.hedge_at, l.hedges "

const char store_migration_table[] =
    "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, at BIGINT NOT NULL)";

static const char *const statements[SQL_COUNT] = {
    [SQL_SCHEMA_NUMBER] = "SELECT max(number) FROM migration",
    [SQL_SCHEMA_ADD] = "INSERT INTO migration (number, at) VALUES ($1, $2)",
    [SQL_NUMBER_GET] = "SELECT value FROM counter WHERE name = $1",
    [SQL_NUMBER_SET] = "UPDATE counter SET value = $2 WHERE name = $1",
    /* What would not change is not written: this does. */
    [SQL_PROOF_PUT] = "INSERT INTO counter (name, value) VALUES ('proof', $1) "
                      "ON CONFLICT (name) DO UPDATE SET value = $1",

    [SQL_EVENT_ADD] = "INSERT INTO event (seq, at, title, unit, kind, detail, trace) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [SQL_EVENT_LAST_AT] = "SELECT at FROM event ORDER BY seq DESC LIMIT 1",
    [SQL_EVENTS_BOUNDS] = "SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event)",
    [SQL_EVENTS_BETWEEN] = "SELECT seq, at, title, unit, kind, detail, trace FROM event "
                           "WHERE seq > $1 AND seq <= $2 AND ($3 = '' OR title = $3) "
                           /* the first removal after it tells whose the title was */
                           "AND ($5 = '' OR $5 = coalesce((SELECT g.tenant FROM title_gone g "
                           "WHERE g.title = event.title AND g.seq >= event.seq "
                           "ORDER BY g.seq LIMIT 1), (SELECT t.tenant FROM title t "
                           "WHERE t.id = event.title))) "
                           "ORDER BY seq LIMIT $4",
    [SQL_EVENTS_DROP] = "DELETE FROM event WHERE seq <= $1",
    /* The kinds are those of the index. */
    [SQL_EVENTS_OF_TROUBLE] =
        "SELECT at, kind, detail FROM event WHERE title = $1 "
        "AND kind IN ('title.submit', 'unit.retry', 'unit.fail', 'unit.return', 'unit.yield') "
        "ORDER BY seq DESC LIMIT $2",

    [SQL_TITLE_ADD] =
        "INSERT INTO title (id, state, submission, source, output, ladder, submitted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [SQL_TITLE_SET_ORDER] =
        "UPDATE title SET priority = $2, tenant = $3, deadline = $4 WHERE id = $1",
    [SQL_TITLE_ORDER] = "SELECT priority, tenant, deadline, submitted_at FROM title WHERE id = $1",
    [SQL_LABEL_ADD] = "INSERT INTO title_label (title, label) VALUES ($1, $2)",
    [SQL_LABELS] = "SELECT label FROM title_label WHERE title = $1 ORDER BY label",
    [SQL_LABELS_DROP] = "DELETE FROM title_label WHERE title = $1",
    [SQL_TITLE_RESET] =
        "UPDATE title SET submission = $2, source = $3, output = $4, ladder = $5, identity = '', "
        "pin = '', source_size = -1, packaged = '', class = '', error = '', "
        "redone = 0, tasks = 0, failures = 0, losses = 0, frames_decoded = 0, source_bytes = 0, "
        "cpu_s = 0, decode_cpu_s = 0, scale_cpu_s = 0, encode_cpu_s = 0, wall_s = 0, "
        "peak_memory = 0, submitted_at = $6 WHERE id = $1",
    [SQL_TITLE_GET] = "SELECT state, submission, source, output, ladder, identity, pin, "
                      "source_size, packaged, version, class, error, redone, early "
                      "FROM title WHERE id = $1",
    [SQL_TITLE_TRACE] = "SELECT trace FROM title_trace WHERE title = $1",
    [SQL_TITLE_SET_TRACE] = "INSERT INTO title_trace (title, trace) VALUES ($1, $2) "
                            "ON CONFLICT (title) DO UPDATE SET trace = $2",
    [SQL_TITLE_IS_OF] = "SELECT count(*) FROM title WHERE id = $1 AND tenant = $2",
    /* No row where that is not its key. */
    [SQL_TITLE_SENDER] = "SELECT request_sender = $3 FROM title WHERE id = $1 AND request_key = $2",
    [SQL_TITLE_SET_EARLY] = "UPDATE title SET early = $2 WHERE id = $1",
    [SQL_TITLE_SET_KEY] = "UPDATE title SET request_key = $2, request_sender = $3 WHERE id = $1",
    [SQL_TITLE_STATS] = "SELECT tasks, failures, losses, frames_decoded, source_bytes, cpu_s, "
                        "decode_cpu_s, scale_cpu_s, encode_cpu_s, wall_s, peak_memory "
                        "FROM title WHERE id = $1",
    [SQL_TITLE_PLAN] = "SELECT plan FROM title_plan WHERE title = $1",
    [SQL_TITLE_MOVE] = "UPDATE title SET state = $3 WHERE id = $1 AND state = $2",
    [SQL_TITLE_DROP] = "DELETE FROM title WHERE id = $1 AND state = $2",
    [SQL_TITLE_SET_SOURCE] = "UPDATE title SET pin = $2, source_size = $3 WHERE id = $1",
    [SQL_TITLE_SET_IDENTITY] = "UPDATE title SET identity = $2 WHERE id = $1",
    [SQL_TITLE_SET_PLAN] = "INSERT INTO title_plan (title, plan) VALUES ($1, $2) "
                           "ON CONFLICT (title) DO UPDATE SET plan = $2",
    [SQL_TITLE_DROP_PLAN] = "DELETE FROM title_plan WHERE title = $1",
    [SQL_TITLE_SET_PACKAGED] = "UPDATE title SET packaged = $2 WHERE id = $1",
    [SQL_TITLE_SET_VERSION] = "UPDATE title SET version = packaged WHERE id = $1",
    [SQL_TITLE_FORGET_VERSION] =
        "UPDATE title SET version = '', packaged = '', class = '', error = '' WHERE id = $1",
    [SQL_TITLE_SET_ERROR] = "UPDATE title SET class = $2, error = $3 WHERE id = $1",
    [SQL_TITLE_COUNT_REDONE] = "UPDATE title SET redone = redone + 1 WHERE id = $1",
    [SQL_TITLE_COUNT_FAILURE] = "UPDATE title SET failures = failures + 1 WHERE id = $1",
    [SQL_TITLE_COUNT_LOSS] = "UPDATE title SET losses = losses + 1 WHERE id = $1",
    [SQL_TITLE_ADD_STATS] =
        "UPDATE title SET tasks = tasks + 1, frames_decoded = frames_decoded + $2, "
        "source_bytes = source_bytes + $3, cpu_s = cpu_s + $4, decode_cpu_s = decode_cpu_s + $5, "
        "scale_cpu_s = scale_cpu_s + $6, encode_cpu_s = encode_cpu_s + $7, wall_s = wall_s + $8, "
        "peak_memory = CASE WHEN peak_memory < $9 THEN $9 ELSE peak_memory END WHERE id = $1",
    [SQL_TITLES_UNFINISHED] = "SELECT id, state FROM title "
                              "WHERE state IN ('submitted', 'running', 'failing') ORDER BY id",

    [SQL_TITLES_PAGE] = TITLES_PAGE("title t", STATE_ASKED, TENANT_ASKED, LABEL_ASKED("$4")),
    /* The same by an index of what is asked for. */
    [SQL_TITLES_PAGE_OF_STATE] =
        TITLES_PAGE("title t", "state = $2", TENANT_ASKED, LABEL_ASKED("$4")),
    [SQL_TITLES_PAGE_OF_TENANT] =
        TITLES_PAGE("title t", STATE_ASKED, "tenant = $3", LABEL_ASKED("$4")),
    [SQL_TITLES_PAGE_OF_LABEL] = TITLES_PAGE("title_label l CROSS JOIN title t", STATE_ASKED,
                                             TENANT_ASKED, "l.label = $4 AND t.id = l.title"),
    [SQL_LABEL_IS_COMMON] = "SELECT 1 FROM title_label WHERE label = $1 LIMIT 1 OFFSET $2",

    [SQL_TITLES_BY_STATE] = "SELECT state, count(*) FROM title GROUP BY state",
    [SQL_TITLES_ABOVE] = "SELECT count(*) FROM title " TITLES_OPEN "AND priority > $1",
    [SQL_TITLES_OF_TENANT] = "SELECT count(*) FROM title " TITLES_OPEN
                             "AND priority = $1 AND tenant = $2",
    [SQL_TITLES_EARLIER] = "SELECT count(*) FROM (SELECT submission, " TITLE_DUE
                           "AS due FROM title t " TITLES_OPEN
                           "AND priority = $1 AND tenant = $2) o "
                           "WHERE o.due < $3 OR (o.due = $3 AND o.submission < $4)",

    [SQL_TITLE_GONE_ADD] =
        "INSERT INTO title_gone (title, seq, tenant, kept) VALUES ($1, $2, $3, $4)",
    [SQL_TITLE_DROP_TRACE] = "DELETE FROM title_trace WHERE title = $1",
    [SQL_TITLE_GONE_IS_OF] = "SELECT count(*) FROM title_gone WHERE title = $1 AND tenant = $2 "
                             "AND seq = (SELECT max(seq) FROM title_gone WHERE title = $1)",
    [SQL_TITLES_GONE_DROP] = "DELETE FROM title_gone WHERE seq <= $1",

    [SQL_VERSIONS] = "SELECT version, output, since, replaced, dropping FROM title_version "
                     "WHERE title = $1 ORDER BY replaced > 0, replaced DESC",
    [SQL_VERSIONS_REPLACE] =
        "UPDATE title_version SET replaced = $2 WHERE title = $1 AND replaced = 0 "
        "AND (version, output) NOT IN (SELECT packaged, output FROM title WHERE id = $1)",
    [SQL_VERSION_PUT] =
        "INSERT INTO title_version (title, version, output, since) "
        "SELECT id, packaged, output, $2 FROM title WHERE id = $1 "
        "ON CONFLICT (title, version, output) DO UPDATE SET replaced = 0, dropping = 0, "
        "refused = 0, since = CASE WHEN title_version.replaced = 0 THEN title_version.since "
        "ELSE $2 END",
    [SQL_VERSION_DROP_RENDITIONS] =
        "DELETE FROM version_rendition WHERE title = $1 AND (version, output) IN "
        "(SELECT packaged, output FROM title WHERE id = $1)",
    [SQL_VERSION_PUT_RENDITIONS] =
        "INSERT INTO version_rendition (title, version, output, place) "
        "SELECT DISTINCT t.id, t.packaged, t.output, u.place FROM title t "
        "JOIN unit u ON u.title = t.id AND u.rendition >= 0 AND u.state <> 'failed' "
        "WHERE t.id = $1",
    [SQL_VERSIONS_DUE] =
        "SELECT DISTINCT v.title FROM title_version v JOIN title t ON t.id = v.title "
        "WHERE " VERSION_DUE "AND (v.refused = 0 OR v.refused <= $5) "
        "AND t.state IN ('done', 'failed', 'cancelled') "
        /* early playlists that may still grow list its renditions, perhaps */
        "AND NOT EXISTS (SELECT 1 FROM early_run e WHERE e.title = t.id "
        "AND e.replaced = 0) "
        "AND " TITLE_RESTS "LIMIT $6",
    /* Of those that are dropped nobody asks any more since when. */
    [SQL_VERSIONS_MARK] =
        "UPDATE title_version SET dropping = 1, replaced = 1 WHERE (title, version, output) IN "
        "(SELECT v.title, v.version, v.output FROM title_version v JOIN title t ON t.id = v.title "
        "WHERE v.title = $5 AND " VERSION_DUE "ORDER BY v.dropping DESC, v.replaced LIMIT $6)",
    [SQL_VERSIONS_DROPPING] = "SELECT version FROM title_version "
                              "WHERE title = $1 AND " VERSION_DROPPING "ORDER BY version",
    /* Those of what is missing too. */
    [SQL_VERSIONS_PLACES] = "SELECT place FROM (" VERSION_PLACES(
        VERSION_DROPPING) " UNION SELECT m.place "
                          "FROM title_missing m WHERE m.title = $1 AND m.place <> '' "
                          "EXCEPT " VERSION_PLACES("dropping = 0") ") d ORDER BY place",
    [SQL_VERSIONS_REFUSED] = "UPDATE title_version SET refused = $2 "
                             "WHERE title = $1 AND " VERSION_DROPPING,
    [SQL_VERSIONS_DROP_DROPPING] =
        "DELETE FROM title_version WHERE title = $1 AND " VERSION_DROPPING,
    [SQL_VERSIONS_OTHER_OUTPUT] =
        "SELECT output FROM title_version WHERE title = $1 AND output <> $2 "
        "ORDER BY output LIMIT 1",
    [SQL_VERSIONS_DROP] = "DELETE FROM title_version WHERE title = $1",
    [SQL_VERSIONS_DROP_OUTPUT] = "DELETE FROM title_version WHERE title = $1 AND output = $2",
    [SQL_VERSIONS_DROP_RENDITIONS] =
        "DELETE FROM version_rendition WHERE title = $1 AND (version, output) NOT IN "
        "(SELECT version, output FROM title_version WHERE title = $1)",

    [SQL_ENDPOINTS] =
        "SELECT name, is_catalog, listed, rules, reachable, state, results, row_fails, mends, "
        "pause_ms, opened_at, retry_at, pushes, best_ms, last_ms, error, granted_at, brought, "
        "failed, objects, bytes, gone_at, pause_until, taken, died, lost, failing_at, by_time, "
        "leave_until, leave_rate, place FROM endpoint ORDER BY name",
    [SQL_ENDPOINT_ADD] = "INSERT INTO endpoint (name, is_catalog, listed, rules, pushes) "
                         "VALUES ($1, $2, 1, $3, $4)",
    [SQL_ENDPOINT_SET_LISTED] =
        "UPDATE endpoint SET listed = $2, is_catalog = $3, rules = $4 WHERE name = $1",
    [SQL_ENDPOINT_SET_PLACE] = "UPDATE endpoint SET place = $2 WHERE name = $1",
    [SQL_ENDPOINT_SET_REACHABLE] = "UPDATE endpoint SET reachable = $2 WHERE name = $1",
    [SQL_ENDPOINT_SET_HEALTH] =
        "UPDATE endpoint SET state = $2, results = $3, row_fails = $4, mends = $5, pause_ms = $6, "
        "opened_at = $7, retry_at = $8, pushes = $9, best_ms = $10, last_ms = $11, error = $12, "
        "failing_at = $13, by_time = $14 WHERE name = $1",
    [SQL_ENDPOINT_SET_GRANTED] = "UPDATE endpoint SET granted_at = $2 WHERE name = $1",
    [SQL_ENDPOINT_COUNT] = "UPDATE endpoint SET brought = brought + $2, failed = failed + $3, "
                           "objects = objects + $4, bytes = bytes + $5 WHERE name = $1",
    [SQL_ENDPOINT_DROP_VERSIONS] = "DELETE FROM publication_version WHERE publication IN "
                                   "(SELECT id FROM publication WHERE endpoint = $1)",
    [SQL_ENDPOINT_DROP_PUBLICATIONS] = "DELETE FROM publication WHERE endpoint = $1",
    [SQL_ENDPOINT_DROP_DELIVERIES] = "DELETE FROM delivery WHERE endpoint = $1",
    [SQL_ENDPOINT_DROP] = "DELETE FROM endpoint WHERE name = $1",
    [SQL_ENDPOINT_OLDER_GO] =
        "UPDATE publication_version SET going = 1 WHERE going = 0 AND EXISTS "
        "(SELECT 1 FROM publication p WHERE p.id = publication_version.publication "
        "AND p.endpoint = $1 AND p.wanted <> publication_version.version)",
    /* What versions of its titles were made of that neither the origin nor an endpoint holds. */
    [SQL_ENDPOINT_DROP_FOLDERS] =
        "DELETE FROM version_folder WHERE title IN (SELECT title FROM publication "
        "WHERE endpoint = $1) AND NOT EXISTS (SELECT 1 FROM title_version t "
        "WHERE t.title = version_folder.title AND t.version = version_folder.version) "
        "AND NOT EXISTS (SELECT 1 FROM publication p JOIN publication_version v "
        "ON v.publication = p.id WHERE p.title = version_folder.title "
        "AND v.version = version_folder.version)",
    [SQL_PUBLICATION_ADD] =
        "INSERT INTO publication (id, title, endpoint, wanted, revision, stage, next_at, rank) "
        "VALUES ($1, $2, $3, '', 0, 'settled', 0, 0)",
    [SQL_PUBLICATION_GET] = "SELECT " PUBLICATION_COLUMNS PUBLICATIONS "WHERE p.id = $1",
    [SQL_PUBLICATIONS_OF_TITLE] = "SELECT " PUBLICATION_COLUMNS PUBLICATIONS
                                  "WHERE p.title = $1 ORDER BY p.endpoint",
    [SQL_PUBLICATION_WANT] =
        "UPDATE publication SET wanted = $2, revision = $3, "
        "stage = CASE WHEN stage = 'running' THEN stage ELSE 'due' END, failures = 0, "
        "class = '', error = '', next_at = $4, rank = $5, skip = $6 WHERE id = $1",
    [SQL_PUBLICATIONS_WANT_AGAIN] =
        "UPDATE publication SET held = '', revision = $2, stage = CASE WHEN stage = 'running' "
        "THEN stage ELSE $4 END, skip = CASE WHEN stage = 'running' THEN -1 ELSE 0 END, "
        "failures = 0, class = '', error = '', next_at = $3, rank = $5 "
        "WHERE endpoint = $1 AND wanted <> ''",
    [SQL_PUBLICATION_CHOOSE] = "UPDATE publication SET choice = $2 WHERE id = $1",
    [SQL_PUBLICATIONS_CHOOSE] =
        "UPDATE publication SET choice = $3 WHERE title = $1 AND choice = $2",
    [SQL_PUBLICATION_STAGE] = "UPDATE publication SET stage = $3 WHERE id = $1 AND stage = $2",
    [SQL_PUBLICATION_BEGIN] = "UPDATE publication SET stage = 'running', pushed = wanted, "
                              "pushed_revision = revision WHERE id = $1 AND stage = 'due'",
    [SQL_PUBLICATION_BROUGHT] =
        "UPDATE publication SET stage = $2, held = $3, pushed = '', skip = $5, failures = 0, "
        "class = '', error = '', next_at = $4, fetches = $6 WHERE id = $1",
    [SQL_PUBLICATION_LEFT] =
        "UPDATE publication SET stage = 'due', pushed = '', skip = $2, total = $3, failures = $4, "
        "class = $5, error = $6, next_at = $7 WHERE id = $1",
    [SQL_PUBLICATION_SET_UNSURE] = "UPDATE publication SET unsure_at = $2 WHERE id = $1",
    [SQL_PUBLICATIONS_UNSURE] = "SELECT id FROM publication WHERE unsure_at > 0 "
                                "AND unsure_at <= $1 ORDER BY unsure_at LIMIT $2",
    [SQL_PUBLICATION_SET_GOES] =
        "UPDATE publication SET goes_at = coalesce((SELECT min(v.kept_until) FROM "
        "publication_version v WHERE v.publication = $1 AND v.going = 0 AND v.kept_until > $3 "
        "AND " VERSION_DROPPED("$2") "), 0) WHERE id = $1",
    [SQL_PUBLICATIONS_GOING] = "SELECT title FROM publication WHERE goes_at > 0 "
                               "AND goes_at <= $1 GROUP BY title ORDER BY min(goes_at) LIMIT $2",
    [SQL_PUBLICATIONS_RETRY] = "UPDATE publication SET next_at = $2 "
                               "WHERE endpoint = $1 AND stage = 'due' AND next_at > $2",
    [SQL_PUBLICATION_DROP] = "DELETE FROM publication WHERE id = $1",
    [SQL_PUBLICATIONS_DROP] =
        "DELETE FROM publication WHERE title = $1 AND stage = 'settled' AND wanted = ''",
    [SQL_PUBLICATION_NEXT] = "SELECT " PUBLICATION_COLUMNS PUBLICATIONS
                             "WHERE p.endpoint = $1 AND p.stage = 'due' AND p.next_at <= $2 "
                             "AND " KNOWN("$3") "ORDER BY p.rank, p.next_at LIMIT 1",
    [SQL_PUBLICATION_NEXT_OF] = "SELECT " PUBLICATION_COLUMNS PUBLICATIONS
                                "WHERE p.title = $1 AND p.endpoint = $2 "
                                "AND p.wanted = $3 AND p.stage = 'due' AND p.next_at <= $4",
    [SQL_PUBLICATION_NEXT_FRESH] =
        "SELECT " PUBLICATION_COLUMNS PUBLICATIONS "WHERE p.endpoint = $1 AND p.stage = 'due' "
        "AND p.next_at <= $2 AND " KNOWN("$3") "AND p.failures = 0 ORDER BY p.rank, p.next_at "
                                               "LIMIT 1",
    [SQL_PUBLICATION_NEXT_LEAVING] =
        "SELECT " PUBLICATION_COLUMNS PUBLICATIONS "WHERE p.endpoint = $1 AND p.wanted = '' "
        "AND p.stage = 'due' AND p.next_at <= $2 AND " KNOWN("$3") "ORDER BY p.next_at LIMIT 1",
    [SQL_PUBLICATIONS_BRINGING] = "SELECT " PUBLICATION_COLUMNS PUBLICATIONS
                                  "WHERE p.endpoint = $1 AND p.stage = 'running' "
                                  "AND p.pushed <> ''",
    [SQL_PUBLICATIONS_NEXT_AT] = "SELECT min(next_at) FROM publication "
                                 "WHERE endpoint = $1 AND stage = 'due' AND next_at > $2",
    [SQL_PUBLICATIONS_BEHIND] = "SELECT id, title FROM publication WHERE stage = 'behind' "
                                "AND id > $1 ORDER BY id LIMIT $2",
    [SQL_PUBLICATIONS_RUNNING] =
        "SELECT endpoint, count(*) FROM publication WHERE stage = 'running' GROUP BY endpoint "
        "UNION ALL SELECT endpoint, count(DISTINCT fence) FROM delivery WHERE state = 'running' "
        "GROUP BY endpoint",
    [SQL_PUBLICATIONS_WAITING] = "SELECT endpoint, count(*) FROM (SELECT endpoint FROM publication "
                                 "WHERE stage = 'due' UNION ALL SELECT endpoint FROM publication "
                                 "WHERE stage = 'behind') w GROUP BY endpoint",
    [SQL_PUBLICATIONS_LEAVING] = "SELECT title FROM publication WHERE endpoint = $1 "
                                 "AND wanted = '' AND stage <> 'settled' ORDER BY next_at LIMIT $2",
    /* What a removal at the origin waits for: what can be reached and does not fail each time. */
    [SQL_PUBLICATIONS_HOLDING] = "SELECT count(*) " PUBLICATIONS "WHERE p.title = $1 AND "
                                 "p.stage <> 'settled' AND e.reachable = 1 AND p.failures < $2 "
                                 "AND p.class <> $3",
    [SQL_PUBLICATIONS_HELD] = "SELECT count(*) FROM publication WHERE endpoint = $1 AND held <> '' "
                              "AND wanted <> ''",
    [SQL_PUBLICATION_VERSION_ADD] =
        "INSERT INTO publication_version (publication, version) VALUES ($1, $2) "
        "ON CONFLICT (publication, version) DO UPDATE SET going = 0, kept_until = 0",
    [SQL_PUBLICATION_VERSION_SET] =
        "UPDATE publication_version SET going = $3 WHERE publication = $1 AND version = $2",
    [SQL_PUBLICATION_VERSIONS_UNTOLD] =
        "UPDATE publication_version SET going = 1 WHERE publication = $1 AND going IN (2, 3)",
    [SQL_PUBLICATION_VERSIONS_TELL] =
        "UPDATE publication_version SET going = 2 WHERE publication = $1 AND version IN "
        "(SELECT v.version FROM publication_version v WHERE " VERSIONS_TO_GO
        " ORDER BY v.version LIMIT $5)",
    [SQL_PUBLICATION_VERSIONS_TOLD] = "SELECT version FROM publication_version "
                                      "WHERE publication = $1 AND going IN (2, 3) ORDER BY version",
    [SQL_PUBLICATION_VERSIONS_KEPT] =
        "SELECT version FROM publication_version "
        "WHERE publication = $1 AND going NOT IN (2, 3) ORDER BY version",
    /* What edges have besides what they are to have; of 4 they are rid. */
    [SQL_PUBLICATION_VERSIONS_OLD] =
        "SELECT p.endpoint, v.version, v.kept_until, v.going FROM publication p "
        "JOIN publication_version v ON v.publication = p.id WHERE p.title = $1 "
        "AND v.version <> p.wanted AND v.going <> 4 ORDER BY p.endpoint, v.kept_until DESC, "
        "v.version",
    [SQL_PUBLICATION_VERSIONS_LEFT] = "UPDATE publication_version SET kept_until = "
                                      "CASE WHEN version = $2 THEN CAST(0 AS BIGINT) ELSE $3 END "
                                      "WHERE publication = $1 AND (version = $2 OR kept_until = 0)",
    [SQL_PUBLICATION_VERSIONS_GONE] =
        "DELETE FROM publication_version WHERE publication = $1 AND going = 2",
    [SQL_PUBLICATION_VERSIONS_TWICE] =
        "UPDATE publication_version SET going = 3 WHERE publication = $1 AND going = 2 "
        "AND version IN (SELECT t.version FROM title_version t WHERE t.title = $2)",
    [SQL_PUBLICATION_VERSIONS_WAIT] =
        "UPDATE publication_version SET going = CASE WHEN version IN (SELECT t.version "
        "FROM title_version t WHERE t.title = $2) THEN 4 ELSE 1 END "
        "WHERE publication = $1 AND going = 3",
    [SQL_PUBLICATION_VERSIONS_AGAIN] =
        "UPDATE publication_version SET going = 1 WHERE publication = $1 AND going = 4 "
        "AND version NOT IN (SELECT t.version FROM title_version t WHERE t.title = $2)",
    [SQL_PUBLICATION_VERSIONS_COUNT] =
        "SELECT count(*) FROM publication_version WHERE publication = $1",
    [SQL_PUBLICATION_VERSIONS_TO_GO] =
        "SELECT count(*) FROM publication_version v WHERE " VERSIONS_TO_GO,
    [SQL_PUBLICATION_VERSIONS_DROP] = "DELETE FROM publication_version WHERE publication = $1",
    [SQL_PUBLICATION_RENDITIONS] =
        "SELECT f.rendition FROM version_folder f WHERE f.title = $1 AND f.version = $2 "
        "AND f.folder NOT LIKE 'images/%' " /* no playlist lists them */
        "ORDER BY f.position",
    /* Those of the versions that go, but what another version there has too. */
    [SQL_PUBLICATION_FOLDERS] =
        "SELECT f.folder, max(f.segments) FROM publication_version v JOIN version_folder f "
        "ON f.title = $2 AND f.version = v.version WHERE v.publication = $1 AND v.going IN (2, 3) "
        "AND f.folder NOT IN (SELECT k.folder FROM publication_version o JOIN version_folder k "
        "ON k.title = $2 AND k.version = o.version WHERE o.publication = $1 "
        "AND o.going NOT IN (2, 3)) "
        "GROUP BY f.folder ORDER BY f.folder",
    [SQL_PUBLICATION_FOLDERS_KEPT] =
        "SELECT f.folder, max(f.segments) FROM publication_version v JOIN version_folder f "
        "ON f.title = $2 AND f.version = v.version WHERE v.publication = $1 "
        "AND v.going NOT IN (2, 3) GROUP BY f.folder ORDER BY f.folder",
    /* What may lie where of titles, $2 of them, whose names stand in $1 in 128 columns each: both
     * databases take a text apart like that. Of one that goes from an endpoint, all may be there.
     */
    [SQL_ORPHAN_NAMES] =
        "WITH RECURSIVE part (place, title) AS (SELECT 1, rtrim(substr($1, 1, 128)) UNION ALL "
        "SELECT place + 1, rtrim(substr($1, place * 128 + 1, 128)) FROM part WHERE place < $2) "
        "SELECT p.title, 'output', v.output, '' FROM part p JOIN title_version v "
        "ON v.title = p.title "
        "UNION ALL SELECT p.title, 'output', t.output, '' FROM part p JOIN title t "
        "ON t.id = p.title "
        "UNION ALL SELECT p.title, 'known', '', '' FROM part p "
        "WHERE EXISTS (SELECT 1 FROM title t WHERE t.id = p.title) "
        "OR EXISTS (SELECT 1 FROM title_gone g WHERE g.title = p.title AND g.kept = 0) "
        "OR EXISTS (SELECT 1 FROM publication b WHERE b.title = p.title) "
        "UNION ALL SELECT p.title, CASE WHEN b.wanted = '' AND b.stage <> 'settled' THEN 'leaves' "
        "ELSE 'stable' END, '', b.endpoint FROM part p JOIN publication b ON b.title = p.title "
        "WHERE b.stage <> 'settled' OR b.wanted <> '' OR b.held <> '' "
        "UNION ALL SELECT p.title, 'holds', b.wanted, b.endpoint FROM part p JOIN publication b "
        "ON b.title = p.title "
        "UNION ALL SELECT p.title, 'holds', b.held, b.endpoint FROM part p JOIN publication b "
        "ON b.title = p.title "
        "UNION ALL SELECT p.title, 'holds', v.version, b.endpoint FROM part p JOIN publication b "
        "ON b.title = p.title JOIN publication_version v ON v.publication = b.id "
        "UNION ALL SELECT p.title, 'holds', f.folder, b.endpoint FROM part p JOIN publication b "
        "ON b.title = p.title JOIN version_folder f ON f.title = p.title "
        "WHERE f.version = b.wanted OR f.version = b.held OR f.version IN (SELECT v.version "
        "FROM publication_version v WHERE v.publication = b.id)",
    [SQL_VERSION_FOLDER_ADD] =
        "INSERT INTO version_folder (title, version, position, rendition, folder, segments) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (title, version, position) "
        "DO UPDATE SET rendition = $4, folder = $5, segments = $6",
    [SQL_VERSION_NOTES_DROP] = "DELETE FROM version_folder WHERE title = $1 AND version = $2",
    [SQL_VERSION_RENDITIONS] =
        "SELECT r.place FROM version_rendition r JOIN title_version v ON v.title = r.title "
        "AND v.version = r.version AND v.output = r.output "
        "WHERE r.title = $1 AND r.version = $2 AND v.dropping = 0 ORDER BY r.place",
    [SQL_VERSION_FOLDERS] = "SELECT folder, segments FROM version_folder "
                            "WHERE title = $1 AND version = $2 ORDER BY position",
    [SQL_VERSION_FOLDERS_OF_IMAGES] =
        "SELECT count(*) FROM version_folder WHERE title = $1 AND folder LIKE 'images/%'",
    /* Media objects: segments, and an init.mp4 of each. */
    [SQL_VERSION_FOLDERS_COUNT] = "SELECT coalesce(sum(segments + 1), 0) FROM version_folder "
                                  "WHERE title = $1 AND version = $2",
    [SQL_VERSION_FOLDERS_DROP] =
        "DELETE FROM version_folder WHERE title = $1 AND version NOT IN "
        "(SELECT version FROM title_version WHERE title = $1) AND version NOT IN "
        "(SELECT v.version FROM publication p JOIN publication_version v ON v.publication = p.id "
        "WHERE p.title = $1)",
    [SQL_VERSION_OUTPUT] =
        "SELECT output FROM title_version WHERE title = $1 AND version = $2 AND dropping = 0 "
        "ORDER BY replaced > 0, replaced DESC LIMIT 1",
    [SQL_TITLE_OUTPUT] = "SELECT output FROM title WHERE id = $1",
    [SQL_VERSION_RENDITIONS_COUNT] = "SELECT count(*) FROM version_rendition "
                                     "WHERE title = $1 AND version = $2 AND output = $3",
    [SQL_VERSION_FIND] = "SELECT replaced, dropping, output FROM title_version "
                         "WHERE title = $1 AND version = $2 ORDER BY output = $3 DESC LIMIT 1",
    [SQL_VERSION_LAST] = "SELECT version FROM title_version WHERE title = $1 AND output = $2 "
                         "AND replaced > 0 AND dropping = 0 ORDER BY replaced DESC LIMIT 1",
    [SQL_VERSION_DROP_SOON] =
        "UPDATE title_version SET dropping = 1, replaced = 1, refused = 0 WHERE title = $1 "
        "AND version = $2 AND replaced > 0 "
        "AND output = (SELECT t.output FROM title t WHERE t.id = $1)",
    [SQL_PRODUCTS_OF_PLACE] = "SELECT report FROM product WHERE place = $1",
    [SQL_TITLE_WANTING] =
        "SELECT t.state, t.version, t.tenant, t.priority, coalesce((SELECT s.score "
        "FROM title_score s WHERE s.title = t.id), 0), (SELECT count(*) FROM title_withheld w "
        "WHERE w.title = t.id) FROM title t WHERE t.id = $1",
    [SQL_TITLES_FROM] = "SELECT id, submission FROM title WHERE submission > $1 "
                        "ORDER BY submission LIMIT $2",
    [SQL_TITLES_REMOVING] = "SELECT id FROM title WHERE state = 'removing' "
                            "ORDER BY submission LIMIT $1",
    [SQL_TITLE_WITHHOLD] = "INSERT INTO title_withheld (title) VALUES ($1) "
                           "ON CONFLICT (title) DO NOTHING",
    [SQL_TITLE_UNWITHHOLD] = "DELETE FROM title_withheld WHERE title = $1",
    [SQL_TITLE_SET_SCORE] = "INSERT INTO title_score (title, score) VALUES ($1, $2) "
                            "ON CONFLICT (title) DO UPDATE SET score = $2",
    [SQL_TITLE_DROP_SCORE] = "DELETE FROM title_score WHERE title = $1",
    [SQL_UNIT_ADD_PUSH] =
        "INSERT INTO unit (id, title, submission, position, kind, rendition, rendition_id, chunk, "
        "build, state, waiting, cost_s, frames, ready_at) "
        "VALUES ($1, $2, 0, $3, 'push', -1, '', -1, 0, 'ready', 0, 1, 0, $4)",
    [SQL_TITLE_SET_TOLD] = "UPDATE title SET told = $2 WHERE id = $1 AND told <> $2",

    [SQL_ENDPOINTS_LISTED] = "SELECT count(*) FROM endpoint WHERE listed = 1",
    [SQL_ENDPOINTS_LISTENING] =
        "SELECT count(*) FROM endpoint WHERE listed = 1 AND (events & $1) <> 0",
    [SQL_ENDPOINT_SET_HOOK] = "UPDATE endpoint SET events = $2, label = $3, tenant = $4, "
                              "max_age_ms = $5 WHERE name = $1",
    [SQL_ENDPOINT_SET_GONE] = "UPDATE endpoint SET gone_at = $2 WHERE name = $1",
    [SQL_ENDPOINT_SET_PAUSE] = "UPDATE endpoint SET pause_until = $2 WHERE name = $1",
    [SQL_ENDPOINT_SET_LEAVE] =
        "UPDATE endpoint SET leave_until = $2, leave_rate = $3 WHERE name = $1",
    [SQL_ENDPOINT_COUNT_EVENTS] = "UPDATE endpoint SET taken = taken + $2, died = died + $3, "
                                  "lost = lost + $4 WHERE name = $1",
    /* Whose the title was, or is. */
    [SQL_EVENT_TENANT] =
        "SELECT coalesce((SELECT g.tenant FROM title_gone g WHERE g.title = $1 AND g.seq >= $2 "
        "ORDER BY g.seq LIMIT 1), (SELECT t.tenant FROM title t WHERE t.id = $1), '')",
    [SQL_EVENT_GET] = "SELECT seq, at, title, kind, detail, trace FROM event WHERE seq = $1",
    [SQL_EVENTS_SINCE] =
        "SELECT seq, at, title, kind, detail, trace FROM event WHERE seq > $1 AND at >= $2 "
        "AND (kind LIKE 'title.%' OR kind LIKE 'publication.%' OR kind LIKE 'version.%') "
        "ORDER BY seq LIMIT $3",
    /* For all that listen, or ($8 <> '') for one. One that is gone is given nothing. */
    [SQL_DELIVERIES_ADD] =
        "INSERT INTO delivery (endpoint, event, at, title, kind, data, state, error, until, "
        "ended_at) SELECT e.name, CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), "
        "CAST($4 AS TEXT), CAST($5 AS TEXT), "
        "CASE WHEN e.gone_at > 0 THEN 'dead' ELSE 'waiting' END, "
        "CASE WHEN e.gone_at > 0 THEN e.error ELSE '' END, CAST($9 AS BIGINT) + e.max_age_ms, "
        "CASE WHEN e.gone_at > 0 THEN CAST($9 AS BIGINT) ELSE 0 END FROM endpoint e "
        "WHERE e.listed = 1 AND (e.events & $6) <> 0 AND (e.tenant = '' OR e.tenant = $7) "
        "AND (e.label = '' OR EXISTS (SELECT 1 FROM title_label l WHERE l.title = $3 "
        "AND l.label = e.label)) AND ($8 = '' OR e.name = $8) "
        "ON CONFLICT (endpoint, event) DO NOTHING",
    /* Of each title none that comes behind one which runs or pauses. */
    [SQL_DELIVERIES_DUE] =
        "SELECT d.event, d.at, d.title, d.kind, d.data FROM delivery d WHERE d.endpoint = $1 "
        "AND d.state = 'waiting' AND d.next_at <= $2 AND NOT EXISTS (SELECT 1 FROM delivery o "
        "WHERE o.endpoint = d.endpoint AND o.title = d.title AND o.event < d.event "
        "AND (o.state = 'running' OR (o.state = 'waiting' AND o.next_at > $2))) "
        "ORDER BY d.event LIMIT $3",
    [SQL_DELIVERIES_NEXT_AT] = "SELECT min(next_at) FROM delivery "
                               "WHERE endpoint = $1 AND state = 'waiting' AND next_at > $2",
    [SQL_DELIVERIES_COUNT] =
        "SELECT endpoint, state, count(*) FROM delivery GROUP BY endpoint, state",
    [SQL_DELIVERIES_PAGE] =
        "SELECT event, at, title, kind, state, attempts, status, error, next_at, ended_at "
        "FROM delivery WHERE endpoint = $1 AND event > $2 AND ($3 = '' OR state = $3) "
        "ORDER BY event LIMIT $4",
    [SQL_DELIVERIES_NTH] = "SELECT event FROM delivery WHERE endpoint = $1 AND state = $2 "
                           "ORDER BY event DESC LIMIT 1 OFFSET $3",
    [SQL_DELIVERY_BEGIN] = "UPDATE delivery SET state = 'running', fence = $3 "
                           "WHERE endpoint = $1 AND event = $2 AND state = 'waiting'",
    [SQL_DELIVERY_ATTEMPTS] = "SELECT attempts FROM delivery WHERE endpoint = $1 AND event = $2 "
                              "AND fence = $3 AND state = 'running'",
    [SQL_DELIVERY_TAKEN] =
        "UPDATE delivery SET state = 'delivered', fence = 0, attempts = attempts + 1, "
        "status = $4, error = '', ended_at = $5 WHERE endpoint = $1 AND event = $2 "
        "AND fence = $3 AND state = 'running'",
    [SQL_DELIVERY_FAILED] =
        "UPDATE delivery SET state = $3, fence = 0, attempts = attempts + 1, status = $4, "
        "error = $5, next_at = $6, ended_at = $7 WHERE endpoint = $1 AND event = $2 "
        "AND state = 'running'",
    [SQL_DELIVERIES_WAY] =
        "SELECT endpoint, title FROM delivery WHERE fence = $1 AND state = 'running' "
        "ORDER BY event LIMIT 1",
    [SQL_DELIVERIES_LEFT] =
        "UPDATE delivery SET state = 'waiting', fence = 0 WHERE fence = $1 AND state = 'running'",
    [SQL_DELIVERIES_RETRY] = "UPDATE delivery SET next_at = $2 "
                             "WHERE endpoint = $1 AND state = 'waiting' AND next_at > $2",
    [SQL_DELIVERIES_DIE] = "UPDATE delivery SET state = 'dead', error = $3, ended_at = $4 "
                           "WHERE endpoint = $1 AND state = 'waiting' AND event <= $2",
    [SQL_DELIVERIES_EXPIRED] = "SELECT endpoint, count(*) FROM delivery WHERE state = 'waiting' "
                               "AND until <= $1 GROUP BY endpoint",
    [SQL_DELIVERIES_EXPIRE] = "UPDATE delivery SET state = 'dead', ended_at = $1, "
                              "error = CASE WHEN error = '' THEN CAST($2 AS TEXT) ELSE error END "
                              "WHERE state = 'waiting' AND until <= $1",
    [SQL_DELIVERIES_FORGET] =
        "DELETE FROM delivery WHERE ended_at > 0 AND ((state = 'delivered' AND ended_at <= $1) "
        "OR (state = 'dead' AND ended_at <= $2))",
    [SQL_DELIVERIES_TRIM] =
        "DELETE FROM delivery WHERE endpoint = $1 AND state = $2 AND event <= $3",
    [SQL_DELIVERIES_REPLAY_DEAD] =
        "UPDATE delivery SET state = 'waiting', attempts = 0, status = 0, error = '', "
        "next_at = $2, until = $3, ended_at = 0 WHERE endpoint = $1 AND state = 'dead'",
    [SQL_DELIVERY_REPLAY] =
        "UPDATE delivery SET state = 'waiting', attempts = 0, status = 0, error = '', "
        "next_at = $3, until = $4, ended_at = 0 WHERE endpoint = $1 AND event = $2 "
        "AND state IN ('dead', 'delivered')",

    [SQL_EARLY_OPEN] = "SELECT run FROM early_run WHERE title = $1 AND output = $2 AND key = $3 "
                       "AND replaced = 0",
    [SQL_EARLY_GO_ON] =
        "UPDATE early_run SET submission = $3, at = $4 WHERE title = $1 AND run = $2",
    [SQL_EARLY_REPLACE] = "UPDATE early_run SET replaced = $2 WHERE title = $1 AND replaced = 0",
    [SQL_EARLY_ADD] = "INSERT INTO early_run (title, run, submission, key, output, at) "
                      "VALUES ($1, $2, $2, $3, $4, $5)",
    [SQL_EARLY_GET] =
        "SELECT run, chunks, whole FROM early_run WHERE title = $1 AND submission = $2",
    [SQL_EARLY_BEGUN] = "UPDATE early_run SET begun = 1 WHERE title = $1 AND submission = $2",
    [SQL_EARLY_SET] = "UPDATE early_run SET chunks = $3, whole = $4, at = $5, "
                      "replaced = CAST($4 AS BIGINT) * CAST($5 AS BIGINT) "
                      "WHERE title = $1 AND run = $2",
    [SQL_EARLY_TOP] = "SELECT coalesce(max(run), -1) FROM early_run WHERE title = $1 "
                      "AND output = $2 AND begun = 1",
    [SQL_EARLY_OF_SUBMISSION] =
        "SELECT run FROM early_run WHERE title = $1 AND submission = $2 ORDER BY run",
    [SQL_EARLY_DUE] =
        "SELECT DISTINCT e.title FROM early_run e JOIN title t ON t.id = e.title "
        "WHERE e.at <= $1 AND e.replaced <= $1 AND e.output = t.output "
        "AND (e.refused = 0 OR e.refused <= $2) AND t.state IN ('done', 'failed', 'cancelled') "
        "AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.title = t.id AND l.state <> 'ended') "
        "AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.title = t.id AND u.position < 0 "
        "AND u.state IN ('blocked', 'ready', 'leased')) LIMIT $3",
    /* Of those that are dropped nobody asks any more since when. */
    [SQL_EARLY_MARK] =
        "UPDATE early_run SET dropping = 1, at = 0, replaced = 1 WHERE title = $1 AND run IN "
        "(SELECT e.run FROM early_run e WHERE e.title = $1 AND e.output = $2 AND e.at <= $3 "
        "AND e.replaced <= $3 ORDER BY e.run LIMIT $4)",
    [SQL_EARLY_DROPPING] = "SELECT run FROM early_run WHERE title = $1 AND output = $2 "
                           "AND dropping = 1 ORDER BY run",
    [SQL_EARLY_REFUSED] = "UPDATE early_run SET refused = $2 WHERE title = $1 AND dropping = 1",
    [SQL_EARLY_DROP_SUBMISSION] = "DELETE FROM early_run WHERE title = $1 AND submission = $2",
    [SQL_EARLY_DROP_DROPPING] =
        "DELETE FROM early_run WHERE title = $1 AND output = $2 AND dropping = 1",
    [SQL_EARLY_DROP] = "DELETE FROM early_run WHERE title = $1",
    [SQL_UNITS_SET_EARLY] = "UPDATE unit SET early = 1 WHERE title = $1 AND rendition = $2",
    /* Chunks from the start on of which all is done; sound has -1. The conditions are those of
     * the index. */
    [SQL_UNITS_EARLY_DONE] = "SELECT coalesce(min(chunk), 9223372036854775807) FROM unit "
                             "WHERE title = $1 AND early = 1 AND state <> 'done'",
    [SQL_UNIT_BLOCKED_AT] =
        "SELECT id FROM unit WHERE title = $1 AND position = $2 AND state = 'blocked'",
    [SQL_UNIT_PAUSE] = "UPDATE unit SET ready_at = $2, attempts = 0, failures = 0, crashes = 0, "
                       "losses = 0 WHERE id = $1",

    [SQL_UNIT_ADD] =
        "INSERT INTO unit (id, title, submission, position, kind, rendition, rendition_id, chunk, "
        "build, state, waiting, cost_s, frames, ready_at, model, priority, tenant, due) "
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, " UNIT_ORDER
        "FROM title t WHERE t.id = $2",
    [SQL_UNIT_NEED_ADD] = "INSERT INTO unit_need (unit, needs) VALUES ($1, $2)",
    [SQL_UNIT_GET] = "SELECT " UNIT_COLUMNS "FROM unit u WHERE u.id = $1",
    [SQL_UNIT_BUILD] = "SELECT build FROM unit WHERE title = $1 AND kind = $2 LIMIT 1",
    [SQL_UNIT_AT] = "SELECT id FROM unit WHERE title = $1 AND position = $2",
    [SQL_UNIT_SET_PRIORITY] = "UPDATE unit SET priority = $2 WHERE id = $1",
    [SQL_UNIT_DROP_AT] =
        "DELETE FROM unit WHERE title = $1 AND position = $2 RETURNING kind, state",
    [SQL_UNIT_MOVE] = "UPDATE unit SET state = $3" UNIT_READY_SINCE
                      "WHERE id = $1 AND state = $2 RETURNING kind",
    [SQL_UNIT_SET_PLACE] =
        "UPDATE unit SET place = $3, key = $4 WHERE title = $1 AND position = $2",
    [SQL_UNIT_COUNT_ATTEMPT] = "UPDATE unit SET attempts = attempts + 1 WHERE id = $1",
    [SQL_UNIT_COUNT_FAILURE] =
        "UPDATE unit SET failures = failures + $2, crashes = crashes + $3, "
        "doublings = doublings + $4, alone = CASE WHEN alone > $5 THEN alone ELSE $5 END, "
        "may_replace = CASE WHEN may_replace > $6 THEN may_replace ELSE $6 END, "
        "avoid = $7, ready_at = $8 WHERE id = $1",
    [SQL_UNIT_COUNT_LOSS] = "UPDATE unit SET losses = losses + 1 WHERE id = $1",
    [SQL_UNIT_SET_MADE] = "UPDATE unit SET repaired = $2, concealed = $3, reused = $4 "
                          "WHERE id = $1",
    [SQL_UNIT_LOSS_ADD] = "INSERT INTO unit_loss (unit, host) VALUES ($1, $2) "
                          "ON CONFLICT (unit, host) DO NOTHING",
    [SQL_UNIT_LOSS_HOSTS] = "SELECT count(*) FROM unit_loss WHERE unit = $1",
    [SQL_UNITS_DROP] = "DELETE FROM unit WHERE title = $1",
    [SQL_UNITS_DROP_NEEDS] =
        "DELETE FROM unit_need WHERE unit IN (SELECT id FROM unit WHERE title = $1)",
    [SQL_UNITS_DROP_LOSSES] =
        "DELETE FROM unit_loss WHERE unit IN (SELECT id FROM unit WHERE title = $1)",
    [SQL_UNITS_MOVE_ALL] = "UPDATE unit SET state = $3" UNIT_READY_SINCE
                           "WHERE title = $1 AND state = $2 RETURNING kind",
    [SQL_UNITS_MOVE_MADE] =
        "UPDATE unit SET state = $3" UNIT_READY_SINCE ", reused = 1, (repaired, concealed) = "
        "(SELECT p.repaired, p.concealed FROM product p "
        "WHERE p.place = unit.place AND p.key = unit.key) "
        "WHERE title = $1 AND state = $2 AND key <> '' AND EXISTS (SELECT 1 FROM product p "
        "WHERE p.place = unit.place AND p.key = unit.key) RETURNING kind",
    /* `= 'blocked'`, which $2 is, says that the index of such units will do. */
    [SQL_UNITS_MOVE_NEEDLESS] = "UPDATE unit SET state = $3" UNIT_READY_SINCE
                                "WHERE title = $1 AND state = $2 AND state = 'blocked' "
                                "AND waiting = 0 RETURNING kind",
    [SQL_UNITS_NEEDED_BY_DONE] = "UPDATE unit SET waiting = waiting - 1 "
                                 "WHERE id IN (SELECT unit FROM unit_need WHERE needs = $1) "
                                 "RETURNING waiting",
    [SQL_UNITS_COUNT_NEEDS] =
        "UPDATE unit SET waiting = (SELECT count(*) FROM unit_need n JOIN unit d ON d.id = n.needs "
        "WHERE n.unit = unit.id AND d.state NOT IN ('done', 'failed')) "
        "WHERE title = $1 AND position >= 0",
    [SQL_UNITS_NEED_NOTHING] = "UPDATE unit SET waiting = 0 WHERE title = $1 AND position = $2",
    [SQL_UNITS_SET_ORDER] = "UPDATE unit SET (priority, tenant, due) = (SELECT " UNIT_ORDER
                            "FROM title t WHERE t.id = $1) WHERE title = $1",
    [SQL_UNITS_READY] = "SELECT " UNIT_COLUMNS
                        "FROM unit u WHERE u.state = 'ready' AND u.tenant = $1 "
                        "AND u.priority = $2 AND u.build = $3 AND u.ready_at <= $4 "
                        "AND u.kind IN ($6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
                        "AND (u.key <> '' OR u.kind NOT IN ('video', 'audio', 'images') OR EXISTS "
                        "(SELECT 1 FROM unit p "
                        "WHERE p.title = u.title AND p.kind = 'probe' AND p.state = 'leased')) "
                        "ORDER BY u.due, u.submission, u.position LIMIT $5",
    [SQL_UNITS_COUNT_READY] =
        "SELECT count(*) FROM (SELECT 1 FROM unit WHERE state = 'ready' AND tenant = $1 "
        "AND priority = $2 AND build = $3 LIMIT $4) r",
    [SQL_UNITS_COUNT_TASKS] =
        "SELECT count(*) FROM (SELECT DISTINCT submission, chunk FROM unit WHERE state = 'ready' "
        "AND tenant = $1 AND priority = $2 AND build = $3 AND kind = 'video' AND alone = 0 "
        "AND key <> '' AND ready_at <= $4 LIMIT $5) r",
    /* Steps from tenant to tenant in the queue's index, whatever there is of each. */
    [SQL_UNITS_TENANTS] =
        "WITH RECURSIVE step (tenant) AS (SELECT min(tenant) FROM unit WHERE state = 'ready' "
        "UNION ALL SELECT (SELECT min(u.tenant) FROM unit u WHERE u.state = 'ready' "
        "AND u.tenant > step.tenant) FROM step WHERE step.tenant IS NOT NULL) "
        "SELECT tenant, (SELECT max(u.priority) FROM unit u WHERE u.state = 'ready' "
        "AND u.tenant = step.tenant) FROM step WHERE tenant IS NOT NULL",
    [SQL_UNITS_NEXT_PRIORITY] = "SELECT priority FROM unit WHERE state = 'ready' "
                                "AND tenant = $1 AND priority < $2 "
                                "ORDER BY priority DESC LIMIT 1",
    [SQL_UNITS_NEXT_READY_AT] =
        "SELECT min(ready_at) FROM unit WHERE state = 'ready' AND ready_at > $1",
    [SQL_UNITS_ANY_READY] = "SELECT 1 FROM unit WHERE state = 'ready' AND ready_at <= $1 LIMIT 1",
    [SQL_UNITS_OLDEST_READY] = "SELECT min(ready_at) FROM unit WHERE state = 'ready'",
    [SQL_UNITS_UNMADE] = "SELECT u.id FROM unit u WHERE " IMAGES_UNMADE "AND u.build = $1 LIMIT $2",
    [SQL_BUILDS_UNMADE] = "SELECT DISTINCT u.build FROM unit u WHERE " IMAGES_UNMADE
                          "ORDER BY u.build LIMIT $1",
    [SQL_UNITS_BY_STATE] = "SELECT kind, state, count(*) FROM unit GROUP BY kind, state",
    [SQL_UNITS_OF_TITLE_BY_STATE] =
        "SELECT kind, state, count(*) FROM unit WHERE title = $1 GROUP BY kind, state",
    /* Where they stand: enum standing of why_facts.c. */
    [SQL_UNITS_STANDING] =
        "SELECT kind, rendition, build, state, CASE WHEN state <> 'ready' THEN 0 "
        "WHEN ready_at > $2 THEN 1 WHEN key = '' AND kind IN ('video', 'audio', 'images') "
        "AND NOT EXISTS (SELECT 1 FROM unit p WHERE p.title = $1 AND p.kind = 'probe' AND p.state "
        "= 'leased') "
        "THEN 2 ELSE 3 END AS stands, count(*), max(ready_at), min(chunk), max(doublings) "
        "FROM unit WHERE title = $1 GROUP BY kind, rendition, build, state, stands",
    [SQL_UNITS_PAGE] =
        "SELECT u.id, u.kind, u.rendition_id, u.chunk, u.state, p.report, u.reused, u.failures, "
        "u.losses FROM unit u "
        "LEFT JOIN product p ON $4 = 1 AND u.state = 'done' AND p.place = u.place AND p.key = "
        "u.key "
        "WHERE u.title = $1 AND u.id > $2 ORDER BY u.id LIMIT $3",
    [SQL_UNITS_PROGRESS] =
        "SELECT rendition, count(*), sum(CASE WHEN state = 'done' THEN 1 ELSE 0 END), "
        "sum(frames), sum(CASE WHEN state = 'done' THEN frames ELSE 0 END), sum(reused) "
        "FROM unit WHERE title = $1 AND rendition >= 0 GROUP BY rendition ORDER BY rendition",
    [SQL_UNITS_PROBING] =
        "SELECT count(*) FROM unit WHERE title = $1 AND kind = 'probe' AND state = 'leased'",
    [SQL_UNITS_REPAIRED] =
        "SELECT coalesce(sum(c.most), 0) FROM (SELECT max(repaired) AS most FROM unit "
        "WHERE title = $1 AND kind = 'video' GROUP BY chunk) c",
    [SQL_UNITS_CONCEALED] =
        "SELECT coalesce(sum(c.most), 0) FROM (SELECT max(concealed) AS most FROM unit "
        "WHERE title = $1 AND kind = 'video' GROUP BY chunk) c",

    [SQL_MISSING_ADD] =
        "INSERT INTO title_missing (title, rendition, class, error, place) VALUES ($1, $2, $3, $4, "
        "coalesce((SELECT u.place FROM unit u WHERE u.id = $5), '')) "
        "ON CONFLICT (title, rendition) "
        "DO UPDATE SET class = $3, error = $4, place = excluded.place",
    [SQL_MISSING_LEFT] = "SELECT DISTINCT m.title FROM title_missing m JOIN title t "
                         "ON t.id = m.title WHERE m.place <> '' AND t.state = 'done' "
                         "AND NOT EXISTS (SELECT 1 FROM early_run e WHERE e.title = t.id "
                         "AND e.replaced = 0) AND " TITLE_RESTS "LIMIT $1",
    [SQL_MISSING_SWEPT] = "UPDATE title_missing SET place = '' WHERE title = $1 AND place <> ''",
    [SQL_MISSING] = "SELECT rendition, class, error FROM title_missing WHERE title = $1 "
                    "ORDER BY rendition LIMIT $2",
    [SQL_MISSING_COUNT] = "SELECT count(*) FROM title_missing WHERE title = $1",
    [SQL_MISSING_DROP] = "DELETE FROM title_missing WHERE title = $1",

    [SQL_PRODUCT_GET] = "SELECT p.report FROM unit u JOIN product p ON p.place = u.place "
                        "AND p.key = u.key WHERE u.id = $1",
    [SQL_PRODUCT_COUNT] = "SELECT count(*) FROM product WHERE place = $1 AND key = $2",
    [SQL_PRODUCT_PUT] = "INSERT INTO product (place, key, title, report, repaired, concealed) "
                        "SELECT u.place, u.key, u.title, $2, $3, $4 FROM unit u WHERE u.id = $1 "
                        "ON CONFLICT (place, key) DO UPDATE "
                        "SET report = $2, repaired = $3, concealed = $4",
    [SQL_PRODUCT_DROP] = "DELETE FROM product WHERE (place, key) IN "
                         "(SELECT u.place, u.key FROM unit u WHERE u.id = $1)",
    [SQL_PRODUCTS_COUNT] = "SELECT count(*) FROM product WHERE title = $1",
    [SQL_PRODUCTS_DROP] = "DELETE FROM product WHERE title = $1",
    [SQL_PRODUCTS_DROP_UNPUBLISHED] = "DELETE FROM product WHERE title = $1 AND published = 0",
    [SQL_PRODUCTS_DROP_UNKEPT] =
        "DELETE FROM product WHERE title = $1 AND place IN (" VERSION_PLACES(
            "dropping = 1") " EXCEPT " VERSION_PLACES("dropping = 0") ")",
    [SQL_PRODUCTS_PUBLISH] =
        "UPDATE product SET published = 1 WHERE title = $1 AND published = 0 AND EXISTS "
        "(SELECT 1 FROM unit u WHERE u.title = $1 AND u.place = product.place "
        "AND u.key = product.key)",

    [SQL_LEASE_ADD] =
        "INSERT INTO lease (fence, session, worker, host, title, kind, state, attempt, at, "
        "expected_s, table_bytes, reserve_bytes, hedge_ms, hedge_at, hedges, slots) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    [SQL_LEASE_UNIT_ADD] = "INSERT INTO lease_unit (fence, unit) VALUES ($1, $2)",
    [SQL_LEASE_GET] = "SELECT " LEASE_COLUMNS "FROM lease l WHERE l.fence = $1",
    [SQL_LEASE_MOVE] = "UPDATE lease SET state = $3 WHERE fence = $1 AND state = $2",
    [SQL_LEASE_SET_SESSION] =
        "UPDATE lease SET session = $2, at = $3, "
        "hedge_at = CASE WHEN hedge_ms > 0 THEN $3 + hedge_ms ELSE 0 END WHERE fence = $1",
    [SQL_LEASE_UNITS] = "SELECT " UNIT_COLUMNS "FROM lease_unit lu JOIN unit u ON u.id = lu.unit "
                        "WHERE lu.fence = $1 ORDER BY u.position",
    [SQL_LEASES_OF_SESSION] = "SELECT " LEASE_COLUMNS "FROM lease l "
                              "WHERE l.session = $1 AND l.state <> 'ended' ORDER BY l.fence",
    [SQL_LEASES_OF_TITLE] = "SELECT " LEASE_COLUMNS "FROM lease l "
                            "WHERE l.title = $1 AND l.state <> 'ended' ORDER BY l.fence",
    [SQL_LEASES_OF_UNIT] = "SELECT " LEASE_COLUMNS "FROM lease_unit lu "
                           "JOIN lease l ON l.fence = lu.fence "
                           "WHERE lu.unit = $1 AND l.state <> 'ended' ORDER BY l.fence",
    /* `<> 'ended'` says nothing new but that the index of such leases will do. */
    [SQL_LEASES_OPEN] = "SELECT l.fence, l.kind, t.tenant, l.expected_s, l.slots "
                        "FROM worker_session s "
                        "JOIN lease l ON l.session = s.id JOIN title t ON t.id = l.title "
                        "WHERE l.state <> 'ended' AND l.state = 'live'",
    [SQL_LEASES_LIVE_OF_UNIT] = "SELECT count(*) FROM lease_unit lu JOIN lease l "
                                "ON l.fence = lu.fence WHERE lu.unit = $1 AND l.state = 'live'",
    /* Of those that a session could run: not its own worker's, and of a build line that it has. */
    [SQL_LEASES_STRAGGLING] =
        "SELECT " LEASE_COLUMNS ", t.tenant FROM lease l JOIN title t ON t.id = l.title "
        "WHERE l.state = 'live' AND l.hedge_at > 0 AND l.hedge_at <= $1 AND l.worker <> $2 AND NOT "
        "EXISTS (SELECT 1 FROM lease_unit lu "
        "JOIN unit u ON u.id = lu.unit WHERE lu.fence = l.fence AND (u.avoid = $2 OR u.build <> 0 "
        "AND NOT EXISTS (SELECT 1 FROM session_encoder e WHERE e.session = $3 "
        "AND e.build = u.build))) ORDER BY l.hedge_at",
    [SQL_LEASES_ANY_STRAGGLER] =
        "SELECT 1 FROM lease WHERE state = 'live' AND hedge_at > 0 AND hedge_at <= $1 LIMIT 1",
    [SQL_LEASES_NEXT_STRAGGLER_AT] = "SELECT min(hedge_at) FROM lease "
                                     "WHERE state = 'live' AND hedge_at > 0 AND hedge_at > $1",
    [SQL_LEASES_HEDGED] = "UPDATE lease SET hedge_at = 0 WHERE fence = $1",
    [SQL_LEASES_REARM] =
        "UPDATE lease SET hedge_at = $2 + hedge_ms WHERE state = 'live' AND hedge_ms > 0 "
        "AND fence IN (SELECT fence FROM lease_unit WHERE unit = $1)",
    [SQL_LEASES_DROP_UNITS] =
        "DELETE FROM lease_unit WHERE fence IN (SELECT fence FROM lease WHERE title = $1)",
    /* What may still write or remove what players read is waited for. */
    [SQL_LEASE_DROP] = "DELETE FROM lease WHERE fence = $1",
    [SQL_LEASES_DROP] = "DELETE FROM lease WHERE title = $1 AND NOT (kind IN ('remove', 'early') "
                        "AND state <> 'ended')",

    /* $2: the session that goes on for so long, or '' */
    [SQL_LEFTOVER_EXPECT] =
        "INSERT INTO leftover (title, output, due_at, parked) SELECT t.id, t.output, $3 + "
        "coalesce((SELECT s.keep_ms FROM worker_session s WHERE s.id = $2), 0), "
        "CAST($4 AS BIGINT) FROM title t WHERE t.id = $1 "
        "ON CONFLICT (title, output) DO UPDATE SET attempts = 0, fence = 0, "
        "parked = CASE WHEN leftover.parked = 1 THEN 1 ELSE excluded.parked END, due_at = "
        "CASE WHEN leftover.due_at > excluded.due_at THEN leftover.due_at "
        "ELSE excluded.due_at END",
    /* Whether the title has ended, and whether somebody works at it, or early playlists of another
     * run may list what no version names. */
    [SQL_LEFTOVER_DUE] =
        "SELECT o.title, o.output, o.attempts, "
        "CASE WHEN t.id IS NULL OR t.state IN ('done', 'failed') THEN 1 ELSE 0 END, "
        "CASE WHEN EXISTS (SELECT 1 FROM lease l WHERE l.title = o.title AND l.state <> 'ended') "
        "OR EXISTS (SELECT 1 FROM early_run e WHERE e.title = o.title) THEN 1 ELSE 0 END "
        "FROM leftover o LEFT JOIN title t ON t.id = o.title "
        "WHERE o.parked = 0 AND o.due_at <= $1 ORDER BY o.due_at LIMIT 1",
    [SQL_LEFTOVER_NEXT_AT] = "SELECT min(due_at) FROM leftover WHERE parked = 0 AND due_at > $1",
    [SQL_LEFTOVER_PARK] = "UPDATE leftover SET parked = 1 WHERE title = $1 AND output = $2",
    [SQL_LEFTOVER_LATER] = "UPDATE leftover SET due_at = $3 WHERE title = $1 AND output = $2",
    [SQL_LEFTOVERS_UNPARK] = "UPDATE leftover SET parked = 0 WHERE title = $1 AND parked = 1",
    [SQL_LEFTOVER_TAKEN] = "UPDATE leftover SET fence = $3, due_at = $4, attempts = attempts + 1 "
                           "WHERE title = $1 AND output = $2",
    [SQL_LEFTOVER_OF_FENCE] = "SELECT count(*) FROM leftover WHERE fence = $1",
    [SQL_LEFTOVER_DROP] = "DELETE FROM leftover WHERE title = $1 AND output = $2",
    [SQL_LEFTOVER_DROP_FENCE] = "DELETE FROM leftover WHERE fence = $1",
    [SQL_LEFTOVERS_DROP] = "DELETE FROM leftover WHERE title = $1",
    [SQL_LEFTOVERS_DROP_DUE] = "DELETE FROM leftover WHERE title = $1 AND output = $2 "
                               "AND due_at <= $3",
    [SQL_LEASES_DROP_OF_GONE] = "DELETE FROM lease WHERE title = $1 AND state = 'ended' "
                                "AND NOT EXISTS (SELECT 1 FROM title t WHERE t.id = $1)",

    [SQL_SESSION_ADD] = "INSERT INTO worker_session (id, worker, host, pid, slots, memory_bytes, "
                        "seen_at, cores, sandbox, keep_ms) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [SQL_SESSION_GET] = "SELECT id, worker, host, pid, slots, memory_bytes, seen_at, sandbox, "
                        "stopping FROM worker_session WHERE id = $1",
    [SQL_SESSION_SEEN_AT] = "SELECT seen_at FROM worker_session WHERE id = $1",
    [SQL_SESSION_SEEN] = "UPDATE worker_session SET seen_at = $2 WHERE id = $1 AND seen_at < $3",
    [SQL_SESSION_STOPS] = "UPDATE worker_session SET stopping = 1 WHERE id = $1",
    [SQL_SESSION_DROP] = "DELETE FROM worker_session WHERE id = $1",
    [SQL_SESSION_DROP_ENCODERS] = "DELETE FROM session_encoder WHERE session = $1",
    [SQL_SESSIONS] = "SELECT s.id, s.worker, s.host, s.pid, s.slots, s.seen_at, "
                     "(SELECT coalesce(sum(l.slots), 0) FROM lease l "
                     "WHERE l.session = s.id AND l.state <> 'ended' AND l.kind <> 'push'), "
                     "(SELECT count(*) FROM worker_drain d "
                     "WHERE d.worker = s.worker), s.memory_bytes, s.cores, s.sandbox, s.stopping "
                     "FROM worker_session s "
                     "ORDER BY s.worker, s.id",
    [SQL_SESSION_CODECS] =
        "SELECT DISTINCT codec FROM session_encoder WHERE session = $1 ORDER BY codec",
    [SQL_SESSIONS_SLOTS] =
        "SELECT coalesce(sum(s.slots), 0) FROM worker_session s WHERE NOT " TAKES_NOTHING,
    [SQL_SESSIONS_PLACES] = "SELECT host, worker, slots FROM worker_session",
    [SQL_SESSION_BUSY] = "SELECT count(*) FROM lease WHERE session = $1 "
                         "AND state <> 'ended' AND kind <> 'push'",
    [SQL_SESSIONS_SILENT] = "SELECT id FROM worker_session WHERE seen_at < $1 ORDER BY id LIMIT $2",
    [SQL_SESSIONS_OF_WORKER] = "SELECT count(*) FROM worker_session WHERE worker = $1",
    [SQL_SESSIONS_ABLE] =
        "SELECT count(*), sum(CASE WHEN drains > 0 AND weak = 0 THEN 1 ELSE 0 END), "
        "min(CASE WHEN drains > 0 AND weak = 0 THEN worker END), "
        "sum(CASE WHEN drains = 0 AND weak = 0 THEN slots ELSE 0 END), "
        "sum(CASE WHEN drains = 0 AND weak = 0 AND slots > busy THEN slots - busy ELSE 0 END), "
        "max(CASE WHEN drains = 0 AND weak = 0 THEN memory_bytes END), sum(weak), "
        "min(CASE WHEN weak > 0 THEN worker END) FROM "
        "(SELECT s.worker, s.slots, s.memory_bytes, CASE WHEN s.sandbox > $2 THEN 1 ELSE 0 END "
        "AS weak, (SELECT count(*) FROM worker_drain d "
        "WHERE d.worker = s.worker) AS drains, "
        "(SELECT coalesce(sum(l.slots), 0) FROM lease l "
        "WHERE l.session = s.id AND l.state <> 'ended' AND l.kind <> 'push') AS busy FROM "
        "worker_session s "
        "WHERE s.stopping = 0 AND ($1 = 0 OR EXISTS (SELECT 1 FROM session_encoder e "
        "WHERE e.session = s.id AND e.build = $1))) able",
    [SQL_DRAIN_ADD] = "INSERT INTO worker_drain (worker, at) VALUES ($1, $2) "
                      "ON CONFLICT (worker) DO NOTHING",
    [SQL_DRAIN_DROP] = "DELETE FROM worker_drain WHERE worker = $1",
    [SQL_DRAINS] = "SELECT count(*) FROM worker_drain WHERE worker = $1",
    [SQL_SESSIONS_SEEN_ALL] = "UPDATE worker_session SET seen_at = $1",
    [SQL_BUILD_GET] = "SELECT id FROM build_line WHERE line = $1",
    [SQL_BUILD_LINE] = "SELECT line FROM build_line WHERE id = $1",
    [SQL_BUILD_ADD] = "INSERT INTO build_line (id, line) VALUES ($1, $2)",
    [SQL_ENCODER_ADD] = "INSERT INTO session_encoder (session, name, codec, build, tail_frames) "
                        "VALUES ($1, $2, $3, $4, $5)",
    [SQL_ENCODERS] =
        "SELECT e.name, e.codec, b.line, e.tail_frames, CASE WHEN s.sandbox > $1 OR " TAKES_NOTHING
        " THEN 1 ELSE 0 END, s.slots FROM session_encoder e "
        "JOIN worker_session s ON s.id = e.session "
        "JOIN build_line b ON b.id = e.build ORDER BY e.name, e.session",
    [SQL_SESSION_KNOWS] =
        "SELECT count(*) FROM session_encoder e JOIN build_line b ON b.id = e.build "
        "WHERE b.line = $1 AND ($2 = '' OR e.session = $2)",
    [SQL_ENCODER_BUILDS] = "SELECT build FROM session_encoder WHERE session = $1",
    [SQL_ENCODERS_ABLE] =
        "SELECT count(*) FROM worker_session s WHERE s.worker <> $2 AND s.sandbox <= $3 AND "
        "NOT " TAKES_NOTHING " AND ($1 = 0 OR EXISTS "
        "(SELECT 1 FROM session_encoder e WHERE e.session = s.id AND e.build = $1))",

    [SQL_TOKEN_ADD] = "INSERT INTO token (id, name, role, tenant, hash, created, expires) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [SQL_TOKEN_COUNT] = "SELECT count(*) FROM token WHERE id = $1",
    [SQL_TOKEN_REVOKE] = "UPDATE token SET revoked = $2 WHERE id = $1 AND revoked = 0",
    [SQL_TOKENS] = "SELECT id, name, role, tenant, created, expires, revoked FROM token "
                   "ORDER BY created DESC, id",
    [SQL_TOKENS_GOOD] = "SELECT id, role, tenant, hash, expires FROM token "
                        "WHERE revoked = 0 ORDER BY id",

    [SQL_MODEL] = "SELECT id, name, wall_weight, wall_mean, wall_variance, wall_most, "
                  "memory_weight, memory_mean, memory_variance, memory_most FROM model ORDER BY id",
    [SQL_MODEL_ADD] = "INSERT INTO model (id, name, at) VALUES ($1, $2, $3)",
    [SQL_MODEL_SET] = "UPDATE model SET at = $2, wall_weight = $3, wall_mean = $4, "
                      "wall_variance = $5, wall_most = $6, memory_weight = $7, memory_mean = $8, "
                      "memory_variance = $9, memory_most = $10 WHERE id = $1",
    [SQL_MODEL_DROP_HOSTS] =
        "DELETE FROM model WHERE (name LIKE 'host %' OR name LIKE 'worker %') AND at < $1",

    [SQL_SOURCE_GET] = "SELECT size, pin, identity FROM source_identity WHERE url = $1",
    [SQL_SOURCE_PUT] =
        "INSERT INTO source_identity (url, size, pin, identity) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (url) DO UPDATE SET size = $2, pin = $3, identity = $4",
};

const char *store_sql(enum sql_id id) {
    assert(id < SQL_COUNT && statements[id] != NULL);
    return statements[id];
}
