# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share: the driver, a title of clip.sh, `reelfarm play`.
# Use: . lib.sh, with `frames` and `rate` of the title set.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
browser=$tests/browser
chromium=$(command -v chromium || command -v chromium-browser)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$scratch"' EXIT

# The driver, the players and the readers, for one script at a time; puppeteer-core brings no
# browser of its own.
bring_driver() {
    (
        flock 9
        [ "$browser/node_modules/.package-lock.json" -nt "$browser/package-lock.json" ] ||
            npm ci --prefix "$browser" --ignore-scripts --no-audit --no-fund --prefer-offline
    ) 9<"$browser/package.json"
}

# make_title LADDER [SIZE]
make_title() {
    "$browser/clip.sh" "$scratch/clip.mp4" "$frames" "$rate" "${@:2}" &&
        "$reelfarm" encode "$scratch/clip.mp4" --out "$scratch/out" --ladder "$1"
}

# Sets `pid` and `url`.
start_play() {
    "$reelfarm" play "$scratch/out" --json >"$scratch/url.json" &
    pid=$!
    for _ in $(seq 100); do
        url=$(sed -nE 's/^\{"url":"([^"]+)"\}$/\1/p' "$scratch/url.json")
        [ -n "$url" ] && return
        sleep 0.1
    done
    echo "play printed no address within 10 s"
    return 1
}

# drive SCRIPT: its TAP lines and those that say SKIP are counted as checks of this script.
drive() {
    tap "$1" node "$browser/$1" "$chromium" "$url" clip "$frames" "$rate"
}

stops_with_0() {
    local stopped=$pid
    pid=
    kill -INT "$stopped"
    wait "$stopped"
}
