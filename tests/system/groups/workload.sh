# SPDX-License-Identifier: MIT
# summary: both CPUs busy with all that Linux does for half a billion ticks (2.5 billion with
#   --full): no exits grow but CPUID's on VMX
# seconds: 600 6000
# weight: 60

reasons() { hvctl --json stats | flat | sed -n 's/^reasons\.//p' | sort; }
cpuids() { sed -n 's/^cpuid=//p' "$1"; }

workload_runs() {
    # QEMU's ticks are the host's: it executes some hundred million instructions in 2 billion.
    work $((500000000 * $(full 1 5) * $(by_backend 1 20))) >/tmp/work
    wrong 'status of work' $? 0
    remark "$(cat /tmp/work)"
    grep FAILED /tmp/work
}

workload_exits() {
    grew=$(sort /tmp/before /tmp/after | uniq -u | sed 's/=.*//' | sort -u | tr '\n' ' ')
    wrong 'what grew' "$grew" "$STEADY_EXITS"
    [ "$BACKEND" = svm ] ||
        remark "CPUID exits: $(($(cpuids /tmp/after) - $(cpuids /tmp/before)))"
}

workload_keeps_registers() { planted 1 >/tmp/planted || cat /tmp/planted; }

reasons >/tmp/before
check workload_runs
reasons >/tmp/after
check workload_exits
check workload_keeps_registers
