# SPDX-License-Identifier: MIT
# summary: rules that keep the old value, rules of one CPU, the seal, and rules that stay until the
# unhoist or the next boot
# rig: --test-build
# seconds: 300 900
# weight: 50

. /t/sh/rules.sh
load_test_module
LSTAR=0xc0000082
t rdmsr $LSTAR
lstar=$(of value)
other=$(printf 0x%x $((lstar + 16)))
t own 2
page=$(($(sed -n '2s/^block //p' "$ANSWER") + 0x5000))
VALUE=0x1122334455667788

# What the rules then keep must change without them. WP, SMEP; TS and EM by LMSW.
all_change_without_a_rule() {
    changed cr_set 0 0x10000 0
    changed cr_set 4 0x100000 0
    changed lend_msr $LSTAR $other
    t cr0_instructions
    [ "$(of changed)" != 0x0 ] || echo 'LMSW changes nothing; '
    t table 1 0
    wrong 'the table moved' "$(of moved)" 1
}

bits_are_kept() {
    policy kept '{"name": "wp", "kind": "cr", "register": "cr0", "bits": ["wp", "ts", "em"],
            "action": "keep"},
        {"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep"], "action": "keep"}'
    kept cr_set 0 0x10000 0
    kept cr_set 4 0x100000 0
    kept_on_each_cpu cr_set 4 0x100000 0
    kept_on_each_cpu cr_set 0 0x10000 0
    recorded cr_kept '"rule": ?"wp"'
    recorded cr_kept '"rule": ?"smep"'
    t cr0_instructions
    wrong 'fault of LMSW' "$(of lmsw_ts) $(of lmsw_em) $(of clts)" '0 0 0'
    wrong 'what LMSW changes' "$(of changed)" 0x0
    under_core 0
    under_core 1
}

# TSD (bit 2) changes in the same instruction that must not clear SMEP.
other_bits_change() {
    faults 0 cr_set 4 0x100000 4
    wrong 'bits that change' $(($(of during) ^ $(of before))) 4
    remove kept
    changed cr_set 4 0x100000 0
}

an_msr_is_kept() {
    policy kept '{"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"],
        "action": "keep"}'
    for _ in 1 2 3; do kept lend_msr $LSTAR $other; done
    kept_on_each_cpu lend_msr $LSTAR $other
    faults 0 wrmsr $LSTAR $other
    wrong LSTAR "$(ask value rdmsr $LSTAR)" "$lstar"
    recorded msr_kept '"rule": ?"lstar"'
    remove kept
    changed lend_msr $LSTAR $other
}

tables_are_kept() {
    policy kept '{"name": "tables", "kind": "dtr", "tables": ["gdt", "idt"], "action": "keep"}'
    for table in 0 1; do
        for cpu in 0 1; do
            on $cpu table $table 0
            wrong "fault of table $table on CPU $cpu" "$(of fault)" 0
            wrong "table $table moved on CPU $cpu" "$(of moved)" 0
        done
    done
    at_least records "$(records dtr_kept)" 4
    remove kept
}

xcr0_is_kept() {
    [ "$BACKEND" = vmx ] || { skip 'XSETBV has no exit in QEMU 7.2'; return; }
    on 0 xsetbv 0 1
    xcr0=$(($(of before)))
    next_xcr0=$((xcr0 & 4 ? xcr0 & 3 : xcr0 | 2))
    policy kept '{"name": "sse", "kind": "xcr", "register": "xcr0", "bits": ["sse", "avx"],
        "action": "keep"}'
    on 0 xsetbv 0 $next_xcr0
    wrong 'fault of XSETBV' "$(of fault)" 0
    wrong 'SSE and AVX during it' $(($(of during) & 6)) $((xcr0 & 6))
    recorded xcr_kept '"rule": ?"sse"'
    remove kept
}

