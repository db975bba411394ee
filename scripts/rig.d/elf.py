# SPDX-License-Identifier: MIT
"""Programs of the host that shall run in the guest: their libraries, and without debug data."""

import os
import re
import struct
import subprocess

from cache import run

MAGIC = b"\x7fELF"
RELOCATABLE = 1
INTERPRETER = 3
FOUND = re.compile(r"(?:=> |^\s*)(/\S+) \(0x", re.MULTILINE)


def kind(path):
    """The ELF type of a file and whether it wants a dynamic linker, or None."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        head = file.read(64)
        if len(head) < 64 or not head.startswith(MAGIC) or head[4] != 2:
            return None
        at, = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(at)
        table = file.read(size * count)
    dynamic = any(struct.unpack_from("<I", table, i * size)[0] == INTERPRETER
                  for i in range(count) if len(table) >= (i + 1) * size)
    return struct.unpack_from("<H", head, 16)[0], dynamic


def libraries(paths):
    """Every shared library that these files need, as the dynamic linker finds them."""
    needed = set()
    for path in paths:
        found = kind(path)
        if found and found[1]:
            said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
            needed.update(FOUND.findall(said.stdout))
    return sorted(needed)


def stripped(path, copy):
    """The file itself, or a copy without debug data if it is a program or a module."""
    found = kind(path)
    if not found or os.path.islink(path):
        return path
    what = "--strip-debug" if found[0] == RELOCATABLE else "--strip-unneeded"
    run(["strip", what, "-o", copy, path])
    os.chmod(copy, os.stat(path).st_mode & 0o7777)
    return copy
