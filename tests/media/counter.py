# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures that carry a number which survives encoding, scaling and deinterlacing.

A picture is 8 x 4 blocks: the top row has a white block on the left alone, the bottom
row none (so turned and mirrored pictures are told from upright ones); between them 12
bits of the number and 4 that check it, one a block.

  counter.py draw WIDTH HEIGHT COUNT [fields]   gray pictures 0, 1, ... on stdout; with
                                                `fields` two numbers a picture, one a field
  counter.py read FILE [PARITY...]              one number a line, ? where there is none;
                                                PARITY: of the lines to look at, in turns
  counter.py expect FILE RATE [NUMBER...]       what a timeline of this rate shows of FILE,
                                                by its packets alone; pictures are 0, 1,
                                                ... or have the given numbers
"""
import json
import subprocess
import sys
from fractions import Fraction

COLUMNS, ROWS, BITS = 8, 4, 12


def check_of(number):
    return (number ^ number >> 4 ^ number >> 8 ^ 5) & 15


def blocks_of(number):
    bits = number << 4 | check_of(number)
    values = [255 if bits >> (15 - i) & 1 else 0 for i in range(16)]
    return [255] + [0] * (COLUMNS - 1) + values + [0] * COLUMNS


def draw_rows(width, height, number):
    blocks = blocks_of(number)
    rows = []
    for row in range(ROWS):
        line = bytearray()
        for x in range(width):
            line.append(blocks[row * COLUMNS + x * COLUMNS // width])
        rows.append(bytes(line))
    return [rows[y * ROWS // height] for y in range(height)]


def draw(width, height, count, fields):
    for number in range(count):
        if fields:
            top, bottom = (draw_rows(width, height, 2 * number + i) for i in (0, 1))
            rows = [(bottom if y & 1 else top)[y] for y in range(height)]
        else:
            rows = draw_rows(width, height, number)
        sys.stdout.buffer.write(b"".join(rows))


def number_of(picture, width, height, parity):
    """Read from all lines, or from those of one field (parity 0 or 1) alone."""
    values = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            total = count = 0
            for y in (3, 4, 5):
                for x in (3, 4, 5):
                    line = (8 * row + y) * height // (8 * ROWS)
                    line = line if parity is None else line - line % 2 + parity
                    total += picture[line * width + (8 * column + x) * width // (8 * COLUMNS)]
                    count += 1
            values.append(total / count > 128)
    bits = 0
    for value in values[COLUMNS:COLUMNS + 16]:
        bits = bits << 1 | value
    number = bits >> 4
    frame = values[:COLUMNS] + values[COLUMNS + 16:]
    upright = frame == [True] + [False] * (2 * COLUMNS - 1)
    return str(number) if upright and check_of(number) == bits & 15 else "?"


def read(path, parities):
    size = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_streams", "-of", "json", path],
        capture_output=True, text=True, check=True)
    stream = json.loads(size.stdout)["streams"][0]
    width, height = stream["width"], stream["height"]
    decoder = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-v", "error", "-noautorotate", "-i", path, "-map",
         "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"],
        stdout=subprocess.PIPE)
    numbers = []
    while len(picture := decoder.stdout.read(width * height)) == width * height:
        parity = parities[len(numbers) % len(parities)] if parities else None
        numbers.append(number_of(picture, width, height, parity))
    if decoder.wait() != 0:
        sys.exit("ffmpeg cannot decode " + path)
    return numbers


def packets_of(path):
    """Times and durations in seconds of all pictures that are shown, as they are shown.
    The last stays to the stream's end where its duration is not known."""
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "packet=pts,duration,flags:stream=time_base,start_pts,duration_ts", "-of", "json", path],
        capture_output=True, text=True, check=True)
    found = json.loads(probed.stdout)
    stream = found["streams"][0]
    tick = Fraction(stream["time_base"])
    packets = sorted((packet["pts"] * tick, packet.get("duration", 0) * tick)
                     for packet in found["packets"] if "D" not in packet["flags"])
    last, length = packets[-1]
    if length == 0 and "duration_ts" in stream:
        packets[-1] = (last, (stream["start_pts"] + stream["duration_ts"]) * tick - last)
    return packets


def expect(path, rate, numbers):
    """Frame n shows the last picture whose time, in frames from the first picture on and
    rounded to the nearest, is not past n. `numbers` are the pictures' own."""
    packets = packets_of(path)
    first = packets[0][0]
    slots = [int((time - first) * rate + Fraction(1, 2)) for time, _ in packets]
    end = int((sum(packets[-1]) - first) * rate + Fraction(1, 2))
    shown = []
    picture = 0
    for frame in range(max(slots[-1] + 1, end)):
        while picture + 1 < len(slots) and slots[picture + 1] <= frame:
            picture += 1
        shown.append(str(numbers[picture] if numbers else picture))
    return shown


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "draw":
        draw(int(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3:] == ["fields"])
    elif command == "read":
        print("\n".join(read(arguments[0], [int(parity) for parity in arguments[1:]])))
    else:
        numbers = [int(number) for number in arguments[2:]]
        print("\n".join(expect(arguments[0], Fraction(arguments[1]), numbers)))


if __name__ == "__main__":
    main()