a_rule_of_one_cpu() {
    policy one '{"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"],
            "action": "deny", "cpus": [1]},
        {"name": "seen", "kind": "msr", "msr": "ia32_lstar", "access": ["write"],
            "action": "log", "cpus": {"first": 0, "last": 0}},
        {"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep"], "action": "deny",
            "cpus": [1]}'
    on 0 lend_msr $LSTAR $other
    wrong 'fault of LSTAR on CPU 0' "$(of fault)" 0
    [ "$(of during)" != "$(of before)" ] || echo 'CPU 0 writes without effect; '
    on 0 cr_set 4 0x100000 0
    wrong 'fault of CR4 on CPU 0' "$(of fault)" 0
    on 1 lend_msr $LSTAR $other
    wrong 'fault of LSTAR on CPU 1' "$(of fault)" $GP
    on 1 cr_set 4 0x100000 0
    wrong 'fault of CR4 on CPU 1' "$(of fault)" $GP
    recorded msr_denied '"cpu": ?1,.*"rule": ?"lstar"'
    recorded msr_logged '"cpu": ?0,.*"rule": ?"seen"'
    wrong 'denied on CPU 0' "$(records cr_denied '"cpu": ?0,')" 0
    remove one
    printf '{"version": 1, "name": "far", "rules": [{"name": "a", "kind": "msr", "msr": 1,
        "access": ["write"], "action": "deny", "cpus": [63]}]}' >/tmp/far.json
    refused 1 'CPU 63, which this Linux does not have' hvctl policy apply /tmp/far.json
}

# Until the seal nothing of it is in force, then all of it is.
rules_wait_for_the_seal() {
    policy sealed '{"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"],
            "action": "deny", "when": "seal", "lifetime": "hoisted"},
        {"name": "page", "kind": "memory", "access": ["write"], "action": "deny", "when": "seal",
            "range": {"first": "'$(printf 0x%x $page)'", "bytes": 4096}}'
    changed lend_msr $LSTAR $other
    faults 0 alias $page $VALUE
    wrong sealed "$(status sealed)" false
    remove sealed
    hvctl policy apply /tmp/sealed.json 2>&1 >/dev/null
    hvctl policy seal 2>&1 >/dev/null
    wrong sealed "$(status sealed)" true
    faults $GP lend_msr $LSTAR $other
    on 1 lend_msr $LSTAR $other
    wrong 'fault on CPU 1' "$(of fault)" $GP
    faults $GP alias $page $VALUE
    recorded policy_marked
    hvctl policy seal 2>&1 >/dev/null
    clean
}

still_stays() {
    faults $GP lend_msr $LSTAR $other
    wrong policies "$(policies)" "$1"
}

what_stays_holds_hvctl() {
    refused 1 'before this Linux is unhoisted' hvctl policy remove sealed
    sed 's/"deny"/"log"/' /tmp/sealed.json >/tmp/weaker.json
    refused 1 'before this Linux is unhoisted' hvctl policy apply /tmp/weaker.json
    still_stays 'sealed '
}

# The same straight over netlink, and by a module that has the handle: no rules at all.
what_stays_holds_hv_ko() {
    hvnl set >/tmp/out && echo 'no rules were taken; '
    grep -q '^error 1: ' /tmp/out || cat /tmp/out
    wrong 'no rules' "$(ask result core 6 0 99)" -1
    still_stays 'sealed '
}

what_stays_holds_a_new_hvd() {
    kill_hvd
    rm -rf /var/lib/hv /run/hv /etc/hv/policies.d
    start_hvd
    refused 1 'before this Linux is unhoisted' hvctl policy remove sealed
    wrong sealed "$(status sealed)" true
    still_stays 'sealed '
}

# It goes with the hoist; the next one is not sealed.
what_stays_ends_with_the_unhoist() {
    hvctl stop 2>&1 >/dev/null
    changed lend_msr $LSTAR $other
    hvctl start 2>&1 >/dev/null
    wrong sealed "$(status sealed)" false
    wrong policies "$(policies)" ''
}

