# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A farm whose every connection goes through the chaos proxy, and what can be done to it.
# Use, after lib.sh and ceph.sh: . farm.sh; farm_begin SEED WORKERS; start_scheduler; ...
# Its lines through the proxy are called scheduler-N and store-N, N being a worker's number; one for
# people is scheduler-0.
unset AWS_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_SESSION_TOKEN AWS_CA_BUNDLE
unset AWS_ENDPOINT_URL_S3 AWS_DEFAULT_REGION REELFARM_S3_STYLE STATE_DIRECTORY REELFARM_TOKEN_FILE
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state
mkdir -p "$HOME" "$XDG_STATE_HOME/reelfarm"
declare -A pids=() ports=()
farm_times=() # options of the scheduler: its heartbeat and lease times
worker_options=()
store_rate=0 # bytes a second of a connection to the store; 0: as many as go
fake=()      # variables of the daemon that starts next, by clock_of
clock_library=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null)

client() {
    /usr/bin/python3 "$tests/s3/client.py" "$@"
}

# store_begin: Ceph, with the buckets.
store_begin() {
    mkdir -p "$scratch/ceph"
    ceph_start "$scratch/ceph" && client make masters && client make streams
}

# farm_begin SEED WORKERS: the proxy, with its lines. Needs AWS_ENDPOINT_URL.
farm_begin() {
    local n lines
    cmake --build "$(dirname "$REELFARM_BIN")" --target chaos-proxy >"$scratch/build.log" ||
        return 1
    ports[scheduler]=$(free_port)
    export REELFARM_SCHEDULER=http://127.0.0.1:${ports[scheduler]}
    ports[scheduler-0]=$(free_port)
    lines=("${ports[scheduler-0]}=${ports[scheduler]}")
    for ((n = 1; n <= $2; n++)); do
        ports[scheduler-$n]=$(free_port)
        ports[store-$n]=$(free_port)
        lines+=("${ports[scheduler-$n]}=${ports[scheduler]}")
        lines+=("${ports[store-$n]}=${AWS_ENDPOINT_URL##*:}=$store_rate")
    done
    mkfifo "$scratch/commands"
    "$REELFARM_BIN/chaos-proxy" "$1" "${lines[@]}" <"$scratch/commands" >"$scratch/proxy.log" 2>&1 &
    pids[proxy]=$!
    exec {commands}>"$scratch/commands"
}

# farm_end: all that still runs of it, and who is still waiting for it.
farm_end() {
    {
        # shellcheck disable=SC2046 # numbers
        kill -KILL $(jobs -p) "${pids[@]}"
        mountpoint -q "$XDG_STATE_HOME/reelfarm" && umount -l "$XDG_STATE_HOME/reelfarm"
        wait
    } 2>/dev/null # who was killed
    ceph_stop
    rm -rf "$scratch"
}

# disturb LINE FAULT [AMOUNT [EXTRA]]: as the proxy's connection.h says; "clear" ends it.
disturb() {
    echo "${ports[$1]} ${*:2}" >&"$commands"
}

# clock_of NAME: has that daemon's clock be one that shift_clock can move, where there is a library
# for it. (Its own way to help with waits by the monotonic clock makes them end at once: off.)
clock_of() {
    fake=()
    if [ -n "$clock_library" ] && [ "${moved_clocks:-no}" = yes ]; then
        fake=(LD_PRELOAD="$clock_library" FAKETIME_TIMESTAMP_FILE="$scratch/clock-$1"
            FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0)
        [ -f "$scratch/clock-$1" ] || echo "+0" >"$scratch/clock-$1"
    fi
}

start_scheduler() {
    clock_of scheduler
    env "${fake[@]}" "$reelfarm" scheduler --port "${ports[scheduler]}" "${farm_times[@]}" \
        >>"$scratch/scheduler.log" 2>&1 {commands}>&- &
    pids[scheduler]=$!
}

scheduler_answers() {
    curl -sf "$REELFARM_SCHEDULER/healthz"
}

# start_worker N [SLOTS]
start_worker() {
    clock_of "worker-$1"
    env "${fake[@]}" AWS_ENDPOINT_URL="http://127.0.0.1:${ports[store-$1]}" \
        "$reelfarm" worker --name "worker-$1" --slots "${2:-1}" "${worker_options[@]}" \
        --scheduler "http://127.0.0.1:${ports[scheduler-$1]}" \
        >>"$scratch/worker-$1.log" 2>&1 {commands}>&- &
    pids[worker-$1]=$!
}

# end_daemon NAME SIGNAL: of pids, and waits for it.
end_daemon() {
    kill "-$2" "${pids[$1]}" || return 1
    wait "${pids[$1]}" 2>/dev/null
    return 0
}

# child_of N: one task child of the worker, if it has one now.
child_of() {
    pgrep -P "${pids[worker-$1]}" | head -n 1
}

# field WORDS: of the JSON document on stdin, as Python writes it.
field() {
    python3 -c 'import json, sys; print(eval("document" + sys.argv[1],
        {"document": json.load(sys.stdin)}))' "$1"
}

state_of() {
    "$reelfarm" status "$1" --json 2>"$scratch/status.err" | field '["state"]' 2>/dev/null
}
