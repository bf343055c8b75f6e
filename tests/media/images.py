# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the images of a title as others do. Usage:
  images.py DIR/TITLE POSTER SHEET PICTURES    sizes as 1280x720; "-": any
"""
import hashlib
import json
import os
import re
import subprocess
import sys


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()[:500]}")
    return done.stdout


def want(what, got, wanted):
    if wanted not in ("-", str(got)):
        sys.exit(f"{what} is {got}, not {wanted}")


def size_of(path):
    """As ffprobe reads it, and as it decodes it: without a complaint."""
    kind = "mjpeg" if path.endswith(".jpg") else "av1"
    told = json.loads(run("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json",
                          path))["streams"]
    if len(told) != 1 or told[0]["codec_name"] != kind or told[0]["nb_read_frames"] != "1":
        sys.exit(f"{path}: {told}")
    if told[0].get("color_range") != "pc" and kind == "mjpeg":
        sys.exit(f"{path} is not of full range")
    return f"{told[0]['width']}x{told[0]['height']}"


def main(folder, poster, sheet, pictures):
    title = json.load(open(folder + "/title.json", encoding="utf-8"))
    images = {image["kind"]: image for image in title["images"]}
    if sorted(images) != ["poster", "storyboard"]:
        sys.exit(f"it has {sorted(images)}")
    for image in images.values():
        there = sorted(os.listdir(f"{folder}/{image['folder']}"))
        told = sorted(os.path.basename(o["path"]) for o in image["objects"])
        want("what lies there", there, str(told))
        for told in image["objects"]:
            data = open(f"{folder}/{told['path']}", "rb").read()
            want(told["path"], (len(data), hashlib.sha256(data).hexdigest()),
                 str((told["bytes"], told["sha256"])))
    first = images["poster"]
    want("the poster", f"{first['width']}x{first['height']}", poster)
    files = [os.path.basename(told["path"]) for told in first["objects"]]
    want("the largest", files[:2], "['poster.avif', 'poster.jpg']")
    for told in first["objects"]:
        want(told["path"], size_of(f"{folder}/{told['path']}"), f"{told['width']}x{told['height']}")
    longest = [max(told["width"], told["height"]) for told in first["objects"]]
    full = max(first["width"], first["height"])
    want("their longer sides", longest,
         str([full] * 2 + [side for side in (320, 640) if side * 5 <= full * 4 for _ in "ab"]))
    info = run("avifdec", "--info", f"{folder}/{first['folder']}/poster.avif")
    if f"Resolution     : {first['width']}x{first['height']}" not in info:
        sys.exit(f"avifdec reads {info}")
    board = images["storyboard"]
    size = f"{board['width'] * board['columns']}x{board['height'] * board['rows']}"
    want("a sheet", size, sheet)
    want("the storyboard's pictures", board["count"], pictures)
    for told in board["objects"][1:]:
        want(told["path"], size_of(f"{folder}/{told['path']}"), size)
    text = open(f"{folder}/{board['objects'][0]['path']}", encoding="utf-8").read()
    cues = re.findall(r"^(\d{5}\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$", text, re.M)
    want("cues", len(cues), str(board["count"]))
    for name, x, y, width, height in cues:
        if not os.path.exists(f"{folder}/{board['folder']}/{name}") or \
                int(x) + int(width) > board["width"] * board["columns"] or \
                int(y) + int(height) > board["height"] * board["rows"]:
            sys.exit(f"there is no {name} of {x},{y}")
    mpd = open(folder + "/manifest.mpd", encoding="utf-8").read()
    for text in (f'value="{board["columns"]}x{board["rows"]}"',
                 f"<BaseURL>{board['folder']}/</BaseURL>", 'contentType="image"'):
        if text not in mpd:
            sys.exit(f"manifest.mpd lacks {text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
