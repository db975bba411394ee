# SPDX-License-Identifier: MIT
"""The machine with VMX: Bochs with its own BIOS, a memory image and no disk."""

import os
import shutil
import subprocess

import ram_image
from cache import HERE, RigError, made, digest, run

IPS = 100_000_000
CPU_MODEL = "corei7_skylake_x"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
VGA_BIOS = "/usr/share/bochs/VGABIOS-lgpl-latest"
# The crypto self-tests are half of the kernel's boot; CPUID names a clock of 3.5 GHz while
# the TSC runs at IPS. With three CPUs or more Bochs loses wake-ups from MWAIT and Linux sleeps
# for good, hence HLT.
KERNEL_ARGUMENTS = ("cryptomgr.notests=1", "tsc=reliable", f"tsc_early_khz={IPS // 1000}",
                    "idle=halt")
CONFIGURATION = """\
memory: guest={memory}, host={memory}
romimage: file={bios}, options=fastboot
vgaromimage: file={vga_bios}
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
display_library: rfb, options="timeout=0"
floppya: 1_44={run}/floppy, status=inserted
boot: floppy
optramimage1: file={run}/ram, address=0
ata0: enabled=0
ata1: enabled=0
com1: enabled=1, {serial}
port_e9_hack: enabled=1
log: {run}/bochs.log
clock: sync={clock}, time0={start}
plugin_ctrl: speaker=0, gameport=0, parallel=0, iodebug=0, extfpuirq=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
panic: action=fatal
error: action=report
info: action={info}
debug: action=ignore
"""
START_SECONDS = 1767225600  # the same date in every run, so that runs repeat
MEMORY_LIMIT = 2048
BOOT_SECTOR = True  # announces every boot; what comes before the first is the emulator's


def check(options):
    """Refuse what this machine cannot be."""
    if options.memory > MEMORY_LIMIT:
        raise RigError(f"--memory {options.memory}: Bochs takes at most {MEMORY_LIMIT} MiB")
    if not shutil.which(binary()):
        raise RigError(f"{binary()} is not installed; run `make` as root once "
                       "or name another one in HV_BOCHS")


def binary():
    """The emulator; HV_BOCHS names another one than Debian's."""
    return os.environ.get("HV_BOCHS") or "bochs"


def has_debugger():
    """Debian's Bochs waits in its debugger for the word to go on; others may have none."""
    said = subprocess.run([binary(), "--help"], capture_output=True, check=False)
    return b"-rc " in said.stdout + said.stderr


def boot_sector():
    """The sector that enters the kernel."""
    source = HERE / "boot.S"
    return made("boot", digest(source.read_bytes()), lambda out: run(
        ["gcc", "-m32", "-static", "-no-pie", "-nostdlib",
         "-Wl,-Ttext=0x7c00,--oformat=binary,--build-id=none,-e,_start", "-o", out, source]))


def command(folder, kernel, parts, options, serial):
    """Write what Bochs reads; return its command line."""
    shutil.copyfile(kernel.ram, folder / "ram")
    words = ram_image.write_image(folder / "ram", kernel, kernel.setup,
                                  " ".join((*KERNEL_ARGUMENTS, *options.kernel_arguments)), parts)
    ram_image.write_floppy(folder / "floppy", boot_sector().read_bytes(), words)
    (folder / "bochsrc").write_text(CONFIGURATION.format(
        memory=options.memory, cpus=options.cpus,
        model=options.cpu_model or CPU_MODEL, ips=IPS, bios=BIOS, vga_bios=VGA_BIOS,
        run=folder, start=START_SECONDS, info="report" if options.verbose else "ignore",
        clock="slowdown" if serial else "none",
        serial=f"mode=term, dev={serial}" if serial else f"mode=file, dev={folder}/console.log"))
    (folder / "debugger").write_text("c\n")
    debugger = ["-rc", folder / "debugger"] if has_debugger() else []
    return [binary(), "-q", "-f", folder / "bochsrc", *debugger]


def was_reset(words, _):
    """What it says at a triple fault; other resets show by a second boot."""
    return "exception with no resolution" in words


def noise(_):
    """Its last words are all its own."""
    return False


def loaded(folder):
    """The machine has read its files: they need no disk any more."""
    (folder / "ram").unlink(missing_ok=True)
