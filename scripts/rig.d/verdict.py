# SPDX-License-Identifier: MIT
"""Why a run ended, as an exit status and one line."""

import dataclasses

RIG_FAILED, HOIST_FAILED = 121, 120
POWERED_OFF, RESET, TIME_OUT, PANIC = 122, 123, 124, 125
CONSOLE_TAIL = 1 << 20


@dataclasses.dataclass
class Verdict:
    """The exit status of the rig; the line is empty when the command's own status says it all."""
    status: int
    line: str = ""


def console_says(folder):
    """What the kernel wrote to its console last."""
    try:
        with open(folder / "console.log", "rb") as file:
            file.seek(max(0, file.seek(0, 2) - CONSOLE_TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def line_with(text, words):
    """The line of a log that has these words, without its time stamp."""
    for line in text.splitlines():
        if words in line:
            return line[line.index(words):].strip()
    return ""


def of_a_machine_that_ended(run, status=None):
    """A machine that ended by itself, before the command's status came.

    status: the emulator's own; None while it still runs.
    """
    folder, machine = run.folder, run.machine
    console = console_says(folder)
    panic = line_with(console, "Kernel panic")
    if panic:
        return Verdict(PANIC, f"the kernel panicked: {panic}")
    if "reboot: Power down" in console or "reboot: System halted" in console:
        return Verdict(POWERED_OFF, "the machine was powered off before the command ended")
    words = emulator_says(folder, machine)
    if run.boots > 1 or "reboot: " in console or machine.was_reset(words, status):
        linux = "reboot: " in console or "sysrq: Resetting" in console
        why = "by Linux" if linux else "by a triple fault"
        return Verdict(RESET, f"the machine was reset {why}")
    return Verdict(RIG_FAILED, f"the emulator ended: {words or 'it did not say why'}")


def emulator_says(folder, machine):
    """Bochs's or QEMU's own last words."""
    try:
        text = (folder / "emulator.log").read_text(errors="replace")
    except OSError:
        return ""
    fatal = text.rpartition("exiting with the following message:")[2]
    lines = [line.strip() for line in fatal.splitlines()
             if line.strip(" =\r") and not machine.noise(line)]
    return (lines[0] if "exiting with" in text else lines[-1]) if lines else ""
