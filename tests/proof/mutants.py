# SPDX-License-Identifier: MIT
"""Deliberate bugs in a copy of the core; each must be refuted by the entries that it names.

mutants.list: "mutant NAME", "in FILE", "refuted by ENTRY…", then lines to take out ("-") and to put
in ("+"), which must be found exactly once."""

import re
import shutil
from dataclasses import dataclass

from prover import BUILT, HERE, TOP


@dataclass
class mutant:
    name: str
    file: str
    entries: list
    old: str
    new: str

    def core(self):
        """A copy of the core with the bug in it."""
        folder = BUILT / "mutants" / re.sub(r"\W", "_", self.name)
        shutil.rmtree(folder, ignore_errors=True)
        core = folder / "hvcore"
        shutil.copytree(TOP / "hvcore", core)
        path = core / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"mutant {self.name}: its lines stand {text.count(self.old)} times "
                             f"in {self.file}; bring mutants.list up to date")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return core


def read():
    found = []
    text = (HERE / "mutants.list").read_text(encoding="utf-8")
    for part in re.split(r"^mutant ", text, flags=re.M)[1:]:
        lines = [li for li in part.splitlines() if li and not li.startswith("#")]
        word = {li.split(" ", 1)[0]: li for li in lines[1:3]}

        def body(sign, lines=lines):
            return "".join(li[1:] + "\n" for li in lines[3:] if li.startswith(sign))
        found.append(mutant(lines[0], word["in"][3:], word["refuted"][11:].split(), body("-"),
                            body("+")))
    return found
