# SPDX-License-Identifier: MIT
"""Loops that are proved by one turn from any state that an invariant allows.

    // loop FUNCTION [N]: INVARIANT

in a harness cuts the Nth loop (from 1) of every function of that name. Where it is entered, the
invariant is checked, everything that a turn may write takes any value, and the invariant is
assumed; where it would turn again, the invariant is checked and the path ends. A turn that may
write what cannot be told is an error of the translator, not a guess.

    // any FUNCTION in ENTRY…[: CONDITION]

has that function, which must write nothing but its result, return anything in these entries; the
condition on its arguments is checked at each call. FUNCTION<3> is the one with this argument.

    // instead FUNCTION in ENTRY…: NAME

has a function of the harness with the same arguments answer in its place, and

    // turns NUMBER in ENTRY…

has loops unrolled so often, where 8 turns are not enough, and each element of an array of that size
followed on its own.

    // inline FUNCTION

puts that function into its callers, so that a loop of it may write their variables.

A directive that matches no call or loop, or names no entry, is an error."""

import re

import symbols
from ir import unknown
from layout import sane

LINE = re.compile(r"^\s*// loop (\w+(?:\(\))?)(?: (\d+))?: (.+)$", re.M)


def read(text):
    """{(function, number): invariant}"""
    return {(m[1], int(m[2] or 1)): m[3] for m in LINE.finditer(text)}


ANY = re.compile(r"^\s*// any ([\w<>]+) in ([\w ]+?)(?:: (.+))?$", re.M)


def read_any(text, entry):
    """{function that returns anything in an entry: condition}"""
    return {m[1]: m[3] for m in ANY.finditer(text) if entry in m[2].split()}


INSTEAD = re.compile(r"^\s*// instead ([\w<>]+) in ([\w ]+?): (\w+)$", re.M)
TURNS = re.compile(r"^\s*// turns (\d+) in ([\w ]+)$", re.M)


INLINE = re.compile(r"^\s*// inline (\S+)$", re.M)


def inlined(text):
    return INLINE.findall(text)


def read_instead(text, entry):
    """{function: the harness's own, which is called in its place}"""
    return {m[1]: m[3] for m in INSTEAD.finditer(text) if entry in m[2].split()}


def turns(text, entry):
    return max([int(m[1]) for m in TURNS.finditer(text) if entry in m[2].split()], default=8)


def named_functions(text):
    """What directives name has to stay a function of its own."""
    return {n for n, _ in read(text)} | {m[1] for m in ANY.finditer(text)} | \
        {m[1] for m in INSTEAD.finditer(text)}


def named(name, symbol):
    """Whether a directive's name is that of a function: name, name(), name<3>, or how the symbol
    begins."""
    if name.startswith("_Z"):
        return symbol.startswith(name)
    stem, _, argument = name.partition("<")
    found, behind = symbols.own(symbol)
    if found != stem.removesuffix("()"):
        return False
    if argument:
        return behind.startswith(f"ILj{argument[:-1]}E")
    return behind.startswith("cl") if stem.endswith("()") else behind[:1] in ("", "E", "I")


DIRECTIVE = re.compile(r"^\s*// (?:loop|any|instead|turns|inline)\b.*$", re.M)


def check(text, module):
    """Dies on a directive that is none, that names no entry, or a loop that is not there."""
    for m in DIRECTIVE.finditer(text):
        forms = [p.match(m[0]) for p in (LINE, ANY, INSTEAD, TURNS, INLINE)]
        if not any(forms):
            raise unknown(f"a directive that is not understood: {m[0].strip()}")
        for entry in next((f[2].split() for f in forms[1:4] if f), []):
            if entry not in module.functions:
                raise unknown(f"no entry {entry}: {m[0].strip()}")
    for name, number in read(text):
        if not any(named(name, f.name) and len(natural(f)) >= number
                   for f in module.functions.values() if f.blocks):
            raise unknown(f"the directive for loop {number} of {name} matches none")


def targets(f):
    return {label: [x for i in b for x in i.labels if i.op in ("br", "switch")]
            for label, b in f.blocks.items()}


