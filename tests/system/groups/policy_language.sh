# SPDX-License-Identifier: MIT
# summary: tables, values of MSRs, writers that pass, ports, XCR0, CPUID, instructions
# rig: --test-build
# seconds: 500 900
# weight: 40

load_test_module
t own 2
page=$(($(sed -n '2s/^block //p' "$ANSWER") + 0x5000))
# The instruction that `poke` writes with lies in this function; `alias` writes from another one.
writer=$(sed -n 's/^\([0-9a-f]*\) . hv_test_poke\t.*/0x\1/p' /proc/kallsyms)
t rdmsr 0xc0000082
lstar=$(of value)
t rdmsr 0xc0000081
star=$(of value)
VALUE=0x1122334455667788

policy() { # NAME RULE
    printf '{"version": 1, "name": "%s", "rules": [%s]}\n' "$1" "$2" >/tmp/$1.json
    hvctl policy apply /tmp/$1.json 2>&1 >/dev/null
}
remove() { hvctl policy remove "$1" 2>&1 >/dev/null; }

# What the rules then stop must work without them.
tables_move_without_a_rule() {
    for table in 0 1; do
        faults 0 table $table 0
        wrong moved "$(of moved)" 1
        wrong 'and back' "$(of back)" 0
    done
}

tables_stay() {
    hvctl policy apply /usr/share/hv/policies/descriptor-tables.json 2>&1 >/dev/null
    for table in 0 1; do
        for kind in 0 2; do
            faults $GP table $table $kind
            wrong moved "$(of moved)" 0
            on 1 table $table $kind
            wrong "fault of table $table $kind on CPU 1" "$(of fault)" $GP
        done
    done
    at_least records "$(records dtr_denied '"rule": ?"tables"')" 8
    under_core 0
    under_core 1
}

same_tables_pass() {
    denied=$(records dtr_denied)
    for table in 0 1; do
        faults 0 table $table 1
        on 1 table $table 1
        wrong "fault of table $table on CPU 1" "$(of fault)" 0
    done
    wrong 'denied meanwhile' "$(records dtr_denied)" "$denied"
}

cpu_comes_back_under_tables() {
    for _ in 1 2 3; do
        echo 0 >/sys/devices/system/cpu/cpu1/online || echo 'offline failed; '
        echo 1 >/sys/devices/system/cpu/cpu1/online || echo 'online failed; '
    done
    under_core 1
    on 1 table 1 0
    wrong 'fault on CPU 1' "$(of fault)" $GP
    on 1 table 0 0
    wrong 'fault on CPU 1' "$(of fault)" $GP
}

tables_cost_nothing_afterwards() {
    remove descriptor-tables
    before=$(exits "$(by_backend gdtr_idtr_access gdtr_write)")
    faults 0 table 0 0
    wrong 'exits for it' "$(exits "$(by_backend gdtr_idtr_access gdtr_write)")" "$before"
}

tables_logged() {
    policy look '{"name": "idt", "kind": "dtr", "tables": ["idt"], "action": "log"}'
    faults 0 table 1 0
    wrong moved "$(of moved)" 1
    recorded dtr_logged '"rule": ?"idt"'
    faults 0 table 0 0
    remove look
}

values_of_an_msr() {
    policy values '{"name": "star", "kind": "msr", "msr": "ia32_star", "access": ["write"],
        "value": {"allowed": "'"$star"'"}, "action": "deny"}'
    faults 0 wrmsr 0xc0000081 "$star"
    faults $GP wrmsr 0xc0000081 $((star + 8))
    recorded msr_denied '"rule": ?"star"'
    remove values
}

# The shipped policy; Linux writes all of its MSRs when CPU 1 comes.
entry_unchanged() {
    hvctl policy apply /usr/share/hv/policies/kernel-entry.json 2>&1 >/dev/null
    denied=$(records msr_denied)
    faults 0 wrmsr 0xc0000082 "$lstar"
    echo 0 >/sys/devices/system/cpu/cpu1/online || echo 'offline failed; '
    echo 1 >/sys/devices/system/cpu/cpu1/online || echo 'online failed; '
    on 1 wrmsr 0xc0000082 "$lstar"
    wrong 'fault of the same value on CPU 1' "$(of fault)" 0
    wrong 'denied meanwhile' "$(records msr_denied)" "$denied"
    for cpu in 0 1; do
        for msr in 0xc0000081 0xc0000082 0x174 0x175 0x176; do
            on $cpu wrmsr $msr 0x1000
            wrong "fault of MSR $msr on CPU $cpu" "$(of fault)" $GP
        done
    done
    remove kernel-entry
}

