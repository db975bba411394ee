# SPDX-License-Identifier: MIT
"""The machine with SVM: QEMU without acceleration, booting the kernel directly."""

import shutil

from cache import RigError

BINARY = "qemu-system-x86_64"
CPU_MODEL = "EPYC,+svm,+npt"
# Both avoid rare early failures on a loaded host.
KERNEL_ARGUMENTS = ("no_timer_check", "clocksource=acpi_pm")
MEMORY_LIMIT = 65536
BOOT_SECTOR = False


def check(options):
    """Refuse what this machine cannot be."""
    if options.memory > MEMORY_LIMIT:
        raise RigError(f"--memory {options.memory}: at most {MEMORY_LIMIT} MiB")
    if not shutil.which(BINARY):
        raise RigError(f"{BINARY} is not installed; run `apt-get install qemu-system-x86`")


def command(folder, kernel, parts, options, serial):
    """Write what QEMU reads; return its command line."""
    with open(folder / "initrd", "wb") as out:
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, out, 1 << 20)
    terminal = f"serial,id=terminal,path={serial}" if serial else \
        f"file,id=terminal,path={folder}/console.log"
    return [BINARY, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
            "-M", "q35", "-accel", "tcg", "-cpu", options.cpu_model or CPU_MODEL,
            "-smp", options.cpus, "-m", options.memory,
            "-kernel", kernel.vmlinux, "-initrd", folder / "initrd",
            "-append", " ".join((*KERNEL_ARGUMENTS, *options.kernel_arguments)),
            "-chardev", terminal, "-serial", "chardev:terminal",
            "-chardev", "stdio,id=out,signal=off",
            "-device", "isa-debugcon,iobase=0xe9,chardev=out"]


def loaded(folder):
    """The machine has read its files: they need no disk any more."""
    (folder / "initrd").unlink(missing_ok=True)
