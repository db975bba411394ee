# SPDX-License-Identifier: MIT
# summary: NMIs from the other CPU while a CPU leaves guest operation all the time: each comes, once
# rig: --no-hoist --test-build
# qemu: --thread-each
# seconds: 400 3600
# weight: 60
# alone: qemu

# What hv-hooks.ko's core does on hypercall 9, abi/call.h.
TEST_CALL=9
storm() {
    t nmi 1 "$1" "$2" "$3"
    remark "$(cat "$ANSWER")"
    wrong arrived "$(of arrived)" "$1"
    wrong lost "$(of lost)" 0
    at_least exits "$(of exits)" "$2"
}

nmi_during_exits() { storm "$(often 10000 100000)" $((100000 * TIMES)) 0; }
nmi_during_hypercalls() { storm "$(often 5000 100000)" $((100000 * TIMES)) 1; }
nmi_in_root_mode() { storm "$(often 2000 20000)" $((1000 * TIMES)) 2; }

# Shoot-downs use NMIs too. One that finds Linux's in the CPU's one-deep latch is one NMI with it,
# as two of Linux's are on any CPU: one in some thousands may go so, none may be invented.
nmi_with_shoot_downs() {
    while :; do hvnl set 1,1,2,0x174,0x174,0; hvnl set; done >/dev/null 2>&1 &
    loads=$!
    t nmi 1 "$(often 3000 50000)" $((10000 * TIMES)) 0
    remark "$(cat "$ANSWER")"
    at_most arrived "$(of arrived)" "$(of sent)"
    at_most lost "$(of lost)" $(($(of sent) / 1000))
    at_least exits "$(of exits)" $((10000 * TIMES))
    kill $loads
    wait $loads
    hvnl set
} 2>/dev/null

# A fault in root mode is recovered, a machine check recorded.
root_general_protection() { wrong result "$(ask result core $TEST_CALL 1 0)" -5; }
root_machine_check() {
    wrong result "$(ask result core $TEST_CALL 2 0)" 0
    recorded machine_check
}

# An NMI that nobody sent is unknown to Linux, and it says so: forget the message.
nmis_of_cpu0() { sed -n 's/^ *NMI: *\([0-9]*\) .*/\1/p' /proc/interrupts; }
root_nmi() {
    before=$(nmis_of_cpu0)
    on 0 core $TEST_CALL 3 0
    wrong result "$(of result)" 0
    wrong 'NMIs of CPU 0' $(($(nmis_of_cpu0) - before)) 1
    dmesg | grep -q 'NMI received for unknown reason' && dmesg -c >/dev/null
}

insmod /opt/hv/hv-hooks.ko
start_hvd
hvctl start >/dev/null || fail hoist 'it failed'
load_test_module
check nmi_during_exits
check nmi_during_hypercalls
check nmi_in_root_mode
check nmi_with_shoot_downs
check root_general_protection
check root_machine_check
check root_nmi
