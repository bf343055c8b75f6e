# SPDX-License-Identifier: GPL-2.0-or-later
"""What the crf of the built-in ladders' AV1 rungs are chosen by: at which one a rung is as good
as H.264's of the same height, and what it takes of its bits."""
import math
import os
import re
import subprocess

import joins
import measure
import quality

# Films of a constant rate, upright and with square pixels, and where their part begins.
CLIPS = (("film/bbb_120s-180s_720p24.mp4", 20), ("film/bezos_vogels_720p.mkv", 10),
         ("film/small_bunny_1080p_60fps.mp4", 0), ("film/karma.mp4", 0),
         ("film/one-by-one-person-detection.mp4", 10), ("film/Seeking_30_480_1050.mp4", 0),
         ("awkward/foreman-hevc-opengop-23976.mp4", 0), ("awkward/dolby_51_720p25_start16s.ts", 0),
         ("awkward/sample_mpeg4_23976.avi", 0), ("film/mixed-content.webm", 0))
SECONDS = 6
COARSER = 6  # crf of the second point of AV1 above the first
H264 = "h264"


def coarser_ladder(bench, name):
    """The built-in ladder with each crf so much higher, as a file."""
    with open(os.path.join(bench.root, "ladders", f"{name}.yaml"), encoding="utf-8") as text:
        words = re.sub(r"\bcrf: (\d+)", lambda at: f"crf: {int(at[1]) + COARSER}", text.read())
    out = bench.path(f"{name}-coarser.yaml")
    with open(out, "w", encoding="utf-8") as text:
        text.write(words)
    return out


def points(bench, source, ladder):
    """Bits and quality of each height of pictures, of all the source's frames."""
    encode = measure.Encode(bench.reelfarm, source, bench.path("crf"), ladder, 2)
    found = {}
    for name, folder in encode.renditions().items():
        file = joins.joined(folder, bench.path("crf.mp4"))
        width, height, _ = joins.probe_video(file)
        found[name.partition("-")[2]] = quality.Point(
            sum(joins.packet_sizes(file)), quality.frames_ssim(source, file, width, height))
    return found


def judge_clip(bench, ladder, clip, begin):
    """Of each height: how many crf more than the ladder's are as good as H.264, how much better
    the ladder's is (dB), what it takes of the bits, and what it would at that crf."""
    # Coded anew without loss: a cut by copy begins where a key picture is.
    source = bench.path("crf-clip.mkv")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", str(begin), "-i",
                    os.path.join(bench.media, clip), "-t", str(SECONDS), "-map", "0:v:0",
                    "-pix_fmt", "yuv420p", "-c:v", "ffv1", source], check=True)
    anchor = points(bench, source, H264)
    finer = points(bench, source, ladder)
    coarser = points(bench, source, coarser_ladder(bench, ladder))
    found = {}
    for height in finer.keys() & anchor.keys():
        its, own, less = anchor[height], finer[height], coarser[height]
        offset = COARSER * quality.crf_offset(its, own, less)
        bits = math.exp(math.log(less.size / own.size) * offset / COARSER)
        found[height] = (offset, own.all - its.all, own.size / its.size,
                         own.size * bits / its.size)
    return found


def judge(bench, ladder):
    found = {}
    for clip, begin in CLIPS:
        if not os.path.exists(os.path.join(bench.media, clip)):
            continue
        for height, values in judge_clip(bench, ladder, clip, begin).items():
            found.setdefault(height, []).append(values)
            bench.row(f"&emsp;{os.path.basename(clip)} {ladder} {height}",
                      "; ".join(f"{value:.3f}" for value in values))
    for height, values in sorted(found.items(), key=lambda item: int(item[0].rstrip("p"))):
        bench.row(f"{ladder} {height}, {len(values)} clips: crf more to be as good as H.264; dB "
                  "better; its share of bits; that at equal SSIM",
                  "; ".join(measure.spread(each) for each in zip(*values)))
