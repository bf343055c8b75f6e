# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A farm that is killed in the middle of what it brings to an edge, or takes from there: its
# scheduler, the worker that is at it, or both. Scheduler, workers, catalog and nginx are the real
# ones; what is told is compared with what is there all the while (truth.py). Where in the middle is
# drawn from a seed, which is printed: REELFARM_KILLS_SEED. Use, after farm.sh and lines.sh:
# . kills.sh. Wants $scratch/clip.mp4, the line dav, and nothing of farm.sh's farm any more.

killed_scheduler() {
    "$reelfarm" scheduler --port "$farm_port" --heartbeat-ms 200 --ttl-ms 4000 \
        --keep-versions-ms 3600000 --endpoints "$kills/endpoints.yaml" \
        >>"$kills/scheduler.log" 2>&1 &
    pids[farm]=$!
    within 20 "$reelfarm" list || { tail -n 5 "$kills/scheduler.log"; return 1; }
}

# killed_worker NAME
killed_worker() {
    "$reelfarm" worker --slots 1 --name "$1" --endpoint-secrets "$kills/secrets.yaml" \
        --stall-s 20 >>"$kills/$1.log" 2>&1 &
    pids[$1]=$!
}

# The edge takes as much a second as makes a push last for some seconds.
kills_start() {
    kills=$scratch/kills current='' first='' second='' at_it='' late=''
    killed_edge=$edges/dav/kills/t # the title's folder there
    mkdir -p "$kills"
    farm_port=$(free_port)
    export XDG_STATE_HOME=$kills/state REELFARM_SCHEDULER=http://127.0.0.1:$farm_port
    REELFARM_CATALOG=http://127.0.0.1:$(free_port)
    export REELFARM_CATALOG
    "$reelfarm" catalog --store "$kills/catalog.db" --port "${REELFARM_CATALOG##*:}" \
        >"$kills/catalog.log" 2>&1 &
    pids[catalog]=$!
    within 20 curl -sf "$REELFARM_CATALOG/readyz" || { cat "$kills/catalog.log"; return 1; }
    (
        umask 077
        echo "dav: {user: push, password: s3cret}" >"$kills/secrets.yaml"
        echo "catalog: {hmac: $(cat "$kills/catalog.secret")}" >>"$kills/secrets.yaml"
    )
    cat >"$kills/endpoints.yaml" <<END_OF_FILE
endpoints:
  - {name: dav, driver: dav, url: "http://127.0.0.1:${line[dav]}/kills", pushes: 1,
     bandwidth_bps: 1600000, serves: "http://127.0.0.1:$dav_port/kills"}
  - {name: catalog, driver: catalog, url: "$REELFARM_CATALOG",
     serves: "http://127.0.0.1:$dav_port/kills"}
END_OF_FILE
    sed '/height: 270/d' "$scratch/one.yaml" >"$kills/one.yaml"
    sed 's/height: 180, maxrate: 450k/height: 144, maxrate: 300k/' "$kills/one.yaml" \
        >"$kills/two.yaml"
    RANDOM=$kills_seed
    killed_scheduler && killed_worker one && killed_worker two
}

truth_start() {
    "$tests/edges/truth.py" watch "$kills/out/t" "$killed_edge" held running withdrawing gone \
        >"$kills/truth" 2>&1 &
    pids[truth]=$!
}

# Nothing was told that was not so; and each state was met.
truth_told() {
    local ended
    [ -n "${pids[truth]:-}" ] || { echo "nobody has watched"; return 1; }
    kill -TERM "${pids[truth]}"
    wait "${pids[truth]}"
    ended=$?
    unset "pids[truth]"
    tail -n 20 "$kills/truth"
    [ "$ended" = 0 ]
}

kills_stop() {
    local name
    for name in one two farm catalog; do
        [ -n "${pids[$name]:-}" ] || continue
        kill -INT "${pids[$name]}"
        wait "${pids[$name]}" 2>/dev/null
        unset "pids[$name]"
    done
    unset REELFARM_SCHEDULER REELFARM_CATALOG
    export XDG_STATE_HOME=$scratch/state
    rm -rf "$edges/dav/kills"
}

# ---- In the middle ------------------------------------------------------------------------------

# rest MOST: for so many ms at most, which the seed draws. Not in a subshell, where RANDOM begins
# anew.
rest() {
    local drawn
    printf -v drawn '0.%03d' $((RANDOM % $1))
    sleep "$drawn"
}