ratchet_holds_hvctl() {
    [ -e /tmp/ratchet.json ] || policy ratchet '{"name": "lstar", "kind": "msr",
        "msr": "ia32_lstar", "access": ["write"], "action": "deny", "lifetime": "ratchet"}'
    refused 1 'before the next boot' hvctl policy remove ratchet
    refused 1 'a rule lasts until the next boot' hvctl stop
    sed 's/"ratchet"}/"revocable"}/' /tmp/ratchet.json >/tmp/weaker.json
    refused 1 'before the next boot' hvctl policy apply /tmp/weaker.json
    wrong locked "$(status locked)" false
    still_stays 'ratchet '
}

ratchet_lets_others_come_and_go() {
    policy more '{"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep"],
        "action": "deny"}'
    faults $GP cr_set 4 0x100000 0
    remove more
    changed cr_set 4 0x100000 0
}

ratchet_holds_netlink() {
    for what in stop set; do
        hvnl $what >/tmp/out && echo "hvnl $what was taken; "
        grep -q '^error 1: ' /tmp/out || cat /tmp/out
    done
    still_stays 'ratchet '
}

# Even with the handle out of hv.ko's memory: 1 unhoists, 6 with no rules empties the set.
ratchet_holds_a_module() {
    wrong unhoist "$(ask result core 1 0xffffffff81000000 0)" -1
    wrong 'no rules' "$(ask result core 6 0 99)" -1
    still_stays 'ratchet '
}

ratchet_holds_a_new_hvd() {
    kill_hvd
    rm -rf /var/lib/hv /run/hv /etc/hv/policies.d
    start_hvd
    refused 1 'a rule lasts until the next boot' hvctl stop
    refused 1 'before the next boot' hvctl policy remove ratchet
    still_stays 'ratchet '
}

ratchet_holds_root() {
    rmmod hv 2>/dev/null && echo 'rmmod worked; '
    modprobe -r hv 2>/dev/null && echo 'modprobe -r worked; '
    cp "/lib/modules/$(uname -r)/updates/hv.ko" /tmp/second.ko
    insmod /tmp/second.ko 2>/dev/null && echo 'a second hv.ko was taken; '
    hvctl start 2>/dev/null && echo 'a second start worked; '
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true
    still_stays 'ratchet '
}

ratchet_holds_sleep() {
    t sleepless 1
    echo mem 2>/dev/null >/sys/power/state && echo 'it slept; '
    wrong 'how far it got' "$(ask refused sleepless 0)" 0
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true
    still_stays 'ratchet '
}

# On SVM a CPU leaves the core before it goes offline: refused. On VMX it stays under it.
ratchet_holds_offline() {
    before=$(nproc)
    if echo 0 2>/dev/null >/sys/devices/system/cpu/cpu1/online; then
        [ "$BACKEND" = vmx ] || echo 'CPU 1 went offline; '
        echo 1 >/sys/devices/system/cpu/cpu1/online
    fi
    wrong 'CPUs online' "$(nproc)" "$before"
    under_core 0
    under_core 1
    still_stays 'ratchet '
}

check all_change_without_a_rule
check bits_are_kept $TIMES
check other_bits_change
check an_msr_is_kept
check tables_are_kept
check xcr0_is_kept
check a_rule_of_one_cpu
check rules_wait_for_the_seal
check what_stays_holds_hvctl $TIMES
check what_stays_holds_hv_ko $TIMES
check what_stays_holds_a_new_hvd
check what_stays_ends_with_the_unhoist
check ratchet_holds_hvctl $TIMES
check ratchet_lets_others_come_and_go
check ratchet_holds_netlink $TIMES
check ratchet_holds_a_module $TIMES
check ratchet_holds_a_new_hvd
check ratchet_holds_root $TIMES
check ratchet_holds_offline $TIMES
check ratchet_holds_sleep
