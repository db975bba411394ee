# SPDX-License-Identifier: MIT
# summary: a hostile kernel: hypercalls, VMX instructions, MSRs, APIC, MTRRs, traps, caches, XCR0
# rig: --test-build
# seconds: 400 3600
# weight: 80
# tests: ring0_vmx_instructions random_hypercalls hypercalls_keep_registers wrong_handles
# tests: msr_with_core_address msr_write_table msr_read_exits apic_base_stays mtrr_keeps_core_cached
# tests: cr_reserved_bits xsetbv_bad_values invd_harmless ring0_steps no_entry_failed mtrr_record

load_test_module
taskset -p 1 $$ >/dev/null
t sweep
t frames
core=$(sed -n '1s/run \(0x[0-9a-f]*\) .*/\1/p' "$ANSWER")

t vmx
verdict ring0_vmx_instructions \
    "$(while read -r name fault; do wrong "$name" "$fault" 6; done <"$ANSWER")"

count=$(full 1000000 10000000)
t calls "$count" 4711
note random_hypercalls "$(tr '\n' ' ' <"$ANSWER")"
verdict random_hypercalls "$(wrong faults "$(of fault)" 0; wrong others "$(of other)" 0
    wrong sum $(($(of nop) + $(of enosys) + $(of ebadf))) "$count"
    [ "$(of ebadf)" -gt 1000 ] || echo 'too few real numbers; '
    wrong hoisted "$(status hoisted)" true
    clean)"
verdict hypercalls_keep_registers "$(wrong lost "$(ask lost keeps 20000)" 0)"
verdict wrong_handles "$(for number in 1 2 3 4 5 6 7 8 9; do
    for handle in 0 1 0xffffffffffffffff "$core"; do
        wrong "call $number with handle $handle" "$(ask result call $number $handle 0 0 0 0)" -9
    done
done
wrong 'call 4711' "$(ask result call 4711 0)" -38
[ "$(records call_denied)" -gt 0 ] || echo 'no record; ')"

# MSRs that hold a physical address, or move memory: Intel's, and AMD's for whoever comes later.
verdict msr_with_core_address \
    "$(for msr in 0x17d0 0x17d1 0x560 0x561 0x570 0x600 0x3f1 0x9b 0x9e 0x1f2 0x1f3 0x79a 0x6a8 \
    0x48d 0xc0010117 0xc001103a 0xc0011033 0xc0010130 0xc0010058 0xc001001a 0xc001001d 0xc0010112 \
        0xc0010113; do
    case $msr in 0x6a8) continue ;; esac
    wrong "write to $msr" "$(ask fault wrmsr $msr "$core")" 13
done
[ "$(records msr_denied)" -gt 0 ] || echo 'no record; ')"
verdict msr_write_table "$(grep '^deny' /t/sh/msr_facts.txt | while read -r _ from to; do
    t write_denied "$from" "$to" "$core"
    [ "$(of taken)" = 0 ] || echo "$(of taken) of $from..$to, the first $(of first_taken); "
done
for outside in 0x2000 0x40000000 0x4b564d00 0xbfffffff 0xc0002000 0xc0010000 0xffffffff; do
    wrong "write to $outside" "$(ask fault wrmsr $outside 0)" 13
    wrong "read of $outside" "$(ask fault rdmsr $outside)" 13
done)"
# Decision, bitmap and seen exits must agree: reads that leave guest operation are the table's, no
# more.
before=$(exits msr_read)
t read_all 0 0x1fff
t read_all 0xc0000000 0xc0001fff
seen=$(($(exits msr_read) - before))
verdict msr_read_exits "$(wrong 'reads that left' $seen "$(sed -n 's/^reads //p' \
    /t/sh/msr_facts.txt)")"

t rdmsr 0x1b
base=$(of value)
verdict apic_base_stays \
    "$(for value in "$core" $((core | 0x900)) $((base & ~0x800)) $((base ^ 0x100)) \
    $((base + 4096)) $((base | 1)); do
    wrong "APIC base $value" "$(ask fault wrmsr 0x1b $((value)))" 13
