# SPDX-License-Identifier: MIT
"""LLVM IR as clang -O0 prints it, read into plain objects. Whatever is not known is an error."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'''\s*(?:([%@]"[^"]*"|[%@][-\w.$]+|c"[^"]*"|"[^"]*"|-?\d+|[\w.]+|<\{|\}>'''
                   r'''|\.\.\.|![\w.]*|\#\d+|[][(){}<>,=*:|]))''')
# What clang promises about an argument or a result; nothing is assumed from it.
PLAIN = {"noundef", "zeroext", "signext", "nonnull", "noalias", "nocapture", "readonly",
         "writeonly", "returned", "immarg", "inreg", "dead_on_unwind", "writable", "readnone"}
SIZED = {"align", "dereferenceable", "dereferenceable_or_null", "range", "memory"}
LINKAGE = {"dso_local", "linkonce_odr", "internal", "private", "weak_odr", "hidden", "constant",
           "external", "global", "unnamed_addr", "local_unnamed_addr", "linkonce", "weak"}
FLAGS = {"nuw", "nsw", "exact", "inbounds", "nneg", "disjoint", "samesign", "volatile"}


class unknown(Exception):
    """Something that the translator does not know: it never goes on with a guess."""


@dataclass(frozen=True)
class kind:
    """A type: int (bits), ptr, void, array (count, of), struct (fields, packed) or named (name)."""
    what: str
    bits: int = 0
    name: str = ""
    parts: tuple = ()
    packed: bool = False


@dataclass
class value:
    """An operand: local, global, int, null, any (undef, poison), zero, text, list or address."""
    what: str
    type: kind
    of: object = None
    byval: kind = None    # a copy of this type is passed
    sret: kind = None     # the place of a result of this type is passed


@dataclass
class instruction:
    op: str
    result: str = ""
    type: kind = None
    args: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    flags: set = field(default_factory=set)
    extra: object = None
    instead_of: str = ""    # of a call: the directive that changed what is called
    line: str = ""


@dataclass
class function:
    name: str
    returns: kind
    params: list
    blocks: dict = field(default_factory=dict)    # label → instructions, in order


class reader:
    """The tokens of one line."""

    def __init__(self, line):
        self.line = line
        self.tokens = []
        at = 0
        line = re.sub(r'(?:, )?![\w.]+ !\d+', '', re.sub(r'\s*;.*$', '', line)).rstrip()
        while at < len(line):
            m = TOKEN.match(line, at)
            if not m:
                raise unknown(f"no token at {line[at:at + 20]!r} in {self.line!r}")
            self.tokens.append(m[1])
            at = m.end()
        self.at = 0

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def next(self):
        self.at += 1
        return self.peek(-1)

    def take(self, *wanted):
        if self.peek() in wanted:
            return self.next()
        return ""

    def need(self, wanted):
        if self.next() != wanted:
            raise unknown(f"expected {wanted!r} before {self.peek()!r} in {self.line.strip()!r}")

    def fail(self, what):
        raise unknown(f"{what}: {self.line.strip()!r}")

    def skip_round(self):
        self.need("(")
        depth = 1
        while depth:
            t = self.next()
            if not t:
                self.fail("unbalanced")
            depth += (t == "(") - (t == ")")

    def type(self):
        t = self.next()
        if t in ("ptr", "void"):
            return kind(t)
        if re.fullmatch(r"i\d+", t):
            return kind("int", bits=int(t[1:]))
        if t.startswith("%"):
            return kind("named", name=plain(t))
        if t == "[":
            count = int(self.next())
            self.need("x")
            of = self.type()
            self.need("]")
            return kind("array", bits=count, parts=(of,))
        if t in ("{", "<{"):
            close = "}" if t == "{" else "}>"
            parts = []
            while self.peek() != close:
                parts.append(self.type())
                self.take(",")
            self.need(close)
            return kind("struct", parts=tuple(parts), packed=t == "<{")
        self.at -= 1
        return self.fail(f"unknown type {t!r}")

    def attributes(self):
        """Skips them; the types of a byval and of an sret argument, or None."""
        found = {"byval": None, "sret": None}
        while True:
            t = self.peek()
            if t in PLAIN:
                self.next()
            elif t in SIZED:
                self.next()
                if self.peek() == "(":
                    self.skip_round()
                else:
                    self.next()
            elif t in ("sret", "byval"):
                self.next()
                self.need("(")
                found[t] = self.type()
                self.need(")")
            else:
                return found

    def value(self, of):
        t = self.next()
        if t.startswith("%"):
            return value("local", of, plain(t))
        if t.startswith("@"):
            return value("global", of, plain(t))
        if t in ("true", "false"):
            return value("int", of, int(t == "true"))
        if re.fullmatch(r"-?\d+", t):
            return value("int", of, int(t))
        if t in ("null", "zeroinitializer"):
            return value("null" if t == "null" else "zero", of)
        if t in ("undef", "poison"):
            return value("any", of)
        if t.startswith('c"'):
            return value("text", of, t[2:-1])
        if t in ("[", "{", "<{"):
            return self.listed(of, {"[": "]", "{": "}", "<{": "}>"}[t])
        if t == "getelementptr":
            return value("address", of, self.address(constant=True))
        return self.fail(f"unknown value {t!r}")

    def listed(self, of, close):
        items = []
        while not self.take(close):
            items.append(self.operand())
            self.take(",")
        return value("list", of, items)

    def operand(self):
        of = self.type()
        found = self.attributes()
        v = self.value(of)
        v.byval, v.sret = found["byval"], found["sret"]
        return v

    def operands(self):
        out = [self.operand()]
        while self.take(","):
            if self.peek() == "align":
                break
            out.append(self.operand())
        return out

    def flags(self):
        out = set()
        while self.peek() in FLAGS:
            out.add(self.next())
        return out

    def address(self, constant=False):
        self.flags()
        if constant:
            self.need("(")
        of = self.type()
        self.need(",")
        args = self.operands()
        if constant:
            self.need(")")
        return of, args


def plain(name):
    """%"class.hv::x" → class.hv::x"""
    return name[1:].strip('"')
