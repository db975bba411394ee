# SPDX-License-Identifier: MIT
# summary: rules on MSRs, control registers and memory, their records, and the lock that root
# cannot open
# rig: --test-build
# seconds: 300 900
# weight: 60
# tests: lstar_denied smep_kept page_denied page_alias_denied page_crossing_denied
# page_execute_denied
# tests: logged_not_denied cr0_by_every_instruction removed_rule_ends policies_listed
# rules_survive_hvd
# tests: lock_holds_root lock_holds_hvctl lock_holds_new_hvd lock_holds_netlink lock_holds_module
# tests: lock_lets_rules_be_added lock_holds_sleep lock_holds_rmmod lock_holds_forced_rmmod
# locked_rules_enforced

load_test_module
t own 2
page=$(sed -n '2s/^block //p' "$ANSWER")
page=$((page + 0x5000))
sym_page=$(printf '0x%x' $page)
cat >/tmp/entry.json <<JSON
{"version": 1, "name": "entry", "rules": [
  {"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"], "action": "deny"},
  {"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep", "smap"], "action": "deny"},
  {"name": "wp", "kind": "cr", "register": "cr0", "bits": ["wp", "ts", "em"], "action": "deny"}]}
JSON
cat >/tmp/page.json <<JSON
{"version": 1, "name": "page", "rules": [
  {"name": "keep", "kind": "memory", "range": {"first": "$sym_page", "bytes": 4096}, "access": \
      ["write"], "action": "deny"},
  {"name": "inert", "kind": "memory", "range": {"first": "$(printf '0x%x' $((page + 4096)))", \
      "bytes": 4096}, "access": ["execute"], "action": "deny"}]}
JSON
cat >/tmp/watch.json <<JSON
{"version": 1, "name": "watch", "rules": [
  {"name": "sysenter", "kind": "msr", "msr": "ia32_sysenter_cs", "access": ["read", "write"], \
      "action": "log"},
  {"name": "pce", "kind": "cr", "register": "cr4", "bits": ["pce"], "action": "log"},
  {"name": "look", "kind": "memory", "range": {"first": "$(printf '0x%x' $((page + 8192)))", \
      "bytes": 4096}, "access": ["write"], "action": "log"}]}
JSON
poke() { ask fault poke "$1" 0x1122334455667788; }
for policy in entry page watch; do hvctl policy apply /tmp/$policy.json >/tmp/out 2>&1 || fail \
    "apply_$policy" "$(cat /tmp/out)"; done
t rdmsr 0xc0000082
lstar=$(of value)

verdict policies_listed "$(wrong policies "$(status 'policies\..*' | sort | tr '\n' \
    ' ')" 'entry page watch ')"
verdict lstar_denied "$(wrong fault "$(ask fault wrmsr 0xc0000082 "$lstar")" 13
    wrong 'on CPU 1' "$(taskset -c 1 sh -c "echo wrmsr 0xc0000082 $lstar \
        >/proc/hv_test"; sed -n 's/^fault //p' /proc/hv_test)" 13
    [ "$(records msr_denied '"rule": ?"lstar"')" -ge 2 ] || echo 'no records')"
verdict smep_kept "$(wrong SMEP "$(ask fault cr_set 4 0x100000 0)" 13
    wrong 'SMEP and SMAP' "$(ask fault cr_set 4 0x300000 0)" 13
    wrong 'SMEP with PGE' "$(ask fault cr_set 4 0x100080 0)" 13
    wrong PGE "$(ask fault cr_set 4 0x80 0)" 0
    [ "$(records cr_denied '"rule": ?"smep"')" -ge 3 ] || echo 'no records')"
verdict cr0_by_every_instruction "$(wrong WP "$(ask fault cr_set 0 0x10000 0)" 13
    wrong 'TS by MOV' "$(ask fault cr_set 0 0 8)" 13
    t cr0_instructions
    wrong 'TS by LMSW' "$(of lmsw_ts)" 13
    wrong 'EM by LMSW' "$(of lmsw_em)" 13
    wrong 'what changed' "$(of changed)" 0x0)"
verdict page_denied "$(wrong fault "$(poke $page)" 13
    wrong 'last bytes' "$(poke $((page + 4088)))" 13
    wrong 'page before' "$(poke $((page - 8)))" 0
    wrong value "$(ask value peek $page)" 0x0
    [ "$(records memory_denied '"rule": ?"keep"')" -ge 2 ] || echo 'no records')"
verdict page_alias_denied "$(wrong fault "$(ask fault alias $page 1)" 13)"
verdict page_crossing_denied "$(wrong 'from before' "$(poke $((page - 4)))" 13
    wrong unaligned "$(poke $((page + 3)))" 13
    wrong value "$(ask value peek $page)" 0x0)"
