# SPDX-License-Identifier: GPL-2.0-or-later
"""One line of the chaos proxy for scripts in Python; lines.sh is for those of the shell."""
import os
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Line:
    """The way to a port, which can go bad: by a proxy that is built where the programs are."""

    def __init__(self, binaries, seed, target, folder):
        subprocess.run(["cmake", "--build", os.path.dirname(binaries), "--target", "chaos-proxy"],
                       check=True, stdout=subprocess.DEVNULL)
        self.port, self.log = free_port(), folder + "/proxy.log"
        with open(self.log, "wb") as log:
            self.proxy = subprocess.Popen(
                [binaries + "/chaos-proxy", str(seed), f"{self.port}={target}"],
                stdin=subprocess.PIPE, stdout=log, stderr=log)

    def count(self, word):
        """How often it was told of a fault, or did what the word says."""
        with open(self.log, encoding="utf-8") as log:
            return log.read().count(f" {self.port} {word} ")

    def fault(self, words):
        """What it does from now on (connection.h): "clear" is nothing."""
        word = words.split()[0]
        before, until = self.count(word), time.monotonic() + 10
        self.proxy.stdin.write(f"{self.port} {words}\n".encode())
        self.proxy.stdin.flush()
        while self.count(word) == before and time.monotonic() < until:
            time.sleep(0.01)

    def end(self):
        self.proxy.stdin.close()
        self.proxy.wait()
