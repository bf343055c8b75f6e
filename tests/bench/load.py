# SPDX-License-Identifier: GPL-2.0-or-later
"""A scheduler under load, by bench-load: workers that encode nothing, titles by the thousand. Its
store is SQLite's, or a database of a PostgreSQL that is started for it."""
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import time

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMES = 2 * 3600 * 24  # of a title: 3,600 tasks


class Sizes:
    """How much of everything: the full form, and one for slow and busy machines."""

    def __init__(self, short):
        self.pairs_titles, self.pairs_s = (8, 2) if short else (90, 10)
        self.waiting, self.rounds = (200, 10) if short else (5000, 200)
        self.queue_titles = 2 if short else 278
        self.batch = 1000 if short else 10000
        self.listed = 3000 if short else 100000


class Files:
    """Stores of SQLite, each a file."""

    name = "SQLite"

    def __init__(self, bench):
        self.bench = bench

    def store(self, name):
        return self.bench.path(name + ".db")

    def copy(self, name):
        """A copy of a store that nobody has open, which is on the disk."""
        shutil.copy(self.store(name), self.store("peer"))
        with open(self.store("peer"), "rb") as copy:
            os.fsync(copy.fileno())  # no part of what is measured
        return self.store("peer")

    def cpu_s(self, _):
        return 0


