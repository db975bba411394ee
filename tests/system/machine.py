# SPDX-License-Identifier: MIT
"""One group in one machine: scripts/rig is started, what it prints is read line by line."""

import dataclasses
import os
import queue
import subprocess
import threading
import time

import payload
import report
from group import BACKENDS

LOGS = report.FOLDER / "system"
WORDS = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip"}
GRACE_SECONDS = 60


@dataclasses.dataclass
class Result:
    """A row of the table."""
    name: str
    machine: str
    state: str
    seconds: float
    note: str = ""


class Reader:
    """Turns the guest's lines into results; a test's time is the time since the one before."""

    def __init__(self, group, machine):
        self.group, self.machine = group, machine
        self.results, self.notes = [], {}
        self.last = time.monotonic()

    def add(self, name, state, note=""):
        now = time.monotonic()
        self.results.append(Result(name, self.machine, state, now - self.last, note))
        self.last = now

    def line(self, text):
        word, _, rest = text.rstrip().partition(" ")
        name, _, note = rest.partition(" ")
        if word in WORDS and name:
            self.add(name, WORDS[word], note or self.notes.get(name, ""))
        elif word == "NOTE" and name:
            self.notes[name] = note

    def close(self, status, verdict):
        """What was to be reported and was not, and how the machine ended."""
        group = self.group
        if group.end_test:
            good = status == group.end_status
            self.add(group.end_test, "pass" if good else "fail", verdict if good else
                     f"ended with {status}, expected {group.end_status}: {verdict}")
        known = {r.name for r in self.results}
        for name in group.tests:
            if name not in known:
                self.add(name, "fail", f"not reached: {verdict or 'the script ended before it'}")
        if not group.end_test and status != 0 and not any(r.state == "fail" for r in self.results):
            self.add(group.name, "fail", f"ended with {status}: {verdict}")


def command(group, machine, full):
    seconds = group.seconds[1 if full else 0]
    words = [str(report.TOP / "scripts" / "rig"), "--machine", machine,
             "--timeout", str(seconds), "--add", f"{payload.PROGRAMS}:/t/bin",
             "--add", f"{payload.SCRIPTS}:/t/sh", *group.rig[machine], "--", "sh",
             "/t/sh/start.sh", group.name, "full" if full else "short", BACKENDS[machine]]
    return words, seconds


def pump(stream, tag, lines):
    for line in stream:
        lines.put((tag, line))
    lines.put((tag, None))


def collect(child, reader, log, seconds):
    """Read both streams to their end; return the rig's last line."""
    lines, verdict, ends = queue.Queue(), "", 0
    for tag, stream in (("out", child.stdout), ("err", child.stderr)):
        threading.Thread(target=pump, args=(stream, tag, lines), daemon=True).start()
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    while ends < 2:
        try:
            tag, line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
        except queue.Empty:
            child.terminate()
            return "the rig did not end"
        if line is None:
            ends += 1
            continue
        text = line.decode(errors="replace")
        log.write(f"{'! ' if tag == 'err' else ''}{text}")
        log.flush()
        if tag == "out":
            reader.line(text)
        elif text.startswith("rig: ") and "logs are in" not in text:
            verdict = text[5:].strip()
    return verdict


def prepare(group):
    """What went wrong in the group's own preparation, or nothing."""
    if not group.before:
        return ""
    done = subprocess.run(group.before, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          cwd=report.TOP, check=False)
    last = done.stderr.strip().splitlines()[-1:]
    return f"{group.before[0]}: {''.join(last)}" if done.returncode else ""


def run(group, machine, full, everything):
    """The results of a group on a machine. full: with full counts; everything: what only runs
    with --full, too."""
    reader = Reader(group, machine)
    why_not = group.why_not(machine, everything)
    if why_not:
        for name in group.tests:
            reader.add(name, "skip", why_not)
        return reader.results
    broken = prepare(group)
    if broken:
        reader.close(1, broken)
        return reader.results
    LOGS.mkdir(parents=True, exist_ok=True)
    words, seconds = command(group, machine, full)
    with (LOGS / f"{group.name}.{BACKENDS[machine]}.log").open("w", encoding="utf-8") as log:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=report.TOP,
                              env=dict(os.environ, HV_SYSTEM_TEST="1")) as child:
            verdict = collect(child, reader, log, seconds)
    reader.close(child.returncode, verdict)
    return reader.results
