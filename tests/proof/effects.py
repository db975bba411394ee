# SPDX-License-Identifier: MIT
"""What a function may write: of its own variables, through which parameter, which globals.

Pointers are followed through variables and calls without regard to order. What a pointer that was
itself read from memory leads to is "deep": it may be anything but a variable of this function."""

DEEP = ("deep", "")


class effects:
    """Per function: the roots it writes, and the roots of the pointer it returns."""

    def __init__(self, module, pure):
        self.module, self.pure = module, pure
        self.writes = {n: set() for n, f in module.functions.items() if f.blocks}
        self.returns = {n: set() for n in self.writes}
        changed = True
        while changed:
            changed = False
            for name in self.writes:
                before = len(self.writes[name]), len(self.returns[name])
                self.visit(module.functions[name])
                changed |= before != (len(self.writes[name]), len(self.returns[name]))

    def roots(self, f):
        """Local → roots, for every pointer of the function."""
        known = {p.of: {("param", n)} for n, p in enumerate(f.params)}
        stored = {}
        block = [i for b in f.blocks.values() for i in b]
        for i in block:
            if i.op == "alloca":
                known[i.result] = {("alloca", i.result)}
        changed = True
        while changed:
            changed = False
            for i in block:
                for table, key, new in self.step(i, known, stored):
                    old = table.setdefault(key, set())
                    changed |= not new <= old
                    old |= new
        return known

    def step(self, i, known, stored):
        if i.op == "getelementptr":
            yield known, i.result, self.of(i.args[0], known)
        elif i.op in ("phi", "select", "bitcast") and i.result:
            yield known, i.result, set().union(*(self.of(a, known) for a in i.args))
        elif i.op == "inttoptr":
            yield known, i.result, {DEEP}
        elif i.op == "load" and i.type.what == "ptr":
            found = set()
            for root in self.of(i.args[0], known):
                inner = stored.get(root)
                found |= inner if inner is not None and root[0] == "alloca" else {DEEP}
            # A variable may have been given a pointer by someone it was lent to.
            yield known, i.result, found | (stored.get("lent", set()) and {DEEP})
        elif i.op == "store" and i.args[0].type.what == "ptr":
            for root in self.of(i.args[1], known):
                yield stored, root, self.of(i.args[0], known)
        elif i.op == "call" and i.result and i.type.what == "ptr":
            yield known, i.result, self.mapped(i, self.returns.get(i.extra, {DEEP}), known)

    def of(self, v, known):
        if v.what == "local":
            return known.get(v.of, set())
        if v.what == "global":
            return {("global", v.of)}
        if v.what == "address":
            return self.of(v.of[1][0], known)
        return set()

    def mapped(self, i, roots, known):
        out = set()
        for root in roots:
            if root[0] == "param":
                a = i.args[root[1]]
                # A copy is passed: what is written there is nobody's.
                out |= set() if a.byval else self.of(a, known)
            elif root[0] != "alloca":
                out.add(root)
        return out

    def written(self, i, known):
        """The roots that one instruction writes."""
        if i.op == "store":
            return self.of(i.args[1], known)
        if i.op == "atomicrmw":
            return self.of(i.args[0], known)
        if i.op != "call":
            return set()
        if i.extra.startswith(("llvm.mem", "prove_any_object")):
            return self.of(i.args[0], known)
        if i.extra in self.writes:
            return self.mapped(i, self.writes[i.extra], known)
        return set() if self.pure(i.extra) else {DEEP}

    def visit(self, f):
        known = self.roots(f)
        for b in f.blocks.values():
            for i in b:
                self.writes[f.name] |= {r for r in self.written(i, known) if r[0] != "alloca"}
                if i.op == "ret" and i.args and i.args[0].type.what == "ptr":
                    self.returns[f.name] |= self.of(i.args[0], known)
