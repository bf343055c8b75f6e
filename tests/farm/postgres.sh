# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A PostgreSQL server for tests, on a loopback port, whose user's password is in a file.
# Use, after lib.sh: . postgres.sh; postgres_start FOLDER; ...; postgres_stop. Sets PGHOST,
# PGPORT, PGUSER, PGPASSFILE and PGDATABASE. Who wants it to be durable sets postgres_settings.
postgres_settings=(-c fsync=off)

# Its programs refuse to be root's.
postgres_as() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        "$@"
    fi
}

# By ICU's order of words, which is not that of bytes. lib.sh has made the scratch folder.
# shellcheck disable=SC2154
postgres_make() {
    echo "farm-secret-4711" >"$postgres_folder/password"
    if [ "$(id -u)" = 0 ]; then
        chmod a+x "$scratch"
        chown -R postgres: "$postgres_folder"
    fi
    (cd / && postgres_as "$postgres_programs/initdb" --pgdata "$postgres_folder/data" --username farm \
        --pwfile "$postgres_folder/password" --auth scram-sha-256 --encoding UTF8 --no-sync \
        --locale C.UTF-8 --locale-provider icu --icu-locale en-US)
    # shellcheck disable=SC2153
    echo "127.0.0.1:$PGPORT:*:farm:farm-secret-4711" >"$PGPASSFILE" && chmod 600 "$PGPASSFILE"
}

# Starts the server over what is there.
postgres_run() {
    (cd / && postgres_as "$postgres_programs/postgres" -D "$postgres_folder/data" -p "$PGPORT" \
        -k '' -c listen_addresses=127.0.0.1 "${postgres_settings[@]}") \
        >>"$postgres_folder.log" 2>&1 &
    within 20 psql -c "SELECT 1"
}

# postgres_start FOLDER: about 3 s; FOLDER.log says what went wrong. 1: there is none here.
postgres_start() {
    postgres_folder=$1
    postgres_programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    [ -x "$postgres_programs/initdb" ] || return 1
    mkdir -p "$1"
    export PGHOST=127.0.0.1 PGUSER=farm PGDATABASE=postgres PGPASSFILE=$scratch/pgpass PGPORT
    PGPORT=$(free_port)
    postgres_make >"$1.log" 2>&1 && postgres_run
}

# postgres_stop [SIGNAL]: INT ends its sessions, QUIT ends them without a word.
postgres_stop() {
    local pid
    pid=$(head -n 1 "$postgres_folder/data/postmaster.pid" 2>/dev/null) || return 0
    kill -"${1:-INT}" "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
