# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# What happens to a farm under chaos, and when, from a seed: lines SECOND VERB WORD..., drawn
# before anything begins. The verbs are functions of tests/chaos/run.

# draw LOW HIGH: sets drawn. Not by RANDOM, which a subshell begins anew.
draw() {
    dice=$(((dice * 1103515245 + 12345) % 2147483648))
    drawn=$(($1 + dice / 256 % ($2 - $1 + 1)))
}

# Each row: a fault of the proxy with its numbers, and the lines that it is for.
networks=("delay 50 400 scheduler store" "throttle 40000 0 store" "throttle 2000 0 scheduler"
    "cut 60000 0 store" "cut 3000 0 scheduler" "silence 0 0 scheduler store"
    "drip 20 0 scheduler store" "corrupt 0 0 store" "refuse 1 0 store" "refuse 1 0 scheduler"
    "refuse 1 507 scheduler" "duplicate 0 0 scheduler store")
daemons=(worker worker worker-frozen child child child-frozen scheduler scheduler-frozen disk
    clock-ahead clock-behind scheduler-ahead scheduler-behind)
deck=() # of these, what has not come yet: each comes before one comes again

draw_network() {
    local at=$1 n fault amount extra lines
    draw 0 $((${#networks[@]} - 1))
    read -r fault amount extra lines <<<"${networks[drawn]}"
    draw 0 "$workers"
    n=$drawn
    draw 0 1
    [ $drawn = 0 ] && lines=${lines##* }
    lines=${lines%% *}
    [ "$lines-$n" = store-0 ] && n=1 # people ask no store
    draw 3 7
    echo "$at disturb $lines-$n $fault $amount $extra"
    echo "$((at + drawn)) disturb $lines-$n clear"
}

# Sets kind, by the deck.
draw_kind() {
    [ ${#deck[@]} != 0 ] || deck=("${daemons[@]}")
    draw 0 $((${#deck[@]} - 1))
    kind=${deck[drawn]}
    unset "deck[drawn]"
    deck=("${deck[@]}")
}

draw_daemon() {
    local at=$1 n later kind
    draw 1 "$workers"
    n=$drawn
    draw 1 8
    later=$((at + drawn))
    draw_kind
    case $kind in
    worker) printf '%s\n' "$at kill_daemon worker-$n" "$later raise_worker $n" ;;
    worker-frozen) printf '%s\n' "$at freeze worker-$n" "$later thaw worker-$n" ;;
    child) echo "$at kill_child $n" ;;
    child-frozen) printf '%s\n' "$at freeze_child $n" "$later thaw_child $n" ;;
    scheduler) printf '%s\n' "$at kill_daemon scheduler" "$later raise_scheduler" ;;
    scheduler-frozen) printf '%s\n' "$at freeze scheduler" "$later thaw scheduler" ;;
    disk) printf '%s\n' "$at fill_disk" "$later free_disk" ;;
    clock-ahead) echo "$at shift_clock worker-$n 3650" ;;
    clock-behind) echo "$at shift_clock worker-$n -3650" ;;
    scheduler-ahead) echo "$at shift_clock scheduler 3650" ;;
    scheduler-behind) echo "$at shift_clock scheduler -3650" ;;
    esac
}

# Of every fourth title: what people do with it, and with another that is made of its source.
draw_deeds() {
    local n began=$2
    n=$1
    draw 0 1 # it is made in seconds
    echo "$((began + drawn)) change_mind t$n"
    draw 0 9
    echo "$((began + drawn)) submit r$n"
    began=$((began + drawn))
    draw 2 15
    echo "$((began + drawn)) take_away r$n"
}

# draw_schedule SEED: of the faults of `lasts_s` seconds, and of `titles` submissions.
draw_schedule() {
    local at n
    dice=$1
    for ((n = 1; n <= titles; n++)); do
        at=$(((n - 1) * lasts_s * 3 / 4 / titles))
        echo "$at submit t$n"
        ((n % 4 != 1)) || draw_deeds "$n" "$at"
    done
    for ((at = 2; at < lasts_s; at += drawn)); do
        draw 0 4
        if ((drawn < 3)); then
            draw_network "$at"
        else
            draw_daemon "$at"
        fi
        draw 1 3
    done
}
