#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics that dashboards (JSON) and alert rules (YAML) use are served, each of them.
  metric_names.py METRICS FILE...     METRICS: what /metrics answered
Prints the names that are not; ends with 1 where there is one, or where a file uses none."""
import re
import sys

WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def served(path):
    """Names of samples, by the TYPE lines."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", open(path).read(), re.M):
        names |= {name + end for end in ("_bucket", "_sum", "_count")} \
            if kind == "histogram" else {name}
    return names


def expressions(path):
    """Each expression of a file; both kinds keep one to a line."""
    text = open(path).read()
    if path.endswith(".json"):
        return [match.replace('\\"', '"')
                for match in re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', text)]
    return re.findall(r"^ *expr: (.*)$", text, re.M)


def used(expression):
    """Names of metrics: what is left without strings, labels, ranges, groupings and calls."""
    for part in (r'"[^"]*"', r"\{[^}]*\}", r"\[[^]]*\]",
                 r"\b(by|without|on|ignoring)\s*\([^)]*\)", r"\bgroup_(left|right)\b(\s*\([^)]*\))?"):
        expression = re.sub(part, " ", expression)
    names = re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*(?!\w*\s*\()\b", expression)
    calls = set(re.findall(r"([A-Za-z_]\w*)\s*\(", expression))
    aggregates = {"sum", "min", "max", "avg", "count"}
    return {name for name in names if name.lower() not in WORDS} - calls - aggregates


def main():
    names, status = served(sys.argv[1]), 0
    for path in sys.argv[2:]:
        asked = set().union(*map(used, expressions(path)), set())
        print(f"{path}: {len(asked)} metrics in {len(expressions(path))} expressions")
        for name in sorted(asked - names):
            print(f"{path} uses {name}, which is not served")
            status = 1
        if not asked:
            print(f"{path} uses no metric")
            status = 1
    sys.exit(status)


main()
