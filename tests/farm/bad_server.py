# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server on loopback that misbehaves as its path says; prints its port first.
Usage: bad_server.py FILE, which is what it serves
  /ranges    as it should be
  /whole     without ranges
  /replaced  with another ETag from the 12th request on
  /cut       every answer ends in the middle
  /stalled   a few bytes of each answer, then nothing
  /lies      a range is answered with other bytes than those asked for
  all else   404
"""
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open(sys.argv[1], "rb") as file:
    DATA = file.read()
requests = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body):
        mode = self.path.strip("/").split(".")[0]
        requests[mode] = requests.get(mode, 0) + 1
        if mode not in ("ranges", "whole", "replaced", "cut", "stalled", "lies"):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = 0, len(DATA) - 1
        asked = self.headers.get("Range", "")
        partial = mode != "whole" and asked.startswith("bytes=")
        if partial:
            start, _, end = asked[len("bytes="):].partition("-")
            first = int(start) if start else max(0, len(DATA) - int(end))
            last = min(int(end), last) if start and end else last
        self.send_response(206 if partial else 200)
        if partial:
            shift = 1 if mode == "lies" and first > 0 else 0
            self.send_header("Content-Range",
                             f"bytes {first - shift}-{last - shift}/{len(DATA)}")
        if mode != "whole":
            self.send_header("Accept-Ranges", "bytes")
        version = 2 if mode == "replaced" and requests[mode] >= 12 else 1
        self.send_header("ETag", f'"version-{version}"')
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        if not body:
            return
        data = DATA[first:last + 1]
        if mode == "stalled" and len(data) > 8:
            self.wfile.write(data[:8])
            self.wfile.flush()
            time.sleep(3600)
        elif mode == "cut" and len(data) > 8:
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
        else:
            self.wfile.write(data)

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        try:
            self.answer(True)
        except (BrokenPipeError, ConnectionResetError):
            pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