writer_passes() {
    policy page '{"name": "page", "kind": "memory", "access": ["write"], "action": "deny",
        "range": {"first": "'$(printf 0x%x $page)'", "bytes": 4096},
        "except": [{"first": "'"$writer"'", "last": "'$(printf 0x%x $((writer + 0xff)))'"}]}'
    for _ in 1 2 3; do
        faults 0 poke $page $VALUE
    done
    wrong 'what was written' "$(ask value peek $page)" $VALUE
    faults $GP alias $page 1
    on 1 alias $page 1
    wrong 'fault on CPU 1' "$(of fault)" $GP
    wrong 'what is there' "$(ask value peek $page)" $VALUE
    recorded memory_denied '"rule": ?"page"'
    clean
    remove page
}

function_of_the_kernel_passes() {
    policy smep '{"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep"],
        "except": [{"symbol": "native_write_cr4"}], "action": "deny"}'
    faults $GP cr_set 4 0x100000 0
    recorded cr_denied '"rule": ?"smep"'
    remove smep
}

# The scratch register of the first serial port keeps what it gets.
SCRATCH=0x3ff

# What the rules then stop must work without them.
ports_without_a_rule() {
    for value in 0xa5 0x5a; do
        faults 0 port $SCRATCH 1 $value
        wrong 'what IN reads' "$(ask value port $SCRATCH 0 0)" $((value))
        faults 0 port $SCRATCH 3 $((value ^ 0xff))
        wrong 'what INS reads' "$(ask value port $SCRATCH 2 0)" $((value ^ 0xff))
    done
}

ports_closed() {
    faults 0 port $SCRATCH 1 0x11
    policy ports '{"name": "scratch", "kind": "io", "ports": {"first": 1022, "last": 1023},
        "access": ["write"], "action": "deny"}'
    for kind in 1 3; do
        faults $GP port $SCRATCH $kind 0x22
        on 1 port $SCRATCH $kind 0x22
        wrong "fault of kind $kind on CPU 1" "$(of fault)" $GP
    done
    # What IN reads needs a step, with the rule.
    wrong 'what IN reads' "$(ask value port $SCRATCH 0 0)" 17
    wrong 'what INS reads' "$(ask value port $SCRATCH 2 0)" 17
    at_least records "$(records io_denied '"rule": ?"scratch"')" 4
    under_core 0
    remove ports
    faults 0 port $SCRATCH 1 0x22
}

ports_logged() {
    policy ports '{"name": "look", "kind": "io", "ports": "0x3ff", "access": ["read", "write"],
        "action": "log"}'
    for kind in 1 3; do
        faults 0 port $SCRATCH $kind $((0x40 + kind))
        wrong 'what IN reads' "$(ask value port $SCRATCH 0 0)" $((0x40 + kind))
    done
    recorded io_logged '"message": ?"OUT of 0x41 to port 0x3ff \(1 byte\) logged'
    remove ports
    before=$(exits io)
    faults 0 port $SCRATCH 1 0
    wrong 'exits for it' "$(exits io)" "$before"
}

# XCR0 as Linux has it on that CPU, and a value without AVX, or with SSE.
xcr0_of() {
    on "$1" xsetbv 0 1
    xcr0=$(($(of before)))
    other=$((xcr0 & 4 ? xcr0 & 3 : xcr0 | 2))
}
xcr0_set() { # CPU VALUE FAULT
    on "$1" xsetbv 0 "$2"
    wrong "fault of XCR0 = $2 on CPU $1" "$(of fault)" "$3"
}

