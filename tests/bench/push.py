# SPDX-License-Identifier: GPL-2.0-or-later
"""A title of six rungs brought to an nginx edge, against `curl --parallel` with the same files."""
import http.client
import json
import os
import shutil
import socket
import statistics
import re
import subprocess
import threading
import time

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
RUNGS = {1080: 8000, 720: 4500, 540: 2500, 432: 1400, 288: 700, 216: 350}  # lines: kbit/s
SEGMENT_S = 4
SHORT_S = 120
VERSION = "0123456789abcdef"
CONNECTIONS = 8
MIB = 1 << 20
STARTS_S = 60  # at most


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def wait_for(port):
    until = time.monotonic() + STARTS_S
    while not listens(port):
        if time.monotonic() > until:
            raise RuntimeError(f"nobody listens on port {port}")
        time.sleep(0.05)


def make_title(folder, seconds):
    """Segments of a rung are one file under many names: the page cache holds few bytes, as it
    would of what was just encoded. Returns the paths of all objects below the title's folder."""
    renditions, paths = [], []
    count = seconds // SEGMENT_S
    for lines, rate in RUNGS.items():
        name = f"h264-{lines}p"
        below = f"video/{name}-{lines:010x}"
        os.makedirs(f"{folder}/{below}")
        with open(f"{folder}/{below}/00001.m4s", "wb") as file:
            file.write(os.urandom(rate * 1000 * SEGMENT_S // 8))
        for number in range(2, count + 1):
            os.link(f"{folder}/{below}/00001.m4s", f"{folder}/{below}/{number:05}.m4s")
        with open(f"{folder}/{below}/init.mp4", "wb") as file:
            file.write(os.urandom(800))
        paths += [f"{below}/{n:05}.m4s" for n in range(1, count + 1)] + [f"{below}/init.mp4"]
        renditions.append({"id": name, "kind": "video", "folder": below, "segments": count,
                           "spec": {"height": lines}})
    os.makedirs(f"{folder}/{VERSION}")
    documents = [f"{VERSION}/{r['id']}{end}.m3u8" for r in renditions for end in ("", "-iframes")]
    for path in documents + [f"{VERSION}.m3u8", f"{VERSION}.mpd"]:
        with open(f"{folder}/{path}", "wb") as file:
            file.write(os.urandom(60000))
    with open(f"{folder}/{VERSION}.json", "w", encoding="ascii") as file:
        json.dump({"version": VERSION, "renditions": renditions}, file)
    return paths + documents


class Farm:
    """An edge, a worker, and a scheduler that says what is to be pushed (tests/edges)."""

    def __init__(self, bench, folder):
        self.folder = folder
        self.edge, self.port = free_port(), free_port()
        os.makedirs(f"{folder}/temp")
        os.makedirs(f"{folder}/edge")
        user = "user root;" if os.geteuid() == 0 else ""
        temps = "".join(f"{who}_temp_path {folder}/temp; "
                        for who in ("fastcgi", "uwsgi", "scgi", "proxy"))
        with open(f"{folder}/nginx.conf", "w", encoding="ascii") as file:
            file.write(f"{user} daemon off; worker_processes 2; pid {folder}/pid; error_log stderr; "
                       f"events {{}} http {{ {temps} access_log off; "
                       f"client_body_temp_path {folder}/edge/.temp; "
                       f"server {{ listen 127.0.0.1:{self.edge}; root {folder}/edge; "
                       "location / { dav_methods PUT DELETE; create_full_put_path on; "
                       "client_max_body_size 64m; } } }")
        with open(f"{folder}/token", "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef")
        self.processes = []
        try:
            self.start(["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"])
            self.start([os.path.join(HERE, "..", "edges", "scheduler.py"), str(self.port),
                        f"{folder}/out"], env={**os.environ, "REELFARM_PAGE": "1000"})
            self.wait_until(lambda: listens(self.port) and listens(self.edge))
            with open(f"{folder}/worker.log", "wb") as log:
                self.worker = self.start(
                    [bench.reelfarm, "worker", "--scheduler", f"http://127.0.0.1:{self.port}",
                     "--slots", "1", "--token-file", f"{folder}/token"], stderr=log)
            # It is idle then, and has all that it has.
            self.wait_until(lambda: self.ask("GET", "/")["asked"])
        except BaseException:
            self.end()
            raise

    def start(self, words, **options):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes.append(subprocess.Popen(words, **{**quiet, **options}))
        return self.processes[-1]

    def wait_until(self, done):
        until = time.monotonic() + STARTS_S
        while not done():
            ended = [process.args[0] for process in self.processes if process.poll() is not None]
            if ended or time.monotonic() > until:
                raise RuntimeError(f"the farm does not start; these ended: {ended}")
            time.sleep(0.05)

    def ask(self, method, path, body=None):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1200)
        line.request(method, path, body)
        return json.loads(line.getresponse().read())

    def push(self, below="", title="t"):
        endpoint = {"name": "edge", "driver": "dav", "url": f"http://127.0.0.1:{self.edge}{below}",
                    "serves": "", "connections": CONNECTIONS, "bandwidth_bps": 0, "max_height": 0,
                    "verify_segments": 3}
        body = json.dumps({"title": title, "version": VERSION, "push": {
            "endpoint": endpoint, "revision": 1, "skip": 0, "old_versions": [], "old_folders": []}})
        began = time.monotonic()
        told = self.ask("POST", "/test/push", body)
        took = time.monotonic() - began
        assert "failed" not in told, told
        return took

    def push_to_three(self):
        """To three edges at once: how many bytes of the output were read."""
        with open(f"{self.folder}/worker.log", encoding="utf-8") as log:
            log.read()
            threads = [threading.Thread(target=self.push, args=(f"/edge{n}", "three"))
                       for n in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            told = [line for line in log if " read=" in line]
        assert len(told) == 3, told
        return sum(int(re.search(r" read=([0-9]+)", line)[1]) for line in told)

    def curl(self, paths):
        with open(f"{self.folder}/list", "w", encoding="ascii") as file:
            for path in paths:
                file.write(f'upload-file = "{self.folder}/out/t/{path}"\n'
                           f'url = "http://127.0.0.1:{self.edge}/t/{path}"\nheader = "Expect:"\n')
        began = time.monotonic()
        subprocess.run(["curl", "-s", "--no-progress-meter", "--fail-early", "--parallel", "--parallel-max",
                        str(CONNECTIONS), "-K", f"{self.folder}/list"], check=True)
        return time.monotonic() - began

    def clear(self):
        shutil.rmtree(f"{self.folder}/edge/t", ignore_errors=True)
        os.sync()

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def run(bench):
    seconds = SHORT_S if bench.options.short else 3600
    folder = bench.path("push")
    os.makedirs(f"{folder}/out/t")
    paths = make_title(f"{folder}/out/t", seconds)
    of_three = make_title(f"{folder}/out/three", SHORT_S)
    for_three = sum(os.path.getsize(f"{folder}/out/three/{path}") for path in of_three)
    total = sum(os.path.getsize(f"{folder}/out/t/{path}") for path in paths)
    farm = Farm(bench, folder)
    try:
        idle, ratios, ours = resident(farm.worker.pid), [], []
        farm.push()  # hashes are known after it, as a farm has them from its reports
        for pair in range(bench.options.pairs or 3):
            took = {}
            for who in ("push", "curl") if pair % 2 == 0 else ("curl", "push"):
                farm.clear()
                took[who] = farm.push() if who == "push" else farm.curl(paths)
            ratios.append(took["curl"] / took["push"])
            ours.append(took["push"])
        peak = measure.high_water(farm.worker.pid)
        farm.push(title="three") # its hashes likewise
        farm.clear()
        read = farm.push_to_three()
        peak_of_three = measure.high_water(farm.worker.pid)
    finally:
        farm.end()
    ratio = statistics.median(ratios)
    short = bench.options.short
    bench.row(f"{total / MIB:.0f} MiB in {len(paths)} objects to an nginx edge: throughput, of "
              f"`curl --parallel`'s", f"{ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}): "
              f"{total / MIB / statistics.median(ours):.0f} MiB/s", "0.5" if short else "0.9",
              ratio >= (0.5 if short else 0.9))
    bench.row("memory of the worker above that of an idle one, at most",
              f"{(peak - idle) / MIB:.0f} MiB; idle {idle / MIB:.0f} MiB", "64 MiB",
              peak - idle <= 64 * MIB)
    bench.row(f"{for_three / MIB:.0f} MiB to three edges at once: what is read of the output, of "
              "its bytes", f"{read / for_three:.2f}", "1.5" if short else "1.2",
              read / for_three <= (1.5 if short else 1.2))
    bench.row("the same: memory of the worker above that of an idle one, at most",
              f"{(peak_of_three - idle) / MIB:.0f} MiB", "64 MiB",
              peak_of_three - idle <= 64 * MIB)
