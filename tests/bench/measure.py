# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs commands and says what they took; reads what a run of `reelfarm encode` wrote down."""
import os
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time

import slots

NICE = 5  # task children run at this niceness: what they are compared with must too


class Usage:
    """Wall and CPU seconds of a command with all its children; peak bytes of itself alone
    (`own_peak`) and of the largest process (`peak`)."""

    def __init__(self, wall, rusage, own_peak):
        self.wall = wall
        self.cpu = rusage.ru_utime + rusage.ru_stime
        self.peak = rusage.ru_maxrss * 1024
        self.own_peak = own_peak


def high_water(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_s(pid):
    """CPU seconds of a process until now, with those of children that it has waited for."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def run(command, **options):
    """Runs it to its end at NICE; fails where it does."""
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.PIPE)
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options,
                               preexec_fn=lambda: os.nice(NICE - os.nice(0)))
    said = []
    listener = threading.Thread(target=lambda: said.append(process.stderr.read()))
    if process.stderr is not None:
        listener.start()
    own_peak = 0
    while True:
        own_peak = max(own_peak, high_water(process.pid))
        pid, status, rusage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        time.sleep(0.005 if time.monotonic() - began < 2 else 0.05)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr is not None:
        listener.join()
    if process.returncode != 0:
        words = said[0].decode(errors="replace")[-800:] if said else ""
        raise RuntimeError(f"{' '.join(command[:4])} ...: status {process.returncode}\n{words}")
    return Usage(wall, rusage, own_peak)


class Encode:
    """One run of `reelfarm encode` into a fresh folder, and what its store says of it."""

    def __init__(self, reelfarm, source, out, ladder, workers):
        shutil.rmtree(out, ignore_errors=True)
        began_ms = time.time() * 1000
        self.usage = run([reelfarm, "encode", source, "--out", out, "--title", "t", "--ladder",
                          ladder, "--workers", str(workers), "--json"])
        self.title = os.path.join(out, "t")
        store = sqlite3.connect(f"file:{out}/.reelfarm/store.db?mode=ro", uri=True)
        self.stats = dict(zip(
            ("decode_cpu_s", "scale_cpu_s", "encode_cpu_s", "peak_memory"),
            store.execute("SELECT decode_cpu_s, scale_cpu_s, encode_cpu_s, peak_memory "
                          "FROM title").fetchone()))
        self.first_chunk_s = (store.execute(
            "SELECT min(at) FROM event WHERE kind = 'unit.lease' AND detail LIKE '%\"video\"%'"
        ).fetchone()[0] - began_ms) / 1000
        self.leases, self.seconds = slots.read_leases(store, workers)
        self.idle = slots.idle_share(self.leases, self.seconds, workers)
        store.close()

    def own_share(self):
        """Of all CPU, what is neither decode nor scale nor encode."""
        codec = sum(self.stats[name] for name in ("decode_cpu_s", "scale_cpu_s", "encode_cpu_s"))
        return 1 - codec / self.usage.cpu

    def renditions(self):
        """Folder of each picture rendition by its id, as "h264-720p"."""
        video = os.path.join(self.title, "video")
        return {name.rpartition("-")[0]: os.path.join(video, name)
                for name in os.listdir(video)}


def spread(values):
    """"0.95 (0.93 to 0.97)": median and extremes."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
