# SPDX-License-Identifier: MIT
"""The rows of the table: what is measured, and its budget."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Section:
    """Rows whose two figures mean the same."""
    title: str
    before: str = "native"
    after: str = "hoisted"


COST = Section("What an exit costs, ticks")
WORKLOAD = Section("What Linux pays, ticks")
RULES = Section("An exit under rules, ticks", "1 rule", "1,000 rules")
GUESTS = Section("What a guest pays, ticks", "KVM", "Hoist")
SWITCHES = Section("World switches of a guest: exits and entries", "KVM", "Hoist")
HOIST = Section("Hoisting 2 CPUs with 1 GiB", "", "hoisted")
COUNTS = Section("What ticks do not show", "", "hoisted")

# Of KVM's ticks, in the same boot.
GUEST_EXIT, GUEST_OUT, GUEST_CREATE = 1 / 10, 1 / 2, 1 / 3
EXIT_TICKS = 94
RATIO = 1.001
RATIO_WITH_CPUID = 1.01
FLAT = 0.02
HOIST_TICKS = 5_000_000
MEMORY_BYTES = 4 << 20
CPU_BYTES = 64 << 10


@dataclasses.dataclass
class Row:
    """One line; figures that make no sense for it are None, met too where there is no budget."""
    section: Section
    key: str
    title: str
    native: float | None = None
    hoisted: float | None = None
    change: str = ""
    exits: str = ""
    budget: str = ""
    met: bool | None = None
    used: float | None = None    # share of the budget
    ratio: float | None = None


def exit_row(m, key, title, budget):
    """CPUID costs what it costs natively where it does not exit."""
    native, hoisted = m.ticks(1, key, "native"), m.ticks(1, key, "hoisted")
    operations, reasons = m.exits(1, key)
    row = Row(COST, key, title, native, hoisted, exits=exits_text(m, operations, reasons),
              change="" if native is None else f"{hoisted - native:+.1f}")
    if native is not None and m.machine.cpuid is None:
        row.budget, row.met = "as native, 0 exits", hoisted == native and not reasons
    elif budget:
        row.budget, row.met, row.used = f"≤ {budget}", hoisted <= budget, hoisted / budget
    return row


def exit_rows(m):
    filtered = "CPUID, leaf 1" + (" (answer filtered)" if m.machine.cpuid is not None else "")
    yield exit_row(m, "cpuid", "CPUID, leaf 0", EXIT_TICKS)
    yield exit_row(m, "cpuid_filtered", filtered, None)
    yield exit_row(m, "vmcall", f"{m.machine.call}, no operation", EXIT_TICKS)


def exits_text(m, operations, reasons):
    if not reasons:
        return "0"
    return ", ".join(f"{count / operations:.4g} {m.machine.reasons.get(reason, f'reason {reason}')}"
                     for reason, count in reasons.most_common())


def workload_row(m, cpus, key, title, most, allowed=()):
    ratio = m.ratio(cpus, key)
    operations, reasons = m.exits(cpus, key)
    stray = any(reason not in allowed for reason in reasons)
    budgets = [f"≤ {most:g}"] if most else []
    budgets.append("only CPUID" if allowed else "0 exits")
    return Row(WORKLOAD, key, title, m.ticks(cpus, key, "native"), m.ticks(cpus, key, "hoisted"),
               change=f"× {ratio:.4f}", exits=exits_text(m, operations, reasons),
               budget=", ".join(budgets), ratio=ratio,
               met=not stray and operations > 0 and (most is None or ratio <= most))


def workload_rows(m):
    yield workload_row(m, 1, "system_call", "system call (getppid)", RATIO)
    yield workload_row(m, 1, "page_fault", "page fault (first touch)", RATIO)
    yield workload_row(m, 1, "fork", "fork, exit, wait", RATIO_WITH_CPUID)
    yield workload_row(m, 1, "exec", "fork, exec (static), exit, wait", RATIO_WITH_CPUID,
                       () if m.machine.cpuid is None else (m.machine.cpuid,))
    yield workload_row(m, 1, "context_switch", "context switch", None)
    yield workload_row(m, 1, "pipe", "pipe ping-pong, one CPU", RATIO)
    yield workload_row(m, 2, "pipe_across", "pipe ping-pong, CPU 0 and 1", RATIO)
    yield workload_row(m, 1, "interrupt", "timer interrupt", None)
    yield workload_row(m, 2, "ipi", "interrupt between CPUs, both ways", None)


def rule_rows(m):
    def value(name):
        return m.value(1, name)
    faults = value("msr_fault")
    wanted = (("cpuid", "CPUID, leaf 0", 0), ("cpuid_filtered", "CPUID, leaf 1", 0),
              ("msr", "WRMSR, denied", faults), ("memory", "write to memory, denied", faults))
    for key, title, around in wanted:
        one, many = value(f"{key}_rules_1") - around, value(f"{key}_rules_1000") - around
        yield Row(RULES, f"rules_{key}", title, one, many, change=f"× {many / one:.4f}",
                  budget=f"± {FLAT:.0%}", met=abs(many / one - 1) <= FLAT, ratio=many / one)


def guest_rows(m):
    wanted = (("cpuid", "CPUID", GUEST_EXIT), ("call", m.machine.call, GUEST_EXIT),
              ("out", "OUT to the client", GUEST_OUT),
              ("create", "VM created, to its first HLT", GUEST_CREATE))
    for key, title, most in wanted:
        kvm, node = m.ticks("guests", key, "kvm"), m.ticks("guests", key, "node")
        if None in (kvm, node):
            raise m.missing("ratio", key, "guests")
        yield Row(GUESTS, f"guest_{key}", title, kvm, node, change=f"× {node / kvm:.3f}",
                  budget=f"≤ × {most:.3g}", met=node <= most * kvm, used=node / kvm / most)
    left = m.value("guests", "left_bytes")
    yield Row(GUESTS, "guest_left", "bytes a stopped VM leaves", None, left, budget="0",
              met=left == 0)


def switch_rows(m):
    """The core answers CPUID and hypercalls; after 1,024 answers Linux has its turn."""
    for key, title in (("cpuid", "CPUID"), ("call", m.machine.call), ("out", "OUT to the client")):
        yield Row(SWITCHES, f"switches_{key}", title, m.value("guests", f"switches_{key}_kvm"),
                  m.value("guests", f"switches_{key}_node"))


def hoist_rows(m):
    hoist = m.ticks(2, "start_stop", "hoisted")
    yield Row(HOIST, "start", "hoist, all included, ticks", None, m.ticks(2, "start", "hoisted"))
    yield Row(HOIST, "stop", "unhoist, all included, ticks", None, m.ticks(2, "stop", "hoisted"))
    yield Row(HOIST, "start_stop", "hoist and unhoist, ticks", None, hoist,
              budget=f"≤ {HOIST_TICKS:,}", met=hoist <= HOIST_TICKS, used=hoist / HOIST_TICKS)
    two, four = m.value(2, "reserved_bytes"), m.value(4, "reserved_bytes")
    each = (four - two) / 2
    yield Row(HOIST, "memory", "memory taken, KiB", None, two / 1024,
              budget=f"≤ {MEMORY_BYTES >> 10:,}", met=two <= MEMORY_BYTES, used=two / MEMORY_BYTES)
    yield Row(HOIST, "memory_per_cpu", "memory per further CPU, KiB", None, each / 1024,
              budget=f"≤ {CPU_BYTES >> 10}", met=each <= CPU_BYTES, used=each / CPU_BYTES)


def count_rows(m):
    titles = {"cpuid": "CPUID, leaf 0", "cpuid_filtered": "CPUID, leaf 1",
              "vmcall": f"{m.machine.call}, no operation", "other": f"{m.machine.call}, another",
              "guest_out": "a guest's OUT, to its client and back",
              "guest_cpuid": "a guest's CPUID", "guest_call": f"a guest's {m.machine.call}"}
    for key, (first, second) in m.accesses.items():
        yield Row(COUNTS, f"accesses_{key}", f"{m.machine.accesses} per {titles[key]}", None,
                  first + second, change=f"{first} + {second}")
    for size in ("1g", "2m", "4k"):
        yield Row(COUNTS, f"leaves_{size}", f"second-stage leaves of {size[0]} {size[1].upper()}iB",
                  None, m.value(2, f"leaves_{size}"))
    yield Row(COUNTS, "tables", "second-stage table pages", None, m.value(2, "tables"))
    findings = m.value(2, "findings")
    yield Row(COUNTS, "findings", "findings of the auditor", None, findings, budget="0",
              met=findings == 0)


def all_rows(m):
    parts = (exit_rows, workload_rows, rule_rows, guest_rows, switch_rows,
             hoist_rows, count_rows)
    return [row for rows in parts for row in rows(m)]
