# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs commands and says what they took; reads what a run of `reelfarm encode` wrote down."""
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import threading
import time

import slots

NICE = 5  # task children run at this niceness: what they are compared with must too
TURN_S = 4  # long against what a change of turns costs, short against a silent session's life
# The rights of people's shells: with root's, SVT-AV1's threads in ffmpeg run at real-time priority,
# before everything else on the machine.
ORDINARY = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"]


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


def stat_fields(pid):
    """Those of /proc/PID/stat behind the name: state, parent and so on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()


def cpu_s(pid):
    """CPU seconds of a process until now, with those of children that it has waited for."""
    return sum(map(int, stat_fields(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


def tree_of(pid):
    """That process and all below it, by one look at /proc."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = int(stat_fields(name)[1])
        except OSError:
            pass  # it has ended
    tree = [pid]
    for parent in tree:  # which grows on the way
        tree += [child for child, its in parents.items() if its == parent]
    return tree


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # it has ended


def signal_tree(pid, number):
    """All at once: while one is stopped and another not yet, a core is idle that would be busy.
    Those made between the look and the signal get theirs by the next look."""
    reached = set()
    while new := set(tree_of(pid)) - reached:
        signal_all(sorted(new), number)
        reached |= new


class Running:
    """A command at NICE that can be held, with all its processes. `wall` leaves out what it was
    held; `holds` are these times by the clock of day, in ms."""

    def __init__(self, command, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.PIPE)
        prefix = ORDINARY if os.geteuid() == 0 else []
        self.command = command
        self.wall = 0
        self.usage = None
        self.holds = []
        self.said = []
        self.own_peak = 0
        self.since = time.monotonic()
        self.process = subprocess.Popen(prefix + command, stdin=subprocess.DEVNULL, **options,
                                        preexec_fn=lambda: os.nice(NICE - os.nice(0)))
        self.listener = threading.Thread(target=self.listen)
        self.listener.start()

    def listen(self):
        if self.process.stderr is not None:
            self.said.append(self.process.stderr.read())

    def hold(self):
        signal_tree(self.process.pid, signal.SIGSTOP)
        self.wall += time.monotonic() - self.since
        self.holds.append([time.time() * 1000, None])

    def go_on(self):
        held = tree_of(self.process.pid)
        self.holds[-1][1] = time.time() * 1000
        self.since = time.monotonic()
        signal_all(held, signal.SIGCONT)

    def kill(self):
        signal_tree(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.join()

    def watch(self, seconds=float("inf")):
        """Until its end, or for so long; whether it ended. Fails where it failed."""
        until = time.monotonic() + seconds
        while True:
            self.own_peak = max(self.own_peak, high_water(self.process.pid))
            pid, status, rusage = os.wait4(self.process.pid, os.WNOHANG)
            now = time.monotonic()
            if pid != 0:
                break
            if now >= until:
                return False
            young = self.wall + now - self.since < 2
            time.sleep(min(0.005 if young else 0.05, until - now))
        self.wall += now - self.since
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.listener.join()
        if self.process.returncode != 0:
            words = self.said[0].decode(errors="replace")[-800:] if self.said else ""
            raise RuntimeError(f"{' '.join(self.command[:4])} ...: "
                               f"status {self.process.returncode}\n{words}")
        self.usage = Usage(self.wall, rusage, self.own_peak)
        return True

    def own_ms(self, at_ms):
        """A time of day as one of a clock that stands still while it is held."""
        return at_ms - sum(min(end, at_ms) - begin for begin, end in self.holds if begin < at_ms)


def run(command, **options):
    """Runs it to its end; fails where it does."""
    running = Running(command, **options)
    running.watch()
    return running.usage


def run_by_turns(commands):
    """Runs all to their ends, each for TURN_S while the others are held: where the machine's
    speed drifts it does so for each of them. The last to end has the machine to itself."""
    going = []
    try:
        for command in commands:
            going.append(Running(command))
            going[-1].hold()
        all_running = list(going)
        while going:
            for running in list(going):
                running.go_on()
                if running.watch(TURN_S if len(going) > 1 else float("inf")):
                    going.remove(running)
                else:
                    running.hold()
    finally:
        for running in going:
            if running.process.returncode is None:
                running.kill()
    return all_running


class Encode:
    """One run of `reelfarm encode` into a fresh folder, and what its store says of it. With
    `beside` it goes by turns with that command, whose Usage `anchor` is then; `first`: its is the
    first turn."""

    def __init__(self, reelfarm, source, out, ladder, workers, beside=None, first=True):
        shutil.rmtree(out, ignore_errors=True)
        commands = [[reelfarm, "encode", source, "--out", out, "--title", "t", "--ladder", ladder,
                     "--workers", str(workers), "--json"]]
        if beside is not None:
            commands.insert(1 if first else 0, beside)
        began_ms = time.time() * 1000
        ended = {running.command[0]: running for running in run_by_turns(commands)}
        own = ended[reelfarm]
        self.usage = own.usage
        self.anchor = ended[beside[0]].usage if beside is not None else None
        self.title = os.path.join(out, "t")
        store = sqlite3.connect(f"file:{out}/.reelfarm/store.db?mode=ro", uri=True)
        self.stats = dict(zip(
            ("decode_cpu_s", "scale_cpu_s", "encode_cpu_s", "peak_memory"),
            store.execute("SELECT decode_cpu_s, scale_cpu_s, encode_cpu_s, peak_memory "
                          "FROM title").fetchone()))
        first_lease_ms = store.execute(
            "SELECT min(at) FROM event WHERE kind = 'unit.lease' AND detail LIKE '%\"video\"%'"
        ).fetchone()[0]
        self.first_chunk_s = (own.own_ms(first_lease_ms) - own.own_ms(began_ms)) / 1000
        self.leases, self.seconds = slots.read_leases(store, workers, own.own_ms)
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
