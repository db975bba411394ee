# SPDX-License-Identifier: MIT
"""The two emulated machines: what is run there, and how their figures are to be read."""

import dataclasses

COMMON_NOTES = """\
Native and hoisted alternate in one boot: each figure is the median of the rounds, and
within a round the least sample (system call, context switch, pipe on one CPU, CPUID, {call}), the
lowest tenth (fork: free of what the kernel does in batches) or the median (all others). Exits come
from the core's counters. Guests: the same program on the machine's own KVM and on the node, in
turns; the least of all rounds; KVM's world switches by its own counter of exits, the node's by the
core's of Linux's exits. Under rules: half of the 1,000 are on MSRs, half on pages; from a
denied access the ticks of a fault without Hoist are taken off."""

BOCHS_NOTES = """\
Ticks are Bochs's emulated instructions; a loop's own four instructions are in the figures of CPUID
and VMCALL. With two CPUs a process of class SCHED_IDLE keeps each from idling. VMREAD and VMWRITE:
counted by running the built core's exit functions in a process, where both trap; those of OUT by
the core on the unit tests' CPU."""

QEMU_NOTES = """\
Ticks are instructions: QEMU runs with -icount shift=0,sleep=off, and with fixed seeds, addresses
and date, so that the same build gives the same figures; a loop's own four instructions are in the
figures of CPUID and VMMCALL. One CPU runs at a time, and while all of them wait time leaps to the
next timer. VMSAVE and VMLOAD: what the way takes that the built core's exit function chooses;
those of OUT by the core on the unit tests' CPU."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """One emulator with one backend."""
    name: str
    title: str
    backend: str
    call: str              # the hypercall instruction
    options: tuple         # of scripts/rig
    # Name, CPUs, what the guest's bench does there.
    boots: tuple
    reasons: dict          # the counters' numbers, by abi/record.h and the backend
    cpuid: int | None      # the counter of CPUID, where it exits
    accesses: str          # what ticks do not show
    kvm: str               # the module of the CPU's own KVM
    notes: str

    @property
    def all_notes(self):
        """What a reader of the table should know."""
        return f"{self.notes}\n{COMMON_NOTES.format(call=self.call)}"


# Ticks of Bochs are instructions only while no CPU idles: one CPU that is measured, or two with a
# process of the lowest priority on each.
BOCHS = Machine(
    name="bochs", title="Bochs, VMX", backend="vmx", call="VMCALL",
    options=("--machine", "bochs"),
    boots=(("one CPU", 1, "single 9"), ("two busy CPUs", 2, "busy_pair 15"),
           ("four CPUs", 4, "memory"), ("guests", 1, "guests 3")),
    reasons={10: "CPUID", 18: "VMCALL", 32: "WRMSR", 31: "RDMSR", 48: "EPT violation", 0: "NMI",
             28: "CR access", 55: "XSETBV"},
    cpuid=10, accesses="VMREAD + VMWRITE", kvm="kvm_intel", notes=BOCHS_NOTES)

QEMU = Machine(
    name="qemu", title="QEMU, SVM", backend="svm", call="VMMCALL",
    options=("--machine", "qemu", "--icount"),
    boots=(("one CPU", 1, "single 9"), ("two CPUs", 2, "pair 15"), ("four CPUs", 4, "memory"),
           ("guests", 1, "guests 3")),
    reasons={0x10: "CR0 write", 0x14: "CR4 write", 0x21: "VMMCALL", 0x30: "nested page fault",
             0x32: "WRMSR", 0x41: "#DB", 0x61: "NMI", 0x63: "INIT", 0x74: "IRET", 0x7c: "RDMSR"},
    cpuid=None, accesses="VMSAVE + VMLOAD", kvm="kvm_amd", notes=QEMU_NOTES)

MACHINES = {machine.name: machine for machine in (BOCHS, QEMU)}