def natural(f):
    """{header: blocks of its loop}, headers in the order of the text."""
    to = targets(f)
    back, done, open_ = [], set(), []

    def walk(label):
        stack = [(label, iter(to[label]))]
        open_.append(label)
        done.add(label)
        while stack:
            at, rest = stack[-1]
            nxt = next(rest, None)
            if nxt is None:
                stack.pop()
                open_.pop()
            elif nxt in open_:
                back.append((at, nxt))
            elif nxt not in done:
                done.add(nxt)
                open_.append(nxt)
                stack.append((nxt, iter(to[nxt])))

    walk(next(iter(f.blocks)))
    loops = {}
    for tail, head in back:
        body = loops.setdefault(head, {head})
        todo = [tail]
        while todo:
            at = todo.pop()
            if at not in body:
                body.add(at)
                todo += [x for x, out in to.items() if at in out and x in done]
    order = list(f.blocks)
    return dict(sorted(loops.items(), key=lambda x: order.index(x[0])))


class cuts:
    """The cut loops of one function."""

    def __init__(self, e):
        self.e = e
        self.cut = {}
        for number, (head, body) in enumerate(natural(e.f).items(), 1):
            for (name, wanted), invariant in e.p.loops.items():
                if wanted == number and named(name, e.f.name):
                    self.cut[head] = (body, invariant)
                    e.p.cut.add((name, wanted))

    def enter(self, frm, to):
        """C for a jump to the head of a cut loop, after its phis; empty for any other jump."""
        if to not in self.cut:
            return ""
        body, invariant = self.cut[to]
        held = self.worded(invariant, to)
        check = f'__CPROVER_assert({held}, "loop invariant: {invariant}");'
        check = check if self.e.p.checking else ""
        if frm in body:
            return f"{check} __CPROVER_assume(0);"
        return f"{check} {self.havoc(to, body)} __CPROVER_assume({held}); goto L_{sane(to)};"

    def worded(self, invariant, head):
        """Names of the source for those of the translation; a function of the harness is called."""
        e = self.e
        phis = {i.result for i in e.f.blocks[head] if i.op == "phi"}
        lent = {p.of: p for p in e.f.params if p.sret}
        outside = [i.result for label, b in e.f.blocks.items() if label not in self.cut[head][0]
                   for i in b if i.op == "phi"]

        def found(name):
            # What was put into its caller has an i more.
            counted = [n for n in phis if re.fullmatch(re.escape(name) + r"(\.i)?\d*\.\d+", n)]
            for n in (*counted[:len(counted) == 1], name, name + ".addr", name + ".coerce"):
                if n in phis or n in e.allocas:
                    return e.name(n)
                if n in lent:
                    return f"({e.place(lent[n], lent[n].sret)})"
                if n in e.parameters:
                    return e.name(n)
            # What was there before the loop, which no turn changes.
            before = [n for n in outside if n == name or
                      re.fullmatch(re.escape(name) + r"\d*\.0", n)]
            if len(before) == 1:
                return e.name(before[0])
            f = e.p.module.functions.get(name)
            return e.p.callee(name) if f is not None and f.blocks else None

        def local(m):
            parts = m[0].split(".")
            for n in range(len(parts), 0, -1):
                name = found(".".join(parts[:n]))
                if name:
                    return ".".join([name] + parts[n:])
            raise unknown(f"{m[0]} in the invariant of {e.f.name}: {invariant}")
        return re.sub(r"(?<![.\w])[A-Za-z_][\w.]*", local, invariant)

    def behind(self, number):
        """The type of all that a parameter points to, if the function says it."""
        p = self.e.f.params[number]
        if p.sret:
            return p.sret
        if p.of != "this":
            return None
        return next((i.type for b in self.e.f.blocks.values() for i in b
                     if i.op == "getelementptr" and i.type.what == "named" and
                     i.args[0].what == "local" and i.args[0].of in ("this", "this1")), None)

    def havoc(self, head, body):
        e = self.e
        known = e.p.effects.roots(e.f)
        written = set()
        for label in body:
            for i in e.f.blocks[label]:
                written |= e.p.effects.written(i, known)
        out = [f"{e.name(i.result)} = nondet_{e.p.nondet(i.type)}();"
               for i in e.f.blocks[head] if i.op == "phi"]
        for what, name in sorted(written, key=str):
            if what == "alloca":
                t = e.allocas[name]
                out.append(f"{e.name(name)} = nondet_{e.p.nondet(t)}();")
            elif what == "param" and self.behind(name) is not None:
                t = self.behind(name)
                out.append(f"{e.place(e.f.params[name], t)} = nondet_{e.p.nondet(t)}();")
            elif what == "global":
                t = e.p.module.globals[name][0]
                out.append(f"{e.p.variable(name)} = nondet_{e.p.nondet(t)}();")
            else:
                raise unknown(f"a loop of {e.f.name} writes through {what} {name}")
        return " ".join(out)
