# SPDX-License-Identifier: MIT
# summary: rules on MSRs, control registers and memory, their records, and the lock that root
# cannot open
# rig: --test-build
# seconds: 300 900
# weight: 60

load_test_module
t own 2
page=$(($(sed -n '2s/^block //p' "$ANSWER") + 0x5000))
at() { printf '{"first": "0x%x", "bytes": 4096}' $((page + $1)); }
cat >/tmp/entry.json <<JSON
{"version": 1, "name": "entry", "rules": [
  {"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"], "action": "deny"},
  {"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep", "smap"], "action": "deny"},
  {"name": "wp", "kind": "cr", "register": "cr0", "bits": ["wp", "ts", "em"], "action": "deny"}]}
JSON
cat >/tmp/page.json <<JSON
{"version": 1, "name": "page", "rules": [
  {"name": "keep", "kind": "memory", "range": $(at 0), "access": ["write"], "action": "deny"},
  {"name": "inert", "kind": "memory", "range": $(at 4096), "access": ["execute"],
   "action": "deny"}]}
JSON
cat >/tmp/watch.json <<JSON
{"version": 1, "name": "watch", "rules": [
  {"name": "sysenter", "kind": "msr", "msr": "ia32_sysenter_cs", "access": ["read", "write"],
   "action": "log"},
  {"name": "pce", "kind": "cr", "register": "cr4", "bits": ["pce"], "action": "log"},
  {"name": "look", "kind": "memory", "range": $(at 8192), "access": ["write"],
   "action": "log"}]}
JSON
VALUE=0x1122334455667788

policies_applied() {
    for policy in entry page watch; do hvctl policy apply /tmp/$policy.json 2>&1 >/dev/null; done
    wrong policies "$(policies)" 'entry page watch '
}

lstar_denied() {
    faults $GP wrmsr 0xc0000082 "$lstar"
    on 1 wrmsr 0xc0000082 "$lstar"
    wrong 'fault on CPU 1' "$(of fault)" $GP
    at_least records "$(records msr_denied '"rule": ?"lstar"')" 2
}

smep_kept() {
    faults $GP cr_set 4 0x100000 0
    faults $GP cr_set 4 0x300000 0
    faults $GP cr_set 4 0x100080 0 # with PGE
    faults 0 cr_set 4 0x80 0       # PGE alone
    at_least records "$(records cr_denied '"rule": ?"smep"')" 3
}

cr0_by_every_instruction() {
    faults $GP cr_set 0 0x10000 0
    faults $GP cr_set 0 0 8
    t cr0_instructions
    wrong 'TS by LMSW' "$(of lmsw_ts)" $GP
    wrong 'EM by LMSW' "$(of lmsw_em)" $GP
    wrong 'what changed' "$(of changed)" 0x0
}

page_denied() {
    faults $GP poke $page $VALUE
    faults $GP poke $((page + 4088)) $VALUE
    faults 0 poke $((page - 8)) $VALUE
    wrong value "$(ask value peek $page)" 0x0
    at_least records "$(records memory_denied '"rule": ?"keep"')" 2
    recorded memory_denied '"symbol": ?"[^"]*\[hv_test\]"'
}

page_alias_denied() { faults $GP alias $page 1; }

page_crossing_denied() {
    faults $GP poke $((page - 4)) $VALUE
    faults $GP poke $((page + 3)) $VALUE
    wrong value "$(ask value peek $page)" 0x0
}

page_execute_denied() {
    t execute $((page + 4096))
    wrong 'writing the code' "$(of write_fault)" 0
    wrong 'running it' "$(of fault)" $GP
    t execute $((page - 4096))
    wrong 'running the page before' "$(of fault)" 0
    recorded memory_denied '"rule": ?"inert"'
}

logged_not_denied() {
    faults 0 rdmsr 0x174
    faults 0 cr_set 4 0 0x100
    faults 0 poke $((page + 8192)) $VALUE
    wrong 'what was written' "$(ask value peek $((page + 8192)))" $VALUE
    recorded msr_logged '"rule": ?"sysenter"'
    recorded memory_logged '"rule": ?"look"'
    recorded cr_logged '"rule": ?"pce"'
}

# The shipped policy: the kernel's constants by their section, through an address of the attacker's
# own (Linux's direct map of them is read-only), and Linux at its own work.
kernel_constants_kept() {
    hvctl policy apply /usr/share/hv/policies/kernel-constants.json >/tmp/out 2>&1 || cat /tmp/out
    rodata=$(($(hvctl --json policy show kernel-constants | flat | sed -n 's/.*first=//p')))
    before=$(ask value peek $rodata)
    faults $GP alias $rodata 1
    faults $GP alias $((rodata + 0x5000)) 1
    wrong 'what is there' "$(ask value peek $rodata)" "$before"
    recorded memory_denied '"rule": ?"rodata"'
    denied=$(records memory_denied '"rule": ?"rodata"')
    { modprobe tun && rmmod tun; } || echo 'no module comes and goes; '
    echo 1 >/proc/sys/kernel/sched_schedstats && echo 0 >/proc/sys/kernel/sched_schedstats
    wrong 'denied meanwhile' "$(records memory_denied '"rule": ?"rodata"')" "$denied"
    hvctl policy remove kernel-constants >/dev/null
}

