# SPDX-License-Identifier: MIT
# summary: memory that hv.ko finds: linear addresses, a module's code and constants, the GDT, the
# kernel's page tables, and sums of them; attacked without rules, then with them
# rig: --test-build
# seconds: 500 900
# weight: 60

load_test_module
insmod /opt/hv/hv_victim.ko
ANSWER_OF_VICTIM=/sys/module/hv_victim/parameters/answer
victim() { sed -n "s/^\([0-9a-f]*\) . hv_victim_$1\t.*/0x\1/p" /proc/kallsyms; }
symbol() { sed -n "s/^\([0-9a-f]*\) . $1$/0x\1/p" /proc/kallsyms; }
beyond() { printf 0x%x $(($1 + $2)); }
code=$(victim code)
constant=$(victim constant)
setting=$(victim setting)
t places
area=$(of area)
direct=$(of direct)

policy() { # NAME RULES
    printf '{"version": 1, "name": "%s", "rules": [%s]}\n' "$1" "$2" >/tmp/$1.json
    hvctl policy apply /tmp/$1.json 2>&1 >/dev/null
}
remove() { hvctl policy remove "$1" 2>&1 >/dev/null; }
denied() { records memory_denied; }

# patched FAULT ADDRESS WAY CHANGE: the attack works (0), or meets that exception, from CPU $from.
from=0
patched() {
    on $from patch "$2" "$3" "$4"
    wrong "fault of patch $2 $3 on CPU $from" "$(of fault)" "$1"
    [ "$1" = 0 ] || set -- "$1" "$2" "$3" 0x0
    wrong "what patch $2 $3 changed" "$(of changed)" "$4"
}
# Through the direct map, a fresh alias, its own mapping, a huge page; unaligned, over two pages.
memory_patched() { # FAULT ADDRESS
    for way in 0 1 2 3; do
        patched "$1" "$2" $way 0x100
        [ $way != 3 ] || wrong 'level of the alias' "$(of level)" 2
        patched "$1" "$(beyond $(($2 | 7)) 4)" $way 0x0
    done
    for way in 1 2; do
        patched "$1" "$(beyond $(($2 & -4096)) 4092)" $way 0x0
    done
}
on_both() { for from in 0 1; do "$@"; done; }

# What the module's code gives back is in its second byte: written through each way, and executed.
code_rewritten() { # FAULT ANSWER
    for way in 0 1 2 3; do
        on $from patch $code $way 0x100 1
        wrong "fault of rewriting the code, way $way" "$(of fault)" "$1"
        wrong 'what the code answers' "$(taskset -c $from cat $ANSWER_OF_VICTIM)" "$2 42 42"
        [ "$1" = 0 ] || continue
        on $from patch $code $way 0x100 1
        wrong 'what it answers afterwards' "$(cat $ANSWER_OF_VICTIM)" '42 42 42'
    done
}
victim_patched() {
    memory_patched "$1" "$code"
    memory_patched "$1" "$constant"
    memory_patched "$1" "$setting"
}
# The null descriptor, which nobody reads, as Linux writes it and as the CPU has it loaded.
gdt_patched() {
    for cpu in 0 1; do
        t gdt $cpu
        written=$(of written) loaded=$(of loaded)
        for way in 1 2; do
            patched "$1" "$written" $way 0x1
            patched "$1" "$loaded" $way 0x1
        done
        patched "$1" "$(beyond "$written" 3)" 2 0x0
    done
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

module_policy() {
    for part in text rodata ro-after-init; do
        printf '{"name": "%s", "kind": "memory", "access": ["write"], "action": "deny",
            "module": {"name": "hv_victim", "part": "%s"}},' $part $part
    done | sed '$ s/,$//'
}
module_stays() {
    policy module "$(module_policy)"
    on_both code_rewritten $GP 42
    on_both victim_patched $GP
    for rule in text rodata ro-after-init; do
        recorded memory_denied "\"rule\": ?\"$rule\".*\[hv_test\]"
    done
}

# Its pages must not come into other hands while they are watched.
module_is_held() {
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
    code=$(victim code)
    on_both code_rewritten 0 43
}

gdt_stays() {
    policy gdt '{"name": "gdt", "kind": "memory", "section": "gdt", "access": ["write"],
        "except": [{"symbol": "native_load_tls"}], "action": "deny"}'
    before=$(denied)
    for _ in 1 2 3; do taskset -c 1 true; done
    wrong 'what was denied of tasks that switch' "$(denied)" "$before"
    on_both gdt_patched $GP
    recorded memory_denied '"rule": ?"gdt".*\[hv_test\]'
    remove gdt
    on_both gdt_patched 0
}

# The bit that makes the kernel's own huge page writable is in a table.
table_patched() { # FAULT_OF_TABLE FAULT
    on $from patch "$(symbol xen_get_vendor)" 2 0x1
    wrong "fault of the table on CPU $from" "$(of table_fault)" "$1"
    wrong 'fault of the write then' "$(of fault)" "$2"
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
    t patch "$(beyond "$area" 32771)" 1 0x1 1
    refused 1 'policy sums, rule area: memory virtual .* has changed' hvctl policy verify sums
    recorded hash_mismatch '"policy": ?"sums"'
    t patch "$(beyond "$area" 32771)" 1 0x1 1
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
check module_stays
check module_is_held
check gdt_stays
check page_tables_stay
check sums_agree
check sums_tell_a_change
