# SPDX-License-Identifier: MIT
# summary: rules on debug registers, on LDTR and TR, and on values that may only grow or only
#   shrink
# rig: --test-build
# seconds: 300 900
# weight: 40

. /t/sh/rules.sh
load_test_module
ESP=0x175      # IA32_SYSENTER_ESP, which programs of 64 bits have no use for
AM=0x40000     # CR0.AM
G0=0x402       # DR7 as Linux leaves it, and one bit more; DR0 leads nowhere
G1=0x408

# What the rules then stop must work without them. DR5 is DR7 while CR4.DE is clear.
all_load_without_a_rule() {
    for register in 0 1 2 3; do changed dr_set $register 0x1000; done
    for register in 7 5; do changed dr_set $register $G0; done
    for table in 2 3; do
        t table $table 0
        wrong "table $table" "$(of fault) $(of moved) $(of back)" '0 1 0'
    done
    t table 3 2
    wrong 'TR with another TSS' "$(of fault) $(of back)" '0 0'
}

debug_registers_denied() {
    policy dr '{"name": "breakpoints", "kind": "dr", "action": "deny",
        "registers": ["dr0", "dr1", "dr2", "dr3", "dr7"]}'
    for register in 0 1 2 3; do denied_on_each_cpu dr_set $register 0x1000; done
    for register in 7 5; do denied_on_each_cpu dr_set $register $G0; done
    denied_on_each_cpu dr_set 7 0x30400 # RW0
    for register in 0 7; do
        t dr $register
        faults 0 dr_set $register "$(of value)"
    done
    at_least records "$(records dr_denied '"rule": ?"breakpoints"')" 14
    clean
    remove dr
    changed dr_set 0 0x1000
    changed dr_set 7 $G0
}

# Neither the other bits nor the addresses are named then.
one_bit_of_dr7_denied() {
    policy dr '{"name": "g0", "kind": "dr", "registers": ["dr7"], "bits": ["g0"],
        "action": "deny"}'
    denied_on_each_cpu dr_set 7 $G0
    denied_on_each_cpu dr_set 5 $G0
    changed dr_set 7 $G1
    changed dr_set 0 0x1000
    remove dr
}

debug_registers_kept() {
    policy dr '{"name": "g0", "kind": "dr", "registers": ["dr7"], "bits": ["g0"],
            "action": "keep"},
        {"name": "address", "kind": "dr", "registers": ["dr0"], "action": "keep"}'
    kept_on_each_cpu dr_set 7 $G0
    kept_on_each_cpu dr_set 5 $G0
    kept_on_each_cpu dr_set 0 0x1000
    faults 0 dr_set 7 0x40a # with G1
    wrong 'bits that change' $(($(of during) ^ $(of before))) 8
    recorded dr_kept '"rule": ?"g0"'
    recorded dr_kept '"rule": ?"address"'
    remove dr
}

debug_registers_logged() {
    policy dr '{"name": "breakpoints", "kind": "dr", "registers": ["dr0", "dr7"],
        "action": "log"}'
    changed dr_set 0 0x1000
    changed dr_set 7 $G0
    at_least records "$(records dr_logged '"rule": ?"breakpoints"')" 2
    remove dr
}

debug_registers_of_one_cpu() {
    policy dr '{"name": "one", "kind": "dr", "registers": ["dr0"], "cpus": [1],
        "action": "deny"}'
    on 0 dr_set 0 0x1000
    wrong 'fault on CPU 0' "$(of fault)" 0
    on 1 dr_set 0 0x1000
    wrong 'fault on CPU 1' "$(of fault)" $GP
    remove dr
}

# TABLE KIND FAULT: on either CPU, and never with another selector than before.
loads() {
    for cpu in 0 1; do
        on $cpu table "$1" "$2"
        wrong "fault of table $1 $2 on CPU $cpu" "$(of fault)" "$3"
        wrong "table $1 $2 moved on CPU $cpu" "$(of moved) $(of back)" '0 0'
    done
}
SEGMENTS='{"name": "segments", "kind": "dtr", "tables": ["ldt", "tr"], "action"'
# A TSS of the attacker's has its own stacks for entries into ring 0.
segments_denied() {
    policy segments "$SEGMENTS: \"deny\"}"
    loads 2 0 $GP
    loads 3 0 $GP
    loads 3 2 $GP
    loads 2 1 0
    loads 3 1 0
    at_least records "$(records dtr_denied '"rule": ?"segments"')" 6
    t table 1 0
    wrong 'the IDT, which is not named' "$(of fault) $(of moved)" '0 1'
    clean
}
cpu_comes_back_under_segments() {
    for _ in 1 2 3; do
        echo 0 >/sys/devices/system/cpu/cpu1/online || echo 'offline failed; '
        echo 1 >/sys/devices/system/cpu/cpu1/online || echo 'online failed; '
    done
    under_core 1
    loads 3 0 $GP
    loads 2 0 $GP
    loads 3 1 0
    remove segments
    on 1 table 3 0
    wrong 'TR without the rule' "$(of fault) $(of moved) $(of back)" '0 1 0'
}
segments_kept() {
    policy segments "$SEGMENTS: \"keep\"}"
    loads 2 0 0
    loads 3 0 0
    loads 3 2 0
    at_least records "$(records dtr_kept '"rule": ?"segments"')" 6
    remove segments
}

