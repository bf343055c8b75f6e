# SPDX-License-Identifier: GPL-2.0-or-later
"""A farm of daemons on this machine, with more and more workers of one slot: what each brings, and
how long a slot stands without a child between two tasks."""
import datetime
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import time

import measure

COUNTS = (1, 2, 4, 8, 16)
SECONDS = 200
LADDER = "fast"
DONE = re.compile(r'^ts=(\S+)Z .*msg="task done" .*kind=(\w+) .*wall_s=([\d.]+)')


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Farm:
    """A scheduler and `count` workers; ends them all when it is left."""

    def __init__(self, bench, count):
        self.reelfarm = bench.reelfarm
        self.folder = bench.path(f"farm-{count}")
        self.count = count
        self.started = []

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        port = free_port()
        self.environment = dict(os.environ, HOME=self.folder, XDG_STATE_HOME=self.folder,
                                REELFARM_SCHEDULER=f"http://127.0.0.1:{port}")
        self.start("scheduler", "--port", str(port))
        while self.call("list").returncode != 0:
            time.sleep(0.05)
        for i in range(self.count):
            self.start("worker", "--name", f"w{i}", "--slots", "1")
        while len(json.loads(self.call("workers", "--json").stdout)["workers"]) < self.count:
            time.sleep(0.05)
        return self

    def __exit__(self, *why):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait()

    def log(self, name):
        return os.path.join(self.folder, f"{name}.log")

    def start(self, command, *words):
        name = words[1] if command == "worker" else command
        with open(self.log(name), "wb") as log:
            self.started.append(subprocess.Popen([self.reelfarm, command, *words], stderr=log,
                                                 env=self.environment))

    def call(self, *words):
        return subprocess.run([self.reelfarm, *words], env=self.environment,
                              capture_output=True, text=True, check=False)

    def encode(self, source):
        """Submits it and waits: seconds from the first lease of a chunk to the last's result."""
        done = self.call("submit", source, "--title", "t", "--out", self.folder, "--ladder",
                         LADDER, "--wait")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        at = []
        for line in self.call("events", "--title", "t", "--json").stdout.splitlines():
            event = json.loads(line)
            if event.get("detail", {}).get("kind") == "video":
                at.append(event["at"])
        return (at[-1] - at[0]) / 1000

    def gaps(self):
        """Of consecutive chunks of one worker: seconds between their ends, seconds of children."""
        turns = children = 0
        count = 0
        for i in range(self.count):
            before = None
            with open(self.log(f"w{i}"), encoding="utf-8") as log:
                for told in filter(None, map(DONE.match, log)):
                    at = datetime.datetime.fromisoformat(told[1]).timestamp()
                    if told[2] == "video" and before is not None:
                        turns += at - before
                        children += float(told[3])
                        count += 1
                    before = at if told[2] == "video" else None
        return turns, children, count


def run_once(bench, source, count):
    with Farm(bench, count) as farm:
        return farm.encode(source), farm.gaps()


def judge(bench):
    """Each number of workers takes its turn in every pair, so that all see the same machine."""
    source = bench.film(SECONDS)
    counts = [count for count in COUNTS if count <= os.cpu_count()]
    shares = {count: [] for count in counts}
    idle, gap = [], []
    for _ in range(bench.options.pairs):
        alone = None
        for count in counts:
            seconds, (turns, children, tasks) = run_once(bench, source, count)
            alone = alone or seconds
            shares[count].append(alone / seconds / count)
            idle.append(1 - children / turns)
            gap.append(1000 * (turns - children) / tasks)
    for count in counts[1:]:
        bench.row(f"{count} workers of one slot: throughput, of {count} times one's",
                  measure.spread(shares[count]), "0.9", statistics.median(shares[count]) >= 0.9)
    bench.row("&emsp;slots without a child between two chunks",
              f"{measure.spread(idle)}, {statistics.median(gap):.0f} ms a chunk", "0.02",
              statistics.median(idle) <= 0.02)
