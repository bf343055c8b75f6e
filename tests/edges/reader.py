#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two readers at each edge that play a title again and again, and compare all they get.

    reader.py FOLDER COUNTS URL...  URL of the title's folder at an edge; FOLDER is the same of the
                                    output, with every version

Each playback is master.m3u8, every playlist that it lists, every segment of those, and the MPD.
Whatever is not there, is not one version's own bytes, or is listed by another version than the one
that was begun, is told on stdout. COUNTS gets a line with version, URL and reader of each playback
that ended; where it is "-", each URL is played once, and the exit status says whether all was well.
An edge may have fetched what FOLDER is given only now: it is waited for, and what SIGTERM ends that
wait for is told too.
"""

import http.client
import os
import re
import signal
import sys
import threading
import time
import urllib.parse

LATE_S = 20  # may FOLDER be
folder, counts, *urls = sys.argv[1:]
lock = threading.Lock()
ended = threading.Event()


class Edge:
    """One reader's connection, which stays open. Where the server has closed it meanwhile, as each
    may one that was idle, it is opened anew and asked again, once, as browsers do."""

    def __init__(self, url):
        self.url = url
        where = urllib.parse.urlsplit(url)
        self.path = where.path
        self.line = http.client.HTTPConnection(where.netloc, timeout=60)

    def ask(self, path):
        reused = self.line.sock is not None
        try:
            self.line.request("GET", f"{self.path}/{path}")
            return self.line.getresponse()
        except (ConnectionResetError, BrokenPipeError):  # http.client.RemoteDisconnected is one
            self.line.close()
            if not reused:
                raise
            return self.ask(path)

    def get(self, path):
        try:
            answer = self.ask(path)
            body = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self.line.close()
            raise ValueError(f"{self.url}/{path}: {error!r}") from error
        if answer.status != 200:
            raise ValueError(f"{self.url}/{path}: {answer.status} {answer.reason}")
        return body

    def same(self, path):
        body = self.get(path)
        if not soon(lambda: own(path) == body):
            raise ValueError(f"{self.url}/{path}: {len(body)} bytes that are not the output's")
        return body.decode(errors="replace")


def own(path):
    with open(os.path.join(folder, path), "rb") as file:
        return file.read()


def soon(test):
    """What `test` says of FOLDER, once it says something that is true."""
    until = time.monotonic() + LATE_S
    while True:
        try:
            if said := test():
                return said
        except FileNotFoundError:
            pass
        if time.monotonic() > until or ended.wait(0.1):
            return None


def version_of(body, extension):
    def version():
        for name in os.listdir(folder):
            if re.fullmatch(r"[0-9a-f]{16}\." + extension, name) and own(name) == body:
                return name[:16]
        return None
    if not (found := soon(version)):
        raise ValueError(f"a torn {extension}, of {len(body)} bytes")
    return found


def play(edge):
    master = edge.get("master.m3u8")
    version = version_of(master, "m3u8")
    lists = re.findall(r'URI="([^"]+)"|^([^#\s].*)$', master.decode(), re.M)
    for path in (first or second for first, second in lists):
        if not path.startswith(version + "/"):
            raise ValueError(f"{path} is listed by {version}")
        playlist = edge.same(path)
        below = os.path.dirname(path)
        for one, two in re.findall(r'URI="([^"]+)"|^([^#\s].*)$', playlist, re.M):
            edge.same(os.path.normpath(os.path.join(below, one or two)))
    version_of(edge.get("manifest.mpd"), "mpd")
    return version


def read(url, reader):
    edge = Edge(url)
    while True:
        try:
            line = f"{play(edge)} {url} {reader}"
        except ValueError as error:
            with lock:
                print(error, flush=True)
            time.sleep(0.2)
            continue
        with lock, open(counts, "a", encoding="utf-8") as file:
            file.write(line + "\n")


if counts == "-":
    for place in urls:
        try:
            play(Edge(place))
        except ValueError as problem:
            sys.exit(str(problem))
    sys.exit()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
for number, place in enumerate(urls * 2):
    threading.Thread(target=read, args=[place, number], daemon=True).start()
signal.sigwait([signal.SIGTERM])
ended.set()
time.sleep(0.5)
os._exit(0)
