# SPDX-License-Identifier: MIT
"""Which lines of the core an entry of a harness covers: those of every instruction that its
translation reaches, by the line table of the IR."""

import os
import re

from prover import TOP

FILE = re.compile(r'^!(\d+) = !DIFile\(filename: "([^"]*)", directory: "([^"]*)"', re.M)
SCOPE = re.compile(r"^!(\d+) = (?:distinct )?!DI(?:Subprogram|LexicalBlock\w*)\(.*?file: !(\d+)",
                   re.M)
PLACE = re.compile(r"^!(\d+) = (?:distinct )?!DILocation\(line: (\d+),.*?scope: !(\d+)", re.M)


def places(ir):
    """{number of a place in the line table: "FILE:LINE"}, of the core only."""
    files = {n: os.path.relpath(os.path.join(folder, name), TOP)
             for n, name, folder in FILE.findall(ir)}
    scopes = {n: files.get(f, "") for n, f in SCOPE.findall(ir)}
    return {n: f"{scopes[s]}:{line}" for n, line, s in PLACE.findall(ir)
            if scopes.get(s, "").startswith("hvcore/") and line != "0"}


def lines(ir, program):
    known = places(ir)
    found = set()
    for name in program.seen:
        for block in program.module.functions[name].blocks.values():
            for i in block:
                m = re.search(r"!dbg !(\d+)", i.line)
                if m and m[1] in known:
                    found.add(known[m[1]])
    return found
