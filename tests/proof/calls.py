# SPDX-License-Identifier: MIT
"""Calls: those to the prover, the few intrinsics, and the rest."""

import json
import re

from ir import unknown
from layout import text_of
from loops import named

ANY = re.compile(r"prove_any_(?:u(8|16|32|64)|(bool))$")
GHOST = "__CPROVER_uninterpreted_"
BROKEN = "_ZN2hv6brokenEPKcj"


def quoted(text):
    return json.dumps(text)


def call(e, i):
    name = i.extra
    e.p.used.add(i.instead_of)
    for known, act in KNOWN.items():
        if name == known or (known.endswith(".") and name.startswith(known)):
            act(e, i)
            return
    if ANY.match(name):
        e.say(f"{e.define(i.result, i.type)} = nondet_{e.p.nondet(i.type)}();")
        return
    if name.startswith(("llvm.", "prove_")):
        raise unknown(f"no C for a call of {name}")
    ordinary(e, i)


def anything(e, i, condition):
    """In place of a call: the result is anything."""
    f = e.p.module.functions[i.extra]
    if not f.blocks:
        raise unknown(f"what {i.extra} writes: it has no body")
    if condition:
        given = {p.of: f"({e.of(a)})" for p, a in zip(f.params, i.args)}
        held = re.sub(r"(?<![.\w])[A-Za-z_][\w.]*",
                      lambda m: given.get(m[0]) or e.p.callee(m[0]), condition)
        e.claim(held, quoted(condition)[1:-1])
    for what, name in e.p.effects.writes[i.extra]:
        if what != "param" or not f.params[name].sret:
            raise unknown(f"{i.extra} writes more than its result: {what} {name}")
        t = f.params[name].sret
        e.say(f"{e.place(i.args[name], t)} = nondet_{e.p.nondet(t)}();")
    if i.result:
        e.say(f"{e.define(i.result, i.type)} = nondet_{e.p.nondet(i.type)}();")


def ordinary(e, i):
    for name, condition in e.p.any.items():
        if named(name, i.extra):
            e.p.used.add(name)
            anything(e, i, condition)
            return
    args = []
    for a in i.args:
        text = e.of(a)
        if a.byval:
            copy = e.fresh(a.byval, "copy_")
            e.say(f"{copy} = {e.place(a, a.byval)};")
            text = "&" + copy
        args.append(text)
    target = e.p.callee(i.extra, i)
    result = f"{e.define(i.result, i.type)} = " if i.result else ""
    e.say(f"{result}{target}({', '.join(args)});")


def assume(e, i):
    e.say(f"__CPROVER_assume({e.of(i.args[0])});")


def check(e, i):
    what = text_of(e.p.module, i.args[1])
    if e.p.checking:
        e.say(f"__CPROVER_assert({e.of(i.args[0])}, {quoted(what)});")


def reach(e, i):
    what = text_of(e.p.module, i.args[0])
    e.p.reached.append(what)
    if not e.p.checking:
        e.say(f"__CPROVER_assert(0, {quoted('reach: ' + what)});")


def object_(e, i):
    """A variable takes any value."""
    v = i.args[0]
    t = e.pointee.get(v.of) if v.what == "local" else \
        e.p.module.globals[v.of][0] if v.what == "global" else None
    if t is None:
        raise unknown(f"the type of what takes any value: {i.line!r}")
    e.say(f"{e.place(v, t)} = nondet_{e.p.nondet(t)}();")


def show(e, i):
    name = "show_" + text_of(e.p.module, i.args[0])
    e.p.shown.add(name)
    # Not an assignment: that would be sliced away.
    e.say(f"{name} = nondet_u64_show(); __CPROVER_assume({name} == {e.of(i.args[1])});")


def broken(e, i):
    what = text_of(e.p.module, i.args[0])
    e.claim("0", quoted("the core finds itself broken: " + what)[1:-1])
    e.say("__CPROVER_assume(0);")


def pointed(e, pointers, size):
    """The type of `size` bytes that one of the pointers is known to lead to, or plain bytes."""
    for v in pointers:
        t = e.pointee.get(v.of) if v.what == "local" else None
        if v.what == "global" and v.of in e.p.module.globals:
            t = e.p.module.globals[v.of][0]
        if t is not None and e.t.size(t) == size:
            return t
    return e.t.bytes(size)


def size_of(i):
    if i.args[2].what != "int":
        raise unknown(f"a copy of a size that is computed: {i.line!r}")
    return i.args[2].of


def copy(e, i):
    t = pointed(e, i.args[:2], size_of(i))
    e.say(f"{e.place(i.args[0], t)} = {e.place(i.args[1], t)};")


def fill(e, i):
    if i.args[1].what != "int" or i.args[1].of != 0:
        raise unknown(f"a fill with something other than zero: {i.line!r}")
    t = pointed(e, i.args[:1], size_of(i))
    e.say(f"{e.place(i.args[0], t)} = {e.p.zero(t)};")


def trap(e, _i):
    e.claim("0", "a trap")
    e.say("__CPROVER_assume(0);")


def population(e, i):
    e.set(i, i.type, f"__builtin_popcountll({e.of(i.args[0])})")


def zeros(e, i):
    """llvm.cttz: the width where no bit is set."""
    e.set(i, i.type, f"{e.p.trailing(i.type)}({e.of(i.args[0])})")


def same(e, i):
    e.set(i, i.type, e.of(i.args[0]))


def nothing(_e, _i):
    pass


def believed(e, i):
    e.claim(e.of(i.args[0]), "what the compiler was told to assume")


KNOWN = {"prove_assume": assume, "prove_check": check, "prove_reach": reach, "prove_show": show,
         "prove_any_object": object_,
         BROKEN: broken, "llvm.memcpy.": copy, "llvm.memmove.": copy, "llvm.memset.": fill,
         "llvm.trap": trap, "llvm.ctpop.": population, "llvm.cttz.": zeros,
         "llvm.assume": believed, "llvm.expect.": same, "llvm.lifetime.": nothing}