removed_rule_ends() {
    hvctl policy remove watch 2>&1 >/dev/null
    wrong policies "$(policies)" 'entry page '
    before=$(exits msr_read)
    t rdmsr 0x174
    wrong 'exits for it' "$(exits msr_read)" "$before"
}

still_enforced() {
    faults $GP wrmsr 0xc0000082 "$lstar"
    faults $GP cr_set 4 0x100000 0
    faults $GP poke $page $VALUE
}

rules_survive_hvd() {
    kill_hvd
    still_enforced
    start_hvd
    wrong policies "$(policies)" 'entry page '
    still_enforced
}

lock_holds_hvctl() {
    hvctl policy lock 2>&1 >/dev/null
    wrong locked "$(status locked)" true
    refused 1 lock hvctl stop
    refused 1 lock hvctl policy remove page
    sed 's/"deny"/"log"/' /tmp/page.json >/tmp/weaker.json
    refused 1 lock hvctl policy apply /tmp/weaker.json
    still_enforced
}

lock_lets_rules_be_added() {
    hvctl policy apply /tmp/watch.json 2>&1 >/dev/null
    faults 0 rdmsr 0x174
    refused 1 lock hvctl policy remove watch
}

lock_holds_netlink() {
    for what in stop set 'set 1,3,2,0xc0000082,0xc0000082,0' 'set 1,1,2,0xc0000082,0xc0000082,0'; do
        hvnl $what >/tmp/out && echo "hvnl $what was taken; "
        grep -q '^error 1: ' /tmp/out || cat /tmp/out
    done
    still_enforced
}

# Even with the handle out of hv.ko's memory: 1 unhoists, 6 with no rules empties the set.
lock_holds_module() {
    wrong unhoist "$(ask result core 1 0xffffffff81000000 0)" -1
    wrong 'no rules' "$(ask result core 6 0 99)" -1
    wrong 'with a handle guessed' "$(ask result call 1 1 0xffffffff81000000)" -9
    still_enforced
}

lock_holds_new_hvd() {
    kill_hvd
    rm -rf /var/lib/hv /run/hv /etc/hv/policies.d
    start_hvd
    wrong locked "$(status locked)" true
    refused 1 lock hvctl stop
    refused 1 lock hvctl policy remove page
    still_enforced
}

lock_holds_root() {
    rmmod hv 2>/dev/null && echo 'rmmod worked; '
    modprobe -r hv 2>/dev/null && echo 'modprobe -r worked; '
    hvctl start 2>/dev/null && echo 'a second start worked; '
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true
    still_enforced
}

lock_holds_sleep() {
    t sleepless 1
    echo mem 2>/dev/null >/sys/power/state && echo 'it slept; '
    wrong 'how far it got' "$(ask refused sleepless 0)" 0
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true
    still_enforced
}

# On SVM a CPU leaves the core before it goes offline: refused. On VMX it stays under it.
lock_holds_offline() {
    before=$(nproc)
    if echo 0 2>/dev/null >/sys/devices/system/cpu/cpu1/online; then
        [ "$BACKEND" = vmx ] || echo 'CPU 1 went offline; '
        echo 1 >/sys/devices/system/cpu/cpu1/online
    fi
    wrong 'CPUs online' "$(nproc)" "$before"
    under_core 0
    under_core 1
    still_enforced
}

lock_holds_forced_rmmod() {
    kill_hvd
    rmmod -f hv 2>/dev/null
    remark "status of rmmod -f: $?"
    under_core 0
    under_core 1
    still_enforced
}

t rdmsr 0xc0000082
lstar=$(of value)
check policies_applied
check lstar_denied $TIMES
check smep_kept $TIMES
check cr0_by_every_instruction $TIMES
check page_denied $TIMES
check page_alias_denied $TIMES
check page_crossing_denied $TIMES
check page_execute_denied $TIMES
check logged_not_denied
check kernel_constants_kept
check removed_rule_ends
check rules_survive_hvd
check lock_holds_hvctl $TIMES
check lock_lets_rules_be_added
check lock_holds_netlink $TIMES
check lock_holds_module $TIMES
check lock_holds_new_hvd $TIMES
check lock_holds_root $TIMES
check lock_holds_offline $TIMES
check lock_holds_sleep $TIMES
# The NMIs behind the core's records are nobody's then.
ALLOWED='Uhhuh|Dazed'
check lock_holds_forced_rmmod
