#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""LLVM IR of a harness as C for CBMC: translate.py [--reach] FILE.ll HARNESS ENTRY > FILE.i

With --reach the checks are left out and every prove_reach() becomes an assertion that must fail."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import loops
import module
from calls import ANY, GHOST, KNOWN
from effects import effects
from emit import emitter
from ir import unknown
from layout import sane, types


def builtin(name):
    return bool(ANY.match(name)) or name.startswith((GHOST, "llvm.")) or name in KNOWN


class program:
    """What is reachable from one entry of a harness."""

    def __init__(self, m, cut_loops, any_of, checking):
        self.module, self.loops, self.any, self.checking = m, cut_loops, any_of, checking
        self.types = types(m.types)
        self.effects = effects(m, builtin)
        self.todo, self.seen, self.heads = [], set(), []
        self.names, self.globals, self.nondets, self.shown = {}, {}, {}, set()
        self.reached, self.cut, self.helpers = [], set(), {}
        self.used = set()     # directives that changed a call
        self.anything = {}    # variables that a harness declares and nobody defines: any_…

    def c_name(self, name):
        return self.names.setdefault(name, f"f{len(self.names)}_{sane(name)}"[:120])

    def callee(self, name, i=None):
        f = self.module.functions.get(name)
        if f is None or not f.blocks:
            if i is None or not name.startswith(GHOST):
                raise unknown(f"a function without a body: {name}")
            args = ", ".join(self.types.c(a.type) for a in i.args)
            self.helpers[name] = f"{self.types.c(i.type)} {name}({args});"
            return name
        if name not in self.seen:
            self.seen.add(name)
            self.todo.append(name)
        return self.c_name(name)

    def nondet(self, t):
        c = self.types.c(t)
        return self.nondets.setdefault(c, sane(c.replace("struct ", "")))

    def zero(self, t):
        name = "zero_" + sane(self.types.c(t))
        self.globals.setdefault(name, f"static const {self.types.c(t)} {name};")
        return name

    def trailing(self, t):
        name = f"trailing_zeros_{t.bits}"
        c = self.types.c(t)
        tests = " ".join(f"if (x >> {n} & 1) n = {n};" for n in reversed(range(t.bits)))
        self.helpers[name] = f"static {c} {name}({c} x) {{ {c} n = {t.bits}; {tests} return n; }}"
        return name

    def variable(self, name):
        c = "g_" + sane(name)
        if c not in self.globals:
            if name not in self.module.globals:
                raise unknown(f"the address of {name}")
            of, initial = self.module.globals[name]
            if initial is None and not name.startswith("any_"):
                raise unknown(f"a variable from elsewhere: {name}")
            self.globals[c] = ""
            if initial is None:
                # A variable of main's that it does not set has any value, member by member.
                t = self.types.c(of)
                self.anything[c] = f"{t} {c}; at_{c} = &{c};"
                self.globals[c] = f"static {t} *at_{c};"
            else:
                self.globals[c] = f"static {self.types.c(of)} {c} = {self.initial(initial)};"
        return f"(*at_{c})" if c in self.anything else c

    def initial(self, v):
        if v.what == "list":
            inside = ", ".join(self.initial(x) for x in v.of)
            return f"{{ {{ {inside} }} }}" if v.type.what == "array" or \
                self.types.resolved(v.type).what == "array" else f"{{ {inside} }}"
        if v.what == "zero":
            return "{ 0 }"
        if v.what == "int":
            return str(v.of & ((1 << v.type.bits) - 1)) + "ull"
        if v.what == "null":
            return "0"
        if v.what == "any":
            return "{ 0 }" if v.type.what != "int" else "0"
        if v.what == "global":
            return "&" + self.variable(v.of)
        if v.what == "text":
            raw = re.findall(r"\\[0-9A-Fa-f]{2}|.", v.of)
            return "{ { " + ", ".join(str(int(c[1:], 16) if len(c) == 3 else ord(c))
                                      for c in raw) + " } }"
        raise unknown(f"an initial value of the kind {v.what}")

    def run(self, entry):
        self.todo, bodies = [entry], []
        self.seen.add(entry)
        self.names[entry] = "inner_" + entry
        while self.todo:
            head, lines = emitter(self, self.module.functions[self.todo.pop()]).run()
            self.heads.append(head + ";")
            bodies.append("\n".join([head + " {"] + lines + ["}"]))
        bodies.append(" ".join([f"void {entry}(void) {{", *self.anything.values(),
                                f"inner_{entry}(); }}"]))
        nondets = [f"{c} nondet_{n}(void);" for c, n in self.nondets.items()]
        shown = ["unsigned long long nondet_u64_show(void);"] + \
            [f"unsigned long long {s};" for s in sorted(self.shown)]
        return "\n".join(self.types.lines + list(self.helpers.values()) + nondets + shown +
                         list(self.globals.values()) + self.heads + bodies) + "\n"


def translate(ir, harness, entry, reach=False):
    """The C, and what must be reachable."""
    m = module.read(ir)
    loops.check(harness, m)
    instead = loops.read_instead(harness, entry)
    m.call_instead(instead)
    p = program(m, loops.read(harness), loops.read_any(harness, entry), not reach)
    text = p.run(entry)
    for name in [*instead, *p.any]:
        if name not in p.used:
            raise unknown(f"the directive for {name} in {entry} matches no call")
    return text, p


def main():
    args = [a for a in sys.argv[1:] if a != "--reach"]
    ir, harness, entry = Path(args[0]), Path(args[1]), args[2]
    try:
        text, _ = translate(ir.read_text(encoding="utf-8"), harness.read_text(encoding="utf-8"),
                            entry, "--reach" in sys.argv)
    except unknown as e:
        print(f"translate: {e}", file=sys.stderr)
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
