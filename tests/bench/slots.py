# SPDX-License-Identifier: GPL-2.0-or-later
"""What the slots of a farm did, from its lease log: the share of time that they stood idle, and
a plot of those busy over time."""
import heapq
import json
import subprocess

# From the floor of the plot up: what a slot is busy with, and its colour.
WORK = (("H.264", "#3b6ea8"), ("AV1", "#d98032"), ("sound", "#5a9e5d"), ("the rest", "#9a9a9a"))
HEAD = """set terminal svg size 900,260 font "sans,12" background "#ffffff"
set output "{out}"
set title "{title}"
set xlabel "seconds since the first lease"
set ylabel "slots busy"
set xrange [0:{seconds:.1f}]
set yrange [0:{slots} + 0.5]
set ytics 1
set key outside right top reverse Left
set style fill solid 1.0 noborder
"""


class Lease:
    """One lease: seconds since the first lease of the title, and which sort of WORK it was."""

    def __init__(self, begin, work):
        self.begin = begin
        self.end = begin
        self.work = work


def work_of(kind, rendition):
    if kind == "video":
        return "AV1" if rendition.startswith("av1") else "H.264"
    return "sound" if kind == "audio" else "the rest"


def begin_in_turn(leases, slots):
    """A task that was leased ahead waits, fetched, until a slot is free: it begins then."""
    free = [0.0] * slots
    for lease in sorted(leases, key=lambda lease: lease.begin):
        lease.begin = max(lease.begin, heapq.heappop(free))
        lease.end = max(lease.end, lease.begin)
        heapq.heappush(free, lease.end)


def read_leases(store, slots, own_ms):
    """All leases of the store's only title as `slots` worked through them, and seconds from the
    first to the title's end, by the farm's own clock: what `own_ms` makes of a time of day."""
    rendition = dict(store.execute("SELECT id, rendition_id FROM unit"))
    leases, first, last = {}, None, 0
    for at, kind, unit, detail in store.execute(
            "SELECT at, kind, unit, detail FROM event ORDER BY seq"):
        fields = json.loads(detail) if detail else {}
        at = own_ms(at)
        if kind in ("unit.lease", "unit.hedge"):
            first = at if first is None else first
            leases.setdefault(fields["fence"], Lease(
                (at - first) / 1000, work_of(fields["kind"], rendition[unit])))
        elif kind == "unit.complete":
            leases[fields["fence"]].end = (at - first) / 1000
        elif kind == "title.finish":
            last = at
    begin_in_turn(leases.values(), slots)
    return list(leases.values()), (last - first) / 1000


def idle_share(leases, seconds, slots):
    """Of the slots' time, what no lease covers."""
    return 1 - sum(lease.end - lease.begin for lease in leases) / (seconds * slots)


def stacked(leases, works):
    """Rows of (second, slots busy with any of `works`), one for each change."""
    changes = sorted([(lease.begin, 1) for lease in leases if lease.work in works] +
                     [(lease.end, -1) for lease in leases if lease.work in works])
    rows, busy = [(0.0, 0)], 0
    for second, change in changes:
        busy += change
        rows.append((second, busy))
    return rows


def plot(leases, seconds, slots, title, out):
    """An SVG by gnuplot: each sort of work stacked on those before it."""
    script = HEAD.format(out=out, title=title, seconds=seconds, slots=slots)
    shown = [(name, colour) for name, colour in WORK
             if any(lease.work == name for lease in leases)]
    for i in range(len(shown)):
        rows = stacked(leases, [name for name, _ in shown[:i + 1]]) + [(seconds, 0)]
        script += f"$busy{i} << EOD\n" + "".join(f"{s:.3f} {n}\n" for s, n in rows) + "EOD\n"
    # The tallest first, so that those below cover their part of it.
    script += "plot " + ", ".join(
        f'$busy{i} using 1:2 with fillsteps linecolor rgb "{shown[i][1]}" title "{shown[i][0]}"'
        for i in reversed(range(len(shown)))) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