class Databases:
    """Stores of a PostgreSQL."""

    name = "PostgreSQL"

    def __init__(self, bench):
        self.bench = bench
        self.server = subprocess.Popen([os.path.join(HERE, "server")], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        told = self.server.stdout.readline()
        if not told:
            raise RuntimeError("no PostgreSQL can be started here (Debian package postgresql)")
        os.environ.update(json.loads(told))
        self.known = set()

    def ask(self, sql):
        return subprocess.check_output(["psql", "-qAtc", sql], text=True).strip()

    def store(self, name):
        if name not in self.known:
            self.ask(f"CREATE DATABASE {name}")
            self.known.add(name)
        host, port, user = (os.environ["PG" + word] for word in ("HOST", "PORT", "USER"))
        return f"postgresql://{user}@{host}:{port}/{name}"

    def copy(self, name):
        self.ask("DROP DATABASE IF EXISTS peer")
        self.ask(f"CREATE DATABASE peer TEMPLATE {name}")
        self.ask("CHECKPOINT")
        self.known.add("peer")
        return self.store("peer")

    def cpu_s(self, name):
        """CPU seconds of the process that serves the scheduler until now."""
        return measure.cpu_s(self.ask(
            f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}'"))

    def close(self):
        self.server.communicate()


class Farm:
    """A scheduler on a free port with a store of its own."""

    def __init__(self, bench, stores, name):
        self.bench, self.stores, self.name = bench, stores, name
        self.folder = bench.path(stores.name + "-" + name)
        os.makedirs(self.folder, exist_ok=True)
        self.store = stores.store(name)
        self.start()

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.bench.reelfarm, "scheduler", "--store", self.store, "--port", str(self.port),
             "--token-file", self.folder + "/token", "--ttl-ms", "600000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    raise
                time.sleep(0.01)
        self.start_s = time.monotonic() - began
        with open(self.folder + "/token", encoding="ascii") as file:
            self.token = file.read().strip()

    def load(self, *words):
        """bench-load against it: what it says."""
        program = os.path.join(self.bench.bin, "bench-load")
        return json.loads(subprocess.check_output(
            [program, str(self.port), self.token, *map(str, words)], text=True))

    def submit(self, path, *words):
        """Seconds of `submit --from`."""
        began = time.monotonic()
        subprocess.run([self.bench.reelfarm, "submit", "--from", path, "--out", "/out",
                        "--scheduler", f"http://127.0.0.1:{self.port}", "--token-file",
                        self.folder + "/token", *words], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began

    def get_ms(self, path, times=9):
        """The median of so many calls."""
        took = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(times):
            began = time.monotonic()
            connection.request("GET", path, headers={"Authorization": "Bearer " + self.token})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, path
            took.append(1000 * (time.monotonic() - began))
        connection.close()
        return statistics.median(took)

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics", headers={"Authorization": "Bearer " + self.token})
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def ladder(bench):
    """The ladder as JSON, which a scheduler is sent."""
    path = bench.path("load.json")
    if not os.path.exists(path):
        farm = Farm(bench, Files(bench), "ladder")
        titles(bench.path("one.csv"), 1)
        farm.submit(bench.path("one.csv"), "--ladder", os.path.join(HERE, "ladder-load.yaml"))
        farm.stop()
        with measure.sqlite3.connect(farm.store) as store:
            text = store.execute("SELECT ladder FROM title").fetchone()[0]
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    return path


def titles(path, count, first=0):
    with open(path, "w", encoding="ascii") as file:
        file.write("source,title,tenant,label.show\n")
        for i in range(first, first + count):
            file.write(f"/nas/{i}.mov,title-{i},t{i % 7},show-{i % 100}\n")
    return path


def prepare(bench):
    program = os.path.join(bench.bin, "bench-load")
    subprocess.run(["cmake", "--build", os.path.dirname(bench.bin), "--target", "bench-load"],
                   stdout=subprocess.DEVNULL, check=os.path.exists(program) is False)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return Sizes(bench.options.short)


def peer(bench, farm, seconds):
    """Pairs a second by the database alone on a copy of the farm's store, and their CPU in us."""
    copy = farm.stores.copy(farm.name)
    said = json.loads(subprocess.check_output(
        [os.path.join(bench.bin, "bench-load"), "peer", copy, str(seconds), "32"], text=True))
    return said["pairs_per_s"], 1e6 * said["cpu_s"] / said["pairs"]


def pairs(bench, stores, sizes):
    farm = Farm(bench, stores, "pairs")
    farm.load("fill", ladder(bench), sizes.pairs_titles, FRAMES)
    farm.stop()
    rates, ratios, cpu_us, peer_cpu_us, server_us = [], [], [], [], []
    for _ in range(1 if bench.options.short else 3):
        first = peer(bench, farm, sizes.pairs_s / 4)
        farm.start()
        before, served = measure.cpu_s(farm.process.pid), stores.cpu_s("pairs")
        said = farm.load("pairs", sizes.pairs_s, 64)
        cpu_us.append(1e6 * (measure.cpu_s(farm.process.pid) - before) / said["pairs"])
        server_us.append(1e6 * (stores.cpu_s("pairs") - served) / said["pairs"])
        farm.stop()
        last = peer(bench, farm, sizes.pairs_s / 4)
        rates.append(said["pairs_per_s"])
        ratios.append(said["pairs_per_s"] / statistics.mean((first[0], last[0])))
        peer_cpu_us.append(statistics.mean((first[1], last[1])))
    wide = bench.options.short
    measured = f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"
    what = f"lease and complete over HTTP, durable, {stores.name}, 64 workers: pairs a second"
    if stores.name == "SQLite":
        bench.row(what, measured, "2000", wide or statistics.median(rates) >= 2000)
    else:
        bench.row(what, measured)
    bench.row(f"&emsp;against {stores.name} alone", measure.spread(ratios), "0.5x",
              wide or statistics.median(ratios) >= 0.5)
    served = f"; of the server {statistics.median(server_us):.0f} us" if any(server_us) else ""
    bench.row(f"&emsp;CPU of a pair, the scheduler's and {stores.name}'s alone",
              f"{statistics.median(cpu_us):.0f} us, {statistics.median(peer_cpu_us):.0f} us{served}")


def waiting(bench, stores, sizes):
    farm = Farm(bench, stores, "waiting")
    said = farm.load("wake", ladder(bench), sizes.waiting, sizes.rounds, farm.process.pid)
    farm.stop()
    limit = 5000 if bench.options.short else 250
    bench.row(f"{sizes.waiting} workers wait: from a title's submission to a worker, p99",
              f"{said['wake_p99_ms']} ms, p50 {said['wake_p50_ms']} ms", f"{limit} ms",
              said["wake_p99_ms"] <= limit)
    most = 500 if bench.options.short else 50
    bench.row("&emsp;memory of each", f"{said['bytes_each'] / 1000:.1f} kB", f"{most} kB",
              said["bytes_each"] <= 1000 * most)


def queue(bench, stores, sizes):
    farm = Farm(bench, stores, "queue")
    filled = farm.load("fill", ladder(bench), sizes.queue_titles, FRAMES)
    farm.stop()
    farm.start()  # its memory counts from a start on
    alone, busy = farm.load("pairs", 5, 1), farm.load("pairs", 5, 16)
    peak = measure.high_water(farm.process.pid)
    farm.stop()
    count = sizes.queue_titles * 3600
    limit = 1000 if bench.options.short else 20
    bench.row(f"{count} tasks queued: a lease, p99, by 1 worker and by 16 at once",
              f"{alone['lease_p99_ms']} ms, {busy['lease_p99_ms']} ms", f"{limit} ms",
              alone["lease_p99_ms"] <= limit)
    bench.row("&emsp;memory of the scheduler", f"{peak / 2**20:.0f} MiB", "256 MiB",
              peak <= 256 << 20)
    bench.row("&emsp;its start; planning them before", f"{farm.start_s:.2f} s; "
              f"{filled['ms'] / 1000:.0f} s")


def listing(bench, stores, sizes):
    farm = Farm(bench, stores, "listing")
    took = farm.submit(titles(bench.path("first.csv"), sizes.batch))
    limit = 600 if bench.options.short else 60
    bench.row(f"{sizes.batch} titles from one file, durable", f"{took:.1f} s", f"{limit} s",
              took <= limit)
    farm.submit(titles(bench.path("more.csv"), sizes.listed - sizes.batch, sizes.batch))
    limit = 5000 if bench.options.short else 50
    for what, query in (("newest", ""), ("oldest", "&before=200"), ("of a tenant", "&tenant=t3"),
                        ("of no tenant", "&tenant=none"), ("with a label", "&label=show=show-7"),
                        ("that failed, of which there is none", "&state=failed")):
        ms = farm.get_ms("/v1/titles?limit=100" + query)
        bench.row(f"a page of {sizes.listed} titles: {what}", f"{ms:.1f} ms", f"{limit} ms",
                  ms <= limit)
    farm.stop()


def run(bench):
    sizes = prepare(bench)
    for part in (pairs, waiting, queue, listing):
        part(bench, Files(bench), sizes)


def run_postgres(bench):
    sizes = prepare(bench)
    stores = Databases(bench)
    try:
        for part in (pairs, waiting, listing):
            part(bench, stores, sizes)
    finally:
        stores.close()
