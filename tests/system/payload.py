# SPDX-License-Identifier: MIT
"""What the guest gets beside the build: test programs, scripts, and facts about the core."""

import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCES = TOP / "tests" / "guest"
PROGRAMS = TOP / "build" / "system" / "bin"
SCRIPTS = TOP / "build" / "system" / "sh"
FLAGS = ["-std=gnu11", "-O2", "-static", "-s", "-pthread", "-Wall", "-Wextra", "-Werror",
         f"-I{TOP / 'hvcore'}", f"-I{TOP}"]
SAMPLE_BYTES = 48
SAMPLE_KEY = 0x9e3779b97f4a7c15


def newer(product, sources):
    return product.exists() and all(product.stat().st_mtime > s.stat().st_mtime for s in sources)


def compile_programs():
    """Each file with a main becomes a program; the others are linked to all that include them."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    headers = [h for at in (SOURCES, TOP / "hvcore/abi", TOP / "kmod/abi") for h in at.glob("*.h")]
    parts = [path for path in SOURCES.glob("*.c") if "int main(" not in path.read_text()]
    for source in sorted(set(SOURCES.glob("*.c")) - set(parts)):
        text = source.read_text()
        used = [part for part in parts if f'"{part.stem}.h"' in text]
        product = PROGRAMS / source.stem
        if newer(product, [source, *used, *headers]):
            continue
        subprocess.run(["gcc", *FLAGS, "-o", product, source, *used], check=True)


def expectations():
    """What the core decides for MSRs, from its own sources, for the guest's shell."""
    rules = TOP / "hvcore" / "policy" / "rule_set.cpp"
    source = TOP / "tests" / "system" / "msr_facts.cpp"
    headers = [path for folder in ("arch", "base", "policy", "svm", "vcpu", "vmx")
               for path in (TOP / "hvcore" / folder).glob("*.hpp")]
    program = TOP / "build" / "system" / "msr_facts"
    if not newer(program, [source, rules, *headers]):
        subprocess.run(["g++", "-std=c++20", "-O1", f"-I{TOP / 'hvcore'}", "-o", program, source,
                        rules], check=True)
    return {backend: subprocess.run([program, backend], check=True, stdout=subprocess.PIPE,
                                    text=True).stdout for backend in ("vmx", "svm")}


def core_sample():
    """Some words of the core's code, xored, for hv_test's `find`: key, then the words."""
    core = TOP / "build" / "gcc" / "hvcore" / "hvcore"
    if not core.exists():
        return ""
    data = core.read_bytes()
    start = len(data) // 3 // 4096 * 4096
    for at in range(start, len(data) - SAMPLE_BYTES, 64):
        sample = data[at:at + SAMPLE_BYTES]
        if len(set(sample)) > SAMPLE_BYTES // 2 and data.count(sample) == 1:
            words = [int.from_bytes(sample[i:i + 8], "little") for i in range(0, SAMPLE_BYTES, 8)]
            return " ".join(hex(w) for w in [SAMPLE_KEY, *(w ^ SAMPLE_KEY for w in words)])
    return ""


def write_if_new(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def build():
    """Bring build/system up to date; files that did not change keep their times."""
    try:
        compile_programs()
        facts = expectations()
    except subprocess.CalledProcessError as error:
        print(f"tests/system: {error}", file=sys.stderr)
        sys.exit(1)
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    here = TOP / "tests" / "system"
    wanted = {path.name: path for path in [*here.glob("guest/*"), *here.glob("groups/*.sh")]}
    for old in SCRIPTS.iterdir():
        if old.name not in wanted and not old.name.endswith(".txt"):
            old.unlink()
    for name, path in wanted.items():
        if not newer(SCRIPTS / name, [path]):
            shutil.copy(path, SCRIPTS / name)
    for backend, text in facts.items():
        write_if_new(SCRIPTS / f"msr_facts.{backend}.txt", text)
    write_if_new(SCRIPTS / "core_sample.txt", core_sample())
