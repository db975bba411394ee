# SPDX-License-Identifier: MIT
"""The boots of the emulated machine, and what their lines say."""

import collections
import hashlib
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "build" / "bench"
GUEST = FOLDER / "guest"
CORE = TOP / "build" / "gcc" / "hvcore" / "hvcore"
UNIT = TOP / "build" / "gcc" / "tests" / "unit" / "unit"
CORE_SYMBOLS = CORE.with_suffix(".debug")
STAGED = TOP / "build" / "stage" / "lib" / "modules"
TEST_MODULE = TOP / "build" / "kmod-tests" / "hv_test.ko"
FULL_BOOTS = 5
TIMEOUT_SECONDS = 900
GUESTS = "guests"
END_SECONDS = 30
C_FLAGS = ["-std=gnu11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror"]
CXX_FLAGS = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror"]
SPEED_PARTS = ("kvm_speed", "kvm_speed_blobs", "kvm_machine")
SWITCHES_PARTS = ("kvm_speed_blobs", "kvm_machine", "netlink")
GUEST_PARTS = ("bench", "operation", "kernel", "rules")


class BenchError(Exception):
    """One line: what, why, what to do."""


class Boot:
    """What one boot printed."""

    def __init__(self, cpus, lines):
        self.cpus = cpus
        self.values = {}
        self.samples = collections.defaultdict(list)    # by (name, "native" or "hoisted")
        self.operations = collections.Counter()
        self.exits = collections.defaultdict(collections.Counter)
        for line in lines:
            self.take(line.split())

    def take(self, words):
        kind, rest = (words[0], words[1:]) if words else ("", [])
        if kind == "value":
            self.values[rest[0]] = float(rest[1])
        elif kind == "sample":
            self.samples[rest[0], rest[1]].append(float(rest[2]))
        elif kind == "exits":
            name, operations, reason, count = rest[0], *map(int, rest[1:])
            self.operations[name] += operations
            self.exits[name][reason] += count

    def median(self, name, state):
        found = self.samples.get((name, state))
        return statistics.median(found) if found else None


class Measured:
    """All boots of one machine; figures are medians over those with as many CPUs, or of guests."""

    def __init__(self, machine):
        self.machine = machine
        self.boots = collections.defaultdict(list)    # by number of CPUs, or GUESTS
        self.accesses = {}
        self.core_sha256 = hashlib.sha256(CORE.read_bytes()).hexdigest()
        self.seconds = 0.0

    def value(self, cpus, name):
        try:
            return statistics.median(boot.values[name] for boot in self.boots[cpus])
        except (KeyError, statistics.StatisticsError):
            raise self.missing("figure", name, cpus) from None

    def missing(self, what, name, cpus):
        boots = GUESTS if cpus == GUESTS else f"{cpus} CPUs"
        return BenchError(f"{self.machine.name}: no {what} for {name} with {boots}: the run "
                          "ended early; see its log in build/bench")

    def ticks(self, cpus, name, state):
        found = [boot.median(name, state) for boot in self.boots[cpus]]
        found = [ticks for ticks in found if ticks is not None]
        return statistics.median(found) if found else None

    def ratio(self, cpus, name):
        """Hoisted to native, each boot for itself."""
        pairs = [(boot.median(name, "hoisted"), boot.median(name, "native"))
                 for boot in self.boots[cpus]]
        if not pairs or any(None in pair for pair in pairs):
            raise self.missing("ratio", name, cpus)
        return statistics.median(hoisted / native for hoisted, native in pairs)

    def exits(self, cpus, name):
        """Operations, and exits by reason."""
        operations, reasons = 0, collections.Counter()
        for boot in self.boots[cpus]:
            operations += boot.operations[name]
            reasons.update({r: n for r, n in boot.exits[name].items() if n})
        return operations, reasons


