# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole title against one call of ffmpeg's CLI that makes the same renditions."""
import functools
import json
import os
import statistics
import subprocess

import joins
import measure
import quality
import slots

WORKERS = 2
MIB = 1 << 20
# Seconds at the title's start by which both sides' pictures are judged: the film repeats after.
JUDGED_S = 60
GOP_S = 2  # the ladders' own
SHORT_S = 10  # of any title, with --short


class Contest:
    """What is encoded, and what it may cost: `wall` and `cpu` against ffmpeg's at equal SSIM,
    `child` in MiB; None where nothing is asked."""

    def __init__(self, encoder, ladder, seconds, wall, cpu=None, child=700):
        self.encoder = encoder
        self.ladder = ladder
        self.seconds = seconds
        self.wall = wall
        self.cpu = cpu
        self.child = child

    def name(self, seconds):
        return f"{self.encoder}, {seconds} s"


def planned(bench, source, ladder):
    """The renditions of pictures that the ladder gives this source: id and task specification."""
    said = json.loads(subprocess.check_output(
        [bench.reelfarm, "ladder", "plan", source, "--ladder", ladder, "--json"], text=True))
    return [(rendition["id"], rendition["video"]) for rendition in said["renditions"]
            if "video" in rendition]


def gop(spec):
    """Frames of a GOP; `gop_frames` is the longest one, with what the title's end may add."""
    num, den = spec["rate"].split("/")
    return round(GOP_S * int(num) / int(den))


def x264_options(spec, crf):
    return ["-c:v", "libx264", "-preset", spec["preset"], "-profile:v", spec["profile"],
            "-crf", str(crf), "-maxrate", str(spec["maxrate_bps"]),
            "-bufsize", str(spec["bufsize_bits"]), "-x264-params",
            f"keyint={gop(spec)}:scenecut=0:vbv-init={spec['vbv_init_percent'] / 100}"]


def svt_options(spec, crf):
    # The library's own depth of the pyramid, as ours: ffmpeg 5.1 asks for one level less.
    return ["-c:v", "libsvtav1", "-preset", spec["preset"], "-crf", str(crf),
            "-g", str(gop(spec)), "-svtav1-params", "hierarchical-levels=5"]


def aom_options(spec, crf):
    return ["-c:v", "libaom-av1", "-usage", "good", "-cpu-used", spec["preset"],
            "-crf", str(crf), "-b:v", "0", "-g", str(gop(spec)),
            "-keyint_min", str(gop(spec)),
            "-row-mt", "1", "-tiles", "2x1", "-threads", str(os.cpu_count())]


OPTIONS = {"x264": x264_options, "svt": svt_options, "aom": aom_options}


