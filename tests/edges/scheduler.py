#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A scheduler for one worker whose pushes a test writes itself: which, when, and from where on.

    scheduler.py PORT OUTPUT      OUTPUT is the folder above the titles'

It speaks what a worker asks of scheduler/api/openapi.json. POST /test/push with a push task's own
members (title, version, push) gives it to the worker, and answers when that has: {"failed": class,
"message": ...} or the report's "push", with the largest "done" and "total" of its heartbeats.
POST /test/stop orders the push that is at work to stop. With the word `old` behind OUTPUT it is a
scheduler that knows neither pushes nor early playlists. Who has a token is not asked.
"""

import hashlib
import http.server
import json
import os
import sys
import threading

output = sys.argv[2]
unknown = {"push", "early"} if "old" in sys.argv[3:] else set()
page_size = int(os.environ.get("REELFARM_PAGE", "7"))  # small, so that there are many
state = threading.Condition()
waiting, results, beats, stops, hashes = [], {}, {}, [], {}
fences = iter(range(1, 1 << 30))
asked = []


def fact(title, path):
    name = os.path.join(output, title, path)
    file_is = os.stat(name).st_ino
    if file_is not in hashes:
        with open(name, "rb") as file:
            body = file.read()
        hashes[file_is] = (len(body), hashlib.sha256(body).hexdigest())
    return {"key": path, "bytes": hashes[file_is][0], "sha256": hashes[file_is][1]}


def objects(title, version, first):
    with open(os.path.join(output, title, version + ".json"), encoding="utf-8") as file:
        renditions = json.load(file)["renditions"]
    paths = [f"{r['folder']}/{name}" for r in renditions
             for name in [f"{n:05}.m4s" for n in range(1, r["segments"] + 1)] + ["init.mp4"]]
    page = paths[first : first + page_size]
    more = first + len(page) < len(paths)
    return {"objects": [fact(title, p) for p in page], "next": first + len(page) if more else None}


def lease(body):
    asked.append(body["kinds"])
    if unknown & set(body["kinds"]):
        return 400, {"code": "invalid", "detail": "kinds[0] must be one of ...", "status": 400}
    with state:
        if "push" in body["kinds"]:
            state.wait_for(lambda: waiting, body["wait_ms"] / 1000)
            given = [waiting.pop(0)] if waiting else []
        else:
            state.wait(body["wait_ms"] / 1000)
            given = []
    return 200, {"tasks": given, "retry_ms": 0}


def push(body):
    task = {
        "fence": next(fences), "kind": "push", "trace": "", "attempt": 1, "output": output,
        "source": {"url": "", "size": -1, "pin": "", "identity": ""}, "units": [],
        "memory_bytes": 0, "wall_limit_s": 0, **body,
    }
    with state:
        waiting.append(task)
        state.notify_all()
        state.wait_for(lambda: task["fence"] in results)
        return {**results.pop(task["fence"]), **beats.get(task["fence"], {})}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        words = self.path.split("?")[0].split("/")
        if len(words) == 7 and words[6] == "objects":
            first = int(self.path.partition("from=")[2] or 0)
            self.answer(200, objects(words[3], words[5], first))
        else:
            self.answer(200, {"asked": asked})

    def do_DELETE(self):
        self.answer(200, {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")
        words = self.path.split("/")
        if self.path == "/v1/sessions":
            self.answer(200, {"session": "one", "heartbeat_ms": 100, "ttl_ms": 60000})
        elif words[-1] == "heartbeat":
            with state:
                for task in body["tasks"]:
                    beats[task["fence"]] = {"done": task["done"], "total": task["total"]}
                    if stops:
                        results[task["fence"]] = {"stopped": True}
                now = [task["fence"] for task in body["tasks"]] if stops else []
                stops.clear()
                state.notify_all()
            self.answer(200, {"stop": now, "drain": False})
        elif self.path == "/v1/leases":
            self.answer(*lease(body))
        elif words[-1] in ("complete", "fail"):
            result = {"failed": body["class"], "message": body["message"]} if "class" in body else \
                body.get("push", {"objects": 0})
            with state:
                results[int(words[3])] = result
                state.notify_all()
            self.answer(200, {"accepted": True})
        elif self.path == "/test/push":
            self.answer(200, push(body))
        elif self.path == "/test/stop":
            with state:
                stops.append(True)
            self.answer(200, {})

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
