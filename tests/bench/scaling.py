# SPDX-License-Identifier: GPL-2.0-or-later
"""A farm of daemons on this machine, with more and more workers of one slot: what each brings,
beside what bare processes bring that know of no farm; and how long a slot stands without a child
between two tasks."""
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
import titles

COUNTS = (1, 2, 4, 8, 16)
SECONDS = 200
BARE_SECONDS = 60
LINES = 720  # of the film
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
        """Submits it and waits: seconds from the first lease of sound or a chunk to the last's
        result. Sound is one task that goes first: one worker is past it before its first chunk,
        of two one makes it beside the chunks, so a clock on chunks alone would see it of two."""
        done = self.call("submit", source, "--title", "t", "--out", self.folder, "--ladder",
                         LADDER, "--wait")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        at = []
        for line in self.call("events", "--title", "t", "--json").stdout.splitlines():
            event = json.loads(line)
            if event.get("detail", {}).get("kind") in ("audio", "video"):
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


def start_bare(bench, source, renditions, cpu):
    """The same encodes by ffmpeg's CLI on one core, whatever threads it would have."""
    command = titles.ffmpeg_ladder(source, bench.path(f"bare-{cpu}"), renditions, full=LINES)
    at = command.index("-i")
    command[at:at] = ["-threads", "1"]
    at = command.index("-filter_complex")
    command[at:at] = ["-filter_complex_threads", "1"]
    for at in reversed([i for i, word in enumerate(command) if word == "libx264"]):
        command[at + 1:at + 1] = ["-threads", "1"]

    def on_its_core():
        os.nice(measure.NICE)
        os.sched_setaffinity(0, {cpu})

    return subprocess.Popen(command, preexec_fn=on_its_core)


def bare_seconds(bench, source, renditions, count):
    """Until so many processes at once have each made all of it."""
    cpus = sorted(os.sched_getaffinity(0))[:count]
    began = time.monotonic()
    started = [start_bare(bench, source, renditions, cpu) for cpu in cpus]
    if any([process.wait() != 0 for process in started]):
        raise RuntimeError("ffmpeg failed")
    return time.monotonic() - began


def judge(bench):
    """Each number of workers takes its turn in every pair, and so do bare processes, so that all
    see the same machine."""
    source, bare_source = bench.film(SECONDS), bench.film(BARE_SECONDS)
    renditions = titles.planned(bench, bare_source, LADDER)
    counts = [count for count in COUNTS if count <= len(os.sched_getaffinity(0))]
    shares, bare_shares = ({count: [] for count in counts} for _ in range(2))
    idle, gap = [], []
    for _ in range(bench.options.pairs):
        alone = bare_alone = None
        for count in counts:
            bare = bare_seconds(bench, bare_source, renditions, count)
            seconds, (turns, children, tasks) = run_once(bench, source, count)
            alone, bare_alone = alone or seconds, bare_alone or bare
            shares[count].append(alone / seconds / count)
            bare_shares[count].append(bare_alone / bare)
            idle.append(1 - children / turns)
            gap.append(1000 * (turns - children) / tasks)
    for count in counts[1:]:
        of_bare = [ours / bare for ours, bare in zip(shares[count], bare_shares[count])]
        bench.row(f"{count} workers of one slot: throughput, of {count} times one's",
                  measure.spread(shares[count]))
        bench.row(f"&emsp;the same of {count} bare processes of one core",
                  measure.spread(bare_shares[count]))
        bench.row("&emsp;ours, of theirs", measure.spread(of_bare), "0.9",
                  statistics.median(of_bare) >= 0.9)
    bench.row("&emsp;slots without a child between two chunks",
              f"{measure.spread(idle)}, {statistics.median(gap):.0f} ms a chunk", "0.02",
              statistics.median(idle) <= 0.02)
