# SPDX-License-Identifier: GPL-2.0-or-later
"""A thousand titles (--short: 30) published by a farm to four nginx edges, of which one is dead at
first: what the other three get in a second, what the dead one's backlog costs the scheduler, and
that it is caught up when it is back. The titles are one real one, under many names."""
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import time

import measure
from push import MIB, free_port, resident, wait_for

EDGES = 4
LADDER = """codec: h264
preset: veryfast
crf: 30
rungs:
  - {height: 90, maxrate: 150k}
"""
GROWTH_MIB = 16  # of the scheduler: what a thousand titles that wait may take


class Edges:
    """nginx as each of them; the last one is started by itself."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = [free_port() for _ in range(EDGES)]
        self.processes = []

    def start(self, numbers):
        place = f"{self.folder}/nginx-{numbers[0]}"
        os.makedirs(f"{place}/temp")
        user = "user root;" if os.geteuid() == 0 else ""
        temps = "".join(f"{who}_temp_path {place}/temp; "
                        for who in ("fastcgi", "uwsgi", "scgi", "proxy"))
        servers = ""
        for number in numbers:
            root = f"{self.folder}/edge-{number}"
            os.makedirs(root, exist_ok=True)
            servers += (f"server {{ listen 127.0.0.1:{self.ports[number]}; root {root}; "
                        f"client_body_temp_path {root}/.temp; location / {{ "
                        "dav_methods PUT DELETE; create_full_put_path on; "
                        "client_max_body_size 64m; } } ")
        with open(f"{place}/nginx.conf", "w", encoding="ascii") as file:
            file.write(f"{user} daemon off; worker_processes 1; pid {place}/pid; "
                       f"error_log {place}/error.log; events {{}} "
                       f"http {{ {temps} access_log off; {servers} }}")
        self.processes.append(subprocess.Popen(
            ["nginx", "-p", place, "-c", f"{place}/nginx.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(self.ports[numbers[0]])

    def lacks(self, number, origin, titles):
        """Files of the titles that the edge has not as the origin has them."""
        edge, missing = f"{self.folder}/edge-{number}", 0
        for path, _, names in os.walk(f"{origin}/t"):
            below = os.path.relpath(path, f"{origin}/t")
            for name in names:
                size = os.path.getsize(f"{path}/{name}")
                for title in titles:
                    copy = f"{edge}/{title}/{below}/{name}"
                    missing += not os.path.exists(copy) or os.path.getsize(copy) != size
        return missing


class Farm:
    """A scheduler and a worker."""

    def __init__(self, bench, folder):
        self.bench, self.folder = bench, folder
        self.port = free_port()
        self.scheduler = self.worker = None

    def start(self, *options):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        state = {**os.environ, "XDG_STATE_HOME": f"{self.folder}/state"}
        self.scheduler = subprocess.Popen(
            [self.bench.reelfarm, "scheduler", "--store", f"{self.folder}/store.db", "--port",
             str(self.port), "--token-file", f"{self.folder}/token", *options], env=state, **quiet)
        wait_for(self.port)
        self.worker = subprocess.Popen(
            [self.bench.reelfarm, "worker", "--scheduler", f"http://127.0.0.1:{self.port}",
             "--token-file", f"{self.folder}/token", "--slots", "1", "--pushes", "8"], env=state,
            **quiet)

    def stop(self):
        for process in (self.worker, self.scheduler):
            if process is not None:
                process.terminate()
                process.wait()

    def cli(self, *words):
        return subprocess.run(
            [self.bench.reelfarm, *words, "--scheduler", f"http://127.0.0.1:{self.port}",
             "--token-file", f"{self.folder}/token"], check=True, capture_output=True,
            text=True).stdout

    def endpoints(self):
        with open(f"{self.folder}/token", encoding="ascii") as file:
            token = file.read().strip()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("GET", "/v1/endpoints", headers={"Authorization": "Bearer " + token})
        return {e["name"]: e for e in json.loads(line.getresponse().read())["endpoints"]}


def multiply(store, origin, count):
    """The rows and files of title t, of whom nothing was published yet, under `count` names."""
    titles = [f"title-{number:04}" for number in range(count)]
    line = sqlite3.connect(store)
    for table in ("title", "title_version", "version_rendition", "version_folder", "product"):
        columns = [row[1] for row in line.execute(f"PRAGMA table_info({table})")]
        name = "id" if table == "title" else "title"
        rows = line.execute(f"SELECT * FROM {table} WHERE {name} = 't'").fetchall()
        marks = ", ".join("?" * len(columns))
        for number, title in enumerate(titles):
            for row in rows:
                new = dict(zip(columns, row))
                new[name] = title
                if "place" in new:
                    new["place"] = new["place"].replace(f"{origin}/t/", f"{origin}/{title}/")
                if "submission" in new:
                    new["submission"] = new["submission"] + 1 + number
                line.execute(f"INSERT INTO {table} VALUES ({marks})", list(new.values()))
    line.execute("UPDATE counter SET value = value + ? WHERE name = 'submission'", (count + 1,))
    line.commit()
    line.close()
    for title in titles:
        shutil.copytree(f"{origin}/t", f"{origin}/{title}", copy_function=os.link)
    return titles


def make_title(bench, farm, origin):
    clip = bench.path("published.mp4")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=160x90:rate=24:duration=1", clip], check=True)
    with open(bench.path("tiny.yaml"), "w", encoding="ascii") as file:
        file.write(LADDER)
    farm.start()
    try:
        farm.cli("submit", clip, "--title", "t", "--out", origin, "--ladder",
                 bench.path("tiny.yaml"), "--wait")
    finally:
        farm.stop()


def until(farm, done, limit_s, told):
    """Looks once a second; whether it was so in time."""
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        now = farm.endpoints()
        told.append([now[f"edge-{n}"]["backlog"] + now[f"edge-{n}"]["running"]
                     for n in range(EDGES)])
        if done(told[-1]):
            return True
        time.sleep(0.25)
    return False


def run(bench):
    short = bench.options.short
    count, limit_s = (30, 60) if short else (1000, 900)
    folder = bench.path("published")
    origin = f"{folder}/out"
    os.makedirs(origin)
    farm, edges, told = Farm(bench, folder), Edges(folder), []
    try:
        make_title(bench, farm, origin)
        titles = multiply(f"{folder}/store.db", origin, count)
        with open(f"{folder}/endpoints.yaml", "w", encoding="ascii") as file:
            file.write("endpoints:\n" + "".join(
                f"  - {{name: edge-{n}, driver: dav, url: 'http://127.0.0.1:{edges.ports[n]}', "
                "pushes: 4}\n" for n in range(EDGES)))
        edges.start(list(range(EDGES - 1)))
        began = time.monotonic()
        farm.start("--endpoints", f"{folder}/endpoints.yaml")
        before = resident(farm.scheduler.pid)
        held = until(farm, lambda now: now[-1] > count and not any(now[:-1]), limit_s, told)
        took = time.monotonic() - began
        waits = resident(farm.scheduler.pid)
        dead = farm.endpoints()[f"edge-{EDGES - 1}"]
        edges.start([EDGES - 1])
        began = time.monotonic()
        drained = until(farm, lambda now: not any(now), limit_s, told)
        caught_up = time.monotonic() - began
        after = measure.high_water(farm.scheduler.pid)
        lacks = [edges.lacks(n, origin, ["t", *titles]) for n in range(EDGES)]
    finally:
        farm.stop()
        for process in edges.processes:
            process.terminate()
            process.wait()
    count += 1
    every = max(1, len(told) // 12)
    bench.row(f"{count} titles published to {EDGES} edges, one dead: titles a second, at each of "
              "the others", f"{count / took:.1f}: {took:.1f} s", "", held and not any(lacks[:-1]))
    bench.row("&emsp;the dead one meanwhile: breaker, titles that wait",
              f"{dead['state']}, {dead['backlog']}", "all",
              dead["backlog"] + dead["running"] == count)
    bench.row("&emsp;back: caught up, titles a second", f"{count / caught_up:.1f}: "
              f"{caught_up:.1f} s; files that it lacks: {lacks[-1]}", "all", drained and
              lacks[-1] == 0)
    bench.row("&emsp;the backlogs over time, of each edge",
              " ".join("/".join(map(str, now)) for now in told[::every]))
    bench.row("&emsp;memory of the scheduler: at its start, with the backlog, at most",
              f"{before / MIB:.0f}, {waits / MIB:.0f}, {after / MIB:.0f} MiB",
              f"+{GROWTH_MIB} MiB", after - before <= GROWTH_MIB * MIB)
