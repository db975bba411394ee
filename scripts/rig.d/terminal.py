# SPDX-License-Identifier: MIT
"""The user's terminal as the serial line of the machine."""

import contextlib
import os
import shutil
import sys
import termios
import tty


class Terminal:
    """A pseudo-terminal whose far end is the machine's first serial port."""

    def __init__(self, console):
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        self.name = os.ttyname(self.far)
        self.console = open(console, "wb")  # pylint: disable=consider-using-with
        self.saved = None

    def __enter__(self):
        if os.isatty(0):
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
        self.console.close()
        for end in (self.near, self.far):
            os.close(end)

    def watched(self):
        """What to wait for, and what to do then."""
        return {self.near: self.from_machine, 0: self.to_machine}

    def from_machine(self):
        """Show what the machine writes."""
        data = os.read(self.near, 1 << 12)
        self.console.write(data)
        self.console.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def to_machine(self):
        """Pass on what the user types; False at the end of it."""
        data = os.read(0, 1 << 10)
        with contextlib.suppress(BlockingIOError):
            os.write(self.near, data)
        return bool(data)


def profile():
    """Shell commands that tell the guest the size of this terminal."""
    size = shutil.get_terminal_size()
    return f"stty rows {size.lines} cols {size.columns}\n"