done
wrong 'APIC base after' "$(ask value rdmsr 0x1b)" "$base"
wrong 'the same value' "$(ask fault wrmsr 0x1b $((base)))" 0)"

# A variable MTRR over the core, uncached, write-through or reserved, and an uncached default.
mask=$((((1 << 39) - 1) & ~0x1fffff | 0x800))
block=$((core & ~0x1fffff))
t rdmsr 0x2ff
default=$(of value)
verdict mtrr_keeps_core_cached "$(t wrmsr 0x20e $((block)); wrong 'base, not valid yet' "$(of \
    fault)" 0
    for type in 0 1 4 5; do
        t wrmsr 0x20e $((block | type))
        wrong "mask of a type $type range over the core" "$(ask fault wrmsr 0x20f $mask)" 13
    done
    t wrmsr 0x20e 0
    wrong 'default UC' "$(ask fault wrmsr 0x2ff $((default & ~0xff)))" 13
    wrong 'default reserved' "$(ask fault wrmsr 0x2ff $((default & ~0xff | 2)))" 13
    wrong default "$(ask value rdmsr 0x2ff)" "$default"
    wrong mask "$(ask value rdmsr 0x20f)" 0x0
    clean)"
verdict mtrr_record "$([ "$(records mtrr_denied)" -gt 0 ] || echo 'no record')"

t cr 4
cr4=$(of value)
verdict cr_reserved_bits "$(
    for bits in 0x2000 0x4000 0x80000000 0x100000000; do wrong "CR4 bits $bits" \
        "$(ask fault cr_set 4 0 $bits)" 13; done
    wrong 'CR4.PAE off' "$(ask fault cr_set 4 0x20 0)" 13
    wrong 'CR0.PG off alone' "$(ask fault cr_set 0 0x80000000 0)" 13
    wrong 'CR0.PE off alone' "$(ask fault cr_set 0 1 0)" 13
    wrong 'CR0.NW without CD' "$(ask fault cr_set 0 0 0x20000000)" 13
    wrong 'CR0 high bits' "$(ask fault cr_set 0 0 0x100000000)" 13
    wrong 'CR4 after' "$(ask value cr 4)" "$cr4"
    for value in 0x8000000000000000 0x0000800000000000; do
        wrong "LSTAR $value" "$(ask fault wrmsr 0xc0000082 $value)" 13
        wrong "SYSENTER_EIP $value" "$(ask fault wrmsr 0x176 $value)" 13
    done
    wrong 'EFER reserved bits' "$(ask fault wrmsr 0xc0000080 0xffffffffffff0d01)" 13
    wrong 'EFER.LME off' "$(ask fault wrmsr 0xc0000080 0xc01)" 13)"
t xsetbv 0 7
xcr0=$(of before)
verdict xsetbv_bad_values \
    "$(for value in 0 2 4 6 0x8000000000000000 0x4000000000000007 0x47 $((xcr0 & ~1)); do
    wrong "XCR0 $value" "$(ask fault xsetbv 0 $value)" 13
done
wrong 'XCR1' "$(ask fault xsetbv 1 7)" 13
wrong 'XCR0 7' "$(ask fault xsetbv 0 7)" 0
wrong 'XCR0 as it is' "$(ask fault xsetbv 0 "$xcr0")" 0)"
verdict invd_harmless "$(for _ in 1 2 3 4 5 6 7 8; do wrong INVD "$(ask fault invd)" 0; done)"

t traps
cp "$ANSWER" /tmp/traps.hoisted
cases=$(wc -l <"$ANSWER")
verdict no_entry_failed "$(wrong 'failed entries' "$(exits entry_failed_guest_state)" 0
    wrong parked "$(status 'cpus\..\.parked' | sort -u)" false
    wrong records "$(records entry_failed)" 0)"
hvctl stop >/dev/null
t traps
note ring0_steps "$cases cases"
verdict ring0_steps \
    "$(diff "$ANSWER" /tmp/traps.hoisted; [ "$cases" -gt 10 ] || cat /tmp/traps.hoisted)"
hvctl start >/dev/null
