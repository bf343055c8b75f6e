# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C at `reelfarm play` of a bucket whose store answers no more: once from the start, once in
the middle of what a browser wants. Usage: hung_store.py REELFARM"""
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

MOST_S = 3  # the store itself is given ten times as long
EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


class Store(http.server.BaseHTTPRequestHandler):
    """Without titles; does not answer who wants an object, or not at all."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        lists = "list-type" in self.path
        if self.server.is_dead or (self.command == "GET" and not lists):
            self.server.asked.set()
            time.sleep(60)
            return
        self.send_response(200 if lists else 404)
        self.send_header("Content-Length", str(len(EMPTY) if lists else 0))
        self.end_headers()
        self.wfile.write(EMPTY if lists else b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def want(url):
    try:
        urllib.request.urlopen(url + "media/title/master.m3u8", timeout=30)
    except OSError:
        pass


def ended_in(is_dead):
    """Seconds from Ctrl-C to the end."""
    store = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    store.daemon_threads, store.is_dead, store.asked = True, is_dead, threading.Event()
    threading.Thread(target=store.serve_forever, daemon=True).start()
    environment = dict(os.environ, AWS_ENDPOINT_URL=f"http://127.0.0.1:{store.server_port}",
                       AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")
    # What a script runs in the background has Ctrl-C ignored, and so has what that runs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    play = subprocess.Popen([sys.argv[1], "play", "s3://bucket/titles", "--json"],
                            env=environment, stdout=subprocess.PIPE, text=True)
    try:
        if not is_dead:
            url = json.loads(play.stdout.readline())["url"]
            threading.Thread(target=want, args=(url,), daemon=True).start()
        assert store.asked.wait(20), "the store was not asked"
        began = time.monotonic()
        play.send_signal(signal.SIGINT)
        play.wait(20)
        return time.monotonic() - began
    finally:
        play.kill()


for dead in (True, False):
    took = ended_in(dead)
    print(f"from the start: {dead}, ended in {took:.2f} s")
    if took > MOST_S:
        sys.exit(1)