verdict page_execute_denied "$(t execute $((page + 4096))
    wrong 'writing the code' "$(of write_fault)" 0
    wrong 'running it' "$(of fault)" 13
    t execute $((page - 4096))
    wrong 'running the page before' "$(of fault)" 0
    [ "$(records memory_denied '"rule": ?"inert"')" -ge 1 ] || echo 'no record')"
verdict logged_not_denied "$(wrong 'MSR' "$(ask fault rdmsr 0x174)" 0
    wrong 'CR4.PCE' "$(ask fault cr_set 4 0 0x100)$(ask fault cr_set 4 0x100 0)" 00
    wrong memory "$(poke $((page + 8192)))" 0
    wrong 'what was written' "$(ask value peek $((page + 8192)))" 0x1122334455667788
    for kind in msr_logged memory_logged; do [ "$(records $kind)" -ge 1 ] || echo \
        "no record of $kind; "; done)"
hvctl policy remove watch >/tmp/out
verdict removed_rule_ends "$(wrong policies "$(status 'policies\..*' | sort | tr '\n' \
    ' ')" 'entry page '
    before=$(exits msr_read); t rdmsr 0x174; wrong 'exits for it' "$(exits msr_read)" "$before")"
kill -9 "$(pidof hvd)"
while pidof hvd >/dev/null; do usleep 1000; done
still() {
    wrong LSTAR "$(ask fault wrmsr 0xc0000082 "$lstar")" 13
    wrong SMEP "$(ask fault cr_set 4 0x100000 0)" 13
    wrong page "$(poke $page)" 13
}
why=$(still)
start_hvd
verdict rules_survive_hvd "$why$(wrong policies "$(status 'policies\..*' | sort | tr '\n' \
    ' ')" 'entry page '; still)"

hvctl policy lock >/tmp/out 2>&1 || fail policy_lock "$(cat /tmp/out)"
verdict lock_holds_hvctl "$(wrong locked "$(status locked)" true
    refused 1 'lock' hvctl stop
    refused 1 'lock' hvctl policy remove page
    sed 's/"deny"/"log"/' /tmp/page.json >/tmp/weaker.json
    refused 1 'lock' hvctl policy apply /tmp/weaker.json
    still)"
verdict lock_lets_rules_be_added "$(hvctl policy apply /tmp/watch.json 2>&1 >/dev/null
    wrong 'logged now' "$(ask fault rdmsr 0x174)" 0
    refused 1 'lock' hvctl policy remove watch)"
verdict lock_holds_netlink "$(for what in stop set "set 1,2,2,0xc0000082,0xc0000082,0" "set \
    1,1,2,0xc0000082,0xc0000082,0"; do
    hvnl $what >/tmp/out && echo "hvnl $what was taken; "
    grep -q '^error 1: ' /tmp/out || cat /tmp/out
done
still)"
# Even with the handle out of hv.ko's memory: 1 unhoist, 6 an empty set of rules.
verdict lock_holds_module "$(wrong unhoist "$(ask result core 1 0xffffffff81000000 0)" -1
    wrong 'no rules' "$(ask result core 6 0 99)" -1
    wrong 'with a handle guessed' "$(ask result call 1 1 0xffffffff81000000)" -9
    still)"
kill -9 "$(pidof hvd)"
while pidof hvd >/dev/null; do usleep 1000; done
mv /etc/hv/policies.d /etc/hv/policies.gone 2>/dev/null
rm -rf /var/lib/hv /run/hv
start_hvd
verdict lock_holds_new_hvd "$(wrong locked "$(status locked)" true
    refused 1 'lock' hvctl stop
    refused 1 'lock' hvctl policy remove page
    still)"
verdict lock_holds_rmmod "$(rmmod hv 2>/dev/null && echo 'rmmod worked; '
    wrong hoisted "$(status hoisted)" true; still)"
verdict lock_holds_root "$(modprobe -r hv 2>/dev/null && echo 'modprobe -r worked; '
    hvctl start 2>/dev/null && echo 'a second start; '
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true; still)"
t sleepless 1
verdict lock_holds_sleep "$(echo mem 2>/dev/null >/sys/power/state && echo 'it slept; '
    wrong 'how far it got' "$(ask refused sleepless 0)" 0
    wrong 'CPUs hoisted' "$(status 'cpus\..\.hoisted' | sort -u)" true; still)"
kill -9 "$(pidof hvd)"
while pidof hvd >/dev/null; do usleep 1000; done
rmmod -f hv 2>/tmp/err
ended=$?
verdict lock_holds_forced_rmmod "$(t snapshot
    for cpu in 0 1; do wrong "core on CPU $cpu" "$(of "cpu$cpu cpuid" | cut -d' ' -f2)" 73696f48; \
        done)"
note locked_rules_enforced "status of rmmod -f: $ended"
verdict locked_rules_enforced "$(still; clean 2>/dev/null | grep -v 'no family')"
