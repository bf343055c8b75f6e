#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Four readers at each edge that play a title again and again, and compare all they get.

    reader.py FOLDER COUNTS URL...  URL of the title's folder at an edge; FOLDER is the same of the
                                    output, with every version

Each playback is master.m3u8, every playlist that it lists, every segment of those, and the MPD.
Whatever is not there, is not one version's own bytes, or is listed by another version than the one
that was begun, is told on stdout. COUNTS gets a line with version and URL of each playback that
ended; where it is "-", each URL is played once, and the exit status says whether all was well.
"""

import os
import re
import sys
import threading
import urllib.error
import urllib.request

folder, counts, *urls = sys.argv[1:]
lock = threading.Lock()


def get(url, path):
    try:
        with urllib.request.urlopen(f"{url}/{path}", timeout=20) as answer:
            return answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise ValueError(f"{url}/{path}: {error}") from error


def own(path):
    with open(os.path.join(folder, path), "rb") as file:
        return file.read()


def version_of(body, extension):
    for name in os.listdir(folder):
        if re.fullmatch(r"[0-9a-f]{16}\." + extension, name) and own(name) == body:
            return name[:16]
    raise ValueError(f"a torn {extension}, of {len(body)} bytes")


def same(url, path):
    body = get(url, path)
    if body != own(path):
        raise ValueError(f"{url}/{path}: {len(body)} bytes that are not the output's")
    return body.decode(errors="replace")


def play(url):
    master = get(url, "master.m3u8")
    version = version_of(master, "m3u8")
    lists = re.findall(r'URI="([^"]+)"|^([^#\s].*)$', master.decode(), re.M)
    for path in (first or second for first, second in lists):
        if not path.startswith(version + "/"):
            raise ValueError(f"{path} is listed by {version}")
        playlist = same(url, path)
        below = os.path.dirname(path)
        for one, two in re.findall(r'URI="([^"]+)"|^([^#\s].*)$', playlist, re.M):
            same(url, os.path.normpath(os.path.join(below, one or two)))
    version_of(get(url, "manifest.mpd"), "mpd")
    return version


def read(url):
    while True:
        try:
            line = f"{play(url)} {url}"
        except ValueError as error:
            with lock:
                print(error, flush=True)
            continue
        with lock, open(counts, "a", encoding="utf-8") as file:
            file.write(line + "\n")


if counts == "-":
    for place in urls:
        try:
            play(place)
        except ValueError as problem:
            sys.exit(str(problem))
    sys.exit()
for place in urls * 4:
    threading.Thread(target=read, args=[place], daemon=True).start()
threading.Event().wait()
