# SPDX-License-Identifier: MIT
"""Takes apart what the machine writes to port 0xE9: frames (guest/frame.h) and raw text between
them, which is the core's last words or the emulator's own."""

import re

START, END, ESCAPE, FLIP = 0x01, 0x04, 0x10, 0x40
SPECIAL = re.compile(rb"[\x01\x04\x10]")
ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # how /dev/kmsg writes what is not plain text
RAW = ""
STREAMED = "OE"  # channels whose content is passed on before the frame is complete


class Decoder:
    """Give it bytes as they come; it calls got(channel, content), with RAW for raw text."""

    def __init__(self, got):
        self.got = got
        self.channel = None  # None: between frames; RAW: the channel's letter comes next
        self.content = bytearray()
        self.escaped = False

    def feed(self, data):
        """Decode the next bytes of the stream."""
        at = 0
        while at < len(data):
            if self.channel is None:
                at = self._between(data, at)
            elif self.channel == RAW:
                self.channel = chr(data[at])
                at += 1
            elif self.escaped:
                self.content.append(data[at] ^ FLIP)
                self.escaped = False
                at += 1
            else:
                at = self._inside(data, at)
        if self.channel and self.channel in STREAMED:
            self._deliver()

    def _between(self, data, at):
        start = data.find(START, at)
        stop = len(data) if start < 0 else start
        if stop > at:
            self.got(RAW, data[at:stop])
        if start >= 0:
            self.channel = RAW
        return stop + 1

    def _inside(self, data, at):
        found = SPECIAL.search(data, at)
        stop = found.start() if found else len(data)
        self.content += data[at:stop]
        if found:
            self.escaped = data[stop] == ESCAPE
            if not self.escaped:
                self._deliver(complete=True)
                self.channel = RAW if data[stop] == START else None
        return stop + 1

    def _deliver(self, complete=False):
        if self.content or (complete and self.channel not in STREAMED):
            self.got(self.channel, bytes(self.content))
            self.content.clear()


def kernel_line(record):
    """One record of /dev/kmsg as dmesg prints it."""
    head, _, text = record.decode(errors="replace").partition(";")
    fields = head.split(",")
    if len(fields) < 3 or not fields[2].isdigit():
        return record.decode(errors="replace")
    seconds = int(fields[2]) / 1e6
    said = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text.split("\n")[0])
    return f"[{seconds:12.6f}] {said}\n"
