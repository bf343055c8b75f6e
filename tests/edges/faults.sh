# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# What bad edges do, by the chaos proxy: to the DAV edge and to Varnish at once, since what hangs
# costs seconds. Use, after servers.sh, pushes.sh and lines.sh: . faults.sh. Wants the lines dav,
# varnish and behind (between Varnish and the origin), and the list versions.
declare -A drivers=([dav]=dav [varnish]=pull)

# both NAME...: a push to each edge through its line; what came of it is in $scratch/at-NAME.
both() {
    local name
    local -a pushers=()
    for name in dav varnish; do
        mkdir -p "$scratch/at-$name"
        told=$scratch/at-$name push "$name" "${drivers[$name]}" \
            "http://127.0.0.1:${line[$name]}" "${versions[0]}" &
        pushers+=($!)
    done
    wait "${pushers[@]}"
}

# both_said EXPRESSION: of each.
both_said() {
    told=$scratch/at-dav said "$1" && told=$scratch/at-varnish said "$1"
}

both_fault() {
    fault dav "$@" && fault varnish "$@"
}

varnish_empty() {
    curl -sf -X PURGE -H "Authorization: Bearer s3cret" -H "xkey-purge: title-t" \
        "http://127.0.0.1:$varnish_port/"
}

both_empty() {
    both_fault clear && origin_swap "${versions[0]}" && varnish_empty && rm -rf "$edges/dav/t"
}

# warm PORT: a cache gives the whole title as the output has it, and fetches no media for that.
warm() {
    log_mark
    "$tests/edges/reader.py" "$out/t" - "http://127.0.0.1:$1/t" &&
        [ "$(log_count "^$origin_port .*(m4s|mp4) ")" = 0 ]
}

# Once the fault has gone: they hold the version, and nothing else.
both_whole() {
    both_fault clear && both && both_said '"failed" not in r' &&
        holds_only "$edges/dav" "${versions[0]}" && warm "$varnish_port"
}

# faulty CLASS WORDS FAULT...: fails so, lists nothing that is not there, and is whole afterwards.
faulty() {
    local class=$1 words=$2
    shift 2
    both_empty && both_fault "$@" && both &&
        both_said "r['failed'] == '$class' and '$words' in r['message']" &&
        [ ! -e "$edges/dav/t/master.m3u8" ] && both_whole
}

# What a line that cuts brings through is whole, and what it does not is brought next time.
# cut_count NAME: connections of the line that the proxy has cut.
cut_count() {
    grep -c " ${line[$1]} cut connection " "$scratch/proxy.log"
}

# A push may outlast the cuts.
cuts() {
    local before
    before=$(($(cut_count dav) + $(cut_count varnish)))
    both_empty && both_fault cut 400000 && both || return 1
    echo "cut: $(cut_count dav) connections to nginx, $(cut_count varnish) to Varnish"
    [ $(($(cut_count dav) + $(cut_count varnish))) -gt "$before" ] &&
        both_said 'r.get("failed", "endpoint") == "endpoint"' && both_whole
}

lies() {
    both_empty && both_fault corrupt && both &&
        both_said "r['failed'] == 'endpoint' and 'other bytes' in r['message']" && both_whole
}

slow() {
    both_empty && both_fault throttle 2000000 && both && both_said '"failed" not in r' && both_whole
}

# A cache that keeps for a year what was damaged on its way from the origin: it is told so, and has
# all of it anew when that line is well.
cache_damaged() {
    local url=http://127.0.0.1:$varnish_port
    both_empty && fault behind corrupt && push varnish pull "$url" "${versions[0]}" &&
        said "r['failed'] == 'endpoint' and 'other bytes' in r['message']" &&
        ! warm "$varnish_port" && fault behind clear &&
        push varnish pull "$url" "${versions[0]}" && said '"failed" not in r' &&
        warm "$varnish_port"
}

# An output whose bytes are not those of the reports is no edge's fault.
origin_damaged() {
    local damaged seen
    damaged=$(find "$out/t/video" -path "*h264-180p-*" -name 00001.m4s) &&
        cp "$damaged" "$scratch/well" && rm -rf "$edges/dav/t" || return 1
    # the same file, whose hash scheduler.py knows by now
    printf damaged | dd of="$damaged" bs=1 seek=900 conv=notrunc status=none
    dav "${versions[0]}" 'e["verify_segments"] = 1000' &&
        said "r['failed'] == 'io' and 'than were put there' in r['message']"
    seen=$?
    cat "$scratch/well" >"$damaged" # which keeps the file
    [ "$seen" = 0 ] && dav "${versions[0]}" 'e["verify_segments"] = 1000' && fine &&
        holds_only "$edges/dav" "${versions[0]}"
}
