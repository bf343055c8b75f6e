# SPDX-License-Identifier: GPL-2.0-or-later
"""A way to a scheduler that loses answers: each POST is passed on, and of each path's first
COUNT the connection is cut where the answer would come. Prints its port first.
Usage: lossy.py SCHEDULER_PORT COUNT"""
import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lost = {}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheduler = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
        scheduler.request(self.command, self.path, body or None,
                          {"Authorization": self.headers["Authorization"]})
        answer = scheduler.getresponse()
        text = answer.read()
        lost[self.path] = lost.get(self.path, 0) + 1
        if self.command == "POST" and lost[self.path] <= int(sys.argv[2]):
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type"))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = pass_on


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
