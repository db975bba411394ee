# SPDX-License-Identifier: MIT
"""Debian's cloud kernel: the package, the image without its compression, the modules."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess

import debian
import ram_image
from cache import HERE, RigError, digest, made, run

META_PACKAGE = "linux-image-cloud-amd64"
HEADERS = re.compile(r"^linux-headers-(\d.*-cloud-amd64)$")
COMPRESSION = {  # first bytes of the payload, and the tool that unpacks it
    b"\x02\x21\x4c\x18": ["lz4", "-dc"],
    b"\x1f\x8b": ["gzip", "-dc"],
    b"\xfd7zXZ": ["xz", "-dc"],
    b"\x28\xb5\x2f\xfd": ["zstd", "-dc"],
}
PAYLOAD = 0x248
PAYLOAD_SIZE_BYTES = 4  # the unpacked size follows the compressed data

# With all they depend on; kvm and friends for the tests, the rest for people.
MODULES = ("kvm-intel", "kvm-amd", "msr", "cpuid", "loop", "tun", "vhost_net", "vhost_vsock",
           "virtio_net", "virtio_blk", "virtio_console", "virtio_rng")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One unpacked kernel package in the cache."""
    version: str
    folder: pathlib.Path
    entry: int
    end: int

    @property
    def vmlinuz(self):
        """As Debian ships it."""
        return self.folder / "vmlinuz"

    @property
    def vmlinux(self):
        """Without compression."""
        return self.folder / "vmlinux"

    @property
    def ram(self):
        """The part of the memory image that only depends on the kernel."""
        return self.folder / "ram"

    @property
    def modules(self):
        """A tree with lib/modules/VERSION, cut down to MODULES."""
        return self.folder / "modules"

    @property
    def setup(self):
        """The header that a boot loader reads."""
        with open(self.vmlinuz, "rb") as file:
            return file.read(4096)


def version_wanted():
    """KVER, or the newest kernel that modules can be built for here, or Debian's newest."""
    if os.environ.get("KVER"):
        return os.environ["KVER"]
    source = pathlib.Path("/usr/src")
    built_for = [found[1] for path in source.glob("linux-headers-*") if
                 (found := HEADERS.match(path.name))]
    if built_for:
        return max(built_for, key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
    said = run(["apt-cache", "depends", META_PACKAGE], text=True)
    found = re.search(r"Depends: linux-image-(\S+)", said)
    if not found:
        raise RigError(f"apt knows no package {META_PACKAGE}; run `apt-get update`")
    return found[1]


def fetched():
    """The kernel to boot, downloaded and unpacked if it is not in the cache yet."""
    version = version_wanted()
    name = f"linux-image-{version}"
    package = f"{name}={debian.newest(name)}"
    recipe = (HERE / "kernel.py").read_bytes() + (HERE / "ram_image.py").read_bytes()

    def make(folder):
        tree = folder.with_suffix(".tree")
        debian.unpacked([package], tree)
        folder.mkdir()
        shutil.copy(tree / "boot" / f"vmlinuz-{version}", folder / "vmlinuz")
        unpack_image(folder / "vmlinuz", folder / "vmlinux")
        entry, end = ram_image.write_kernel(folder / "ram", folder / "vmlinux")
        choose_modules(tree, version, folder / "modules")
        (folder / "facts.json").write_text(json.dumps({"entry": entry, "end": end}))
        shutil.rmtree(tree)
    folder = made("kernel", digest(package, recipe), make)
    return Kernel(version, folder, **json.loads((folder / "facts.json").read_text()))


def unpack_image(vmlinuz, vmlinux):
    """Take the ELF image out of a bzImage."""
    image = vmlinuz.read_bytes()
    offset, size = struct.unpack_from("<II", image, PAYLOAD)
    start = (image[ram_image.SETUP_HEADER] + 1) * 512 + offset
    payload = image[start:start + size]
    tool = next((t for magic, t in COMPRESSION.items() if payload.startswith(magic)), None)
    if not tool:
        raise RigError(f"{vmlinuz}: unknown compression {payload[:4].hex()}")
    if not shutil.which(tool[0]):
        raise RigError(f"{tool[0]} is not installed and unpacks the kernel; "
                       f"run `apt-get install {tool[0]}`")
    with open(vmlinux, "wb") as out:
        subprocess.run(tool, input=payload[:-PAYLOAD_SIZE_BYTES], stdout=out,
                       stderr=subprocess.DEVNULL, check=True)


def choose_modules(tree, version, chosen):
    """Copy MODULES and what they depend on, without debug information."""
    run(["depmod", "-b", tree, version])
    source = tree / "lib" / "modules" / version
    target = chosen / "lib" / "modules" / version
    needs = {}
    for line in (source / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[pathlib.Path(path).stem.replace("-", "_")] = [path, *others.split()]
    for name in MODULES:
        for path in needs.get(name.replace("-", "_"), ()):
            if not (target / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                run(["strip", "--strip-debug", "-o", target / path, source / path])
    for index in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(source / index, target / index)
    run(["depmod", "-b", chosen, version])
