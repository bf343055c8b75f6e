# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Players at edges (reader.py) while a title is published again. Use, after servers.sh, pushes.sh
# and farm.sh: . readers.sh. Wants $scratch/all/t, which is as $out/t and keeps all its versions.

# readers_start URL...: of the title's folder at edges.
readers_start() {
    readers=$((2 * $#))
    : >"$scratch/played"
    played_from=0
    "$tests/edges/reader.py" "$scratch/all/t" "$scratch/played" "$@" >"$scratch/readers.log" 2>&1 &
    pids[readers]=$!
}

readers_mark() {
    played_from=$(wc -l <"$scratch/played")
}

# have_played VERSION: since the mark each has ended what it was at then, and after that played
# this version.
have_played() {
    tail -n "+$((played_from + 1))" "$scratch/played" |
        awk -v version="$1" -v readers="$readers" '{ ended[$3]++; last[$3] = $1 }
            END { for (reader in ended) { done += ended[reader] > 1 && last[reader] == version }
                exit done < readers }'
}

# No player was ever given nothing, a torn list, or another version's bytes. Else: what it was, and
# why Varnish ended connections.
readers_stop() {
    kill "${pids[readers]}"
    wait "${pids[readers]}" 2>/dev/null
    unset "pids[readers]"
    cut -d' ' -f1,2 "$scratch/played" | sort | uniq -c
    [ -s "$scratch/readers.log" ] || return 0
    sort "$scratch/readers.log" | uniq -c | sort -rn | head -n 15
    varnishlog -n "$edges/varnish/work" -d -g raw -i SessClose |
        awk '{ print $4, $NF > 5 ? "after seconds" : "soon" }' | sort | uniq -c
    return 1
}

# only VERSION OTHER: what lies at the output of the one alone, by paths below the title's folder.
only() {
    python3 - "$out/t" "$1" "$2" <<'END'
import json, sys
folder, version, other = sys.argv[1:]
def folders(of):
    return {r["folder"] for r in json.load(open(f"{folder}/{of}.json"))["renditions"]}
print(*[f"{version}.{e}" for e in ("m3u8", "mpd", "json")], version,
      *sorted(folders(version) - folders(other)), sep="\n")
END
}

# output_moves FROM TO: what is read of such paths. Each stays the same file, by which scheduler.py
# knows its hash.
output_moves() {
    local path
    while read -r path; do
        mkdir -p "$(dirname "$2/$path")" && mv "$1/$path" "$2/$path" || return 1
    done
}

# both_brought VERSION [MEMBER]: a push to each edge.
both_brought() {
    dav "$@" && fine && push varnish pull "http://127.0.0.1:$varnish_port" "$@" && fine
}

# A version is replaced by the other; when no player is at it any more the output has it no more,
# and then neither edge.
readers_round() {
    local new=$1 old=$2 gone
    origin_swap "$new" && both_brought "$new" || return 1
    readers_mark
    within 180 have_played "$new" || return 1
    gone=$(old "$old" "$new") && only "$old" "$new" >"$scratch/only" &&
        output_moves "$out/t" "$scratch/dropped" <"$scratch/only" && both_brought "$new" "$gone" &&
        [ ! -e "$edges/dav/t/$old" ] && answers "$varnish_port" "$old.m3u8" 404 &&
        output_moves "$scratch/dropped" "$out/t" <"$scratch/only"
}

readers_rounds() {
    local rounds=3 n
    [ "$REELFARM_FORM" != full ] || rounds=50
    for ((n = 1; n <= rounds; n++)); do
        readers_round "${versions[n % 2]}" "${versions[(n + 1) % 2]}" ||
            { echo "in round $n"; return 1; }
    done
}

# beside_readers COMMAND...: with players at both edges meanwhile, none of which was wronged.
beside_readers() {
    local well
    readers_start "http://127.0.0.1:$dav_port/t" "http://127.0.0.1:$varnish_port/t"
    "$@"
    well=$?
    readers_stop && [ "$well" = 0 ]
}

republished() {
    rm -rf "$edges/dav/t"
    origin_swap "${versions[0]}" && varnish_empty && both_brought "${versions[0]}" &&
        beside_readers readers_rounds
}

# Both edges refuse what would bring them the next version of a farm's title, for so long that the
# output has dropped the old one by the time that they take the new one.
edges_come_late() {
    local old=${versions[-1]} name
    within 180 have_played "$old" && fault dav refuse 0 401 && fault varnish refuse 0 401 &&
        made "$scratch/two.yaml" && within 60 eval "[ ! -e '$out/t/$old.m3u8' ]" || return 1
    for name in dav varnish; do
        publication "$name" "p['held'] == '$old' and '401' in p['error']" &&
            fault "$name" clear && "$reelfarm" endpoints --reset "$name" || return 1
    done
    reaches "${versions[-1]}" && readers_mark && within 180 have_played "${versions[-1]}"
}

# The old one stays there as long as it did at the output, for those who play it.
republished_late() {
    beside_readers edges_come_late && everywhere
}

# One after the other, from the encoder to the edges; the last is the one that was the last.
farm_rounds() {
    local n
    local -a ladders=("$scratch/two.yaml" "$scratch/one.yaml")
    for ((n = 1; n <= 50; n++)); do
        made "${ladders[n % 2]}" && reaches "${versions[-1]}" && readers_mark &&
            within 180 have_played "${versions[-1]}" || { echo "in round $n"; return 1; }
    done
    versions=("${versions[@]:0:2}")
}

republished_by_farm() {
    beside_readers farm_rounds && everywhere
}

# What was replaced, wherever it was.
replaced_is_gone() {
    within 20 eval "[ ! -e '$edges/dav/t/${versions[0]}.m3u8' ]" &&
        [ ! -e "$edges/dav/t/${versions[0]}" ] &&
        within 20 answers "$varnish_port" "${versions[0]}.m3u8" 404
}
