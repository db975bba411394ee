# SPDX-License-Identifier: MIT
# summary: memory that hv.ko finds: linear addresses, a module's code and constants, the GDT, the
# kernel's page tables, and sums of them; attacked without rules, then with them
# rig: --test-build
# seconds: 900 1200
# weight: 60

. /t/sh/patch.sh
load_test_module
insmod /opt/hv/hv_victim.ko
ANSWER_OF_VICTIM=/sys/module/hv_victim/parameters/answer
victim_at() { read -r code constant setting </sys/module/hv_victim/parameters/places; }
victim_at
t places
area=$(of area)
direct=$(of direct)
image=0x$(sed -n '/ xen_get_vendor$/ { s/ .*//p; q; }' /proc/kallsyms)

policy() { # NAME RULES
    printf '{"version": 1, "name": "%s", "rules": [%s]}\n' "$1" "$2" >/tmp/$1.json
    hvctl policy apply /tmp/$1.json 2>&1 >/dev/null
}
remove() { hvctl policy remove "$1" 2>&1 >/dev/null; }
denied() { records memory_denied; }

# What the module's code gives back is in its second byte: written through each way, and executed.
code_rewritten() { # FAULT ANSWER
    for way in 0 1 2 3; do
        attack $code $way 0x100 1
        wrong "fault of rewriting the code, way $way, on CPU $from" "$fault" "$1"
        read -r answers <$ANSWER_OF_VICTIM
        wrong 'what the code answers' "$answers" "$2 42 42"
        [ "$1" = 0 ] || continue
        attack $code $way 0x100 1
        read -r answers <$ANSWER_OF_VICTIM
        wrong 'what it answers afterwards' "$answers" '42 42 42'
    done
}
victim_patched() {
    memory_patched "$1" "$code"
    memory_patched "$1" "$constant"
    memory_patched "$1" "$setting"
}
# The null descriptor, which nobody reads, as Linux writes it and as the CPU has it loaded. That of
# the CPU itself: another's page is open while a write there passes.
gdt_patched() {
    t gdt $from
    written=$(of written) loaded=$(of loaded)
    for way in 1 2; do
        patched "$1" "$written" $way 0x1
        patched "$1" "$loaded" $way 0x1
    done
    patched "$1" "$(beyond "$written" 3)" 2 0x0
}

attacks_work_without_rules() {
    on_both code_rewritten 0 43
    on_both victim_patched 0
    on_both gdt_patched 0
    on_both memory_patched 0 "$(beyond "$area" 4096)"
}

linear_addresses_stay() {
    policy area '{"name": "area", "kind": "memory", "action": "deny", "access": ["write"],
        "virtual": {"first": "'"$area"'", "bytes": 65536}}'
    for at in 0 4096 32768 57344; do
        on_both memory_patched $GP "$(beyond "$area" $at)"
    done
    recorded memory_denied '"rule": ?"area".*\[hv_test\]'
    hvctl --json policy list | flat >/tmp/list
    wrong 'rules of the file' "$(sed -n 's/^policies\.0\.rules=//p' /tmp/list)" 1
    hvctl --json policy show area | flat | grep -c '^rules\..*\.name=area$' >/tmp/pieces
    remark "16 pages in $(cat /tmp/pieces) pieces"
    remove area
    on_both memory_patched 0 "$(beyond "$area" 4096)"
}

direct_map_is_as_good() {
    policy direct '{"name": "direct", "kind": "memory", "action": "deny", "access": ["write"],
        "virtual": {"first": "'"$direct"'", "bytes": 4096}}'
    on_both patched $GP "$area" 2 0x1
    patched 0 "$(beyond "$area" 4096)" 2 0x1
    remove direct
}

no_place_no_rule() {
    bad() { # PATTERN OBJECT
        printf '{"version": 1, "name": "bad", "rules": [{"name": "r", "kind": "memory",
            "access": ["write"], "action": "deny", %s}]}\n' "$2" >/tmp/bad.json
        refused 1 "$1" hvctl policy apply /tmp/bad.json
    }
    bad 'there is no page at 0x' \
        '"virtual": {"first": "'"$(beyond "$area" 61440)"'", "bytes": 8192}'
    bad 'name the module' \
        '"virtual": {"first": "'"$(beyond $((code & -4096)) 0)"'", "bytes": 4096}'
    bad 'no module nope is loaded' '"module": {"name": "nope", "part": "text"}'
    bad 'is part of the kernel image' '"module": {"name": "printk", "part": "text"}'
    wrong policies "$(policies)" ''
}

