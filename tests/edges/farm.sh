# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A whole farm that publishes: scheduler and worker as an operator starts them, a clip submitted,
# the edges of servers.sh, one that is dead, and a catalog; edges and catalog behind lines of the
# proxy. Use, after servers.sh, pushes.sh and lines.sh, with catalog_port set: . farm.sh.
# What it made is in $out, its two versions in the list versions; $scratch/all is as $out and keeps
# them, while the farm keeps what was replaced for 5 s.

hung=(1 2 3 4 5 6)
clock_library=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null)
shuts_at=$((($(date +%s) / 60 + 180) * 60)) # the window of hung1,
opens_at=$((shuts_at + 1800))

# farm_scheduler [SECONDS]: its clock is ahead by so many.
farm_scheduler() {
    local ahead=()
    [ -z "${1:-}" ] || ahead=(env LD_PRELOAD="$clock_library" FAKETIME="+$1"
        FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0)
    "${ahead[@]}" "$reelfarm" scheduler --port "$farm_port" --heartbeat-ms 300 --ttl-ms 10000 \
        --keep-versions-ms 5000 --endpoints "$scratch/endpoints.yaml" >>"$scratch/farm.log" 2>&1 &
    pids[farm]=$!
    within 20 "$reelfarm" list || { cat "$scratch/farm.log"; return 1; }
}

