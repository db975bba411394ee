# SPDX-License-Identifier: MIT
# summary: kernel-integrity.json: attacks that work without it, Linux at its own work under it, and
# the same attacks again, which come to nothing
# rig: --test-build
# seconds: 900 1200
# weight: 60
# full: bochs takes two minutes there

load_test_module
POLICY=/usr/share/hv/policies/kernel-integrity.json
TRACING=/sys/kernel/tracing
# Functions and data that a kernel which is not Xen's guest leaves alone once it has booted.
grep -E ' (_text|xen_get_vendor|linux_proc_banner|rodata_enabled|idt_table|reset_devices)$' \
    /proc/kallsyms >/tmp/symbols
symbol() { sed -n "s/^\([0-9a-f]*\) . $1$/0x\1/p" /tmp/symbols; }
text=$(symbol xen_get_vendor)
beyond() { printf 0x%x $(($1 + $2)); }
entry=$(beyond "$(symbol idt_table)" 3208) # the upper half of a gate: 32 bits of it are unused
code=$(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/0x\1/p' /proc/iomem)
bss=$(($(symbol reset_devices) - $(symbol _text) + code))

# The same attack is to work, or to meet #GP: patched WANTED ADDRESS WAY CHANGE, from CPU $from.
from=0
patched() {
    on $from patch "$2" "$3" "$4"
    wrong "fault of patch $2 $3 on CPU $from" "$(of fault)" "$1"
    [ "$1" = 0 ] || set -- "$1" "$2" "$3" 0x0
    wrong "what patch $2 $3 changed" "$(of changed)" "$4"
}
text_patched() {
    for way in 0 1 2; do
        patched "$1" "$text" $way 0x1
        patched "$1" "$(beyond "$text" 3)" $way 0x1000000
        patched "$1" "$(beyond $((text & -4096)) 4092)" $way 0x0 # two pages
        [ $way != 2 ] || wrong 'level of the mapping' "$(of level)" 2
    done
}
constants_patched() {
    for name in linux_proc_banner rodata_enabled; do
        for way in 0 1; do
            patched "$1" "$(symbol $name)" $way 0x1
        done
    done
}
idt_entry_changed() {
    for way in 0 1; do
        patched "$1" $entry $way 0x100000000
    done
}
protection_off() {
    for bits in '0 0x10000' '4 0x100000' '4 0x200000' '4 0x300000'; do
        on $from cr_set $bits 0
        wrong "fault of clearing $bits on CPU $from" "$(of fault)" "$1"
    done
}
# STAR, LSTAR, CSTAR, FMASK, SYSENTER's.
entries_moved() {
    for msr in 0xc0000081 0xc0000082 0xc0000083 0xc0000084 0x174 0x175 0x176; do
        on $from lend_msr $msr 0x1000
        wrong "fault of MSR $msr on CPU $from" "$(of fault)" "$1"
    done
}
tables_moved() {
    for table in 0 1; do
        on $from table $table 0
        wrong "fault of table $table on CPU $from" "$(of fault)" "$1"
    done
}
data_executed() {
    on $from execute $bss
    wrong "fault of running data on CPU $from" "$(of fault)" "$1"
}
on_both() { for from in 0 1; do "$@"; done; }

attacks_work_without_it() {
    for attack in text_patched constants_patched idt_entry_changed protection_off entries_moved \
        tables_moved data_executed; do
        on_both $attack 0
    done
    hvctl policy apply $POLICY 2>&1 >/dev/null
    wrong policies "$(policies)" 'kernel-integrity '
}

# passes COMMAND…: a reason where the policy denied Linux something meanwhile.
denied() { records '[a-z]+_denied' '"policy": ?"kernel-integrity"'; }
passes() {
    passes_before=$(denied)
    "$@"
    wrong "what was denied during $1" "$(denied)" "$passes_before"
}
memory_exits() { exits "$(by_backend ept_violation nested_page_fault)"; }
# Linux has patched its code meanwhile, and the core saw it.
patches() {
    patches_before=$(memory_exits)
    passes "$@"
    at_least "writes to the kernel's code during $1" $(($(memory_exits) - patches_before)) 10
}

# With read(2), and so through vfs_read: busybox's cat hands a file to sendfile.
read_a_file() { read -r _ </proc/version; }

# The sysctl's own reading takes the branch that is patched.
switch_static_keys() {
    for value in 1 0 1 0; do
        echo $value >/proc/sys/kernel/sched_schedstats
        wrong 'the static key' "$(cat /proc/sys/kernel/sched_schedstats)" $value
    done
}
static_keys_switch() { patches switch_static_keys; }

# traced WORD: how many lines have it; who reads a trace would go on filling it.
traced() {
    echo 0 >$TRACING/tracing_on
    grep -c "$1" $TRACING/trace
    echo 1 >$TRACING/tracing_on
}
trace_functions() {
    for _ in 1 2; do
        echo function >$TRACING/current_tracer
        read_a_file
        at_least 'calls of vfs_read' "$(traced vfs_read)" 1
        echo nop >$TRACING/current_tracer
    done
}
ftrace_traces() {
    [ -e $TRACING/trace ] || mount -t tracefs none $TRACING
    full vfs_read 'vfs_*' >$TRACING/set_ftrace_filter
    patches trace_functions
    wrong tracer "$(cat $TRACING/current_tracer)" nop
}

# Behind the call that ftrace patches, so that a probe of its own goes in.
probe_kernel() {
    echo 'p:hv_probe vfs_read+5' >$TRACING/kprobe_events
    echo 'r:hv_return vfs_open' >>$TRACING/kprobe_events
    for probe in hv_probe hv_return; do
        echo 1 >$TRACING/events/kprobes/$probe/enable
    done
    read_a_file
    for probe in hv_probe hv_return; do
        at_least "hits of $probe" "$(traced $probe)" 1
        echo 0 >$TRACING/events/kprobes/$probe/enable
    done
    echo >$TRACING/kprobe_events
}
kprobes_hit() { patches probe_kernel; }

load_modules() {
    for _ in $(seq 10); do
        for name in cpuid msr tun vsock loop; do
            modprobe $name || echo "modprobe $name failed; "
            [ -d /sys/module/$name ] || echo "$name is not there; "
            rmmod $name || echo "rmmod $name failed; "
        done
    done
}
modules_come_and_go() { passes load_modules; }

run_filters() {
    wrong 'the compiler of BPF' "$(cat /proc/sys/net/core/bpf_jit_enable)" 1
    wrong 'datagrams that came' "$(bpf_filters 20)" 'passed 20'
}
bpf_programs_run() { passes run_filters; }

cycle_cpu() {
    for _ in 1 2 3; do
        echo 0 >/sys/devices/system/cpu/cpu1/online || echo 'offline failed; '
        echo 1 >/sys/devices/system/cpu/cpu1/online || echo 'online failed; '
    done
    under_core 1
}
cpus_go_and_come() { passes cycle_cpu; }

# stopped ATTACK KIND RULE…: on both CPUs, and the record says from where, unless that was an
# address of the attacker's own, and who it was.
stopped() {
    stopped_attack=$1 stopped_kind=$2
    shift 2
    on_both $stopped_attack $GP
    for rule in "$@"; do
        who='"symbol": ?"[^"]*\[hv_test\]", ?"process": ?"sh", ?"pid": ?[1-9]'
        [ "$rule" != bss ] || who='"process": ?"sh", ?"pid": ?[1-9]'
        recorded "$stopped_kind" "\"rule\": ?\"$rule\".*$who"
    done
}
text_stays() { stopped text_patched memory_denied text; }
constants_stay() { stopped constants_patched memory_denied rodata; }
idt_entries_stay() { stopped idt_entry_changed memory_denied idt; }
protection_stays() { stopped protection_off cr_denied write-protect supervisor-mode; }
entries_stay() {
    stopped entries_moved msr_denied star lstar cstar fmask sysenter-cs sysenter-esp sysenter-eip
}
tables_stay() { stopped tables_moved dtr_denied tables; }
data_stays_data() { stopped data_executed memory_denied bss; }
no_execute_stays() {
    faults $GP wrmsr 0xc0000080 0x501
    recorded msr_denied '"rule": ?"no-execute"'
}

check attacks_work_without_it
check static_keys_switch
check ftrace_traces
check kprobes_hit
check modules_come_and_go
check bpf_programs_run
check cpus_go_and_come
check text_stays
check constants_stay
check idt_entries_stay
check protection_stays
check entries_stay
check tables_stay
check data_stays_data
check no_execute_stays
