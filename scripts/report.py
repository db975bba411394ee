# SPDX-License-Identifier: MIT
"""What a stage of make check leaves behind: build/check/NAME.tsv, one result a line."""

from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "build" / "check"
STATES = ("pass", "fail", "skip")


def plain(text):
    return " ".join(str(text).split())


class report:
    """Rows of one file; written as they come, so that a stage that dies leaves what it had."""

    def __init__(self, file):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.path = FOLDER / f"{file}.tsv"
        self.path.write_text("", encoding="utf-8")
        self.failed = 0

    def add(self, stage, name, state, seconds=0.0, reason=""):
        assert state in STATES
        self.failed += state == "fail"
        with self.path.open("a", encoding="utf-8") as file:
            print(stage, plain(name), state, f"{seconds:.2f}", plain(reason), sep="\t", file=file)
