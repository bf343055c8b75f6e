# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at a store all the while, as players do, until SIGTERM: every manifest at a stable name
lists only objects that are there, and what was once listed stays there.

    watcher.py s3://BUCKET/PREFIX TITLE...     at AWS_ENDPOINT_URL, beside any proxy; everybody may
                                               read what is there

Prints a line for each object that is listed and missing; at the end what it has seen, and ends
with 1 where anything was missing, or where it has not seen most of it.
"""

import http.client
import os
import posixpath
import re
import signal
import sys
import time
import urllib.parse
import xml.etree.ElementTree as xml

STABLE = ("master.m3u8", "manifest.mpd", "title.json")
PAUSE_S = 0.5
AGAIN = 20  # objects listed earlier that are looked at in each round
TRIES = 3  # of a store that is busy, or hangs up on who was quiet
ROUNDS = 20  # at least


class Watcher:
    def __init__(self, bucket, prefix, titles):
        self.store = http.client.HTTPConnection(
            urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=60)
        self.bucket = bucket
        self.names = [f"{prefix}/{title}/{name}" for title in titles for name in STABLE]
        self.etags = {}  # of each stable name, as last seen
        self.listed = {}  # object -> the stable name that first listed it
        self.again = []
        self.seen = set()  # titles that had a manifest
        self.manifests = 0
        self.missing = 0

    def ask(self, method, key, headers=None):
        """The answer, with its body; None where nothing is: who may not list is told 403 then."""
        trouble = None
        for _ in range(TRIES):
            try:
                self.store.request(method, "/" + urllib.parse.quote(f"{self.bucket}/{key}"),
                                   headers=headers or {})
                answer = self.store.getresponse()
                body = answer.read().decode()
            except (http.client.HTTPException, OSError) as error:
                self.store.close()  # and is opened anew
                trouble = repr(error)
                continue
            if answer.status in (403, 404):
                return None
            if answer.status in (200, 304):
                return answer, body
            trouble = f"{answer.status} {body}"
            if answer.status < 500:
                break
            time.sleep(PAUSE_S)
        raise RuntimeError(f"{method} {key}: {trouble}")

    def get(self, key):
        """Its ETag and text; that is None where it has not changed since it was last looked at."""
        known = self.etags.get(key)
        found = self.ask("GET", key, {"If-None-Match": known} if known else None)
        if found is None:
            return None, None
        answer, body = found
        return (known, None) if answer.status == 304 else (answer.getheader("ETag"), body)

    def is_there(self, key):
        return self.ask("HEAD", key) is not None

    def miss(self, key, why):
        self.missing += 1
        print(f"{time.time():.3f} {key}: {why}", flush=True)

    def playlist(self, key, text):
        """URLs of a playlist, and of those that it lists."""
        for line in text.splitlines():
            found = re.findall(r'URI="([^"]*)"', line) if line.startswith("#") else [line]
            for url in filter(None, found):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(key), url))
                yield target
                if target.endswith(".m3u8") and target not in self.listed:
                    _, inner = self.get(target)
                    if inner is not None:  # else it is missing, which `look` finds
                        yield from self.playlist(target, inner)

    def presentation(self, key, text):
        """URLs of an MPD: each template's initialization, and as many numbers as its timeline."""
        mpd = "{urn:mpeg:dash:schema:mpd:2011}"
        for group in xml.fromstring(text).iter(mpd + "AdaptationSet"):
            template = group.find(mpd + "SegmentTemplate")
            runs = template.findall(f"{mpd}SegmentTimeline/{mpd}S")
            count = sum(int(run.get("r", "0")) + 1 for run in runs)
            first = int(template.get("startNumber"))
            names = [template.get("initialization")]
            for number in range(first, first + count):
                names.append(template.get("media").replace("$Number%05d$", f"{number:05d}"))
            for base in group.findall(f"{mpd}Representation/{mpd}BaseURL"):
                for name in names:
                    yield posixpath.join(posixpath.dirname(key), base.text, name)

    def urls_of(self, key, text):
        if key.endswith(".m3u8"):
            return list(self.playlist(key, text))
        if key.endswith(".mpd"):
            return list(self.presentation(key, text))
        return []

    def look(self, key):
        etag, text = self.get(key)
        if etag is None and self.etags.get(key) is not None:
            self.miss(key, "was published and is gone")
        if etag is not None and etag != self.etags.get(key):
            self.manifests += 1
            self.seen.add(posixpath.dirname(key))
            for url in self.urls_of(key, text):
                if url not in self.listed:
                    self.listed[url] = key
                    if not self.is_there(url):
                        self.miss(url, f"{key} lists it, and it is not there")
        self.etags[key] = etag

    def round(self):
        for key in self.names:
            self.look(key)
        self.again = self.again or list(self.listed)
        for key in self.again[:AGAIN]:
            if not self.is_there(key):
                self.miss(key, f"{self.listed[key]} lists it, and it is gone")
        self.again = self.again[AGAIN:]


def saw_most(rounds, seen, titles):
    """Whether that is enough to say that nothing was missing."""
    return rounds >= ROUNDS and seen * 2 >= titles


def main():
    bucket, _, prefix = sys.argv[1].removeprefix("s3://").partition("/")
    titles = sys.argv[2:]
    watcher = Watcher(bucket, prefix, titles)
    rounds = 0
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    while not told:
        time.sleep(PAUSE_S)
        watcher.round()
        rounds += 1
    print(f"{rounds} rounds, {len(watcher.seen)} titles, {watcher.manifests} manifests,"
          f" {len(watcher.listed)} objects listed, {watcher.missing} missing")
    enough = saw_most(rounds, len(watcher.seen), len(titles))
    return 0 if enough and watcher.missing == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
