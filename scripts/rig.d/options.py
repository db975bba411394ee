# SPDX-License-Identifier: MIT
"""What the rig can be asked for."""

import argparse
import sys

DESCRIPTION = """\
Boots Debian's cloud kernel in an emulated machine with this build's modules, hvd and
hvctl, hoists it, runs COMMAND there as root, passes on its output as it comes, and exits
with its status. Nothing of the host is touched but build/rig and the cache."""
STATUS = """\
exit status:
  the command's own, or
   2  wrong usage             122  the machine was powered off before the command ended
 120  the hoist failed        123  the machine was reset (reboot, triple fault)
 121  the rig itself failed   124  time-out        125  the kernel panicked
  The last line on stderr says which; it also names the folder with the logs.

examples:
  scripts/rig -- hvctl status                    hoisted, with hvd running
  scripts/rig -- sh -c 'hvctl stop && dmesg'     several commands
  scripts/rig --no-hoist --cpus 1 -- dmesg       Linux alone: modules unloaded, no hvd
  scripts/rig --add tests/x.sh:/x.sh -- sh /x.sh
  scripts/rig --package strace -- strace -c hvctl status
  scripts/rig --shell                            a login, end it with `exit`

environment:
  HV_BOCHS  another Bochs than Debian's
  HV_QEMU   another QEMU than Debian's
  HV_CACHE  folder for downloads and what is made from them (default .cache)
  KVER      kernel version to boot (default: the newest with installed headers)
"""


def parser():
    """The command line of scripts/rig."""
    made = argparse.ArgumentParser(
        prog="scripts/rig", epilog=STATUS, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [options] -- COMMAND...\n       %(prog)s [options] --shell",
        description=DESCRIPTION)
    add = made.add_argument
    add("--machine", choices=("bochs", "qemu"), default="bochs",
        help="bochs has VMX, qemu (TCG) has SVM; default: bochs")
    add("--cpus", type=number(1, 8), default=2, metavar="N", help="default: 2")
    add("--cpu-model", metavar="NAME",
        help="another CPU, by the emulator's name for it (for CPUs that lack something)")
    add("--memory", type=number(256, 65536), default=1024, metavar="MIB", help="default: 1024")
    add("--add", action="append", default=[], metavar="HOST[:GUEST]",
        help="put a file or folder in the guest (default: at /NAME), with the libraries its "
             "programs need")
    add("--package", action="append", default=[], metavar="NAME",
        help="put a Debian package in the guest, with all it depends on")
    add("--no-hoist", dest="hoist", action="store_false",
        help="leave the modules unloaded and hvd stopped")
    add("--timeout", type=number(1, 86400), default=900, metavar="S",
        help="seconds until the machine is stopped; default: 900")
    add("--icount", action="store_true",
        help="qemu only: time is the number of instructions, seeds and addresses are fixed, so "
             "that the same run takes the same ticks")
    add("--thread-each", action="store_true",
        help="qemu only: a thread for each CPU: faster, but now and then the machine is lost")
    add("--kernel-arg", action="append", default=[], metavar="ARG",
        help="add to the kernel's command line")
    add("--test-build", action="store_true",
        help="also /opt/hv/hv_test.ko and /opt/hv/hv-hooks.ko (hv.ko that can be made to fail)")
    add("--boot-files", action="store_true",
        help="also /boot/vmlinuz and /boot/initrd for `kexec -i -l`; the second kernel runs what "
             "its command line has as rig_command=\"...\"")
    add("--keep-console", metavar="FILE", help="copy what the kernel wrote to its console there")
    add("--shell", action="store_true",
        help="a login on this terminal instead of COMMAND (also: no COMMAND at all)")
    add("--verbose", action="store_true", help="show the kernel's log and what the rig does")
    add("command", nargs="*", metavar="COMMAND", help=argparse.SUPPRESS)
    return made


def number(least, most):
    """A whole number within bounds."""
    def parse(text):
        if not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: a whole number from {least} to {most}")
        return int(text)
    return parse


def parse(arguments):
    """The options of this call; ends it with status 2 and one line if they are wrong."""
    made = parser()
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options = made.parse_args(arguments[:cut])
    if options.command:
        made.error(f"put -- before the command: scripts/rig [options] -- {options.command[0]} ...")
    options.command = arguments[cut + 1:]
    if not options.command and not options.shell:
        if not sys.stdin.isatty():
            made.error("no command given: scripts/rig [options] -- COMMAND..., or --shell")
        options.shell = True
    if options.command and options.shell:
        made.error("--shell and a command exclude each other")
    if options.icount and options.machine != "qemu":
        made.error("--icount is for --machine qemu: Bochs's clock always counts instructions")
    if options.thread_each and options.machine != "qemu":
        made.error("--thread-each is for --machine qemu: Bochs has one thread in any case")
    options.added = [pair(text) for text in options.add]
    return options


def pair(text):
    """HOST[:GUEST] as a host path and a guest path."""
    host, _, guest = text.partition(":")
    return host, guest or "/" + host.rstrip("/").rsplit("/", 1)[-1]