def compiled(words):
    try:
        subprocess.run(words, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        raise BenchError(f"{words[-1]} could not be built: {error}") from None


def build():
    """What runs in the guest, and the program that counts VMREADs."""
    for needed in (CORE, CORE_SYMBOLS, UNIT, TEST_MODULE):
        if not needed.exists():
            raise BenchError(f"{needed.relative_to(TOP)} is not there: run `make` first")
    core = CORE.read_bytes()
    if not any(core in module.read_bytes() for module in STAGED.glob("*/updates/hv.ko")):
        raise BenchError("hv.ko in build/stage holds another core than build/gcc: run `make stage`")
    GUEST.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).resolve().parent
    include = [f"-I{TOP / 'hvcore'}", f"-I{TOP}"]    # the core's headers, kmod/abi
    sources = [here / "guest" / f"{part}.c" for part in GUEST_PARTS]
    sources.append(TOP / "tests" / "guest" / "netlink.c")
    compiled(["gcc", *C_FLAGS, *include, *sources, "-o", GUEST / "bench"])
    compiled(["gcc", *C_FLAGS, here / "guest" / "nothing.c", "-o", GUEST / "nothing"])
    guests = [TOP / "tests" / "guest" / f"{part}.c" for part in SPEED_PARTS]
    compiled(["gcc", *C_FLAGS, *guests, "-o", GUEST / "kvm_speed"])
    guests = [TOP / "tests" / "guest" / f"{part}.c" for part in SWITCHES_PARTS]
    sources = [here / "guest" / f"{part}.c" for part in ("switches", "kernel", "operation")]
    compiled(["gcc", *C_FLAGS, *include, *guests, *sources, "-o", GUEST / "switches"])
    shutil.copy(here / "guest" / "guests.sh", GUEST)
    compiled(["g++", *CXX_FLAGS, *include, here / "accesses.cpp", "-o", FOLDER / "accesses"])


def count_accesses():
    """What ticks do not show of an exit: two counts, by the backend's and the exit's name."""
    counts = collections.defaultdict(dict)
    for words in ([FOLDER / "accesses", CORE_SYMBOLS], [UNIT, "--gtest_filter=*guest_accesses*"]):
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise BenchError(f"instructions of the core could not be counted: {ran.stderr.strip()}")
        for line in map(str.split, ran.stdout.splitlines()):
            if line[:1] == ["accesses"]:
                counts[line[1]][line[2]] = tuple(map(int, line[3:]))
    return counts


def run_rig(words):
    """Its status and both streams; whatever ends this ends the machine first."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, cwd=TOP) as child:
        try:
            said, complaints = child.communicate()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait(END_SECONDS)
        return child.returncode, said, complaints


def boot(machine, title, cpus, work):
    """One boot; its lines stay in build/bench."""
    begin = time.monotonic()
    title = f"{machine.title}, {title}"
    what, count = (work.split() + [""])[:2]
    script = f"sh /bench/guests.sh {machine.kvm} {count}" if what == GUESTS else \
        f"modprobe hv && insmod /bench/hv_test.ko && /bench/bench {work}"
    words = [TOP / "scripts" / "rig", *machine.options, "--no-hoist", "--cpus", str(cpus),
             "--memory", "1024", "--timeout", str(TIMEOUT_SECONDS), "--add", f"{GUEST}:/bench",
             "--add", f"{TEST_MODULE}:/bench/hv_test.ko", "--", "sh", "-c", script]
    print(f"bench: {title}: booting and measuring", file=sys.stderr, flush=True)
    status, said, complaints = run_rig(words)
    name = what if what == GUESTS else f"cpus{cpus}"
    (FOLDER / f"{machine.name}_{name}.log").write_text(said + complaints)
    if status:
        last = complaints.strip().splitlines() or ["nothing on stderr"]
        raise BenchError(f"{title}: scripts/rig ended with {status}: {' / '.join(last)}")
    print(f"bench: {title}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return Boot(cpus, said.splitlines())


def run_all(machine, count):
    """The machine's boots for time `count` times, the one for memory once."""
    measured = Measured(machine)
    begin = time.monotonic()
    measured.accesses = count_accesses()[machine.backend]
    for number in range(count):
        for title, cpus, work in machine.boots:
            if work == "memory" and number:
                continue
            if count > 1:
                title = f"{title}, boot {number + 1} of {count}"
            key = GUESTS if work.startswith(GUESTS) else cpus
            measured.boots[key].append(boot(machine, title, cpus, work))
    measured.seconds = time.monotonic() - begin
    return measured
