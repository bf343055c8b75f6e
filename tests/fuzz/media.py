# SPDX-License-Identifier: GPL-2.0-or-later
"""Real clips, damaged, through the real programs. Prints TAP-like lines and the counts.
usage: media.py MEDIA BIN SCRATCH FOUND COUNT SECONDS [SEED]

File i of a seed is always the same; one that fails stays in FOUND. BIN has the programs with
sanitizers, whose task children speak into the FIFO child-said (../child_reports.c). Some run
without a sandbox: their children are searched for leaks before they end."""
import csv
import fcntl
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

LIMIT_S = 60  # of one run
ENCODED_ONE_IN = 4
SEARCHED_ONE_IN = 3  # for leaks
LIBRARY_FRAMES = 3  # of an allocation that we asked a library for
SMALL = 3 << 20
ODD = [0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]
BOXES = [b"moov", b"mvhd", b"trak", b"tkhd", b"elst", b"mdhd", b"hdlr", b"stsd", b"stts", b"ctts",
         b"stsc", b"stsz", b"stco", b"co64", b"stss", b"avcC", b"hvcC", b"av1C", b"esds", b"colr",
         b"pasp", b"moof", b"tfhd", b"tfdt", b"trun", b"trex", b"sidx", b"mdat", b"ftyp"]
RUNTIME = re.compile(r"lib(asan|ubsan|c|pthread|m)\.so|/sanitizer_common/|interceptors")
FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+ (?:in )?(.*)$", re.M)
OURS = re.compile(r"/(common|encoder|packager|ladders|workers|scheduler|cli)/[a-z0-9_]+\.[ch]:|"
                  r"/bin/reelfarm(-worker)?\+0x")  # no file can be opened to name the line