# writes CPU VALUE FAULT: WRMSR, which stays. There is no sign in the comparison.
writes() {
    on "$1" wrmsr $ESP "$2"
    wrong "fault of $2 on CPU $1" "$(of fault)" "$3"
}
holds() {
    on "$1" rdmsr $ESP
    wrong "the MSR of CPU $1" "$(of value)" "$2"
}
# msr_rule WAY ACTION: begins at 0x2000 on either CPU.
msr_rule() {
    writes 0 0x2000 0
    writes 1 0x2000 0
    policy way '{"name": "'"$1"'", "kind": "msr", "msr": "ia32_sysenter_esp",
        "access": ["write"], "value": "'"$1"'", "action": "'"$2"'"}'
}
an_msr_grows() {
    msr_rule growing deny
    for cpu in 0 1; do
        writes $cpu 0x2010 0
        writes $cpu 0x2010 0
        writes $cpu 0x2000 $GP
        writes $cpu 0 $GP
        writes $cpu 0xfffffe0000000000 0
        writes $cpu 0x7000000000 $GP
        holds $cpu 0xfffffe0000000000
    done
    recorded msr_denied '"rule": ?"growing"'
    wrong 'records of what passes' "$(records msr_logged '"rule": ?"growing"')" 0
    remove way
}
an_msr_shrinks() {
    msr_rule shrinking deny
    for cpu in 0 1; do
        writes $cpu 0x1ff0 0
        writes $cpu 0x2000 $GP
        writes $cpu 0xfffffe0000000000 $GP
        writes $cpu 0 0
        writes $cpu 1 $GP
        holds $cpu 0x0
    done
    recorded msr_denied '"rule": ?"shrinking"'
    remove way
}
an_msr_keeps_growing() {
    msr_rule growing keep
    writes 0 0x2010 0
    writes 0 0x2000 0
    holds 0 0x2010
    recorded msr_kept '"rule": ?"growing"'
    remove way
    writes 0 0 0
    holds 0 0x0
}

cr_rule() { # WAY BITS
    policy way '{"name": "'"$1"'", "kind": "cr", "register": "cr0", "bits": ['"$2"'],
        "value": "'"$1"'", "action": "deny"}'
}
# stays CLEAR SET FAULT: of CR0, on CPU 0, and it is not undone.
stays() {
    on 0 cr_set 0 "$1" "$2" 1
    wrong "fault of CR0 - $1 + $2" "$(of fault)" "$3"
}
# Linux has AM set. It is cleared before the rule is there, so that there is something to set.
cr_bits_grow() {
    stays $AM 0 0
    cr_rule growing '"am", "wp"'
    on 0 cr_set 0 0x10000 0
    wrong 'fault of WP, cleared' "$(of fault)" $GP
    stays 0 $AM 0
    stays $AM 0 $GP
    on 1 cr_set 0 $AM 0
    wrong 'fault on CPU 1' "$(of fault)" $GP
    wrong 'AM at the end' $(($(ask value cr 0) & $AM)) $(($AM))
    recorded cr_denied '"rule": ?"growing"'
    remove way
}
# TS and EM are clear, and LMSW would set them; CLTS clears what is clear.
cr_bits_shrink() {
    cr_rule shrinking '"am", "ts", "em"'
    stays $AM 0 0
    stays 0 $AM $GP
    t cr0_instructions
    wrong 'faults of LMSW, CLTS' "$(of lmsw_ts) $(of lmsw_em) $(of clts)" "$GP $GP 0"
    wrong 'what changed' "$(of changed)" 0x0
    recorded cr_denied '"rule": ?"shrinking"'
    remove way
    stays 0 $AM 0
}

# Whether SSE is on at the start depends on the CPU; then it is, and is not switched off.
xcr_bits_grow() {
    [ "$BACKEND" = vmx ] || { skip 'XSETBV has no exit in QEMU 7.2'; return; }
    policy way '{"name": "growing", "kind": "xcr", "register": "xcr0", "bits": ["sse"],
        "value": "growing", "action": "deny"}'
    on 0 xsetbv 0 1
    on 0 xsetbv 0 $(($(of before) | 2))
    wrong 'fault of XSETBV with SSE' "$(of fault)" 0
    on 0 xsetbv 0 1
    wrong 'fault of XSETBV without SSE' "$(of fault)" $GP
    recorded xcr_denied '"rule": ?"growing"'
    remove way
}

one_way_rules_that_say_nothing_are_refused() {
    way='"action": "deny", "value": "growing"'
    for rule in '"kind": "msr", "msr": 372, "access": ["read", "write"]' \
        '"kind": "dr", "registers": ["dr0"]' '"kind": "dtr", "tables": ["ldt"]'; do
        printf '{"version": 1, "name": "no", "rules": [{"name": "a", %s, %s}]}' "$rule" "$way" \
            >/tmp/no.json
        refused 1 '/tmp/no.json:1:' hvctl policy apply /tmp/no.json
    done
}

on 0 rdmsr $ESP
esp0=$(of value)
on 1 rdmsr $ESP
esp1=$(of value)
check all_load_without_a_rule
check debug_registers_denied $TIMES
check one_bit_of_dr7_denied
check debug_registers_kept
check debug_registers_logged
check debug_registers_of_one_cpu
check segments_denied $TIMES
check cpu_comes_back_under_segments
check segments_kept
check an_msr_grows
check an_msr_shrinks
check an_msr_keeps_growing
check cr_bits_grow
check cr_bits_shrink
check xcr_bits_grow
check one_way_rules_that_say_nothing_are_refused
on 0 wrmsr $ESP "$esp0"
on 1 wrmsr $ESP "$esp1"
