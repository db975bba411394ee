# SPDX-License-Identifier: MIT
"""A group of tests: a script for the guest, and in its comments what machine it wants.

    # summary: one line
    # rig: --no-hoist --test-build        options of scripts/rig
    # bochs: --cpu-model NAME             the same for one machine; also qemu
    # only: bochs WHY                     the other machine cannot run it
    # alone: qemu                         there, no other machine runs beside it
    # seconds: 60 1200                    most that it may take, then with --full
    # weight: 30                          about how long it takes
    # before: COMMAND                     makes on this machine what the group needs
    # ends: 123 NAME                      how the machine ends when the test NAME passes
    # full:                               only with --full, or when it is named
    # full: bochs WHY                     the same on that machine alone

A line without one of these words goes on with the one before it. The tests are the functions that
the script hands to `check`, and two that every group ends with unless it says NO_END."""

import dataclasses
import re
import shlex
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "groups"
# The machines, and what they are there for.
BACKENDS = {"bochs": "vmx", "qemu": "svm"}
DEFAULT_SECONDS = (300, 3600)
KEYS = ("summary", "rig", *BACKENDS, "alone", "only", "seconds", "weight", "ends", "full", "before")
CHECK = re.compile(r"^\s*check (\w+)", re.M)


@dataclasses.dataclass
class Group:
    """What the head of a script says."""
    path: Path
    summary: str = ""
    rig: dict = dataclasses.field(default_factory=lambda: {name: [] for name in BACKENDS})
    alone: str = ""
    only: str = ""
    why_only: str = ""
    seconds: tuple = DEFAULT_SECONDS
    weight: int = 20
    end_status: int = 0
    end_test: str = ""
    full_only: bool = False
    full_on: str = ""
    why_full: str = ""
    before: list = dataclasses.field(default_factory=list)
    tests: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return self.path.stem

    def is_called(self, name):
        return name == self.name or name in self.tests

    def why_not(self, machine, everything):
        """Why that machine does not run it; empty where it does."""
        if self.only and self.only != machine:
            return self.why_only
        return "" if everything or self.full_on != machine else f"with --full: {self.why_full}"

    def read(self, key, text):
        words = text.split()
        if key == "summary":
            self.summary = f"{self.summary} {text}".strip()
        elif key == "rig" or key in BACKENDS:
            for machine in BACKENDS if key == "rig" else (key,):
                self.rig[machine] += shlex.split(text)
        elif key == "alone":
            self.alone = words[0]
        elif key == "only":
            self.only, words = (words[0], words[1:]) if not self.only else (self.only, words)
            self.why_only = " ".join([self.why_only, *words]).strip()
        elif key == "seconds":
            self.seconds = (int(words[0]), int(words[-1]))
        elif key == "weight":
            self.weight = int(words[0])
        elif key == "ends":
            self.end_status, self.end_test = int(words[0]), words[1]
        elif key == "before":
            self.before += shlex.split(text)
        elif key == "full" and words:
            self.full_on, words = (self.full_on, words) if self.full_on else (words[0], words[1:])
            self.why_full = " ".join([self.why_full, *words]).strip()
        elif key == "full":
            self.full_only = True


def read_group(path):
    made, key = Group(path), ""
    script = path.read_text(encoding="utf-8")
    for line in script.splitlines():
        if not line.startswith("#"):
            break
        word, colon, text = line[1:].partition(":")
        if colon and word.strip() in KEYS:
            key = word.strip()
        else:    # goes on with the line before
            text = line[1:]
        made.read(key, text.strip())
    made.tests = CHECK.findall(script)
    if made.end_test:
        made.tests.append(made.end_test)
    if "NO_END=1" not in script:
        made.tests += [f"{made.name}_kernel_log", f"{made.name}_audit"]
    return made


def all_groups():
    return [read_group(path) for path in sorted(FOLDER.glob("*.sh"))]
