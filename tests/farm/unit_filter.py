#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command with the system calls that a systemd unit leaves it, and no capability.
   unit_filter.py UNIT COMMAND..."""
import ctypes
import os
import re
import struct
import subprocess
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
ALLOW, NOBODY = 0x7FFF0000, 65534
EPERM = 0x00050001


def calls_of(word):
    """A call, or all those of a @group as systemd has it."""
    if not word.startswith("@"):
        return {word}
    said = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True,
                          capture_output=True, text=True).stdout
    words = [line.strip() for line in said.splitlines()[1:]]
    return set().union(*(calls_of(w) for w in words if w and not w.startswith("#")))


def allowed(unit):
    calls = calls_of("@default")  # systemd adds it to every list of what is allowed
    for value in re.findall(r"^SystemCallFilter=(.*)$", open(unit).read(), re.M):
        named = set().union(*(calls_of(word) for word in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def numbers():
    macros = subprocess.run(["cc", "-E", "-dM", "-"], input="#include <asm/unistd.h>", check=True,
                            capture_output=True, text=True).stdout
    return {name: int(number) for name, number in
            re.findall(r"^#define __NR_(\w+) (\d+)$", macros, re.M)}


def lines(calls):
    known = numbers()
    yield struct.pack("HBBI", 0x20, 0, 0, 0)  # the call's number
    for number in (known[name] for name in sorted(calls) if name in known):
        yield struct.pack("HBBI", 0x15, 0, 1, number)
        yield struct.pack("HBBI", 0x06, 0, 0, ALLOW)
    yield struct.pack("HBBI", 0x06, 0, 0, EPERM)


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("lines", ctypes.c_void_p)]


code = list(lines(allowed(sys.argv[1])))
memory = ctypes.create_string_buffer(b"".join(code))
program = Program(len(code), ctypes.addressof(memory))
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
    sys.exit("no filter: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[2], sys.argv[2:])
