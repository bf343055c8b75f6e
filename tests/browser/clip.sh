#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a moving clip with a tone whose every picture carries its number: a row of
# 12 blocks along the top edge, black 0 and white 1, the lowest bit on the left. NOISE, 0 to 100,
# makes the rest cost bits.
# Usage: clip.sh OUT FRAMES RATE [SIZE [NOISE]]
set -euo pipefail
out=$1 frames=$2 rate=$3 size=${4:-640x360} noise=${5:+,noise=alls=$5:allf=t:all_seed=7}
blocks=,drawbox=w=iw:h=ih/6:color=black:t=fill
for bit in {0..11}; do
    blocks+=",drawbox=x=iw*$bit/12:y=0:w=iw/12:h=ih/6:color=white:t=fill"
    blocks+=":enable='mod(floor(n/$((1 << bit))),2)'"
done
ffmpeg -nostdin -v error -y \
    -f lavfi -i "testsrc2=size=$size:rate=$rate$noise$blocks" \
    -f lavfi -i "sine=frequency=440:beep_factor=4:sample_rate=48000" \
    -map 0:v -map 1:a -frames:v "$frames" -t "$(awk "BEGIN { print $frames / ($rate) }")" \
    -c:v libx264 -preset veryfast -crf 16 -g 60 -pix_fmt yuv420p -threads 1 \
    -c:a aac -b:a 96k -ac 2 -movflags +faststart "$out"