xcr0_stays() {
    [ "$BACKEND" = vmx ] || { skip 'XSETBV has no exit in QEMU 7.2'; return; }
    for cpu in 0 1; do
        xcr0_of $cpu
        xcr0_set $cpu $other 0
        policy xcr0 '{"name": "avx", "kind": "xcr", "register": "xcr0", "bits": ["sse", "avx"],
            "action": "deny"}'
        xcr0_set $cpu $other $GP
        xcr0_set $cpu $xcr0 0
        remove xcr0
        xcr0_set $cpu $other 0
    done
    recorded xcr_denied '"rule": ?"avx"'
}

leaves_closed() {
    for register in eax ebx ecx edx; do
        at_least "$register without a rule" "$(ask $register cpuid 0x80000002 0)" 1
    done
    policy leaf '{"name": "brand", "kind": "cpuid", "leaf": "0x80000002", "action": "deny"},
        {"name": "byte", "kind": "cpuid", "leaf": "0x80000003", "bits": {"eax": "0xff"},
         "action": "deny"}'
    for cpu in 0 1; do
        on $cpu cpuid 0x80000002 0
        wrong "the brand on CPU $cpu" "$(of eax) $(of ebx) $(of ecx) $(of edx)" '0 0 0 0'
    done
    wrong 'the low byte' $(($(ask eax cpuid 0x80000003 0) & 255)) 0
    at_least 'the rest of it' "$(ask eax cpuid 0x80000003 0)" 256
    recorded cpuid_denied '"rule": ?"brand"'
    remove leaf
    at_least 'the brand afterwards' "$(ask eax cpuid 0x80000002 0)" 1
}

instructions_closed() {
    for which in 3 5 6; do
        ask fault instruction $which >/tmp/without.$which
    done
    wrong 'WBINVD without a rule' "$(cat /tmp/without.3)" 0
    policy closed '{"name": "closed", "kind": "instruction", "action": "deny",
        "instructions": ["wbinvd", "monitor", "mwait"]}'
    faults $GP instruction 3
    on 1 instruction 3
    wrong 'fault on CPU 1' "$(of fault)" $GP
    [ "$(cat /tmp/without.5)" != 0 ] || faults $UD instruction 5
    [ "$(cat /tmp/without.6)" != 0 ] || faults $UD instruction 6
    recorded execution_denied '"message": ?"wbinvd denied by closed/closed'
    remove closed
    policy closed '{"name": "look", "kind": "instruction", "action": "log",
        "instructions": ["wbinvd", "monitor", "mwait"]}'
    for which in 3 5 6; do
        faults "$(cat /tmp/without.$which)" instruction $which
    done
    recorded execution_logged '"rule": ?"look"'
    remove closed
    faults 0 instruction 3
}

what_the_cpu_cannot_watch_is_refused() {
    cat >/tmp/random.json <<JSON
{"version": 1, "name": "random", "rules": [{"name": "a", "kind": "instruction", "action": "log",
  "instructions": ["rdseed"]}]}
JSON
    # SVM never; VMX where the CPU has the control.
    [ "$BACKEND" = vmx ] || refused 1 random hvctl policy apply /tmp/random.json
    hvctl policy apply /tmp/random.json >/dev/null 2>&1 && remove random
    wrong policies "$(policies)" ''
}

contradictions_are_refused() {
    cat >/tmp/twice.json <<JSON
{"version": 1, "name": "twice", "rules": [
  {"name": "a", "kind": "msr", "msr": 1, "access": ["write"], "value": {"allowed": 1},
   "action": "deny"},
  {"name": "b", "kind": "msr", "msr": 1, "access": ["write"], "action": "deny"}]}
JSON
    refused 1 exceptions hvctl policy apply /tmp/twice.json
    wrong policies "$(policies)" ''
}

check tables_move_without_a_rule
check tables_stay
check same_tables_pass
check cpu_comes_back_under_tables
check tables_cost_nothing_afterwards
check tables_logged
check values_of_an_msr
check entry_unchanged
check writer_passes
check function_of_the_kernel_passes
check ports_without_a_rule
check ports_closed
check ports_logged
check xcr0_stays
check leaves_closed
check instructions_closed
check what_the_cpu_cannot_watch_is_refused
check contradictions_are_refused
