# SPDX-License-Identifier: MIT
"""One function of the IR as a C function for CBMC."""

import calls
from instructions import BINARY
from ir import kind, unknown
from layout import sane
from loops import cuts

SIGNS = {"add": "+", "sub": "-", "mul": "*", "udiv": "/", "urem": "%", "and": "&", "or": "|",
         "xor": "^", "shl": "<<", "lshr": ">>"}
COMPARE = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
BYTE = kind("int", bits=8)


class emitter:
    """Locals keep their names where C allows it, so that loop invariants can speak of them."""

    def __init__(self, program, f):
        self.p, self.f = program, f
        self.t = program.types
        self.names, self.used = {}, set()
        self.declared, self.code = {}, []
        self.allocas = {i.result: i.type for b in f.blocks.values() for i in b
                        if i.op == "alloca"}
        self.parameters = {p.of for p in f.params}
        self.pointee = dict(self.allocas)
        self.phis = {}
        self.loops = cuts(self)

    def name(self, local):
        if local not in self.names:
            wanted = "v_" + sane(local)
            while wanted in self.used:
                wanted += "_"
            self.used.add(wanted)
            self.names[local] = wanted
        return self.names[local]

    def define(self, local, t):
        self.declared[self.name(local)] = self.t.c(t)
        return self.name(local)

    def fresh(self, t, stem):
        name = f"{stem}{len(self.declared)}"
        self.declared[name] = self.t.c(t)
        return name

    def say(self, line):
        self.code.append("  " + line)

    def of(self, v):
        """An operand as a C expression."""
        if v.what == "local":
            return ("&" if v.of in self.allocas else "") + self.name(v.of)
        if v.what == "int":
            bits = v.type.bits
            return f"(({self.t.c(v.type)}){v.of & ((1 << bits) - 1)}ull)"
        if v.what == "null":
            return "((void *)0)"
        if v.what == "any":    # undefined: any value
            return self.fresh(v.type, "any_")
        if v.what == "zero":
            return self.p.zero(v.type)
        if v.what == "global":
            return "&" + self.p.variable(v.of)
        if v.what == "address":
            return self.address(*v.of)
        raise unknown(f"an operand of the kind {v.what} in {self.f.name}")

    def place(self, v, t):
        """What a pointer points to, as an object of the type."""
        if v.what == "local" and self.allocas.get(v.of) == t:
            return self.name(v.of)
        return f"*({self.t.c(t)} *)({self.of(v)})"

    def address(self, t, args):
        base, first, *rest = args
        at = f"(({self.t.c(t)} *)({self.of(base)}))[{self.index(first)}]"
        for step in rest:
            body = self.t.resolved(t)
            if body.what == "struct":
                at += f".f{step.of}"
                t = body.parts[step.of]
            else:
                at += f".a[{self.index(step)}]"
                t = body.parts[0]
        self.found = t
        return f"(void *)&{at}"

    def index(self, v):
        return str(v.of) if v.what == "int" else f"({self.t.signed(v.type)}){self.of(v)}"

    def jump(self, frm, to):
        moves = [(self.define(name, t), v, self.t.c(t))
                 for name, t, v in self.phis.get((frm, to), [])]
        out = []
        for target, v, c in moves:
            self.declared[target + "_next"] = c
            out.append(f"{target}_next = {self.of(v)};")
        out += [f"{target} = {target}_next;" for target, _, _ in moves]
        return " ".join(out + [self.loops.enter(frm, to) or f"goto L_{sane(to)};"])

    def run(self):
        for label, block in self.f.blocks.items():
            for i in block:
                if i.op == "phi":
                    for v, frm in zip(i.args, i.labels):
                        self.phis.setdefault((frm, label), []).append((i.result, i.type, v))
        params = []
        for p in self.f.params:
            params.append(f"{self.t.c(p.type)} {self.name(p.of)}")
            if p.byval or p.sret:
                self.pointee[p.of] = p.byval or p.sret
        for label, block in self.f.blocks.items():
            self.code.append(f"L_{sane(label)}:;")
            for i in block:
                self.instruction(label, i)
        head = f"{self.t.c(self.f.returns)} {self.p.c_name(self.f.name)}" \
               f"({', '.join(params) or 'void'})"
        names = {self.name(a): self.t.c(t) for a, t in self.allocas.items()} | self.declared
        return head, [f"  {c} {n};" for n, c in names.items()] + self.code

    def instruction(self, label, i):
        if i.op in ("phi", "alloca", "fence"):
            return
        if i.op in BINARY:
            self.binary(i)
            return
        method = getattr(self, "do_" + i.op, None)
        if method is None:
            raise unknown(f"no C for {i.line!r}")
        method(label, i)

    def set(self, i, t, expression):
        self.say(f"{self.define(i.result, t)} = ({self.t.c(t)})({expression});")

    def claim(self, condition, what):
        if self.p.checking:
            self.say(f'__CPROVER_assert({condition}, "{what}");')

    def binary(self, i):
        a, b = (self.of(v) for v in i.args)
        t = i.type
        if i.op in ("shl", "lshr", "ashr") and i.args[1].what != "int":
            self.claim(f"{b} < {t.bits}", "a shift by less than the width")
        if i.op in ("udiv", "urem") and i.args[1].what != "int":
            self.claim(f"{b} != 0", "no division by zero")
        if "nsw" in i.flags and i.op != "shl":
            s = self.t.signed(t)
            word = {"add": "plus", "sub": "minus", "mul": "mult"}[i.op]
            self.claim(f"!__CPROVER_overflow_{word}(({s})({a}), ({s})({b}))", "no overflow")
        if i.op == "ashr":
            self.set(i, t, f"({self.t.signed(t)})({a}) >> {b}")
            return
        by = i.args[1].of if i.args[1].what == "int" else 0
        if i.op in ("udiv", "urem") and by > 0 and by & (by - 1) == 0:
            # The prover would build a divider.
            cheap = f">> {by.bit_length() - 1}" if i.op == "udiv" else f"& {by - 1}u"
            self.set(i, t, f"{a} {cheap}")
            return
        if i.op not in SIGNS:
            raise unknown(f"no C for {i.line!r}")
        self.set(i, t, f"{a} {SIGNS[i.op]} {b}")

    def do_icmp(self, _label, i):
        a, b = (self.of(v) for v in i.args)
        if i.extra[0] == "s":
            cast = f"({self.t.signed(i.type)})"
            a, b = cast + f"({a})", cast + f"({b})"
        self.set(i, kind("int", bits=1), f"{a} {COMPARE[i.extra[-2:]]} {b}")

    def cast(self, _label, i):
        a = self.of(i.args[0])
        if i.op == "trunc" and i.type.bits == 1:
            a = f"({a}) & 1"
        if i.op == "sext":
            a = f"({self.t.signed(i.type)})({self.t.signed(i.args[0].type)})({a})"
        self.set(i, i.type, a)

    do_zext = do_sext = do_trunc = do_bitcast = cast

    def do_inttoptr(self, _label, i):
        """The harness knows what stands at an address."""
        self.say(f"{self.define(i.result, i.type)} = "
                 f"{self.p.callee('prove_at')}({self.of(i.args[0])});")

    def do_load(self, _label, i):
        self.say(f"{self.define(i.result, i.type)} = {self.place(i.args[0], i.type)};")
        if "volatile" in i.flags:    # others write there: two reads of one place may differ
            self.say(f"{self.name(i.result)} = nondet_{self.p.nondet(i.type)}();")

    def do_store(self, _label, i):
        self.say(f"{self.place(i.args[1], i.args[0].type)} = {self.of(i.args[0])};")

    def do_atomicrmw(self, _label, i):
        """One processor's view: the old value, and the new one is there."""
        old, at = self.define(i.result, i.type), self.place(i.args[0], i.type)
        new = self.of(i.args[1])
        if i.extra not in ("xchg", "add", "sub", "and", "or"):
            raise unknown(f"no C for {i.line!r}")
        self.say(f"{old} = {at};")
        self.say(f"{at} = ({self.t.c(i.type)})"
                 f"({new if i.extra == 'xchg' else f'{old} {SIGNS[i.extra]} {new}'});")

    def do_getelementptr(self, _label, i):
        at = self.address(i.type, i.args)
        self.pointee[i.result] = self.found
        self.say(f"{self.define(i.result, kind('ptr'))} = {at};")

    def do_select(self, _label, i):
        c, a, b = (self.of(v) for v in i.args)
        self.say(f"{self.define(i.result, i.type)} = {c} ? {a} : {b};")

    def do_extractvalue(self, _label, i):
        t = self.t.resolved(i.type).parts[i.extra]
        self.say(f"{self.define(i.result, t)} = {self.of(i.args[0])}.f{i.extra};")

    def do_insertvalue(self, _label, i):
        name = self.define(i.result, i.type)
        self.say(f"{name} = {self.of(i.args[0])}; {name}.f{i.extra} = {self.of(i.args[1])};")

    def do_call(self, _label, i):
        calls.call(self, i)

    def do_br(self, label, i):
        to = [self.jump(label, x) for x in i.labels]
        if len(to) == 1:
            self.say(to[0])
        else:
            self.say(f"if ({self.of(i.args[0])}) {{ {to[0]} }} else {{ {to[1]} }}")

    def do_switch(self, label, i):
        on, *cases = i.args
        for v, to in zip(cases, i.labels[1:]):
            self.say(f"if ({self.of(on)} == {self.of(v)}) {{ {self.jump(label, to)} }}")
        self.say(self.jump(label, i.labels[0]))

    def do_ret(self, _label, i):
        self.say(f"return {self.of(i.args[0])};" if i.args else "return;")

    def do_unreachable(self, _label, _i):
        self.claim("0", "the end of a function that does not return")
        self.say("__CPROVER_assume(0);")
