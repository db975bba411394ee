# SPDX-License-Identifier: MIT
"""The machine with SVM: QEMU without acceleration, booting the kernel directly."""

import os
import shutil

import icount
from cache import RigError

CPU_MODEL = "EPYC,+svm,+npt"
# With a thread for each CPU, every FXRSTOR and XRSTOR of any CPU writes the first CPU's flags,
# unlocked (cpu_clear_ignne() in QEMU 7.2's target/i386/tcg/sysemu/fpu_helper.c), and so now and
# then puts back what VMRUN or #VMEXIT changes there at that moment: nested paging, GIF. Where
# guests run, that ends the machine within minutes, as the core's own state becomes a guest's; a
# hoisted Linux alone stood still once.
EACH_ITS_THREAD = "tcg,thread=multi"
ONE_THREAD = "tcg,thread=single"
# Both avoid rare early failures on a loaded host.
KERNEL_ARGUMENTS = ("no_timer_check", "clocksource=acpi_pm")
MEMORY_LIMIT = 65536
BOOT_SECTOR = False
POWERED_OFF = "qemu_system_shutdown_request"  # a trace point that no reset passes


def check(options):
    """Refuse what this machine cannot be."""
    if options.memory > MEMORY_LIMIT:
        raise RigError(f"--memory {options.memory}: at most {MEMORY_LIMIT} MiB")
    if not shutil.which(binary()):
        raise RigError(f"{binary()} is not installed; run `make` as root once "
                       "or name another one in HV_QEMU")


def binary():
    """The emulator; HV_QEMU names another one than Debian's."""
    return os.environ.get("HV_QEMU") or "qemu-system-x86_64"


def command(folder, kernel, parts, options, serial):
    """Write what QEMU reads; return its command line."""
    with open(folder / "initrd", "wb") as out:
        for part in parts:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, out, 1 << 20)
    terminal = f"serial,id=terminal,path={serial}" if serial else \
        f"file,id=terminal,path={folder}/console.log"
    model = options.cpu_model or CPU_MODEL
    accelerator = EACH_ITS_THREAD if options.thread_each else ONE_THREAD
    time, cpus, arguments = ("-accel", accelerator), ("-smp", options.cpus), ()
    if options.icount:
        time, cpus = icount.OPTIONS, icount.processors(options.cpus, model)
        arguments = icount.kernel_arguments(options.cpus)
    arguments = (*KERNEL_ARGUMENTS, *arguments, *options.kernel_arguments)
    return [binary(), *time, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
            "-trace", POWERED_OFF, "-M", "q35", "-cpu", model, *cpus,
            "-m", options.memory,
            "-kernel", kernel.vmlinux, "-initrd", folder / "initrd",
            "-append", " ".join(arguments),
            "-chardev", terminal, "-serial", "chardev:terminal",
            "-chardev", "stdio,id=out,signal=off",
            "-device", "isa-debugcon,iobase=0xe9,chardev=out"]


def was_reset(words, status):
    """It ends at a reset, well and without a word."""
    return status == 0 and POWERED_OFF not in words


def noise(line):
    """What it says in any case."""
    return "TCG doesn't support requested feature" in line


def loaded(folder):
    """The machine has read its files: they need no disk any more."""
    (folder / "initrd").unlink(missing_ok=True)