REPORT = re.compile(r"ERROR: [A-Za-z]+Sanitizer|runtime error:")
LEAKS = re.compile(r"=+\n==\d+==ERROR: LeakSanitizer: detected memory leaks\n(.*?)\nSUMMARY: .*\n",
                   re.S)
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*\n(?:\s+#.*\n)+", re.M)
PIPE_BYTES = 1 << 20


# ---- Damage ------------------------------------------------------------------------

def place(chance, data):
    """Half of the time near an end, where headers are."""
    near = min(len(data), 8192)
    where = chance.randrange(4)
    if where == 0:
        return chance.randrange(near)
    if where == 1:
        return len(data) - 1 - chance.randrange(near)
    return chance.randrange(len(data))


def flip_bits(chance, data):
    for _ in range(chance.choice([1, 4, 32, 256])):
        data[place(chance, data)] ^= 1 << chance.randrange(8)


def overwrite(chance, data):
    at, count = place(chance, data), chance.choice([1, 4, 16, 100, 1000])
    run = chance.choice([bytes(count), b"\xff" * count, chance.randbytes(count)])
    data[at:at + count] = run[:len(data) - at]


def cut(chance, data):
    at = place(chance, data)
    del data[at:at + chance.choice([1, 3, 188, 1000, 50000])]


def repeat(chance, data):
    at, count = place(chance, data), chance.choice([1, 8, 188, 1000, 50000])
    data[at:at] = data[at:at + count] * chance.choice([1, 1, 5])


def truncate(chance, data):
    del data[chance.randrange(len(data)):]


def number(chance, data):
    """A size, a count or a time in a header becomes an odd one."""
    at = place(chance, data)
    found = data.find(chance.choice(BOXES), chance.choice([0, at]))
    if found >= 4:
        at = chance.choice([found - 4, found + 4 * chance.randrange(1, 12)])
    was = int.from_bytes(data[at:at + 4], "big")
    value = chance.choice([*ODD, was + 1, was - 1, was * 2, was // 2]) & 0xffffffff
    data[at:at + 4] = struct.pack(chance.choice([">I", ">I", "<I"]), value)[:len(data) - at]


KINDS = [flip_bits, overwrite, cut, repeat, truncate, number, number, number]


def damaged(chance, data):
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        if data:
            chance.choice(KINDS)(chance, data)
    return bytes(data)


# ---- Clips -------------------------------------------------------------------------

def shortened(clip, folder):
    """Its first two seconds in the same container; None where ffmpeg can't."""
    made = folder / f"short-{clip.name}"
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-y", "-i", f"file:{clip}", "-t", "2",
               "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", f"file:{made}"]
    ended = subprocess.run(command, check=False, timeout=60)
    if ended.returncode == 0 and made.exists() and 0 < made.stat().st_size <= SMALL:
        return made.read_bytes()
    return None


def clips_of(media, folder):
    """(name, bytes to probe, bytes to encode)"""
    clips = []
    for manifest in sorted(media.glob("*/MANIFEST.tsv")):
        with manifest.open(newline="") as lines:
            names = [row["file"] for row in csv.DictReader(lines, delimiter="\t")]
        for clip in [manifest.parent / name for name in names]:
            if clip.is_file() and clip.stat().st_size > 0:
                short = shortened(clip, folder)
                whole = clip.read_bytes() if clip.stat().st_size <= SMALL else short
                if whole:
                    clips.append((f"{manifest.parent.name}/{clip.name}", whole, short or whole))
    return clips


# ---- Runs --------------------------------------------------------------------------

def run(command, folder):
    """Its exit code (None past the limit), what it said, and what its children said."""
    os.mkfifo(folder / "child-said")
    fifo = os.open(folder / "child-said", os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(fifo, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL,
                                   env={**os.environ,
                                        "REELFARM_CHILD_REPORTS": str(folder / "child-said")},
                                   stdout=subprocess.DEVNULL, stderr=said, start_new_session=True)
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
    try:
        children = os.read(fifo, PIPE_BYTES)
    except BlockingIOError:
        children = b""
    os.close(fifo)
    (folder / "child-said").unlink()
    return code, (folder / "said").read_text(errors="replace"), children.decode(errors="replace")


def named(report, worker):
    """With the names of our functions for their places in the worker."""
    places = re.findall(r"reelfarm-worker\+(0x[0-9a-f]+)\)", report)
    lines = subprocess.run(["addr2line", "-f", "-s", "-e", worker, *places], check=False,
                           capture_output=True, text=True).stdout.split("\n")
    for which, at in enumerate(places):
        report = report.replace(f"+{at})", f"+{at}) {' '.join(lines[2 * which:2 * which + 2])}", 1)
    return report


def own_fault(report):
    """Whether the innermost frame that is no runtime's is ours; so is what has no frames."""
    frames = [frame for frame in FRAME.findall(report) if not RUNTIME.search(frame)]
    return not frames or OURS.search(frames[0]) is not None


def own_leaks(reports):
    """What we allocated, or asked a library for, and nobody freed."""
    for leak in LEAK.findall("\n".join(reports) + "\n"):
        frames = [frame for frame in FRAME.findall(leak) if not RUNTIME.search(frame)]
        if not frames or any(OURS.search(frame) for frame in frames[:LIBRARY_FRAMES + 1]):
            yield leak


def leavings(out):
    return [path for path in out.rglob("*") if ".reelfarm" not in path.parts]


def faults(command, folder, counts):
    """What was wrong with one run, as sentences."""
    code, said, children = run(command, folder)
    worker = command[0].with_name("reelfarm-worker")
    wrong = []
    if code is None:
        wrong.append(f"it did not end within {LIMIT_S} s")
    elif code not in (0, 1, 130):
        wrong.append(f"exit code {code}")
    sentences = re.findall(r"^reelfarm: .{20,}$", said, re.M)
    if code == 1 and len(sentences) != 1:
        wrong.append(f"{len(sentences)} sentences: {said[-300:]}")
    if re.search("encoder process (crashed|left early)", said):
        counts["contained"] += 1
    leaks = LEAKS.findall(children)
    counts["leaks"] += len(leaks)
    wrong += [named(leak, worker)[:4000] for leak in own_leaks(leaks)]
    for text in (said, LEAKS.sub("", children)):
        if REPORT.search(text):
            counts["reports"] += 1
            if own_fault(text) or code != 1 or text is said:
                wrong.append(named(text, worker)[:4000])
    counts["made" if code == 0 else "refused"] += 1
    return code, wrong


def encode(reelfarm, clip, folder, counts, sandbox):
    code, wrong = faults([reelfarm, "encode", clip, "--out", "out", "--ladder", "fast",
                          "--workers", "1", *sandbox], folder, counts)
    if code == 0:
        verified, said, _ = run([reelfarm, "verify", "out"], folder)
        if verified != 0:
            wrong.append(f"verify of what was made: {verified} {said[-300:]}")
    elif leavings(folder / "out"):
        wrong.append(f"left: {leavings(folder / 'out')[:5]}")
    return wrong


def one(reelfarm, clips, seed, index, scratch, counts):
    """Makes file `index` and runs it; the clip's name, the file, what was wrong."""
    chance = random.Random(f"{seed}/{index}")
    name, whole, short = chance.choice(clips)
    folder = scratch / "round"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    clip = folder / ("clip" + pathlib.Path(name).suffix)
    encodes = index % ENCODED_ONE_IN == 0
    sandbox = ["--sandbox", "none"] if index % SEARCHED_ONE_IN == 0 else []
    clip.write_bytes(damaged(chance, short if encodes else whole))
    if encodes:
        return name, clip, encode(reelfarm, clip.name, folder, counts["encode"], sandbox)
    return name, clip, faults([reelfarm, "probe", clip.name, *sandbox], folder,
                              counts["probe"])[1]


def main():
    media, programs, scratch, found = map(pathlib.Path, sys.argv[1:5])
    count, seconds = int(sys.argv[5]), int(sys.argv[6])
    seed = sys.argv[7] if len(sys.argv) > 7 else "1"
    started = time.monotonic()
    clips = clips_of(media, scratch)
    counts = {way: dict.fromkeys(("made", "refused", "contained", "reports", "leaks"), 0)
              for way in ("probe", "encode")}
    ran = failed = 0
    for index in range(count if clips else 0):
        if time.monotonic() - started > seconds:
            break
        name, clip, wrong = one(programs / "reelfarm", clips, seed, index, scratch, counts)
        ran += 1
        if wrong:
            failed += 1
            found.mkdir(parents=True, exist_ok=True)
            kept = found / f"media-{seed}-{index}{clip.suffix}"
            shutil.copy(clip, kept)
            print(f"not ok - file {index} of seed {seed}, from {name}: {kept}")
            print("    " + "\n".join(wrong).replace("\n", "\n    "), flush=True)
    for way, sums in counts.items():
        print(f"# {way}: " + ", ".join(f"{value} {what}" for what, value in sums.items()))
    if ran > 0:
        print(f"ok - {ran - failed} of {ran} damaged files, from {len(clips)} clips,"
              f" in {time.monotonic() - started:.0f} s")
    print(f"{int(ran > failed)} passed, {failed + int(ran == 0)} failed, 0 skipped")
    return 1 if failed or ran == 0 else 0


sys.exit(main())
