# SPDX-License-Identifier: MIT
"""Types of the IR as C types of the same layout, and names that C can have."""

import re

from ir import kind, unknown

POINTER = kind("ptr")
WORDS = {1: "_Bool", 8: "unsigned char", 16: "unsigned short", 32: "unsigned int",
         64: "unsigned long long", 128: "unsigned __int128"}
SIGNED = {8: "signed char", 16: "short", 32: "int", 64: "long long", 128: "__int128"}


def sane(name):
    return re.sub(r"\W", "_", name)


class types:
    """C declarations of what was asked for, in the order in which they are needed."""

    def __init__(self, named):
        self.named = named
        self.known = {}
        self.lines = []

    def resolved(self, t):
        while t.what == "named":
            inner = self.named[t.name]
            if inner is None:
                raise unknown(f"an opaque type: {t.name}")
            t = inner
        return t

    def c(self, t):
        if t.what == "int":
            # A width between those of C's: how small structs are passed.
            return WORDS.get(t.bits) or f"unsigned __CPROVER_bitvector[{t.bits}]"
        if t.what in ("ptr", "void"):
            return "void *" if t.what == "ptr" else "void"
        if t not in self.known:
            self.known[t] = self.declare(t)
        return self.known[t]

    def signed(self, t):
        if t.bits not in SIGNED:
            raise unknown(f"a signed operation on {t.bits} bits")
        return SIGNED[t.bits]

    def declare(self, t):
        body = self.resolved(t)
        name = f"struct t{len(self.known)}_{sane(t.name)[:60]}" if t.what == "named" else \
            f"struct t{len(self.known)}_{t.what}"
        self.known[t] = name
        if body.what == "array":
            inside = f"{self.c(body.parts[0])} a[{body.bits}];"
        else:
            inside = " ".join(f"{self.c(p)} f{n};" for n, p in enumerate(body.parts))
        packed = " __attribute__((packed))" if body.packed else ""
        self.lines.append(f"{name} {{ {inside} }}{packed};")
        return name

    def align(self, t):
        t = self.resolved(t)
        if t.what == "int":
            return max(1, 1 << (self.size(t) - 1).bit_length())
        if t.what == "ptr":
            return 8
        return 1 if t.packed else max([self.align(p) for p in t.parts], default=1)

    def size(self, t):
        t = self.resolved(t)
        if t.what == "int":
            whole = (t.bits + 7) // 8
            return 1 << (whole - 1).bit_length()
        if t.what == "ptr":
            return 8
        if t.what == "array":
            return t.bits * self.size(t.parts[0])
        at = 0
        for p in t.parts:
            step = 1 if t.packed else self.align(p)
            at = -(-at // step) * step + self.size(p)
        whole = self.align(t)
        return -(-at // whole) * whole

    def bytes(self, count):
        """A struct of that many bytes, for a copy between unlike types."""
        return kind("array", bits=count, parts=(kind("int", bits=8),))


def text_of(m, v):
    """The characters of a string literal that an operand points to."""
    _, initial = m.globals.get(v.of, (None, None)) if v.what == "global" else (None, None)
    if initial is None or initial.what != "text":
        raise unknown(f"not a string literal: {v}")
    return re.sub(r"\\[0-9A-Fa-f]{2}", lambda c: chr(int(c[0][1:], 16)),
                  initial.of).rstrip("\0")