farm_start() {
    farm_port=$(free_port)
    export REELFARM_SCHEDULER=http://127.0.0.1:$farm_port
    export REELFARM_CATALOG=http://127.0.0.1:$catalog_port
    "$reelfarm" catalog --store "$scratch/catalog.db" --port "${REELFARM_CATALOG##*:}" \
        >"$scratch/catalog.log" 2>&1 &
    pids[catalog]=$!
    within 20 curl -sf "$REELFARM_CATALOG/readyz" || { cat "$scratch/catalog.log"; return 1; }
    echo "catalog: {hmac: $(cat "$scratch/catalog.secret")}" >>"$scratch/secrets.yaml"
    dead_port=$(free_port) hung_port=$(free_port)
    cat >"$scratch/endpoints.yaml" <<END
endpoints:
  - {name: dead, driver: dav, url: "http://127.0.0.1:$dead_port"}
  - {name: hung1, driver: dav, url: "http://127.0.0.1:$hung_port", fill: on-demand,
     window: "$(date -u -d "@$opens_at" +%H:%M)-$(date -u -d "@$shuts_at" +%H:%M)"}
$(printf "  - {name: hung%s, driver: dav, url: 'http://127.0.0.1:$hung_port', fill: on-demand}
" \
        "${hung[@]:1}")
  - {name: dav, driver: dav, url: "http://127.0.0.1:${line[dav]}", lists: true,
     serves: "http://127.0.0.1:$dav_port"}
  - {name: varnish, driver: pull, url: "http://127.0.0.1:${line[varnish]}",
     serves: "http://127.0.0.1:$varnish_port"}
  - {name: cache, driver: pull, url: "http://127.0.0.1:$cache_port"}
  - {name: low, driver: dav, url: "http://127.0.0.1:$falling_port", max_height: 200,
     falls_back: true}
  - {name: catalog, driver: catalog, url: "http://127.0.0.1:${line[catalog]}",
     serves: "http://127.0.0.1:$varnish_port"}
END
    farm_scheduler || return 1
    "$reelfarm" worker --slots 2 --name farm --endpoint-secrets "$scratch/secrets.yaml" \
        --stall-s 20 >>"$scratch/worker.log" 2>&1 &
    pids[encoder]=$!
}

# mute NAME PORT FILE: an edge that says yes to all, and nothing at all while the file is there.
mute() {
    python3 - "$2" "$3" <<'END' >"$scratch/$1.log" 2>&1 &
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        while os.path.exists(sys.argv[2]):
            time.sleep(0.05)
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(204)
        self.end_headers()
    do_HEAD = do_GET = do_PUT = do_DELETE = answer
http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
END
    pids[$1]=$!
    within 10 bash -c ": <'/dev/tcp/127.0.0.1/$2'"
}

# endpoints EXPRESSION: of the dictionary e of all endpoints, by name.
endpoints() {
    api GET /v1/endpoints >"$scratch/endpoints" && python3 -c 'import json, sys
e = {e["name"]: e for e in json.load(open(sys.argv[1]))["endpoints"]}
sys.exit(not eval(sys.argv[2]))' "$scratch/endpoints" "$1"
}

# More pushes hang than the worker has for all to share, each at an edge of its own: a healthy edge
# is brought what is due there at once, while they do. When those answer again, they are clean.
farm_hung() {
    local n brought all
    all="sum(e['hung%s' % n]['running'] for n in '${hung[*]}'.split()) == ${#hung[@]}"
    touch "$scratch/hangs"
    mute hung "$hung_port" "$scratch/hangs" || return 1
    for n in "${hung[@]}"; do
        api POST /v1/titles/t/publish "{\"endpoint\":\"hung$n\"}" >/dev/null || return 1
    done
    within 15 endpoints "$all" || { cat "$scratch/endpoints"; return 1; }
    brought=$(python3 -c 'import json, sys
print(*[e["pushes"] for e in json.load(sys.stdin)["endpoints"] if e["name"] == "dav"])' \
        <"$scratch/endpoints")
    if ! { api POST /v1/titles/t/publish '{"endpoint":"dav"}' >/dev/null &&
        within 15 endpoints "e['dav']['pushes'] > $brought" && endpoints "$all"; }; then
        cat "$scratch/endpoints"
        return 1
    fi
    for n in "${hung[@]}"; do
        api POST /v1/titles/t/unpublish "{\"endpoint\":\"hung$n\"}" >/dev/null || return 1
    done
    rm "$scratch/hangs"
    for n in "${hung[@]}"; do
        within 20 publication "hung$n" "p['state'] in ('gone', 'none')" || return 1
    done
}

# clock_to SECOND: the scheduler ends and is there again when it is that time.
clock_to() {
    kill -TERM "${pids[farm]}" && wait "${pids[farm]}"
    farm_scheduler "$(($1 - $(date +%s)))"
}

# A window shuts while a push hangs there: that stops, nobody has failed, and it goes on in the
# next.
farm_shut() {
    local runs="e['hung1']['running'] == 1"
    touch "$scratch/hangs"
    api POST /v1/titles/t/publish '{"endpoint":"hung1"}' >/dev/null &&
        within 15 endpoints "$runs" && clock_to $((shuts_at + 1)) || return 1
    within 10 publication hung1 "p['state'] == 'waiting' and p['failures'] == 0" || return 1
    publication hung1 "p['error'] == '' and p['retry_at'] is None" && endpoints "not $runs" &&
        "$reelfarm" endpoints | grep "^hung1 .*  its window is shut until .*:00.000Z$" || return 1
    clock_to $((opens_at + 1)) && within 15 endpoints "$runs" &&
        ! "$reelfarm" endpoints | grep "its window is shut" || return 1
    rm "$scratch/hangs"
    api POST /v1/titles/t/unpublish '{"endpoint":"hung1"}' >/dev/null &&
        within 20 publication hung1 "p['state'] in ('gone', 'none')"
}

# A dead edge keeps no removal waiting, and is told of until it is clean, which it is when it is
# back. The output is put back: what comes later is pushed from there.
farm_removed() {
    cp -a "$out/t" "$scratch/kept" &&
        "$reelfarm" remove t --yes --wait >"$scratch/removed" && cat "$scratch/removed" &&
        grep "^t: removed; these endpoints are not rid of it yet" "$scratch/removed" &&
        grep -E "^  at dead: withdrawing" "$scratch/removed" &&
        ! grep -E "^  at (dav|varnish|hung.):" "$scratch/removed" &&
        [ ! -e "$out/t/title.json" ] || return 1
    "$reelfarm" status t >"$scratch/removed" && cat "$scratch/removed" &&
        grep "^t: removed, but not yet" "$scratch/removed" &&
        grep -E "^  at dead: withdrawing" "$scratch/removed" &&
        "$reelfarm" status t --json | grep '"state":"removed"' &&
        "$reelfarm" endpoints | grep "still to be taken from there: t$" || return 1
    mute dead "$dead_port" "$scratch/none" && "$reelfarm" endpoints --reset dead &&
        within 20 exits 1 "there is no title" "$reelfarm" status t &&
        ! "$reelfarm" endpoints | grep "still to be taken" &&
        rm -rf "$out/t" && mv "$scratch/kept" "$out/t"
}

# Lies at the edge `dav` beside what it is to hold. Another tool has its own, hidden or deep, in
# folders that are named as ours.
litter() {
    mkdir -p "$edges/dav/t/video/h264-999p-0123456789" "$edges/dav"/{t,ghost}/0123456789abcdef \
        "$edges/dav/other" "$shared/a/b/c/d/e/f" "$edges/dav/haunt"/{0123456789abcdef,a/b/c/d/e} &&
        touch "$edges/dav/t/video/h264-999p-0123456789"/{init.mp4,00001.m4s} \
            "$edges/dav"/{t,ghost,haunt}/0123456789abcdef/x.m3u8 "$edges/dav/ghost/title.json" \
            "$edges/dav/other/title.json" "$edges/dav/t/poster.jpg" \
            "$shared"/{init.mp4,.00001.m4s,a/b/c/d/e/f/00001.m4s} \
            "$edges/dav/haunt/a/b/c/d/e/00001.m4s" &&
        chmod -R a+rwX "$edges/dav"
}

# What lies at an edge in vain is told of, and nothing goes but what was: of a title that the farm
# does not know only where that is asked for, of another tool nothing.
farm_swept() {
    local shared=$edges/dav/t/audio/en-aac-2-0123456789
    litter && tree "$edges/dav" >"$scratch/before.tree" &&
        "$reelfarm" endpoints sweep >"$scratch/swept" && cat "$scratch/swept" &&
        [ "$(grep -cE "^  (t|ghost|haunt) +" "$scratch/swept")" = 6 ] &&
        grep -E "^  t +video/h264-999p-0123456789 +2 objects" "$scratch/swept" &&
        grep -E "^  ghost +title.json +1 .* of no title" "$scratch/swept" &&
        grep "nothing was removed" "$scratch/swept" &&
        tree "$edges/dav" | diff "$scratch/before.tree" - || return 1
    "$reelfarm" endpoints sweep dav --remove >"$scratch/swept" && cat "$scratch/swept" &&
        grep "^dav: removed 4 objects" "$scratch/swept" && [ -e "$edges/dav/ghost/title.json" ] &&
        [ ! -e "$edges/dav/t/video/h264-999p-0123456789" ] && [ ! -e "$shared/init.mp4" ] &&
        [ -e "$shared/.00001.m4s" ] && [ -e "$shared/a/b/c/d/e/f/00001.m4s" ] || return 1
    "$reelfarm" endpoints sweep dav --remove --unknown --json >"$scratch/swept" &&
        grep '"removed_objects":3' "$scratch/swept" && [ ! -e "$edges/dav/ghost" ] &&
        [ -e "$edges/dav/other/title.json" ] && [ -e "$edges/dav/t/poster.jpg" ] &&
        [ ! -e "$edges/dav/haunt/0123456789abcdef" ] &&
        [ -e "$edges/dav/haunt/a/b/c/d/e/00001.m4s" ] &&
        rm -r "$edges/dav"/{other,haunt,t/poster.jpg} "$shared" &&
        holds_only "$edges/dav" "${versions[@]: -1}" | grep '^<' && return 1
    exits 4 "does not say what it holds" "$reelfarm" endpoints sweep varnish
}

farm_stop() {
    kill -KILL "${pids[hung]}" "${pids[dead]}"
    kill -INT "${pids[encoder]}" "${pids[farm]}" "${pids[catalog]}"
    wait "${pids[encoder]}" "${pids[farm]}" "${pids[catalog]}" 2>/dev/null
    unset "pids[encoder]" "pids[farm]" "pids[catalog]" REELFARM_SCHEDULER REELFARM_CATALOG
}

# api METHOD PATH [BODY]
api() {
    curl -sf -X "$1" ${3:+-d "$3"} -H "Content-Type: application/json" \
        -H "Authorization: Bearer $(cat "$XDG_STATE_HOME/reelfarm/token")" \
        "http://127.0.0.1:$farm_port$2"
}

# publication ENDPOINT EXPRESSION: of its publication p.
publication() {
    api GET /v1/titles/t >"$scratch/title" && python3 -c 'import json, sys
p = [p for p in json.load(open(sys.argv[1]))["publications"] if p["endpoint"] == sys.argv[2]]
print(p)
p = p[0] if p else {"held": "", "state": "none"}
sys.exit(not eval(sys.argv[3]))' "$scratch/title" "$1" "$2"
}

# reaches VERSION: all edges that live hold it.
reaches() {
    local edge
    for edge in dav varnish cache low; do
        within 120 publication "$edge" "p['held'] == '$1' and p['state'] == 'held'" ||
            { publication "$edge" False; tail -n 5 "$scratch/worker.log"; return 1; }
    done
}

is_done() {
    api GET /v1/titles/t | grep '"state":"done"'
}

# made LADDER [--wait]: a version, at the output.
made() {
    "$reelfarm" submit "$scratch/clip.mp4" --title t --out "$out" --ladder "$1" "${@:2}" \
        >"$scratch/encode.log" 2>&1 || { cat "$scratch/encode.log"; return 1; }
    within 180 is_done || return 1
    versions+=("$(sed -nE 's/.*"version":"([0-9a-f]{16})".*/\1/p' "$out/t/title.json")")
    # Readers are at what is there. The farm may drop what it replaced while that is copied.
    mkdir -p "$scratch/all" && within 20 cp -rn "$out/t" "$scratch/all/"
}

# What is current, brought everywhere and played from there.
everywhere() {
    local edge
    reaches "${versions[-1]}" || return 1
    for edge in "$dav_port" "$varnish_port" "$cache_port" "$falling_port"; do
        verifies "http://127.0.0.1:$edge/t/master.m3u8" || return 1
        curl -sf "http://127.0.0.1:$edge/t/master.m3u8" | cmp - "$out/t/master.m3u8" || return 1
    done
}

# It ended with 0 and nothing pending, though an edge is dead, and said so.
waited() {
    cat "$scratch/encode.log"
    grep -E "^t: these endpoints are behind" "$scratch/encode.log" &&
        grep -E "^  at dead: waiting; it failed so: .*tried again after" "$scratch/encode.log" &&
        [ "$(grep -cE "^  at (dav|varnish|cache|low): held$" "$scratch/encode.log")" = 4 ]
}

# manifests VERSION: where the catalog says that this version plays, one a line, in $scratch/urls.
manifests() {
    "$reelfarm" search t --json >"$scratch/found" && python3 -c 'import json, sys
found = [t for t in json.load(open(sys.argv[1]))["titles"] if t["version"] == sys.argv[2]]
print(*[url for t in found for url in sorted(t["manifests"].values())], sep="\n")
sys.exit(len(found) != 1)' "$scratch/found" "$1" >"$scratch/urls"
}

# What a search finds plays from the edge that it names, as HLS and as DASH.
found_and_played() {
    local url
    within 60 manifests "${versions[-1]}" || { cat "$scratch/found"; return 1; }
    [ "$(sed -E 's/.*\.//' <"$scratch/urls" | sort | tr '\n' ' ')" = "m3u8 mpd " ] || return 1
    while read -r url; do
        verifies "$url" && curl -sfI "$url" | grep -i "^Via: .*varnish" || return 1
    done <"$scratch/urls"
}

dead_is_told_of() {
    within 20 publication dead "p['held'] == '' and p['state'] == 'waiting'" &&
        endpoints "e['dead']['failures'] > 0 and 'connect' in e['dead']['error']"
}

farm_undone() {
    api POST /v1/titles/t/unpublish '{"endpoint":"dav"}' &&
        within 30 publication dav "p['state'] == 'gone' and p['held'] == ''" || return 1
    tree "$edges/dav" | grep -v ' \./\.temp'
    [ "$(ls "$edges/dav")" = "" ] && publication varnish "p['held'] != ''" &&
        api POST /v1/titles/t/publish '{"endpoint":"dav"}' && reaches "${versions[-1]}" &&
        verifies "http://127.0.0.1:$dav_port/t/master.m3u8" &&
        api POST /v1/titles/t/unpublish '{}' || return 1
    within 30 publication catalog "p['held'] == ''" && ! "$reelfarm" search t | grep master ||
        return 1
    within 30 publication dav "p['state'] in ('gone', 'none')" && [ "$(ls "$edges/dav")" = "" ] &&
        within 30 publication cache "p['state'] == 'fetches'" &&
        within 30 publication varnish "p['state'] == 'fetches'" &&
        "$reelfarm" status t | grep "at varnish: fetches from the output"
}
