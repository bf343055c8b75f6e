# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes what an MP4 with its header at the end says of its first track (or the one whose
number stands behind the command: edits2), in place.

  boxes.py matrix FILE A B C D             how it is turned or mirrored: -1, 0 or 1 each
  boxes.py edits FILE LENGTH:START ...     its edit list, in ticks: LENGTH of the movie's
                                           clock, START of the track's; START -1: nothing
                                           is shown
  boxes.py blank FILE NUMBER...            zeros over those of its pictures, in the order that
                                           they are shown in; B pictures alone
"""
import json
import struct
import subprocess
import sys


def find(data, path, track=1):
    """(start, end) of each box on the path from the top: the first of each name, but of
    tracks that with this number."""
    found = []
    start, end = 0, len(data)
    for name in path:
        at = start
        left = track if name == b"trak" else 1
        while data[at + 4:at + 8] != name or (left := left - 1) > 0:
            at += struct.unpack_from(">I", data, at)[0]
            if at >= end:
                raise SystemExit(f"no {name.decode()} box")
        found.append((at, at + struct.unpack_from(">I", data, at)[0]))
        start, end = at + 8, found[-1][1]
    return found


def set_matrix(data, values):
    (start, _), = find(data, [b"moov", b"trak", b"tkhd"])[-1:]
    if data[start + 8] != 0:
        raise SystemExit("tkhd has a version that is not 0")
    a, b, c, d = (int(value) << 16 for value in values)
    struct.pack_into(">9i", data, start + 48, a, b, 0, c, d, 0, 0, 0, 1 << 30)


def set_edits(data, edits, track):
    boxes = find(data, [b"moov", b"trak", b"edts", b"elst"], track)
    start, end = boxes[-1]
    rows = b"".join(struct.pack(">IiI", *(int(part) for part in edit.split(":")), 1 << 16)
                    for edit in edits)
    body = struct.pack(">I4sII", 16 + len(rows), b"elst", 0, len(edits)) + rows
    for at, last in boxes[:-1]:
        struct.pack_into(">I", data, at, last - at + len(body) - (end - start))
    data[start:end] = body


def blank(path, data, numbers):
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "frame=pkt_pos,pkt_size,pict_type", "-of", "json", path],
        capture_output=True, text=True, check=True)
    pictures = json.loads(probed.stdout)["frames"]
    for number in numbers:
        picture = pictures[int(number)]
        if picture["pict_type"] != "B":
            raise SystemExit(f"picture {number} is no B picture")
        at, size = int(picture["pkt_pos"]), int(picture["pkt_size"])
        data[at:at + size] = bytes(size)


def main():
    command, path, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if command == "matrix":
        set_matrix(data, rest)
    elif command.startswith("edits"):
        set_edits(data, rest, int(command[5:] or 1))
    else:
        blank(path, data, rest)
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
