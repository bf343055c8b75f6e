#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a small moving clip with a tone. Usage: clip.sh OUT SECONDS [RATE [SIZE]]
set -euo pipefail
out=$1 seconds=$2 rate=${3:-24} size=${4:-480x270}
ffmpeg -nostdin -v error -y \
    -f lavfi -i "testsrc2=size=$size:rate=$rate:duration=$seconds,noise=alls=6:allf=t:all_seed=7" \
    -f lavfi -i "sine=frequency=440:beep_factor=4:sample_rate=48000:duration=$seconds" \
    -c:v libx264 -preset veryfast -crf 18 -g 60 -pix_fmt yuv420p -threads 1 \
    -c:a aac -b:a 96k -ac 2 -shortest -movflags +faststart "$out"
