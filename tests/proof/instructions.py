# SPDX-License-Identifier: MIT
"""The instructions that clang -O0 makes of the core; one reader each, and no other."""

import re

from ir import instruction, plain, reader, unknown

BINARY = {"add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and", "or",
          "xor"}
CASTS = {"zext", "sext", "trunc", "ptrtoint", "inttoptr", "bitcast"}


def binary(r, i):
    i.flags = r.flags()
    first = r.operand()
    r.need(",")
    i.type, i.args = first.type, [first, r.value(first.type)]


def compare(r, i):
    r.flags()
    i.extra = r.next()
    first = r.operand()
    r.need(",")
    i.type, i.args = first.type, [first, r.value(first.type)]


def cast(r, i):
    i.flags = r.flags()
    i.args = [r.operand()]
    r.need("to")
    i.type = r.type()


def load(r, i):
    r.take("atomic")
    i.flags = r.flags()
    i.type = r.type()
    r.need(",")
    i.args = [r.operand()]


def store(r, i):
    r.take("atomic")
    r.flags()
    i.args = r.operands()[:2]


def alloca(r, i):
    i.type = r.type()
    if r.take(",") and r.peek() != "align":
        r.fail("an alloca of a size that is computed")


def getelementptr(r, i):
    i.type, i.args = r.address()


def phi(r, i):
    i.type = r.type()
    while True:
        r.need("[")
        i.args.append(r.value(i.type))
        r.need(",")
        i.labels.append(plain(r.next()))
        r.need("]")
        if not r.take(","):
            return


def select(r, i):
    i.args = r.operands()
    i.type = i.args[1].type


def call(r, i):
    r.attributes()
    i.type = r.type()
    if not r.peek().startswith("@"):
        r.fail("a call through a pointer, or of assembly")
    i.extra = plain(r.next())
    r.need("(")
    while not r.take(")"):
        i.args.append(r.operand())
        r.take(",")


def branch(r, i):
    if r.peek() != "label":
        i.args = [r.operand()]
        r.need(",")
    while r.take("label"):
        i.labels.append(plain(r.next()))
        r.take(",")


def switch(r, i):
    i.args = [r.operand()]
    r.need(",")
    r.need("label")
    i.labels = [plain(r.next())]
    r.need("[")
    while not r.take("]"):
        i.args.append(r.operand())
        r.need(",")
        r.need("label")
        i.labels.append(plain(r.next()))


def ret(r, i):
    if not r.take("void"):
        i.args = [r.operand()]


def extractvalue(r, i):
    i.args = [r.operand()]
    r.need(",")
    i.extra = int(r.next())
    i.type = i.args[0].type


def insertvalue(r, i):
    first = r.operand()
    r.need(",")
    i.args = [first, r.operand()]
    r.need(",")
    i.extra = int(r.next())
    i.type = first.type


def atomicrmw(r, i):
    r.flags()
    i.extra = r.next()
    place = r.operand()
    r.need(",")
    i.args = [place, r.operand()]
    i.type = i.args[1].type


def nothing(_r, _i):
    pass


READERS = {"icmp": compare, "load": load, "store": store, "alloca": alloca, "phi": phi,
           "getelementptr": getelementptr, "select": select, "call": call, "br": branch,
           "switch": switch, "ret": ret, "extractvalue": extractvalue, "insertvalue": insertvalue,
           "atomicrmw": atomicrmw, "unreachable": nothing, "fence": nothing}
READERS |= {op: binary for op in BINARY} | {op: cast for op in CASTS}
MAY_FOLLOW = re.compile(r"(?:(?:acquire|release|acq_rel|seq_cst|monotonic) ?)?(?:, )?"
                        r"(?:align \d+ ?)?(?:#\d+)?$")


def read(line):
    r = reader(line)
    i = instruction("", line=line.strip())
    if r.peek(1) == "=":
        i.result = plain(r.next())
        r.next()
    i.op = r.next()
    if i.op in ("tail", "notail", "musttail"):
        i.op = r.next()
    if i.op not in READERS:
        r.fail(f"unknown instruction {i.op!r}")
    READERS[i.op](r, i)
    rest = " ".join(r.tokens[r.at:])
    if not MAY_FOLLOW.match(rest):
        raise unknown(f"not understood to its end, from {rest!r} on: {i.line!r}")
    return i