def ffmpeg_ladder(source, out, renditions, coarser=0, full=None):
    """The same renditions by ffmpeg: one decode, split, zscale, encoders with threads as they
    like, `coarser` crf above the ladder's. Those of the source's size, which is `full` lines or
    else the largest rendition's, are not scaled."""
    os.makedirs(out, exist_ok=True)
    full = full or max(spec["height"] for _, spec in renditions)
    scaled = [(name, spec) for name, spec in renditions if spec["height"] < full]
    label = {name: f"v{i}" for i, (name, _) in enumerate(scaled)}
    graph = f"[0:v]split={len(scaled)}" + "".join(f"[s{label[name]}]" for name, _ in scaled)
    for name, spec in scaled:
        graph += ";" + quality.scaled(f"s{label[name]}", spec["width"], spec["height"],
                                      label[name])
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-filter_complex", graph]
    for name, spec in renditions:
        command += ["-map", f"[{label[name]}]" if name in label else "0:v"]
        command += OPTIONS[spec["encoder"]](spec, spec["crf_hundredths"] // 100 + coarser)
        command += [os.path.join(out, f"{name}.mp4")]
    return command + ["-map", "0:a", "-c:a", "aac", "-b:a", "128k", os.path.join(out, "a.m4a")]


def point(source, file, spec):
    rate = int(spec["rate"].split("/")[0]) / int(spec["rate"].split("/")[1])
    frames = round(JUDGED_S * rate)
    return quality.Point(sum(joins.packet_sizes(file)[:frames]),
                         quality.frames_ssim(source, file, spec["width"], spec["height"], frames))


def judge_quality(bench, source, encode, renditions):
    """A row for each rendition; by how many crf ffmpeg is better than it must be, on average,
    and by what share of CPU one crf more is cheaper."""
    part = bench.film(JUDGED_S)
    folders = {"anchor": bench.path("anchor-part"), "coarser": bench.path("coarser-part")}
    cpu = [measure.run(ffmpeg_ladder(part, folders[name], renditions, coarser)).cpu
           for coarser, name in enumerate(folders)]
    offsets = []
    for name, spec in renditions:
        whole = joins.joined(encode.renditions()[name], bench.path(f"joined-{name}.mp4"))
        ours = point(source, whole, spec)
        theirs, less = (point(part, os.path.join(folder, f"{name}.mp4"), spec)
                        for folder in folders.values())
        offsets.append(quality.crf_offset(ours, theirs, less))
        bench.row(f"&emsp;{name}: size at equal SSIM; SSIM of both; size at equal crf",
                  f"{1 + quality.more_bits(ours, theirs, less):.4f}x; {ours.mean:.5f}, "
                  f"{theirs.mean:.5f}; {ours.size / theirs.size:.4f}x")
    return statistics.mean(offsets), cpu[1] / cpu[0] - 1


def without_images(bench, ladder):
    """A built-in ladder's rungs alone, as a file: ffmpeg's command makes no posters either."""
    text = subprocess.check_output([bench.reelfarm, "ladder", "show", ladder], text=True)
    path = bench.path(f"{ladder}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("images: true\n", ""))
    return path


def run(bench, contest):
    """Pairs, each side by turns with the other; they take turns in going first."""
    seconds = SHORT_S if bench.options.short else contest.seconds
    source = bench.film(seconds)
    name = contest.name(seconds)
    ladder = contest.ladder
    if not os.path.exists(ladder):
        ladder = without_images(bench, ladder)
    encode = functools.partial(measure.Encode, bench.reelfarm, source, bench.path("ours"), ladder,
                               WORKERS)
    if bench.options.short:
        return resources(bench, contest, name, [encode()])
    renditions = planned(bench, source, ladder)
    command = ffmpeg_ladder(source, bench.path("anchor"), renditions)
    pairs = [encode(beside=command, first=i % 2 == 1) for i in range(bench.options.pairs)]
    offset, slope = judge_quality(bench, source, pairs[-1], renditions)
    compare(bench, contest, name, pairs, 1 + offset * slope)
    return resources(bench, contest, name, pairs)


def compare(bench, contest, name, pairs, correction):
    """Rows of time; `correction` is what the anchor would take at equal SSIM, as a ratio."""
    wall = [pair.usage.wall / pair.anchor.wall / correction for pair in pairs]
    cpu = [pair.usage.cpu / pair.anchor.cpu / correction for pair in pairs]
    bench.row(f"{name}: wall at equal SSIM", measure.spread(wall), f"{contest.wall}x",
              statistics.median(wall) <= contest.wall)
    bench.row(f"{name}: CPU at equal SSIM", measure.spread(cpu),
              f"{contest.cpu}x" if contest.cpu else "",
              statistics.median(cpu) <= contest.cpu if contest.cpu else None)
    bench.row("&emsp;correction of time to equal SSIM, in it already", f"{correction:.4f}")
    bench.row("&emsp;wall, CPU seconds of ours; of ffmpeg",
              ", ".join(f"{statistics.median(values):.1f}" for values in (
                  [p.usage.wall for p in pairs], [p.usage.cpu for p in pairs],
                  [p.anchor.wall for p in pairs], [p.anchor.cpu for p in pairs])))
    bench.row("&emsp;memory of ffmpeg", f"{max(p.anchor.peak for p in pairs) / MIB:.0f} MiB")


def resources(bench, contest, name, encodes):
    """What reelfarm took by itself; short titles are judged by memory alone, but in --short,
    with wide limits."""
    own = [e.own_share() for e in encodes]
    idle = [e.idle for e in encodes]
    child = max(e.stats["peak_memory"] for e in encodes) / MIB
    scheduler = max(e.usage.own_peak for e in encodes) / MIB
    wide = 3 if bench.options.short else 1
    long = contest.seconds >= 200 and not bench.options.short
    bench.row(f"{name}: CPU of our own work", measure.spread(own), f"{0.03 * wide:.2f}",
              statistics.median(own) <= 0.03 * wide if long or wide > 1 else None)
    bench.row(f"{name}: slots idle", measure.spread(idle), f"{0.05 * wide:.2f}",
              statistics.median(idle) <= 0.05 * wide if long else None)
    bench.row(f"{name}: memory of a child", f"{child:.0f} MiB", f"{contest.child} MiB",
              child <= contest.child)
    bench.row(f"{name}: memory of the scheduler", f"{scheduler:.0f} MiB", "64 MiB",
              scheduler <= 64)
    last = encodes[-1]
    picture = os.path.join(bench.plots, name.replace(" ", "-").replace(",", "") + ".svg")
    slots.plot(last.leases, last.seconds, WORKERS, f"{name}: slots busy", picture)
    bench.row(f"&emsp;plot of slots busy over time, {os.path.relpath(picture, bench.root)}",
              f"{os.path.getsize(picture)} bytes")
