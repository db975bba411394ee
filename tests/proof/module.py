# SPDX-License-Identifier: MIT
"""A whole file of IR: named types, globals and functions."""

import re
from dataclasses import dataclass, field

import instructions
import loops
from ir import LINKAGE, function, plain, reader, unknown, value

SKIPPED = ("source_filename", "target ", "attributes ", "!", "$", ";")
HINT = "@llvm.experimental.noalias.scope.decl"    # for the optimiser


@dataclass
class module:
    types: dict = field(default_factory=dict)
    globals: dict = field(default_factory=dict)    # name → (type, initial value or None)
    functions: dict = field(default_factory=dict)

    def call_instead(self, others):
        """Calls of some functions become calls of others: {what a directive names: name}"""
        for name in others.values():
            if name not in self.functions or not self.functions[name].blocks:
                raise unknown(f"{name} has no body that could answer in another's place")
        for f in self.functions.values():
            for i in (i for b in f.blocks.values() for i in b if i.op == "call"):
                for old, new in others.items():
                    if loops.named(old, i.extra):
                        i.extra, i.instead_of = new, old


def header(line):
    r = reader(re.sub(r'\s*(?:comdat(?:\([^)]*\))?|align \d+|section "[^"]*")', "", line))
    r.next()
    while r.take(*LINKAGE):
        pass
    r.attributes()
    returns = r.type()
    f = function(plain(r.next()), returns, [])
    r.need("(")
    while not r.take(")"):
        if r.peek() == "...":
            r.fail("a variable number of arguments")
        of = r.type()
        found = r.attributes()
        name = plain(r.next()) if r.peek().startswith("%") else ""
        f.params.append(value("local", of, name, **found))
        r.take(",")
    return f


def body(f, lines):
    label = None
    for line in lines:
        m = re.match(r'^(?:"([^"]+)"|([-\w.$]+)):', line)
        if m:
            label = m[1] or m[2]
            f.blocks[label] = []
        elif line.strip() and not line.strip().startswith(";") and HINT not in line:
            if label is None:
                raise unknown(f"a block without a name in {f.name}: keep the names")
            f.blocks[label].append(instructions.read(line))


def variable(line, m):
    name, rest = line.split(" = ", 1)
    if plain(name) == "llvm.global_ctors":
        raise unknown("an object that is made at run time: " + line.strip())
    r = reader(re.sub(r', (?:comdat(?:\(.*\))?|align \d+|section "[^"]*")', "", rest))
    while r.take(*LINKAGE):
        pass
    of = r.type()
    m.globals[plain(name)] = (of, r.value(of) if r.peek() else None)


def joined(lines):
    """A switch stands on several lines: make it one."""
    for line in lines:
        if line.strip().startswith("switch") and "]" not in line:
            for more in lines:
                line = line.rstrip() + " " + more.strip()
                if more.strip().startswith("]"):
                    break
        yield line


def read(text):
    m = module()
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.startswith(SKIPPED) or HINT in line:
            continue
        if line.startswith("%"):
            name, rest = line.split(" = type ", 1)
            m.types[plain(name)] = reader(rest).type() if rest != "opaque" else None
        elif line.startswith("@"):
            variable(line, m)
        elif line.startswith("declare"):
            f = header(line)
            m.functions.setdefault(f.name, f)
        elif line.startswith("define"):
            f = header(line.rsplit("{", 1)[0])
            inside = []
            for more in lines:
                if more == "}":
                    break
                inside.append(more)
            body(f, joined(iter(inside)))
            m.functions[f.name] = f
        else:
            raise unknown(f"a line of an unknown kind: {line!r}")
    return m
