# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The chaos proxy for scripts that call its lines by names.
# Use, after lib.sh and with an associative array pids: . lines.sh; lines_start SEED NAME=PORT...;
# fault NAME WORDS... ${line[NAME]} is the port that leads to PORT.
declare -A line=()

lines_start() {
    local seed=$1 pair
    local -a ways=()
    shift
    cmake --build "$(dirname "$REELFARM_BIN")" --target chaos-proxy >"$scratch/build.log" ||
        return 1
    for pair in "$@"; do
        line[${pair%%=*}]=$(free_port)
        ways+=("${line[${pair%%=*}]}=${pair#*=}")
    done
    rm -f "$scratch/commands"
    mkfifo "$scratch/commands"
    "$REELFARM_BIN/chaos-proxy" "$seed" "${ways[@]}" <"$scratch/commands" \
        >"$scratch/proxy.log" 2>&1 &
    pids[proxy]=$!
    exec {commands}>"$scratch/commands"
    within 10 bash -c ": <'/dev/tcp/127.0.0.1/${ways[0]%%=*}'"
}

# fault NAME WORDS...: what the proxy does there from now on (connection.h); "clear": nothing.
fault() {
    local echo=" ${line[$1]} $2 ${3:-0} ${4:-0}\$" before
    before=$(grep -c "$echo" "$scratch/proxy.log")
    echo "${line[$1]} ${*:2}" >&"$commands"
    within 30 eval "[ \$(grep -c '$echo' '$scratch/proxy.log') -gt $before ]"
}
