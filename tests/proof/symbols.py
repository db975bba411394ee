# SPDX-License-Identifier: MIT
"""The function that a symbol of C++ is of: its own name, without its namespaces, its classes and
the types of its arguments. Itanium C++ ABI 5.1 "External Names"."""

import re

NAME = re.compile(r"(\d+)")
# What has digits in it that are no length: a constructor, an array, a literal, what came before.
NO_NAME = re.compile(r"[CD]\d|A\d*_|L[a-z]n?\d*E|S[\dA-Z]*_|T\d*_")
OPENS = "NIJXFZ"


def own(symbol):
    """(name, what stands behind it): nothing or E, of a template I; of an operator or constructor
    its class's name, and what it is. A lambda has none."""
    if not symbol.startswith("_Z"):
        return symbol, ""
    return entity(symbol, 2)[0]


def entity(text, at):
    """Of the name that begins there, and where it ends."""
    if text[at:at + 1] == "Z":    # in a function: Z, the function, E, the name
        inner = after_types(text, entity(text, at + 1)[1])
        return entity(text, inner)
    if text[at:at + 1] != "N":
        m = re.compile(r"(?:St|L)?(\d+)").match(text, at)
        if m is None:
            return ("", ""), at
        end = m.end() + int(m[1])
        name = text[m.end():end]
        if text[end:end + 1] == "I":
            return (name, text[end:]), skipped(text, end)
        return (name, ""), end
    found, at = ("", ""), at + 1
    while at < len(text) and text[at] != "E":
        m = NAME.match(text, at)
        if m is not None:
            end = m.end() + int(m[1])
            found, at = (text[m.end():end], text[end:]), end
        elif text.startswith("Ul", at):    # a lambda: Ul, its arguments, E, a number, _
            found, at = ("", ""), text.index("_", after_types(text, at + 2)) + 1
        elif text[at].islower() or re.match(r"[CD]\d", text[at:]):
            found = found[0], text[at:]
            # A conversion has the type, of another operator two letters are all.
            at = skipped(text, re.compile("[PKRO]*").match(text, at + 2).end()) \
                if text.startswith("cv", at) else at + 2
        else:
            at = skipped(text, at)
    return found, at + 1


def after_types(text, at):
    """Behind the E that ends a list."""
    while at < len(text) and text[at] != "E":
        at = skipped(text, at)
    return at + 1


def skipped(text, at):
    """Behind one piece, whatever it is."""
    m = NO_NAME.match(text, at)
    if m is not None:
        return m.end()
    m = NAME.match(text, at)
    if m is not None:
        return m.end() + int(m[1])
    if text.startswith("L", at) and text[at + 1:at + 2] not in ("", *"0123456789"):
        return text.index("E", skipped(text, at + 1)) + 1    # of an enumeration
    if text.startswith("Ul", at):
        return text.index("_", after_types(text, at + 2)) + 1
    return after_types(text, at + 1) if text[at] in OPENS else at + 1
