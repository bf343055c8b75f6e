# SPDX-License-Identifier: GPL-2.0-or-later
"""Searches of a full catalog over HTTP, against the bare query of SQLite's FTS5 on the same file."""
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import threading
import time

CLIENTS, PUBLISHERS = 4, 8
PEER = ("SELECT e.summary FROM (SELECT rowid AS number, bm25(words, 10, 5, 2, 2, 1) AS score "
        "FROM words WHERE words MATCH ? ORDER BY score LIMIT 20) f "
        "JOIN entry e ON e.number = f.number ORDER BY f.score")


class Catalog:
    def __init__(self, bench):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.path = bench.path("catalog.db")
        self.process = subprocess.Popen(
            [bench.reelfarm, "catalog", "--store", self.path, "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        secret = bench.path("catalog.secret")
        while not os.path.exists(secret) or not self.answers():
            time.sleep(0.05)
        self.secret = open(secret, "rb").read().strip()
        self.local = threading.local()

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def send(self, method, target, body=None, headers=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port)
            self.local.connection.connect()
            self.local.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local.connection.request(method, target, body, headers or {})
        answer = self.local.connection.getresponse()
        return answer.status, answer.read()

    def put(self, title, body):
        target, at = "/titles/" + title, int(time.time())
        code = hmac.new(self.secret, f"{at}.PUT.{target}.".encode() + body, hashlib.sha256)
        status, text = self.send("PUT", target, body,
                                 {"Reelfarm-Signature": f"t={at},v1={code.hexdigest()}"})
        if status not in (200, 201):
            raise RuntimeError(f"{title}: {status} {text}")

    def cpu_ms(self):
        """What its threads have had of the processors, whoever else wants them."""
        folder = f"/proc/{self.process.pid}/task"
        return sum(int(open(f"{folder}/{task}/schedstat", encoding="ascii").read().split()[0])
                   for task in os.listdir(folder)) / 1e6

    def ask(self, words, filters=""):
        began = time.perf_counter()
        target = f"/search?limit=20{filters}" + ("&q=" + "+".join(words) if words else "")
        status, text = self.send("GET", target)
        if status != 200:
            raise RuntimeError(f"{target}: {status} {text}")
        return 1000 * (time.perf_counter() - began)


def vocabulary(chance):
    letters = "eeeeaaaiiooutnsrhldcmfpgb"
    return ["".join(chance.choice(letters) for _ in range(chance.randint(3, 9)))
            for _ in range(5000)]


def golden_document(bench):
    with open(os.path.join(bench.root, "tests/golden/title.json"), encoding="utf-8") as file:
        return json.load(file)


def entry(golden, title, **more):
    """The body of a title's PUT."""
    document = {**golden, "title": title, "languages": more.pop("languages", ["en"])}
    return json.dumps({
        "title": title, "revision": 1, "version": golden["version"], "document": document,
        "manifests": {"hls": f"https://edge.example/{title}/master.m3u8",
                      "dash": f"https://edge.example/{title}/manifest.mpd"}, **more}).encode()


def fill(bench, catalog, count, words, chance):
    """Titles of four words each, a few of which are in many; true documents. Returns them and
    the rate."""
    golden = golden_document(bench)
    weights = [1 / (rank + 1) for rank in range(len(words))]
    titles = ["-".join(chance.choices(words, weights, k=4)) + f"-{n}" for n in range(count)]
    labels = [[f"show={chance.choice(words[:300])}", f"genre={chance.choice(words[:20])}"]
              for _ in titles]
    languages = [chance.choice((["en"], ["de"], ["fr"], ["en", "de"])) for _ in titles]

    def put(n):
        catalog.put(titles[n], entry(golden, titles[n], labels=labels[n], tenant=f"t{n % 10}",
                                     languages=languages[n]))

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(PUBLISHERS) as pool:
        for _ in pool.map(put, range(count)):
            pass
    return titles, count / (time.monotonic() - began)


def draw(words, chance, count):
    """What people type: rare and common words, several, begun ones, and what all titles have."""
    weights = [1 / (rank + 1) for rank in range(len(words))]

    def word():
        return chance.choices(words, weights)[0]

    kinds = (lambda: [chance.choice(words)], lambda: [word()], lambda: [word(), word()],
             lambda: [word()[:chance.randint(1, 5)]], lambda: [word(), word()[:2]],
             lambda: ["h264", word()], lambda: ["720p", "en", word()[:1]], lambda: ["h264"])
    return [kinds[n % len(kinds)]() for n in range(count)]


def draw_filters(words, chance, searches, moments):
    """Searches with one or two filters, by a name of them; `moments`: after which a hundredth was
    told of for the first time, and some of all ages once more."""
    def one_of(*texts):
        return lambda: chance.choice(texts)

    def rare_show():
        return f"&label=show%3D{chance.choice(words[:300])}"

    def genre():
        return f"&label=genre%3D{chance.choice(words[:20])}"

    few = (rare_show, lambda: rare_show() + genre(),
           *(one_of(f"&updated_since={m}") for m in moments),
           one_of("&tenant=t10", "&min_height=1080", "&label=Genre", "&label=show,Genre"))
    many = (genre, one_of("&label=show"), one_of("&language=fr", "&language=en"),
            lambda: f"&tenant=t{chance.randint(0, 9)}", one_of("&codec=h264"),
            one_of("&min_height=720"), lambda: genre() + "&language=fr")
    common = (["h264"], ["720p"], ["aac", "h264", "en"], ["h264", "7"])

    def drawn(kinds, asked):
        return [(asked(n), kinds[n % len(kinds)]()) for n in range(len(searches))]

    return {
        "filters that few titles fit": drawn(few, lambda n: searches[n]),
        "filters that many fit": drawn(many, lambda n: searches[n]),
        "filters alone": drawn(few + many, lambda n: []),
        "a word that all have, a filter that few fit": drawn(few, lambda n: common[n % 4]),
    }


def expression(words):
    return " AND ".join(f'"{word}"' for word in words) + " *"


def bare(path, searches):
    database = sqlite3.connect(path)
    database.execute("PRAGMA cache_size = -32768")
    times = []
    for words in searches:
        began = time.perf_counter()
        database.execute(PEER, (expression(words),)).fetchall()
        times.append(1000 * (time.perf_counter() - began))
    database.close()
    return times


def moment():
    """Now, with nothing told of in the same millisecond."""
    time.sleep(0.01)
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"


def tell_again(bench, catalog, titles):
    golden = golden_document(bench)
    for title in titles:
        catalog.put(title, entry(golden, title, revision=2, labels=["show=again"]))


def put_some(bench, catalog, name, count):
    """How long each of some new titles takes to be taken in, one after another."""
    golden, times = golden_document(bench), []
    for n in range(count):
        body = entry(golden, f"{name}-{n}", labels=["show=new"])
        began = time.perf_counter()
        catalog.put(f"{name}-{n}", body)
        times.append(1000 * (time.perf_counter() - began))
    return times


def search_on(catalog, searches):
    catalog.local = threading.local()  # a connection of its own
    while True:
        for words in searches:
            catalog.ask(words)


def put_beside(bench, catalog, searches, count):
    """As put_some, while as many as CLIENTS search without a pause."""
    fork = multiprocessing.get_context("fork")
    searchers = [fork.Process(target=search_on, args=(catalog, searches[n::CLIENTS]), daemon=True)
                 for n in range(CLIENTS)]
    for searcher in searchers:
        searcher.start()
    try:
        time.sleep(0.5)
        return put_some(bench, catalog, "beside", count)
    finally:
        for searcher in searchers:
            searcher.kill()
            searcher.join()


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def timed(catalog, asked):
    """How long each search takes, and of the catalog's CPU, by (words, filters)."""
    times, cpu = [], []
    for words, filters in asked:
        before = catalog.cpu_ms()
        times.append(catalog.ask(words, filters))
        cpu.append(catalog.cpu_ms() - before)
    return times, cpu


def judge(bench):
    short = bench.options.short
    count, asked = (2000, 200) if short else (100000, 2000)
    chance = random.Random(6)
    words = vocabulary(chance)
    catalog = Catalog(bench)
    try:
        titles, rate = fill(bench, catalog, count, words, chance)
        moments = [moment()]
        put_some(bench, catalog, "last", count // 100)
        moments.append(moment())
        tell_again(bench, catalog, chance.sample(titles, count // 200))
        searches = draw(words, chance, asked)
        ours, cpu = timed(catalog, [(words, "") for words in searches])
        filtered = {name: timed(catalog, drawn) for name, drawn in
                    draw_filters(words, chance, searches[: asked // 2], moments).items()}
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            together = list(pool.map(catalog.ask, searches))
        alone = put_some(bench, catalog, "alone", asked // 4)
        beside = put_beside(bench, catalog, searches, asked // 4)
    finally:
        catalog.process.send_signal(signal.SIGTERM)
        catalog.process.wait()
    peer = bare(catalog.path, searches)
    limit = 500 if short else 50
    bench.row(f"search of {count} titles over HTTP: 99th of a hundred; median",
              f"{p99(ours):.1f} ms; {statistics.median(ours):.1f} ms", f"{limit} ms",
              p99(ours) <= limit)
    bench.row("&emsp;the catalog's CPU of each", f"{p99(cpu):.1f} ms; {statistics.median(cpu):.1f} ms",
              f"{limit} ms", p99(cpu) <= limit)
    for name, (times, used) in filtered.items():
        bench.row(f"&emsp;by {name}; the catalog's CPU",
                  f"{p99(times):.1f} ms; {statistics.median(times):.1f} ms; "
                  f"{p99(used):.1f} ms; {statistics.median(used):.1f} ms", f"{limit} ms",
                  p99(times) <= limit)
    bench.row(f"&emsp;{CLIENTS} clients at a time",
              f"{p99(together):.1f} ms; {statistics.median(together):.1f} ms")
    ratio = p99(ours) / p99(peer)
    bench.row("&emsp;the former against FTS5's bare query, which ranks all",
              f"{ratio:.2f}: {p99(peer):.1f} ms; {statistics.median(peer):.1f} ms", "1.0x",
              None if short else ratio <= 1)
    bench.row(f"&emsp;a title taken in while {CLIENTS} search without a pause, against alone",
              f"{p99(beside) / p99(alone):.1f}: {p99(beside):.1f} ms; "
              f"median {statistics.median(beside):.1f} ms, {statistics.median(alone):.1f} ms")
    bench.row(f"&emsp;titles taken in, signed, {PUBLISHERS} publishers (in Python) at a time",
              f"{rate:.0f} a second")
