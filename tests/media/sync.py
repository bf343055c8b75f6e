# SPDX-License-Identifier: GPL-2.0-or-later
"""How far each beep is from its flash, in what players are given. Usage:
  sync.py FILE EVERY_S COUNT    prints the greatest distance in milliseconds, of all pairs
                                of a video and an audio stream
A flash is the first bright picture after dark ones; a beep the first loud sample after
silence. Times are those of the decoded output, with the stream's own timestamps.
"""
import array
import json
import subprocess
import sys


def streams(path):
    found = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-of", "json", path],
                           capture_output=True, text=True, check=True)
    return json.loads(found.stdout)["streams"]


def flashes(path, index):
    """Times of pictures whose mean is bright after a dark one."""
    shown = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", path, "-map", f"0:{index}",
         "-fps_mode", "passthrough", "-vf",
         "scale=16:16:flags=area,format=gray,signalstats,metadata=print:file=-:"
         "key=lavfi.signalstats.YAVG", "-f", "null", "-"],
        capture_output=True, text=True, check=True)
    times, bright, time = [], False, 0.0
    for line in shown.stdout.splitlines():
        if line.startswith("frame:"):
            time = float(line.split("pts_time:")[1])
        elif "YAVG=" in line:
            now = float(line.split("=")[1]) > 100
            if now and not bright:
                times.append(time)
            bright = now
    return times


def beeps(path, index, rate):
    """Times of the first loud sample after 0.2 s of silence; gaps between timestamps are
    filled by ffmpeg, so that samples count time from the first one's stamp."""
    first = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", path, "-map", f"0:{index}", "-af",
         "ashowinfo", "-frames:a", "1", "-loglevel", "info", "-f", "null", "-"],
        capture_output=True, text=True, check=True).stderr
    start = float(first.split("pts_time:")[1].split()[0])
    sound = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", path, "-map", f"0:{index}", "-ac",
         "1", "-f", "s16le", "-"], capture_output=True, check=True).stdout
    samples = array.array("h", sound)
    times, quiet = [], rate
    for i, sample in enumerate(samples):
        if abs(sample) > 3000:
            if quiet > rate // 5:
                times.append(start + i / rate)
            quiet = 0
        else:
            quiet += 1
    return times


def main():
    path, every, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    found = streams(path)
    sounds = [beeps(path, s["index"], int(s["sample_rate"])) for s in found
              if s["codec_type"] == "audio"]
    worst = 0.0
    for stream in found:
        if stream["codec_type"] != "video":
            continue
        seen = flashes(path, stream["index"])
        for heard in sounds:
            if len(seen) != count or len(heard) != count:
                sys.exit(f"{len(seen)} flashes and {len(heard)} beeps, not {count}")
            for flash, beep in zip(seen, heard):
                worst = max(worst, abs(flash - beep))
            if abs(seen[-1] - seen[0] - every * (count - 1)) > 0.001:
                sys.exit(f"the flashes last {seen[-1] - seen[0]} s")
    if not sounds:
        sys.exit("no sound")
    print(round(1000 * worst, 3))


if __name__ == "__main__":
    main()
