# SPDX-License-Identifier: MIT
"""From a harness to a verdict: clang → IR → C → CBMC."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import loops
from ir import unknown
from translate import translate

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILT = TOP / "build/proof"
SECONDS = 500
MEMORY = 2 << 30
# As clang makes it of the source, before its optimiser has seen it.
CLANG = ["clang-19", "-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
         "-fno-threadsafe-statics", "-mgeneral-regs-only", "-fno-access-control", "-O1", "-Xclang",
         "-disable-llvm-passes", "-fno-discard-value-names", "-gline-tables-only", "-w", "-S",
         "-emit-llvm"]
# Only what makes less of the same: small functions in their callers, variables in registers.
OPT = ["opt-19", "-S", "-passes=cgscc(inline),function(sroa)", "-inline-threshold=30",
       "-inlinehint-threshold=30"]
CBMC = ["--unwinding-assertions", "--object-bits", "12", "--no-standard-checks",
        "--bounds-check", "--slice-formula", "--trace"]


@dataclass
class outcome:
    verdict: str    # verified, refuted, reachable, vacuous or error
    seconds: float
    why: str = ""
    request: dict = field(default_factory=dict)    # of the counter-example
    cut: set = field(default_factory=set)          # the loops that a directive cut


def kept_apart(ir, names, inlined):
    """Functions that stay functions of their own, and those that become part of their callers."""
    found = set()

    def marked(m):
        into = [n for n in inlined if loops.named(n, m[2])]
        found.update(into)
        how = "alwaysinline" if into else \
            "noinline" if any(loops.named(n, m[2]) for n in names) else ""
        return f"{m[1]} {how} {m[3]}" if how else m[0]
    ir = re.sub(r'^(define [^@]*@"?([\w.$]+)"?\(.*\)(?: (?:local_)?unnamed_addr)?) (#\d+)', marked,
                ir, flags=re.M)
    for name in set(inlined) - found:
        raise unknown(f"no function {name} that could be put into its callers")
    return ir


def compiled(harness, core, folder):
    """The IR of a harness on a tree of the core."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (HERE / f"{harness}.cpp").read_text(encoding="utf-8")
    raw = folder / f"{harness}.ll"
    subprocess.run([*CLANG, "-I", str(HERE), "-I", str(core), "-o", str(raw),
                    str(HERE / f"{harness}.cpp")], check=True, capture_output=True, text=True)
    ir = raw.read_text(encoding="utf-8")
    # What a directive names stays a function of its own.
    ir = kept_apart(ir, loops.named_functions(text), loops.inlined(text))
    raw.write_text(ir, encoding="utf-8")
    return subprocess.run([*OPT, "-o", "-", str(raw)], check=True, capture_output=True,
                          text=True).stdout, text


def judged(log, wanted, reach):
    """(verdict, why) of a run's output."""
    failed = re.findall(r"^\[\S+\] (?:line \d+ )?(.*): FAILURE$", log, re.M)
    if "VERIFICATION" not in log:
        return "error", "the prover ended without a verdict: " + log.strip()[-200:]
    if not reach:
        if "VERIFICATION SUCCESSFUL" in log:
            return "verified", ""
        return "refuted", "; ".join(dict.fromkeys(failed))
    missed = [w for w in wanted if f"reach: {w}" not in failed]
    if not wanted or missed:
        return "vacuous", "; ".join(missed) or "nothing is to be reached"
    return "reachable", ""


def request_of(log):
    """What the first counter-example asks for: the last value shown under each name."""
    trace = log.split("\nTrace for ", 2)
    shown = re.findall(r"^\s*show_(\w+)=(\d+)u?l*", trace[1] if len(trace) > 1 else "", re.M)
    return {name: int(number) for name, number in shown}


def ask(cbmc, ir, harness_text, entry, stem, reach=False):
    """One question to the prover."""
    start = time.monotonic()
    try:
        text, program = translate(ir, harness_text, entry, reach)
    except unknown as e:
        return outcome("error", time.monotonic() - start, f"translator: {e}")
    source = stem.with_suffix(".i")
    source.write_text(text, encoding="utf-8")
    turns = str(loops.turns(harness_text, entry))
    # CaDiCaL: MiniSat, which is inside, takes seconds for one entry and hours for its twin. timeout
    # ends the solver too.
    run = subprocess.run(["timeout", "--kill-after=5", str(SECONDS), "prlimit", f"--as={MEMORY}",
                          cbmc, *CBMC, "--unwind", turns, "--max-field-sensitivity-array-size",
                          str(max(64, int(turns))), "--external-sat-solver",
                          str(Path(cbmc).with_name("cadical")), "--function", entry, str(source)],
                         capture_output=True, text=True, check=False)
    log = run.stdout + run.stderr if run.returncode not in (124, 137) else ""
    stem.with_suffix(".log").write_text(log, encoding="utf-8")
    verdict, why = judged(log, program.reached, reach) if log else \
        ("error", f"no answer in {SECONDS} s")
    return outcome(verdict, time.monotonic() - start, why,
                   request_of(log) if verdict == "refuted" else {}, program.cut)


def prover():
    """The command, or None after saying why there is none."""
    run = subprocess.run([str(TOP / "scripts/fetch_cbmc")], stdout=subprocess.PIPE, text=True,
                         check=False)
    return run.stdout.strip() if run.returncode == 0 else None


assert sys.version_info >= (3, 10)
