#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether what a farm tells of a title at an edge and in a catalog is so.

    truth.py holds OUTPUT EDGE [VERSION...]   EDGE is exactly these versions, the first of them
                                              under the stable names; without one, nothing
    truth.py ends OUTPUT EDGE [VERSION...]    the same, once the edge and the catalog are told to
                                              have come to that, which is waited for
    truth.py watch OUTPUT EDGE WORD...        asks until SIGTERM, and compares with what EDGE has

OUTPUT and EDGE are the title's folders at the output, which keeps all versions, and at the edge
`dav`. What is not so is told on stdout, and is the exit status. `watch` asks for what `status
--json` and `endpoints --json` print, and the catalog, before and after it looks at EDGE: what is
said both times was so in between. It fails, too, where it has not met each WORD, a state of the
edge, at least once. The farm is found as the command finds it (REELFARM_SCHEDULER,
REELFARM_CATALOG).
"""

import collections
import functools
import hashlib
import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.parse

PAUSE_S = 0.1
NAMES = {"master.m3u8": "m3u8", "manifest.mpd": "mpd", "title.json": "json"}
command, output, edge, *words = sys.argv[1:]
title = os.path.basename(output)


@functools.lru_cache(maxsize=4096)
def hash_of(path, _file):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def hash_at(path):
    file = os.stat(path)
    return hash_of(path, (file.st_ino, file.st_mtime_ns, file.st_size))


def look(folder):
    """The hashes of all files below the folder, by their paths."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            try:
                found[os.path.relpath(path, folder)] = hash_at(path)
            except FileNotFoundError:  # it went just now
                pass
    return found


@functools.lru_cache(maxsize=None)
def made_of(version):
    """The same of all that a version is, without the stable names."""
    with open(f"{output}/{version}.json", encoding="utf-8") as file:
        renditions = json.load(file)["renditions"]
    paths = [f"{version}.{end}" for end in NAMES.values()]
    for rendition in renditions:
        paths += [f"{rendition['folder']}/{n:05}.m4s" for n in range(1, rendition["segments"] + 1)]
        paths += [f"{rendition['folder']}/init.mp4", f"{version}/{rendition['id']}.m3u8"]
        if rendition["kind"] == "video":
            paths.append(f"{version}/{rendition['id']}-iframes.m3u8")
    return {path: hash_at(f"{output}/{path}") for path in paths}


@functools.lru_cache(maxsize=None)
def names_of(version):
    return {name: hash_at(f"{output}/{version}.{end}") for name, end in NAMES.items()}


def versions():
    found = (re.fullmatch("([0-9a-f]{16})[.]json", name) for name in os.listdir(output))
    return [match[1] for match in found if match]


def lacks(files, wanted):
    """What is missing, or has other bytes."""
    return sorted(path for path, its_hash in wanted.items() if files.get(path) != its_hash)


# ---- Exactly --------------------------------------------------------------------------------


def holds():
    wanted = names_of(words[0]) if words else {}
    for version in words:
        wanted = {**wanted, **made_of(version)}
    files = look(edge)
    told = [f"{edge}/{path} is missing, or has other bytes" for path in lacks(files, wanted)]
    told += [f"{edge}/{path} is left over" for path in sorted(files.keys() - wanted.keys())]
    print(*told[:20], sep="\n")
    return bool(told)


def ends():
    farm, told, version = Farm(), None, words[0] if words else ""
    wanted = {"state": "held" if version else "gone", "held": version, "busy": [],
              "catalog": "held" if version else "gone", "listed": version}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"it did not end so: {told}"))
    while not (told := farm.ask() or told) or {name: told[name] for name in wanted} != wanted:
        time.sleep(PAUSE_S)
    return holds()


# ---- All the while --------------------------------------------------------------------------


