# SPDX-License-Identifier: MIT
# summary: both CPUs busy with all that Linux does for 2 billion ticks: no exits grow but CPUID's
# on VMX
# seconds: 600 6000
# weight: 110

reasons() { hvctl --json stats | flat | sed -n 's/^reasons\.//p' | sort; }
cpuids() { sed -n 's/^cpuid=//p' "$1"; }

workload_runs() {
    # QEMU's ticks are the host's: it executes some hundred million instructions in 2 billion.
    work $((2000000000 * $(full 1 10) * $(by_backend 1 20))) >/tmp/work
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
