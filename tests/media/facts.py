# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of a title, in the columns of expected.tsv: frames, rate, size of the top
rung, sound, repaired frames, advice. Usage:
  facts.py made DIR/TITLE VERIFIED   read by ffmpeg from the multivariant: every frame decoded;
                                     VERIFIED is what `reelfarm verify --json` says
  facts.py told VERIFIED             what that has found, in its own words
  facts.py planned                   from `reelfarm ladder plan --json` on stdin
"""
import json
import re
import subprocess
import sys


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        sys.exit(f"{' '.join(command[:1])}: {done.stderr.strip()[:500]}")
    return done.stdout


def sound_of(channels, rate):
    return f"{channels}ch {rate}"


def check_loudness(folder, rendition):
    """What title.json tells of a sound's loudness, as it is coded, against ffmpeg's meter over the
    coded track. Coding moves it: mono at 48 kbit/s by 1.8 LU (as much by ffmpeg's CLI), and what
    is quiet or of 8 kHz by some tenths; it moves the range of a few seconds at will. The suite
    `loudness` holds the meter itself, its range too, to tenths."""
    told = rendition.get("loudness")
    if told is None:
        sys.exit(f"title.json tells no loudness of {rendition['id']}")
    if told["integrated_lufs"] < -50:
        return  # a codec changes what is nearly silent
    version = json.load(open(folder + "/title.json", encoding="utf-8"))["version"]
    said = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-i",
         f"{folder}/{version}/{rendition['id']}.m3u8", "-af",
         "ebur128=peak=true:framelog=verbose", "-f", "null", "-"],
        capture_output=True, text=True, check=False).stderr
    summary = said[said.rfind("Summary:"):]
    for member, name, least, apart in (("integrated_lufs", "I", -70, 2.5),
                                       ("true_peak_dbtp", "Peak", -60, 4)):
        found = re.search(rf"\b{name}: +(-?[\d.]+|-inf)", summary)
        if not found:
            sys.exit(f"ffmpeg tells no {name}: {said[-300:]}")
        measured, mine = max(float(found[1]), least), max(told[member], least)
        if abs(measured - mine) > apart:
            sys.exit(f"{rendition['id']}: {member} is {mine}, ffmpeg measures {measured}")


def findings(verified):
    """All but broken musts, on which verify fails by itself."""
    said = json.load(open(verified, encoding="utf-8"))
    return [finding for title in said["titles"] for finding in title["findings"]]


def advice(verified):
    return ",".join(sorted({finding["rule"] for finding in findings(verified)})) or "none"


def made(folder, verified):
    """Decodes what players would be given, and fails on any message of the decoder."""
    master = folder + "/master.m3u8"
    streams = json.loads(run("ffprobe", "-v", "error", "-show_streams", "-of", "json", master))
    pictures = [s for s in streams["streams"] if s["codec_type"] == "video"]
    sounds = [s for s in streams["streams"] if s["codec_type"] == "audio"]
    top = max(pictures, key=lambda s: s["width"] * s["height"])
    if top.get("sample_aspect_ratio", "1:1") != "1:1":
        sys.exit("pixels are not square")
    counts = {}
    wanted = ["-map", "0:v"] + (["-map", "0:a"] if sounds else [])
    for line in run("ffmpeg", "-nostdin", "-v", "error", "-i", master, *wanted, "-f",
                    "framecrc", "-fps_mode", "passthrough", "-").splitlines():
        if not line.startswith("#"):
            stream = int(line.split(",")[0])
            counts[stream] = counts.get(stream, 0) + 1
    frames = [counts.get(i, 0) for i in range(len(pictures))]
    if len(set(frames)) != 1:
        sys.exit(f"renditions differ in their frames: {frames}")
    title = json.load(open(folder + "/title.json", encoding="utf-8"))
    if title["frames"] != frames[0]:
        sys.exit(f"title.json tells {title['frames']} frames, {frames[0]} are there")
    if title["rate"] != rate_of(top["r_frame_rate"]):
        sys.exit(f"title.json tells a rate of {title['rate']}, it is {top['r_frame_rate']}")
    for rendition in title["renditions"]:
        if rendition["kind"] == "audio":
            check_loudness(folder, rendition)
    sound = "+".join(sorted({sound_of(s["channels"], s["sample_rate"]) for s in sounds}))
    return [frames[0], title["rate"], f"{top['width']}x{top['height']}", sound or "none",
            title["frames_repaired"], advice(verified)]


def rate_of(text):
    return text if "/" in text else text + "/1"


def planned(text):
    plan = json.loads(text)
    pictures = [r["video"] for r in plan["renditions"] if "video" in r]
    sounds = [r["audio"] for r in plan["renditions"] if "audio" in r]
    top = max(pictures, key=lambda v: v["width"] * v["height"])
    sound = "+".join(sorted({sound_of(a["channels"], a["sample_rate"]) for a in sounds}))
    return [plan["frames"], rate_of(plan["rate"]), f"{top['width']}x{top['height']}",
            sound or "none"]


def tell(verified):
    for finding in findings(verified):
        print(f"{finding['weight']}  {finding['rule']}  {finding['path']}: {finding['message']}")


def main(mode, *paths):
    if mode == "told":
        tell(*paths)
        return
    facts = made(*paths) if mode == "made" else planned(sys.stdin.read())
    print("\t".join(str(fact) for fact in facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
