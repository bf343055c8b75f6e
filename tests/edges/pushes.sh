# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Pushes that a test writes, done by a real worker. Use, after lib.sh: . pushes.sh. Wants $out (the
# output's folder), $scheduler_port and the list pids of what is to be ended.

secrets_write() {
    cat >"$scratch/secrets.yaml" <<END
dav: {user: push, password: s3cret}
wrong: {user: push, password: guessed}
varnish: {bearer: s3cret}
cache: {refresh_header: X-Refresh-Token, refresh_value: s3cret}
stale: {refresh_header: X-Refresh-Token, refresh_value: guessed}
END
    chmod 600 "$scratch/secrets.yaml"
}

scheduler_start() {
    "$tests/edges/scheduler.py" "$scheduler_port" "$1" "${@:2}" >"$scratch/scheduler.log" 2>&1 &
    pids[scheduler]=$!
    within 10 curl -sf "http://127.0.0.1:$scheduler_port/"
}

worker_start() {
    echo 0123456789abcdef0123456789abcdef >"$scratch/token"
    "$reelfarm" worker --scheduler "http://127.0.0.1:$scheduler_port" --slots 1 --name one \
        --token-file "$scratch/token" --endpoint-secrets "$scratch/secrets.yaml" --stall-s 2 \
        --log-level debug >>"$scratch/worker.log" 2>&1 &
    pids[worker]=$!
}

# push NAME DRIVER URL VERSION [MEMBER...]: what became of it, in $scratch/result, or the folder
# that $told names, for pushes beside each other. A MEMBER is a
# Python statement that changes the dictionary t (the task), p (its push) or e (the endpoint).
push() {
    local name=$1 driver=$2 url=$3 version=$4
    shift 4
    python3 - "$name" "$driver" "$url" "$version" "$@" >"${told:-$scratch}/push.json" <<'END'
import json, sys
name, driver, url, version, *members = sys.argv[1:]
e = {"name": name, "driver": driver, "url": url, "serves": "", "connections": 8,
     "bandwidth_bps": 0, "max_height": 0, "verify_segments": 2}
t = {"title": "t", "version": version}
p = {"endpoint": e, "revision": 1, "skip": 0, "old_versions": [], "old_folders": []}
for member in members:
    exec(member)
print(json.dumps({**t, "push": p}))
END
    curl -sf -m 300 -d "@${told:-$scratch}/push.json" \
        "http://127.0.0.1:$scheduler_port/test/push" >"${told:-$scratch}/result"
}

# said EXPRESSION: of the result r, or what it was.
said() {
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r)
sys.exit(not eval(sys.argv[2]))' "${told:-$scratch}/result" "$1"
}

# old VERSION: a MEMBER that has the version taken away, with the folders that no other names.
old() {
    python3 - "$out/t" "$1" "${2:-}" <<'END'
import json, sys
folder, version, kept = sys.argv[1:]
def renditions(of):
    return json.load(open(f"{folder}/{of}.json"))["renditions"] if of else []
named = [r["folder"] for r in renditions(kept)]
print("p['old_versions'] += [" + repr({"version": version, "renditions": [
    r["id"] for r in renditions(version)]}) + "]; p['old_folders'] += " + repr([
    {"folder": r["folder"], "segments": r["segments"]}
    for r in renditions(version) if r["folder"] not in named]))
END
}

# holds_only FOLDER VERSION: that version whole, and nothing else, is what lies in an edge's folder.
holds_only() {
    tree "$1" | grep -v ' \./\.temp' >"$scratch/held.tree"
    is_only "$2"
}

# is_only VERSION: the same of $scratch/held.tree.
is_only() {
    local version=$1 pair
    sort "$scratch/held.tree" >"$scratch/held.txt"
    python3 - "$out/t" "$version" >"$scratch/wanted.names" <<'END'
import json, sys
folder, version = sys.argv[1:]
for r in json.load(open(f"{folder}/{version}.json"))["renditions"]:
    for n in range(1, r["segments"] + 1):
        print(f"{r['folder']}/{n:05}.m4s")
    print(r["folder"] + "/init.mp4")
    print(f"{version}/{r['id']}.m3u8")
    if r["kind"] == "video":
        print(f"{version}/{r['id']}-iframes.m3u8")
END
    {
        (cd "$out/t" && xargs sha256sum <"$scratch/wanted.names") | sed 's|  |  ./t/|'
        (cd "$out/t" && sha256sum "$version".{m3u8,mpd,json}) | sed 's|  |  ./t/|'
        for pair in m3u8:master.m3u8 mpd:manifest.mpd json:title.json; do
            sha256sum "$out/t/$version.${pair%%:*}" | sed "s|  .*|  ./t/${pair##*:}|"
        done
    } | sort >"$scratch/wanted.txt"
    diff "$scratch/wanted.txt" "$scratch/held.txt"
}

verifies() {
    "$reelfarm" verify "$1" >"$scratch/verify.txt" 2>&1
    tail -n 3 "$scratch/verify.txt"
    grep -q " 0 musts broken" "$scratch/verify.txt"
}
