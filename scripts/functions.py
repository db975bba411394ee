# SPDX-License-Identifier: MIT
"""Finds the functions of a C, C++, Python or shell file: (name, first line, last line)."""

import ast
import re

# Strings, character constants and comments hide braces; digit separators are no quotes.
HIDDEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M | re.S)
# A header that opens something other than a function.
SCOPE = re.compile(r"^\s*(?:export\s+)?(?:inline\s+)?(?:namespace\b|extern\s+$|extern\s*\"|"
                   r"(?:typedef\s+|static\s+|const\s+|constexpr\s+|constinit\s+|inline\s+)*"
                   r"(?:class|struct|union|enum)\b[^()]*$)")
DERIVED = re.compile(r"^\s*(?:class|struct)\s+[\w:]+\s*(?:final\s*)?:(?!:)")
# A member initializer's brace: no part of the body, which comes after it.
MEMBER = re.compile(r"\)[^()]*[^:]:[^:](?:.*[\w>])?$", re.S)
ACCESS = re.compile(r"\b(?:public|private|protected)\s*:(?!:)")
NAME = re.compile(r"([~\w:]+|operator\s*(?:\(\)|[^\s(]+))\s*\(")
SHELL = re.compile(r"^(?:function\s+)?([\w-]+)\s*\(\)\s*\{")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def opens_function(head):
    head = re.sub(r"\[\[.*?\]\]|__attribute__\s*\(\(.*?\)\)|alignas\s*\([^)]*\)", " ", head)
    head = re.sub(r"\btemplate\s*<[^{}]*?>\s*(?=\w)", "", head)
    if "(" not in head or SCOPE.match(head) or DERIVED.match(head):
        return False
    before = head.split("(", 1)[0]
    return "=" not in before.replace("operator=", "").replace("==", "")


def name_of(head):
    head = re.sub(r"\[\[.*?\]\]|__attribute__\s*\(\(.*?\)\)", " ", head)
    found = NAME.search(head)
    return found.group(1) if found else "function"


def opened(head, line, stack):
    """What a brace after head opens: ("function" | "member" | "other", name, first line)."""
    head = ACCESS.sub("", head)
    kind = "other"
    if not any(k == "function" for k, _, _ in stack) and opens_function(head):
        member = MEMBER.search(head) and (head[-1].isalnum() or head[-1] in "_>")
        kind = "member" if member else "function"
    return kind, name_of(head), line - head.lstrip().count("\n")


def in_c(text):
    text = DIRECTIVE.sub(blank, HIDDEN.sub(blank, text))
    found, stack, start, line = [], [], 0, 1
    for at, char in enumerate(text):
        if char == "\n":
            line += 1
        elif char == "{":
            stack.append(opened(text[start:at], line, stack))
            start = start if stack[-1][0] == "member" else at + 1
        elif char == "}":
            kind, name, first = stack.pop() if stack else ("other", "", 0)
            if kind == "function":
                found.append((name, first, line))
            start = start if kind == "member" else at + 1
        elif char == ";":
            start = at + 1
    return found


def in_python(text):
    return [(node.name, node.lineno, node.end_lineno) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def in_shell(text):
    found, name, first = [], None, 0
    for number, line in enumerate(text.splitlines(), 1):
        match = SHELL.match(line)
        if match and not line.rstrip().endswith("}"):
            name, first = match.group(1), number
        elif line.startswith("}") and name:
            found.append((name, first, number))
            name = None
    return found


def of(path, text):
    if path.endswith((".c", ".h", ".cpp", ".hpp")):
        return in_c(text)
    if path.endswith(".py") or text.startswith("#!") and "python" in text.split("\n", 1)[0]:
        return in_python(text)
    if path.endswith(".sh") or text.startswith("#!"):
        return in_shell(text)
    return []