# caught COMMAND...: it kills in the middle. Where that was over by then, which `late` says, all
# ended as it should, and it is done again.
caught() {
    local tries
    for ((tries = 0; tries < 5; tries++)); do
        late=''
        "$@" || return 1
        [ -n "$late" ] || return 0
    done
    echo "it was over before the kill, $tries times"
    return 1
}

# misses TIMES: it comes too late so many times, and no more.
misses() {
    missed=$((missed + 1))
    [ "$missed" -gt "$1" ] || late=yes
}

# What comes too late each time is given up; what fails is at once.
late_ones_are_found() {
    missed=0
    caught misses 4 && [ "$missed" = 5 ] || return 1
    missed=0
    ! caught misses 5 && ! caught false && [ "$missed" = 5 ]
}

# What MIDDLE says after a kill is whether it was in the middle.
middles_are_told() {
    local middle
    local -A pids=()
    for middle in true false; do
        late=''
        sleep 60 &
        pids[one]=$!
        strike_midway "$middle" one || return 1
        [ "$middle-$late" = true- ] || [ "$middle-$late" = false-yes ] || return 1
    done
    ! strike_midway true nobody
}

# The worker that has the push.
pusher() {
    "$reelfarm" events --title t --json | python3 -c 'import json, sys
events = [e for line in sys.stdin for e in json.loads(line).get("events", [json.loads(line)])]
print([e["detail"]["worker"] for e in events
       if e["kind"] == "unit.lease" and e["detail"]["kind"] == "push"][-1])'
}

# strike NAME...: at once, without a word to any.
strike() {
    local name
    for name in "$@"; do
        if [ -z "$name" ] || [ -z "${pids[$name]:-}" ]; then
            echo "there is no '$name'"
            return 1
        fi
        kill -KILL "${pids[$name]}" || return 1
    done
    for name in "$@"; do
        wait "${pids[$name]}" 2>/dev/null
    done
    return 0
}

# revive NAME...
revive() {
    local name
    for name in "$@"; do
        if [ "$name" = farm ]; then
            killed_scheduler || return 1
        else
            killed_worker "$name"
        fi
    done
}

pieces() {
    find "$killed_edge" -name '*.m4s' 2>/dev/null | wc -l
}

# midway: some more pieces have come since `pieces_before`, by the worker `at_it`.
midway() {
    local wanted=$((pieces_before + 1 + RANDOM % 4))
    within 30 eval "[ \$(pieces) -gt $pieces_before ]" && at_it=$(pusher) &&
        within 30 eval "[ \$(pieces) -ge $wanted ]"
}

# is_coming VERSION: it is not listed yet.
is_coming() {
    [ ! -e "$killed_edge/$1.json" ]
}

is_leaving() {
    [ "$(pieces)" -gt 0 ]
}

# strike_midway MIDDLE NAME...: sets late where MIDDLE is not so any more.
strike_midway() {
    strike "${@:2}" || return 1
    eval "$1" || late=yes
}

# strike_and_revive MIDDLE NAME...: `pusher` is the worker `at_it`.
strike_and_revive() {
    local -a whom=("${@:2}")
    whom=("${whom[@]/#pusher/$at_it}")
    strike_midway "$1" "${whom[@]}" && revive "${whom[@]}"
}

# ---- Ends ---------------------------------------------------------------------------------------

is_quiet() {
    endpoints "all(at['running'] == 0 and at['backlog'] == 0 for at in e.values())"
}

# holds_exactly [VERSION...]: all that lies at the edge.
holds_exactly() {
    "$tests/edges/truth.py" holds "$kills/out/t" "$killed_edge" "$@" &&
        [ -z "$(find "$edges/dav/.temp" -type f)" ]
}

# ends_as [VERSION [KEPT]]: edge and catalog come to have it, or nothing; nothing is left over.
ends_as() {
    if ! timeout $((60 * patience)) "$tests/edges/truth.py" ends "$kills/out/t" "$killed_edge" \
        "$@"; then
        tail -n 5 "$kills"/*.log
        return 1
    fi
    [ -z "$(find "$edges/dav/.temp" -type f)" ]
}

# ---- What is killed -----------------------------------------------------------------------------

# made_version LADDER: submitted, and done as far as the output goes.
made_version() {
    pieces_before=$(pieces)
    "$reelfarm" submit "$scratch/clip.mp4" --title t --out "$kills/out" --ladder "$1" &&
        within 120 is_done || return 1
    current=$(sed -nE 's/.*"version":"([0-9a-f]{16})".*/\1/p' "$kills/out/t/title.json")
}

