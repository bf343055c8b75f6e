# SPDX-License-Identifier: GPL-2.0-or-later
"""SSIM of encodes, and how many bits one needs more than another to be as good.

Quality is the mean SSIM (all planes, as ffmpeg's filter weighs them) in dB, over all frames or
over the worst hundredth of them. The anchor is encoded at two crf points; between them its
log(bits) is taken as a line over quality, on which the anchor's bits at the other's quality
are read off.
"""
import math
import subprocess


def scaled(source_label, width, height, target_label):
    """The scaler of both sides: zimg, with the kernel that encoder/picture.c uses."""
    return (f"[{source_label}]zscale=w={width}:h={height}:filter=spline36,format=yuv420p"
            f"[{target_label}]")


def frames_ssim(source, encoded, width, height, frames=None):
    """SSIM of each frame of `encoded`, or of the first `frames`, against the scaled source."""
    graph = (scaled("1:v", width, height, "r") + ";[0:v]settb=1/1000,setpts=N[a];"
             "[r]settb=1/1000,setpts=N[b];[a][b]ssim=stats_file=-")
    done = subprocess.run(
        ["nice", "-n", "5", "ffmpeg", "-nostdin", "-v", "fatal", "-i", encoded, "-i", source,
         "-filter_complex", graph, "-an", *(["-frames:v", str(frames)] if frames else []),
         "-f", "null", "/dev/null"],
        stdout=subprocess.PIPE, text=True, check=True)
    return [float(line.split("All:")[1].split()[0]) for line in done.stdout.splitlines()
            if "All:" in line]


def decibel(values):
    mean = sum(values) / len(values)
    return -10 * math.log10(max(1 - mean, 1e-9))


def worst(values):
    return sorted(values)[:max(1, len(values) // 100)]


class Point:
    """One encode: bits, and quality over all frames and over the worst."""

    def __init__(self, size, ssims):
        self.size = size
        self.mean = sum(ssims) / len(ssims)
        self.all = decibel(ssims)
        self.worst = decibel(worst(ssims))


def crf_offset(point, anchor, coarser, measure="all"):
    """By how many crf (between the anchor and one crf more) the anchor is as good as `point`."""
    high, low = getattr(anchor, measure), getattr(coarser, measure)
    return (high - getattr(point, measure)) / (high - low)


def more_bits(point, anchor, coarser, measure="all"):
    """Share of bits that `point` takes beyond the anchor at the same quality."""
    offset = crf_offset(point, anchor, coarser, measure)
    at_equal = math.log(anchor.size) + offset * math.log(coarser.size / anchor.size)
    return point.size / math.exp(at_equal) - 1
