# SPDX-License-Identifier: MIT
# summary: a hostile kernel: hypercalls, VMX and SVM instructions, MSRs, APIC, MTRRs, traps,
# caches, XCR0
# rig: --test-build
# seconds: 600 3600
# weight: 80

load_test_module
FACTS=/t/sh/msr_facts.$BACKEND.txt
taskset -p 1 $$ >/dev/null # APIC base and MTRRs are each CPU's own
t sweep
t frames
core=$(sed -n '1s/run \(0x[0-9a-f]*\) .*/\1/p' "$ANSWER")

all_undefined() {
    t "$1" || cat "$ANSWER"
    while read -r name fault; do wrong "$name" "$fault" $UD; done <"$ANSWER"
}
ring0_vmx_instructions() { all_undefined vmx; }
ring0_svm_instructions() {
    if [ "$BACKEND" = vmx ]; then
        skip 'an Intel CPU has none of them'
        return
    fi
    all_undefined svm
    recorded instruction_denied
}

random_hypercalls() {
    count=$(full 1000000 10000000)
    t calls "$count" 4711
    remark "$(cat "$ANSWER")"
    wrong faults "$(of fault)" 0
    wrong others "$(of other)" 0
    wrong sum $(($(of nop) + $(of enosys) + $(of ebadf))) "$count"
    at_least 'calls with a real number' "$(of ebadf)" 1000
    wrong hoisted "$(status hoisted)" true
    clean
}

hypercalls_keep_registers() { wrong lost "$(ask lost keeps $((20000 * TIMES)))" 0; }

wrong_handles() {
    for number in 1 2 3 4 5 6 7 8 9; do
        for handle in 0 1 0xffffffffffffffff "$core"; do
            result=$(ask result call $number $handle 0 0 0 0)
            wrong "call $number with handle $handle" "$result" -9
        done
    done
    wrong 'call 4711' "$(ask result call 4711 0)" -38
    recorded call_denied
}

# MSRs that hold a physical address, or move memory: Intel's, and AMD's for whoever comes later.
msr_with_core_address() {
    for msr in 0x17d0 0x17d1 0x560 0x561 0x570 0x600 0x3f1 0x9b 0x9e 0x1f2 0x1f3 0x79a 0x48d \
        0xc001103a 0xc0011033 0xc0010130 0xc0010058 0xc001001a 0xc001001d 0xc0010112 \
        0xc0010113; do
        faults $GP wrmsr $msr "$core"
    done
    recorded msr_denied
    # VM_HSAVE_PA: Linux itself clears it when it stops a CPU.
    faults "$(by_backend $GP 0)" wrmsr 0xc0010117 "$core"
    [ "$BACKEND" = vmx ] || wrong VM_HSAVE_PA "$(ask value rdmsr 0xc0010117)" 0x0
}

# What was decided, which is what the bitmap says (msr_facts looks), and the exit that is seen: of
# every MSR that has a bit and some that have none, for reads and for writes; what must be denied is
# a write of an address in the core.
msr_sweep() { # without|with
    kill -STOP "$(pidof hvd)" # it need not log 16,000 denials, some of which are dropped then
    while read -r from to reads writes; do
        t msr_exits "$from" "$to" "$reads" "$writes" "$core"
        cat "$ANSWER"
    done >/tmp/swept <<LINES
$(sed -n -e 's/none/0/g; s/exit/1/g; s/deny/2/g; s/skip/3/g' -e "s/^$1 //p" "$FACTS")
LINES
    kill -CONT "$(pidof hvd)"
    grep -e differing -e refused /tmp/swept | head -n 5
    tried=$(awk '$1 == "tried" { sum += $2 } END { print sum }' /tmp/swept)
    remark "$tried accesses"
    at_least accesses "$tried" $(((16384 + $(by_backend 0 8192)) * 2 - 256))
}
msr_sweep_without_rules() {
    if [ "$BACKEND $(full 0 1)" = 'vmx 0' ]; then
        skip 'with --full: 20 seconds in Bochs; msr_sweep_with_rules asks most of it too'
        return
    fi
    msr_sweep without
}
msr_sweep_with_rules() {
    sed -n 's/^policy //p' "$FACTS" >/tmp/msr-sweep.json
    hvctl policy apply /tmp/msr-sweep.json 2>&1 >/dev/null
    msr_sweep with
    hvctl policy remove msr-sweep 2>&1 >/dev/null
    wrong policies "$(policies)" ''
}

