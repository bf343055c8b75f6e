# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# What test scripts share: a scratch folder, checks that count, and the last line.
# Use: . "$(dirname "$0")/../lib.sh"; check NAME COMMAND...; finish
set -uo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${REELFARM_BIN:=$(dirname "$tests")/build/release/bin}"
: "${REELFARM_MEDIA:=$(dirname "$(dirname "$tests")")/shared/media}"
: "${REELFARM_FORM:=usual}"
reelfarm=$REELFARM_BIN/reelfarm
# However many seconds a wait may take on a machine that does nothing else, so many times as long is
# waited on one that does, and the longer where sanitizers slow all down.
patience=${REELFARM_SANITIZED:+12}
: "${patience:=4}"
pause_s=0.1 # between looks at what is waited for
scratch=$(mktemp -d "${TMPDIR:-/tmp}/reelfarm-test.XXXXXX")
passed=0 failed=0 skipped=0
trap 'rm -rf "$scratch"' EXIT

# check NAME COMMAND...: passes when the command does; shows its output when not. What takes long
# says so.
check() {
    local name=$1 log=$scratch/check.log since=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok - $name$(took "$since")"
    else
        failed=$((failed + 1))
        echo "not ok - $name$(took "$since")"
        sed 's/^/    /' "$log" | tail -n 25
    fi
}

took() {
    [ $((SECONDS - $1)) -lt 5 ] || echo " ($((SECONDS - $1)) s)"
}

# tap NAME COMMAND...: the TAP lines that it prints are counted as checks of this script,
# and so are those that say SKIP.
tap() {
    local name=$1 ended bad
    shift
    "$@" | tee "$scratch/tap"
    ended=${PIPESTATUS[0]}
    passed=$((passed + $(grep -c '^ok ' "$scratch/tap")))
    bad=$(grep -c '^not ok ' "$scratch/tap")
    failed=$((failed + bad))
    skipped=$((skipped + $(grep -c '^SKIP ' "$scratch/tap")))
    if [ "$ended" != 0 ] && [ "$bad" = 0 ]; then
        echo "not ok - $name ended with $ended"
        failed=$((failed + 1))
    fi
}

# promptly SECONDS COMMAND...: until the command does; for what is late after so many.
promptly() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep "$pause_s"
    done
}

# within SECONDS COMMAND...: the same, for what only is to be.
within() {
    promptly $(($1 * patience)) "${@:2}"
}

# exits CODE WORDS COMMAND...: with that code, saying the words.
exits() {
    local code=$1 words=$2 got
    shift 2
    "$@" >"$scratch/said" 2>&1
    got=$?
    cat "$scratch/said"
    [ "$got" = "$code" ] && grep -q "$words" "$scratch/said"
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP $1: $2"
}

# media FILE: the path of a real clip, if it is here.
media() {
    [ -r "$REELFARM_MEDIA/$1" ] && echo "$REELFARM_MEDIA/$1"
}

# web_server PORT ROOT LOG_FORMAT [LINES]: an nginx whose process is $web_server, and whose log
# $scratch/access.log; LINES are more of its server.
web_server() {
    local where
    mkdir -p "$scratch/nginx"
    {
        echo "daemon off; master_process off; pid $scratch/nginx/pid; error_log stderr;"
        echo "events {}"
        echo "http {"
        for where in client_body proxy fastcgi uwsgi scgi; do
            echo "${where}_temp_path $scratch/nginx;"
        done
        echo "log_format told '$3';"
        echo "access_log $scratch/access.log told;"
        echo "server { listen 127.0.0.1:$1; root $2; ${4-} }"
        echo "}"
    } >"$scratch/nginx.conf"
    nginx -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/nginx.err" &
    web_server=$!
    within 10 bash -c ": <'/dev/tcp/127.0.0.1/$1'"
}

# A loopback port that nobody listens on just now.
free_port() {
    PYTHONPATH=$tests/chaos python3 -c 'import line; print(line.free_port())'
}

# tree FOLDER: name and SHA-256 of every published file below it.
tree() {
    (cd "$1" && find . -path ./.reelfarm -prune -o -type f -print0 | LC_ALL=C sort -z |
        xargs -0r sha256sum)
}

# store_fill STORE [TITLE]: with more than a scheduler keeps of it in memory; with labels of a title
# too, all of which each list of titles reads.
store_fill() {
    python3 -c 'import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.executemany("INSERT INTO source_identity (url, size, pin, identity) VALUES (?, 1, ?, ?)",
                  (("u%d" % n, "x" * 20000, "") for n in range(600)))
store.executemany("INSERT INTO title_label (title, label) VALUES (?, ?)",
                  ((title, "n%d=%s" % (n, "x" * 20000)) for title in sys.argv[2:]
                   for n in range(600)))
store.commit()' "$@"
}

# store_damage STORE: all of it but its first page, beneath a scheduler that has it open.
store_damage() {
    head -c $(($(stat -c %s "$1") - 4096)) /dev/zero | tr '\0' '\245' |
        dd of="$1" bs=4096 seek=1 conv=notrunc status=none
}

# store_read PID URL TOKEN_FILE: calls that read this and that of a damaged store, until the process
# ends, which a call may meet or not: it has some pages in memory.
store_read() {
    local words
    for words in list "events --title one" workers "token list" "status one" "why one" list; do
        # shellcheck disable=SC2086
        timeout 5 "$reelfarm" $words --scheduler "$2" --token-file "$3" >/dev/null 2>&1
        within 1 process_ended "$1" && break
    done
    within 10 process_ended "$1"
}

# process_ended PID: also where nobody has waited for it yet.
process_ended() {
    ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" 2>/dev/null
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}
