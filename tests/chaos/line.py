# SPDX-License-Identifier: GPL-2.0-or-later
"""One line of the chaos proxy for scripts in Python; lines.sh is for those of the shell."""
import os
import random
import socket
import subprocess
import time


PORTS = range(11000, 32000)  # below those that the system gives to whoever connects


def free_port():
    """A loopback port that nobody listens on just now, and none that a connection takes before
    somebody does."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.choice(PORTS)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Line:
    """The way to a port, which can go bad: by a proxy that is built where the programs are."""

    def __init__(self, binaries, seed, target, folder):
        subprocess.run(["cmake", "--build", os.path.dirname(binaries), "--target", "chaos-proxy"],
                       check=True, stdout=subprocess.DEVNULL)
        self.log = folder + "/proxy.log"
        for _ in range(10):
            self.port = free_port()
            with open(self.log, "wb") as log:
                self.proxy = subprocess.Popen(
                    [binaries + "/chaos-proxy", str(seed), f"{self.port}={target}"],
                    stdin=subprocess.PIPE, stdout=log, stderr=log, bufsize=0)
            try:
                self.fault("clear")  # it hears when it listens
                return
            except RuntimeError:
                if self.proxy.poll() is None:
                    raise
        raise RuntimeError("the proxy gets no port")

    def said(self, words):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read().count(f" {self.port} {words}")

    def count(self, word):
        """How many connections met a fault."""
        return self.said(f"{word} connection ")

    def fault(self, words):
        """What it does from now on (connection.h): "clear" is nothing."""
        echo = " ".join((words.split() + ["0", "0"])[:3]) + "\n"
        before, until = self.said(echo), time.monotonic() + 60
        try:
            self.proxy.stdin.write(f"{self.port} {words}\n".encode())
        except BrokenPipeError:
            pass  # it has ended
        while self.said(echo) == before:
            if self.proxy.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the proxy does not take '{words}': {self.proxy.poll()}")
            time.sleep(0.01)

    def end(self):
        self.proxy.stdin.close()
        self.proxy.wait()
