# SPDX-License-Identifier: MIT
"""Writes initramfs archives (cpio, format "newc"), owned by root whoever runs it."""

import os
import stat

# Debian's merged /usr: a package may still bring /bin/x, and an entry for the folder
# /bin would replace the link of that name in the guest.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
PATH_LIMIT = 4096


def merged(name):
    """The path as it is inside the guest: relative, with /usr merged."""
    name = os.path.normpath("/" + name).lstrip("/")
    return f"usr/{name}" if name.split("/")[0] in MERGED else name


class Archive:
    """One part of an initramfs; the kernel unpacks the parts one after the other."""

    def __init__(self, path):
        self.file = open(path, "wb")  # pylint: disable=consider-using-with
        self.folders = {"", "."}
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._entry("TRAILER!!!", 0, b"")
        self.file.close()

    def folder(self, name, mode=0o755):
        """Add a folder and those above it."""
        name = merged(name)
        if name in self.folders:
            return
        self.folder(os.path.dirname(name))
        self.folders.add(name)
        self._entry(name, stat.S_IFDIR | mode, b"", links=2)

    def bytes(self, name, data, mode=0o644):
        """Add a file with this content."""
        self._parent(name)
        self._entry(merged(name), stat.S_IFREG | mode, data)

    def link(self, name, target):
        """Add a symbolic link."""
        self._parent(name)
        self._entry(merged(name), stat.S_IFLNK | 0o777, os.fsencode(target))

    def link_raw(self, name, target):
        """Add a symbolic link of just this name: for the merged folders themselves."""
        self._entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def device(self, name, major, minor, mode=0o600):
        """Add a character device."""
        self._parent(name)
        self._entry(name, stat.S_IFCHR | mode, b"", device=(major, minor))

    def host(self, source, name):
        """Add a file, link or folder of the host, with all that is in it."""
        found = os.lstat(source)
        if stat.S_ISLNK(found.st_mode):
            self.link(name, os.readlink(source))
        elif stat.S_ISDIR(found.st_mode):
            self.folder(name, stat.S_IMODE(found.st_mode))
            for child in sorted(os.listdir(source)):
                self.host(os.path.join(source, child), os.path.join(name, child))
        elif stat.S_ISREG(found.st_mode):
            with open(source, "rb") as file:
                self.bytes(name, file.read(), stat.S_IMODE(found.st_mode))

    def _parent(self, name):
        self.folder(os.path.dirname(merged(name)))

    def _entry(self, name, mode, data, links=1, device=(0, 0)):
        path = os.fsencode(name) + b"\0"
        if len(path) > PATH_LIMIT:
            raise ValueError(f"{name}: path too long for an initramfs")
        self.count += 1
        fields = (self.count, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0)
        self.file.write(b"070701" + b"".join(b"%08x" % field for field in fields) + path)
        self._align()
        self.file.write(data)
        self._align()

    def _align(self):
        self.file.write(b"\0" * (-self.file.tell() % 4))