# A first push, and its worker.
first_push() {
    late=''
    made_version "$kills/one.yaml" && truth_start && first=$current && midway &&
        strike_and_revive "is_coming $first" pusher && ends_as "$first" || return 1
    [ -z "$late" ] || caught pushed pusher
}

# The edge holds the next one, and what that replaced.
second_push() {
    made_version "$kills/two.yaml" && second=$current && ends_as "$second" "$first"
}

# rolled_back NAME...: what is rolled back to is not at the edge any more.
rolled_back() {
    local old=$first
    [ "$current" = "$second" ] || old=$second
    if [ -e "$killed_edge/$old.json" ]; then
        "$reelfarm" unpublish t --version "$old" --edge dav &&
            within 20 is_quiet && holds_exactly "$current" || return 1
    fi
    pieces_before=$(pieces)
    "$reelfarm" rollback t --version "$old" && midway &&
        strike_and_revive "is_coming $old" "$@" || return 1
    ends_as "$old" "$current" && current=$old
}

is_published() {
    [ -e "$killed_edge/master.m3u8" ]
}

# unpublished NAME...: the edge answers slowly, so that it takes a while.
unpublished() {
    local ended
    is_published || { "$reelfarm" publish t && ends_as "$current"; } || return 1
    fault dav delay 60 && "$reelfarm" unpublish t && within 20 eval "! is_published" &&
        at_it=$(pusher) && rest 300 && strike_and_revive is_leaving "$@"
    ended=$?
    fault dav clear && [ "$ended" = 0 ] && ends_as
}

# Who was not answered asks again, as people do.
asked() {
    "$reelfarm" "$@" || { within 20 "$reelfarm" list && "$reelfarm" "$@"; }
}

# unpublished_midway NAME...: what is being brought is not wanted any more.
unpublished_midway() {
    local asking
    pieces_before=0
    "$reelfarm" publish t && midway || return 1
    is_coming "$current" || late=yes
    asked unpublish t &
    asking=$!
    rest 200
    strike_and_revive is_leaving "$@" && wait "$asking" && ends_as
}

# published_twice NAME...: by two at once.
published_twice() {
    local one other
    ! is_published || { "$reelfarm" unpublish t && ends_as; } || return 1
    asked publish t &
    one=$!
    asked publish t &
    other=$!
    rest 900
    at_it=$(pusher) && strike_and_revive "is_coming $current" "$@" && wait "$one" &&
        wait "$other" && ends_as "$current"
}

# pushed NAME...
pushed() {
    pieces_before=0
    "$reelfarm" unpublish t && ends_as && "$reelfarm" publish t && midway &&
        strike_and_revive "is_coming $current" "$@" && ends_as "$current"
}

# Many more moments of each, and everybody in all of them.
kills_rounds() {
    local n
    local -a all=("farm" "pusher" "farm pusher") whom
    for ((n = 1; n <= 12; n++)); do
        read -ra whom <<<"${all[n % 3]}"
        if ! { caught rolled_back "${whom[@]}" && caught unpublished "${whom[@]}" &&
            caught unpublished_midway "${whom[@]}" && caught published_twice "${whom[@]}" &&
            caught pushed "${whom[@]}"; }; then
            echo "in round $n, of ${whom[*]}"
            return 1
        fi
    done
}

kills_checks() {
    : "${kills_seed:=${REELFARM_KILLS_SEED:-$(($(date +%s%N) / 1000 % 32768))}}"
    echo "kills: REELFARM_KILLS_SEED=$kills_seed"
    check "kills: what comes too late is done again, five times at most" late_ones_are_found
    check "kills: who is killed after the middle is late" middles_are_told
    check "kills: a farm" kills_start
    check "kills: a worker, in the middle of a title's first push" first_push
    check "kills: the next version" second_push
    check "kills: the scheduler, in the middle of a rollback" caught rolled_back farm
    check "kills: scheduler and worker, in the middle of an unpublish" \
        caught unpublished farm pusher
    check "kills: the scheduler, as a title is unpublished in the middle of its push" \
        caught unpublished_midway farm
    check "kills: the scheduler, as a title is published by two at once" \
        caught published_twice farm
    [ "$REELFARM_FORM" != full ] || check "kills: all of these, at other moments" kills_rounds
    check "kills: what was told was so all the while" truth_told
    kills_stop
}