apic_base_stays() {
    t rdmsr 0x1b
    base=$(of value)
    for value in "$core" $((core | 0x900)) $((base & ~0x800)) $((base ^ 0x100)) \
        $((base + 4096)) $((base | 1)); do
        faults $GP wrmsr 0x1b $((value))
    done
    wrong 'APIC base after' "$(ask value rdmsr 0x1b)" "$base"
    faults 0 wrmsr 0x1b $((base))
}

# A variable MTRR over the core, uncached, write-through or reserved, and an uncached default.
mtrr_keeps_core_cached() {
    mask=$((((1 << 39) - 1) & ~0x1fffff | 0x800))
    block=$((core & ~0x1fffff))
    t rdmsr 0x2ff
    default=$(of value)
    faults 0 wrmsr 0x20e $block # not valid yet
    for type in 0 1 4 5; do
        t wrmsr 0x20e $((block | type))
        wrong "mask of a type $type range over the core" "$(ask fault wrmsr 0x20f $mask)" $GP
    done
    t wrmsr 0x20e 0
    faults $GP wrmsr 0x2ff $((default & ~0xff))     # uncached
    faults $GP wrmsr 0x2ff $((default & ~0xff | 2)) # reserved
    wrong default "$(ask value rdmsr 0x2ff)" "$default"
    wrong mask "$(ask value rdmsr 0x20f)" 0x0
    recorded mtrr_denied
    clean
}

cr_reserved_bits() {
    if [ "$BACKEND" = svm ]; then
        skip 'the emulated CPU itself takes them, and dies of them, with and without the core'
        return
    fi
    t cr 4
    cr4=$(of value)
    for bits in 0x2000 0x4000 0x80000000 0x100000000; do faults $GP cr_set 4 0 $bits; done
    faults $GP cr_set 4 0x20 0       # PAE off
    faults $GP cr_set 0 0x80000000 0 # PG off alone
    faults $GP cr_set 0 1 0          # PE off alone
    faults $GP cr_set 0 0 0x20000000 # NW without CD
    faults $GP cr_set 0 0 0x100000000
    wrong 'CR4 after' "$(ask value cr 4)" "$cr4"
}

# What holds an address in the kernel takes no other.
msr_not_canonical() {
    if [ "$BACKEND" = svm ]; then
        skip 'the emulated CPU itself takes any address, with and without the core'
        return
    fi
    for value in 0x8000000000000000 0x0000800000000000; do
        faults $GP wrmsr 0xc0000082 $value
        faults $GP wrmsr 0x176 $value
    done
}

efer_reserved_bits() {
    t rdmsr 0xc0000080
    efer=$(of value)
    faults $GP wrmsr 0xc0000080 0xffffffffffff0d01 # EFER, reserved bits
    faults $GP wrmsr 0xc0000080 0xc01              # EFER.LME off under paging
    wrong 'EFER after' "$(ask value rdmsr 0xc0000080)" "$efer"
}

xsetbv_bad_values() {
    t xsetbv 0 7
    xcr0=$(of before)
    for value in 0 2 4 6 0x8000000000000000 0x4000000000000007 0x47 $((xcr0 & ~1)); do
        faults $GP xsetbv 0 $value
    done
    faults $GP xsetbv 1 7
    faults 0 xsetbv 0 7
    faults 0 xsetbv 0 "$xcr0"
}

invd_harmless() { for _ in 1 2 3 4 5 6 7 8; do faults 0 invd; done; }

no_entry_failed() {
    wrong 'failed entries' "$(exits entry_failed_guest_state)" 0
    wrong parked "$(status 'cpus\..\.parked' | sort -u)" false
    wrong records "$(records entry_failed)" 0
}

# Traps around instructions that leave guest operation, as they come without the core. QEMU knows no
# ICEBP.
trap_cases() { t traps "$(by_backend 0 1)"; }
ring0_steps() {
    hvctl stop >/dev/null
    trap_cases
    remark "$(wc -l <"$ANSWER") cases"
    at_least cases "$(wc -l </tmp/traps.hoisted)" 10
    diff "$ANSWER" /tmp/traps.hoisted
    hvctl start >/dev/null
}

check ring0_vmx_instructions $TIMES
check ring0_svm_instructions $TIMES
check random_hypercalls
check hypercalls_keep_registers
check wrong_handles $TIMES
check msr_with_core_address
check msr_sweep_without_rules
check msr_sweep_with_rules
check apic_base_stays
check mtrr_keeps_core_cached
check cr_reserved_bits
check msr_not_canonical
check efer_reserved_bits
check xsetbv_bad_values
check invd_harmless
trap_cases
cp "$ANSWER" /tmp/traps.hoisted
check no_entry_failed
check ring0_steps
