# SPDX-License-Identifier: MIT
"""One run of a machine: started, listened to, ended."""

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import verdict
from cache import BUILD, RigError
from stream import RAW, Decoder, kernel_line
from verdict import Verdict

EMULATOR_NOISE = re.compile(rb"^(\(\d\)[.\[ ].*|Next at t=.*|<bochs:\d+>.*|=+|\s*)$")
TICK = 0.5
RESET_GRACE = 1.0
KEPT_RUNS = 12
DIE_WITH_PARENT = 1


class Run:
    """The folder build/rig/PID, the emulator in it, and what came out so far."""

    def __init__(self, options, machine):
        self.options = options
        self.machine = machine
        self.folder = BUILD / "rig" / str(os.getpid())
        self.process = None
        self.started = time.monotonic()
        self.boots = 0
        self.verdict = None
        self.raw = b""
        self.hoist_output = b""  # shown if the command is never reached
        self.logs = {}
        self.decoder = Decoder(self.got)
        sweep(self.folder.parent)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def start(self, command):
        """Start the emulator; it never outlives the rig."""
        self.note("starting the machine")
        self.logs["emulator"] = open(self.folder / "emulator.log", "wb")
        libc = ctypes.CDLL(None)
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.logs["emulator"], start_new_session=True,
            preexec_fn=lambda: libc.prctl(DIE_WITH_PARENT, signal.SIGKILL))

    def watch(self, extra=()):
        """Pass on what comes until there is a verdict.

        extra: further descriptors, each with what to call when it is ready; one that
        returns False has ended.
        """
        deadline = time.monotonic() + self.options.timeout
        out = self.process.stdout.fileno()
        extra = dict(extra)
        while not self.verdict:
            ready, _, _ = select.select([out, *extra], [], [], TICK)
            for descriptor in ready:
                if descriptor != out and extra[descriptor]() is False:
                    del extra[descriptor]
            if out in ready:
                data = os.read(out, 1 << 16)
                self.decoder.feed(data)
                if not data and not self.verdict:
                    self.ended()
            if not self.verdict:
                self.look(deadline)
        self.flush_raw()
        write(sys.stderr, self.hoist_output)
        return self.verdict

    def ended(self):
        """The emulator has closed its output by itself."""
        self.process.wait()
        self.logs["emulator"].flush()
        self.verdict = verdict.of_a_machine_that_ended(self, self.process.returncode)

    def look(self, deadline):
        """What no message tells: the time, and a kernel that hangs after a panic."""
        if time.monotonic() > deadline:
            panic = verdict.line_with(verdict.console_says(self.folder), "Kernel panic")
            self.verdict = Verdict(verdict.PANIC, f"the kernel panicked: {panic}") if panic else \
                Verdict(verdict.TIME_OUT, f"no end after {self.options.timeout} s; "
                        "the machine was stopped")
        elif "end Kernel panic" in verdict.console_says(self.folder):
            self.verdict = verdict.of_a_machine_that_ended(self)

    def got(self, channel, content):
        """One message of the machine."""
        if self.verdict:
            return
        if channel == "O":
            write(sys.stdout, content)
        elif channel == "E":
            write(sys.stderr, content)
        elif channel == RAW:
            self.got_raw(content)
        elif channel == "K":
            self.log("kernel", kernel_line(content).encode())
            if self.options.verbose:
                write(sys.stderr, kernel_line(content).encode())
        elif channel == "H":
            self.hoist_output += content
        elif channel == "D":
            self.log("hvd", content)
        else:
            self.got_event(channel, content.decode(errors="replace"))

    def got_event(self, channel, text):
        """A step of the machine: booting, user space, command, end."""
        if channel == "B":
            self.boots += 1
            if self.boots > 1:
                self.verdict = verdict.of_a_machine_that_ended(self)
        elif channel == "U":
            self.note("user space")
            self.machine.loaded(self.folder)
        elif channel == "C":
            self.note("command")
            self.hoist_output = b""
        elif channel == "A":
            self.verdict = Verdict(verdict.HOIST_FAILED, "the hoist failed")
        elif channel == "X":
            self.note("end")
            status = re.search(r"\d+", text)
            self.verdict = Verdict(int(status[0]) if status else verdict.RIG_FAILED)
        elif channel == "F":
            self.verdict = Verdict(verdict.RIG_FAILED, text)

    def got_raw(self, content):
        """Text outside frames: the core's last words, or noise of the emulator."""
        self.log("raw", content)
        if self.boots or not self.machine.BOOT_SECTOR:
            *lines, self.raw = (self.raw + content).split(b"\n")
            for line in lines:
                self.show_raw(line)

    def show_raw(self, line):
        """Pass on a line unless the emulator's debugger wrote it."""
        if not EMULATOR_NOISE.match(line):
            write(sys.stderr, line + b"\n")

    def flush_raw(self):
        """What was written without an end of line."""
        if self.raw:
            self.show_raw(self.raw)
        self.raw = b""

    def log(self, name, content):
        """Keep something in a file of the run's folder."""
        if name not in self.logs:
            self.logs[name] = open(self.folder / f"{name}.log", "wb")
        self.logs[name].write(content)
        self.logs[name].flush()

    def note(self, step):
        """Progress, for those who want it."""
        if self.options.verbose:
            seconds = time.monotonic() - self.started
            print(f"rig: {seconds:6.2f} s {step}", file=sys.stderr, flush=True)

    def close(self):
        """End the emulator, whatever state it is in; keep the logs if something went wrong."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for file in self.logs.values():
            file.close()
        if self.options.keep_console and (self.folder / "console.log").exists():
            shutil.copyfile(self.folder / "console.log", self.options.keep_console)
        if not self.process or (self.verdict and self.verdict.status == 0):
            shutil.rmtree(self.folder)
            return
        for big in ("ram", "initrd", "floppy", "session"):
            (self.folder / big).unlink(missing_ok=True)


def write(to, content):
    """Pass bytes on at once."""
    try:
        to.buffer.write(content)
        to.buffer.flush()
    except BrokenPipeError:
        raise RigError("nobody reads the output any more") from None


def sweep(folder):
    """Forget the logs of runs long ended."""
    if not folder.is_dir():
        return
    ended = [path for path in folder.iterdir()
             if path.name.isdigit() and not os.path.exists(f"/proc/{path.name}")]
    for old in sorted(ended, key=lambda path: path.stat().st_mtime)[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