# said ERROR PATTERN WHAT…: hv.ko refuses it so.
said() {
    said_error=$1 said_pattern=$2
    shift 2
    places "$@" >/tmp/out
    grep -qE "^error $said_error: .*$said_pattern" /tmp/out || echo "places $*: $(cat /tmp/out); "
}
bad_requests() {
    said 22 'no kind of place has the number 0' kind 0
    said 22 'no kind of place has the number 7' kind 7
    said 22 'linear addresses need' kind 1
    said 22 "which module's memory" kind 4
    said 3 'no module' kind 4 ../hv
    said 22 '' kind 4 "$(printf %056d 0)"
    said 22 'not whole pages' linear "$area" 0
    said 22 'not whole pages' linear "$area" 4095
    said 22 'not whole pages' linear "$(beyond "$area" 8)" 4096
    said 7 'more than 64 MiB' linear "$area" 0x4001000
    said 22 "kernel's half" linear 0x400000 4096
    said 22 "kernel's half" linear 0xfffffffffffff000 8192
    said 22 "kernel's half" linear 0x8000ffff81000000 4096 # not canonical
    said 14 'there is no page' linear 0xffff800000000000 4096
    said 22 'sum of nothing' hash
    said 22 'not in whole ones' hash 0x1000 0x1fff 0x2000
    said 22 'is not of whole pages' hash 0x1000 0x1ffe
    said 22 'is not of whole pages' hash 0x2000 0x1fff
    said 22 'is not of whole pages' hash 0x1800 0x27ff
    said 7 'at most 64 MiB' hash 0x1000 0x4001fff
    said 7 'at most 64 MiB' hash 0x1000 0x3000fff 0x1000 0x1000fff 0x1000 0x1fff
    said 7 'at most 64 MiB' hash 0 0xffffffffffffffff
    said 14 'is no RAM' hash 0xfee00000 0xfee00fff
    clean
}

# One that was loaded anew is another, even where it has the same addresses.
stamps_tell() {
    stamp=$(places kind 4 hv_victim | sed -n 's/^stamp //p')
    wrong 'the stamp of its constants' "$(places kind 5 hv_victim | sed -n 's/^stamp //p')" "$stamp"
    said 116 'was loaded anew' hold hv_victim $((stamp ^ 1))
    said 3 'no module nope' hold nope "$stamp"
    said 22 'has no end' hold "$(printf %056d 0)" "$stamp"
    rmmod hv_victim || echo 'a policy that was refused holds it; '
    insmod /opt/hv/hv_victim.ko
}

module_policy() {
    for part in text rodata ro-after-init; do
        printf '{"name": "%s", "kind": "memory", "access": ["write"], "action": "deny",
            "module": {"name": "hv_victim", "part": "%s"}},' $part $part
    done | sed '$ s/,$//'
}
module_stays() {
    victim_at
    policy module "$(module_policy)"
    on_both code_rewritten $GP 42
    on_both victim_patched $GP
    for rule in text rodata ro-after-init; do
        recorded memory_denied "\"rule\": ?\"$rule\".*\[hv_test\]"
    done
}

# Its pages must not come into other hands while they are watched.
module_is_held() {
    victim_at
    rmmod hv_victim 2>/dev/null && echo 'it was unloaded; '
    policy module "$(module_policy)"
    rmmod hv_victim 2>/dev/null && echo 'it was unloaded after the policy was applied again; '
    kill_hvd
    start_hvd
    hvctl policy apply /usr/share/hv/policies/kernel-entry.json 2>&1 >/dev/null
    rmmod hv_victim 2>/dev/null && echo 'it was unloaded under a new hvd; '
    on_both code_rewritten $GP 42
    remove kernel-entry
    remove module
    rmmod hv_victim || echo 'it could not be unloaded; '
    insmod /opt/hv/hv_victim.ko
    victim_at
    on_both code_rewritten 0 43
}

