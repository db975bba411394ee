# SPDX-License-Identifier: MIT
"""Puts a kernel, its command line and its initramfs where a guest finds them without loading.

Bochs reads one file into its memory before the guest starts. The file is cut into blocks of
128 KiB, which the guest gets in the order in which it touches memory (see boot.S):

    blocks 0 … IMAGE_SLOT-1    each begins with its own number; the BIOS uses up the first few
    blocks IMAGE_SLOT …        guest memory from IMAGE on: kernel, control data, initramfs
"""

import os
import shutil
import struct

BLOCK = 0x20000
IMAGE = 0x1000000
IMAGE_SLOT = 96
SLOT_TAG = 0x534C
END_MARK = b"HDNE"

PAGE = 0x1000
COMMAND_LINE_LIMIT = 2048
SETUP_HEADER = 0x1F1
LOAD = 1

BOOT_WORDS = 482
BOOT_SECTOR = 512
FLOPPY = 1474560


def up(value, to):
    """The next multiple of `to`."""
    return (value + to - 1) // to * to


def file_offset(address):
    """Where a guest address from IMAGE on lies in the file."""
    return IMAGE_SLOT * BLOCK + address - IMAGE


def write_kernel(path, vmlinux):
    """The part that depends on the kernel only: tags and segments. Returns (entry, end)."""
    with open(vmlinux, "rb") as file:
        elf = file.read()
    entry, headers = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    end = 0
    with open(path, "wb") as out:
        for slot in range(IMAGE_SLOT):
            out.seek(slot * BLOCK)
            out.write(struct.pack("<HH", slot, SLOT_TAG))
        for at in range(headers, headers + count * size, size):
            kind, _, offset, _, physical, in_file, in_memory, _ = struct.unpack_from(
                "<IIQQQQQQ", elf, at)
            if kind == LOAD:
                out.seek(file_offset(physical))
                out.write(elf[offset:offset + in_file])
                end = max(end, physical + in_memory)
    return entry, end


def page_tables(at):
    """Four levels that map the first 4 GiB to themselves in large pages."""
    def table(entries):
        return b"".join(struct.pack("<Q", entry) for entry in entries).ljust(PAGE, b"\0")
    present, large = 3, 0x80
    return (table([at + PAGE | present])
            + table(at + (2 + i) * PAGE | present for i in range(4))
            + b"".join(table(((g << 30) + (i << 21)) | large | present for i in range(512))
                       for g in range(4)))


def boot_params(setup, command_line, initrd, initrd_bytes):
    """struct boot_params of the kernel's boot protocol; boot.S adds the memory map."""
    page = bytearray(PAGE)
    header = setup[SETUP_HEADER:0x202 + setup[0x201]]
    page[SETUP_HEADER:SETUP_HEADER + len(header)] = header
    page[0x210] = 0xFF  # a boot loader without a number
    page[0x211] |= 1  # the kernel lies above 1 MiB
    struct.pack_into("<III", page, 0x214, IMAGE, initrd, initrd_bytes)
    struct.pack_into("<I", page, 0x228, command_line)
    # screen_info stays empty: nobody looks, and the kernel need not drive a screen.
    return bytes(page)


def write_image(path, kernel, setup, command_line, parts):
    """Complete a copy of the kernel part at `path`. Returns the words for boot.S."""
    if len(command_line) >= COMMAND_LINE_LIMIT:
        raise ValueError(f"the kernel's command line has {len(command_line)} characters, "
                         f"it takes {COMMAND_LINE_LIMIT - 1}")
    tables = up(kernel.end, 0x200000)
    text = tables + 6 * PAGE
    params = text + PAGE
    initrd = params + PAGE
    initrd_bytes = sum(up(os.path.getsize(part), 4) for part in parts)
    end = up(initrd + initrd_bytes + PAGE, BLOCK)
    with open(path, "r+b") as out:
        def put(address, data):
            out.seek(file_offset(address))
            out.write(data)
        put(tables, page_tables(tables))
        put(text, command_line.encode() + b"\0")
        put(params, boot_params(setup, text, initrd, initrd_bytes))
        at = initrd
        for part in parts:
            out.seek(file_offset(at))
            with open(part, "rb") as source:
                shutil.copyfileobj(source, out, 1 << 20)
            at += up(os.path.getsize(part), 4)
        put(end - len(END_MARK), END_MARK)
    return struct.pack("<HIIIIIH", SLOT_TAG, IMAGE_SLOT, end, tables, params,
                       kernel.entry, 0x18)


def write_floppy(path, boot_sector, words):
    """A floppy that holds the boot sector and nothing else."""
    sector = bytearray(boot_sector)
    if len(sector) != BOOT_SECTOR:
        raise ValueError(f"the boot sector has {len(sector)} bytes instead of {BOOT_SECTOR}")
    sector[BOOT_WORDS:BOOT_WORDS + len(words)] = words
    with open(path, "wb") as out:
        out.write(sector)
        out.truncate(FLOPPY)