class Server:
    """Answers None where nobody is there, and {} where it has no such thing."""

    def __init__(self, url, headers):
        self.line = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
        self.headers = headers

    def get(self, path):
        try:
            self.line.request("GET", path, headers=self.headers)
            answer = self.line.getresponse()
            body = answer.read()
        except (http.client.HTTPException, OSError):
            self.line.close()
            return None
        return json.loads(body) if answer.status == 200 else {} if answer.status == 404 else None


class Farm:
    def __init__(self):
        with open(os.environ["XDG_STATE_HOME"] + "/reelfarm/token", encoding="ascii") as file:
            token = {"Authorization": "Bearer " + file.read().strip()}
        self.scheduler = Server(os.environ["REELFARM_SCHEDULER"], token)
        self.catalog = Server(os.environ["REELFARM_CATALOG"], {})

    def ask(self):
        """What is told; None where somebody does not answer, or knows of nothing."""
        status = self.scheduler.get(f"/v1/titles/{title}")
        endpoints = self.scheduler.get("/v1/endpoints")
        listed = self.catalog.get(f"/titles/{title}")
        if not status or not endpoints or listed is None:
            return None
        gone = {"state": "gone", "held": "", "wanted": ""}
        rows = {row["endpoint"]: row for row in status["publications"]}
        row, its_catalog = rows.get("dav", gone), rows.get("catalog", gone)
        busy = [at["name"] for at in endpoints["endpoints"] if at["running"] + at["backlog"] > 0]
        return {"state": row["state"], "held": row["held"], "wanted": row["wanted"],
                "published": status["version"] if status["published"] else "",
                "rests": "dav" not in busy, "busy": busy, "catalog": its_catalog["state"],
                "listed": listed.get("version", "")}


def judge(told, files):
    """What is told, and is not so."""
    def missing(version):
        lacking = lacks(files, {**made_of(version), **names_of(version)}) if version else ["all"]
        return f"these are missing: {lacking[:5]}"

    def is_whole(version):
        return version and not lacks(files, {**made_of(version), **names_of(version)})

    if told["state"] == "held" and not is_whole(told["held"]):
        yield f"dav is said to hold {told['held']}; {missing(told['held'])}"
    if told["state"] == "gone" and files:
        yield f"the title is said to be gone from dav; there are {sorted(files)[:5]}"
    if told["rests"] and told["wanted"] and not is_whole(told["wanted"]):
        yield f"nothing is due at dav, where {told['wanted']} is wanted; {missing(told['wanted'])}"
    if told["rests"] and not told["wanted"] and files:
        yield f"nothing is due at dav, where nothing is wanted; there are {sorted(files)[:5]}"
    if told["listed"] and lacks(files, made_of(told["listed"])):
        yield f"the catalog lists {told['listed']}; {missing(told['listed'])}"
    if told["published"] and told["published"] != told["listed"]:
        yield f"{told['published']} is said to be published; the catalog has '{told['listed']}'"


def judge_names(names, files):
    """What players are given to begin with is there, whoever is told of it."""
    for version in versions():
        if names == names_of(version) and (missing := lacks(files, made_of(version))):
            yield f"dav has the stable names of {version}, and not {missing[:5]}"


def names_at_edge():
    return {name: its_hash for name, its_hash in look(edge).items() if name in NAMES}


def watch():
    farm, ended = Farm(), threading.Event()
    met, told_of = collections.Counter(), set()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    while not ended.wait(PAUSE_S):
        before, names = farm.ask(), names_at_edge()
        files = look(edge)
        wrong = list(judge_names(names, files)) if names == names_at_edge() else []
        if before is not None and before == farm.ask():
            met[before["state"]] += 1
            wrong += judge(before, files)
        for text in wrong:
            if text not in told_of:
                told_of.add(text)
                print(text, flush=True)
    print("met:", dict(met), flush=True)
    return bool(told_of) or not all(met[word] for word in words)


sys.exit({"holds": holds, "ends": ends, "watch": watch}[command]())
