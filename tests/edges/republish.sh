# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A title that a whole farm publishes again and again: players read it at a DAV edge and through
# Varnish meanwhile, and the proxy does to the lines of edges and catalog what its seed says.
# Use, after farm.sh, lines.sh and ../chaos/schedule.sh: . republish.sh.

# What may come over a line. Players read beside it, so that no byte is changed: what is damaged at
# a DAV edge is there for a moment before it is read back.
disturbances=("delay 20 200" "throttle 300000" "cut 60000" "cut 3000" "silence" "drip 20"
    "refuse 1 503" "refuse 0 500" "duplicate" "clear")

disturb() {
    local name
    for name in dav varnish catalog; do
        draw 0 $((${#disturbances[@]} - 1))
        echo "$name: ${disturbances[drawn]}"
        # shellcheck disable=SC2086
        fault "$name" ${disturbances[drawn]} || return 1
    done
}

calm() {
    local name
    for name in dav varnish catalog; do
        fault "$name" clear || return 1
    done
}

readers_start() {
    touch "$scratch/readers"
    "$tests/edges/reader.py" "$scratch/all/t" "$scratch/readers" "http://127.0.0.1:$dav_port/t" \
        "http://127.0.0.1:$varnish_port/t" >"$scratch/readers.log" 2>&1 &
    pids[readers]=$!
}

# is_played VERSION: by some player at each edge.
is_played() {
    grep "^$1 .*:$dav_port/" "$scratch/readers" && grep "^$1 .*:$varnish_port/" "$scratch/readers"
}

# No player was ever given nothing, a torn list, or another version's bytes.
readers_stop() {
    kill "${pids[readers]}"
    wait "${pids[readers]}" 2>/dev/null
    unset "pids[readers]"
    cat "$scratch/readers.log"
    [ ! -s "$scratch/readers.log" ]
}

# Where each edge stands, as the farm says: lines "NAME VERSION" of those that hold what they are to.
held() {
    api GET /v1/titles/t >"$scratch/title" && python3 -c 'import json, sys
for p in json.load(open(sys.argv[1]))["publications"]:
    if p["state"] == "held" and p["endpoint"] in ("dav", "varnish", "cache", "low"):
        print(p["endpoint"], p["held"])' "$scratch/title"
}

gives_version() {
    local -A ports=([dav]=$dav_port [varnish]=$varnish_port [cache]=$cache_port [low]=$falling_port)
    curl -sf "http://127.0.0.1:${ports[$1]}/t/master.m3u8" | cmp - "$scratch/all/t/$2.m3u8"
}

# What is said to be held is there; asked again where that has just changed.
tells_the_truth() {
    local name version
    held >"$scratch/held" || return 1
    while read -r name version; do
        gives_version "$name" "$version" && continue
        held | grep "^$name $version$" && ! gives_version "$name" "$version" &&
            { echo "$name does not hold $version"; return 1; }
    done <"$scratch/held"
    true
}

catalog_has() {
    manifests "$1" && publication catalog "p['held'] == '$1' and p['state'] == 'held'"
}

# republish LADDER: with the next faults on the lines, that go when it is done at the output; then
# all that live come to hold it by themselves.
republish() {
    local version
    disturb || return 1
    "$reelfarm" submit "$scratch/clip.mp4" --title t --out "$out" --ladder "$1" \
        >"$scratch/encode.log" 2>&1 || { cat "$scratch/encode.log"; return 1; }
    within 180 is_done || { echo "not done"; return 1; }
    version=$(sed -nE 's/.*"version":"([0-9a-f]{16})".*/\1/p' "$out/t/title.json")
    tells_the_truth && sleep 2 && tells_the_truth && calm || return 1
    reaches "$version" && within 120 catalog_has "$version" && tells_the_truth &&
        within 120 is_played "$version"
}

# Versions are kept for a while after they are replaced, and in the full form go each fifth time.
republishes() {
    local rounds=2 n
    local -a ladders=("$scratch/two.yaml" "$scratch/one.yaml")
    [ "$REELFARM_FORM" != full ] || rounds=50
    readers_start && within 60 is_played "${versions[-1]}" || return 1
    for ((n = 1; n <= rounds; n++)); do
        : >"$scratch/readers"
        republish "${ladders[n % 2]}" || { echo "in round $n"; readers_stop; return 1; }
        ((n % 5 > 0)) || within 60 is_alone || return 1
    done
    readers_stop
}

# The DAV edge holds one version.
is_alone() {
    [ "$(find "$edges/dav/t" -maxdepth 1 -name "*.mpd" | wc -l)" = 2 ]
}

# What is current is whole after all of it.
republished_well() {
    local version
    calm
    version=$(sed -nE 's/.*"version":"([0-9a-f]{16})".*/\1/p' "$out/t/title.json")
    verifies "http://127.0.0.1:$dav_port/t/master.m3u8" &&
        verifies "http://127.0.0.1:$varnish_port/t/master.m3u8" &&
        ! holds_only "$edges/dav" "$version" | grep '^<'
}
