# SPDX-License-Identifier: MIT
"""A group of tests: a script for the guest, and in its comments what machine it wants.

    # summary: one line
    # rig: --no-hoist --test-build        options of scripts/rig
    # seconds: 60 1200                    most that it may take, then with --full
    # weight: 30                          about how long it takes
    # ends: 123 NAME                      how the machine ends when the test NAME passes
    # full:                               only with --full
    # tests: NAME...                      what it must report

A line without one of these words goes on with the one before it."""

import dataclasses
import shlex
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "groups"
DEFAULT_SECONDS = (300, 3600)
KEYS = ("summary", "rig", "seconds", "weight", "ends", "full", "tests")


@dataclasses.dataclass
class Group:
    """What the head of a script says."""
    path: Path
    summary: str = ""
    rig: list = dataclasses.field(default_factory=list)
    seconds: tuple = DEFAULT_SECONDS
    weight: int = 20
    end_status: int = 0
    end_test: str = ""
    full_only: bool = False
    tests: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return self.path.stem

    def is_called(self, name):
        return name == self.name or name in self.tests

    def read(self, key, text):
        words = text.split()
        if key == "summary":
            self.summary = f"{self.summary} {text}".strip()
        elif key == "rig":
            self.rig += shlex.split(text)
        elif key == "seconds":
            self.seconds = (int(words[0]), int(words[-1]))
        elif key == "weight":
            self.weight = int(words[0])
        elif key == "ends":
            self.end_status, self.end_test = int(words[0]), words[1]
            self.tests.append(words[1])
        elif key == "full":
            self.full_only = True
        elif key == "tests":
            self.tests += words


def read_group(path):
    made, key = Group(path), ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        word, colon, text = line[1:].partition(":")
        if colon and word.strip() in KEYS:
            key = word.strip()
        else:    # goes on with the line before
            text = line[1:]
        made.read(key, text.strip())
    return made


def all_groups():
    return [read_group(path) for path in sorted(FOLDER.glob("*.sh"))]