gdt_policy() { # EXCEPT
    policy gdt '{"name": "gdt", "kind": "memory", "section": "gdt", "access": ["write"],
        "except": [{'"$1"'}], "action": "deny"}'
}
gdt_stays() {
    gdt_policy '"symbol": "native_load_tls"'
    before=$(denied)
    for _ in 1 2 3; do taskset -c 1 true; done
    wrong 'what was denied of tasks that switch' "$(denied)" "$before"
    on_both gdt_patched $GP
    recorded memory_denied '"rule": ?"gdt".*\[hv_test\]'
    remove gdt
    on_both gdt_patched 0
}

# Its descriptor of the TSS is written, and the busy bit in it.
cpu_comes_back_under_gdt() {
    gdt_policy '"symbols": {"first": "native_load_tls", "last": "native_load_tr_desc"}'
    before=$(denied)
    for _ in 1 2; do
        echo 0 >/sys/devices/system/cpu/cpu1/online || echo 'offline failed; '
        echo 1 >/sys/devices/system/cpu/cpu1/online || echo 'online failed; '
    done
    under_core 1
    wrong 'what was denied of it' "$(denied)" "$before"
    on_both gdt_patched $GP
    remove gdt
}

# The bit that makes the kernel's own huge page writable is in a table.
table_patched() { # FAULT_OF_TABLE FAULT
    attack "$image" 2 0x1
    wrong "fault of the table on CPU $from" "$table_fault" "$1"
    wrong 'fault of the write then' "$fault" "$2"
}
PF=14
tables_policy() {
    policy tables '{"name": "page-tables", "kind": "memory", "section": "page-tables",
        "access": ["write"], "action": "deny"}'
}
page_tables_stay() {
    on_both table_patched 0 0
    if [ "$BACKEND" = svm ]; then
        tables_policy 2>&1 | grep -q "each walk counts as a write: page tables can't be watched" ||
            echo 'not refused; '
        return
    fi
    tables_policy
    on_both table_patched $GP $PF
    recorded memory_denied '"rule": ?"page-tables".*\[hv_test\]'
    before=$(denied)
    for name in cpuid msr tun; do
        modprobe $name && rmmod $name || echo "$name failed; "
    done
    wrong 'what was denied of modules' "$(denied)" "$before"
    remove tables
    on_both table_patched 0 0
}

sums_agree() {
    policy sums '{"name": "idt", "kind": "hash", "section": "idt", "action": "log"},
        {"name": "area", "kind": "hash", "action": "log",
         "virtual": {"first": "'"$area"'", "bytes": 65536}},
        {"name": "module", "kind": "hash", "action": "log",
         "module": {"name": "hv_victim", "part": "rodata"}}'
    hvctl policy verify >/tmp/verified 2>&1 || cat /tmp/verified
    wrong 'the same' "$(grep -c 'the same$' /tmp/verified)" 3
    hvctl --json policy verify sums | flat >/tmp/verified
    wrong mismatches "$(sed -n 's/^mismatches=//p' /tmp/verified)" 0
    # Zeroes, as everybody can compute.
    wrong 'the sum of the area' "$(sed -n 's/^rules\.1\.sha256=//p' /tmp/verified)" \
        "$(head -c 65536 /dev/zero | sha256sum | cut -d' ' -f1)"
}

sums_tell_a_change() {
    attack "$(beyond "$area" 32771)" 1 0x1 1
    refused 1 'policy sums, rule area: memory virtual .* has changed' hvctl policy verify sums
    recorded hash_mismatch '"policy": ?"sums"'
    attack "$(beyond "$area" 32771)" 1 0x1 1
    hvctl policy verify >/dev/null 2>&1 || echo 'not the same again; '
    wrong_sum=$(printf %064d 0)
    printf '{"version": 1, "name": "bad", "rules": [{"name": "r", "kind": "hash",
        "section": "idt", "sha256": "%s", "action": "log"}]}\n' "$wrong_sum" >/tmp/bad.json
    refused 1 "the file says $wrong_sum, but memory idt has" hvctl policy apply /tmp/bad.json
    remove sums
}

check attacks_work_without_rules
check linear_addresses_stay
check direct_map_is_as_good
check no_place_no_rule
check bad_requests
check stamps_tell
check module_stays
check module_is_held
check gdt_stays
check cpu_comes_back_under_gdt
check page_tables_stay
check sums_agree
check sums_tell_a_change
