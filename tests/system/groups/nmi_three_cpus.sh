# SPDX-License-Identifier: MIT
# summary: NMIs from one CPU and shoot-downs from another meet on a third
# rig: --cpus 3 --test-build
# only: bochs QEMU needs a host with a processor for each of three CPUs, else one that waits for its
#   turn holds an NMI until a shoot-down's meets it
# seconds: 400 3600
# weight: 40
# full:

nmi_beside_shoot_downs() {
    taskset -c 2 sh -c 'while :; do hvnl set 1,1,2,0x174,0x174,0; hvnl set; done' >/dev/null 2>&1 &
    loads=$!
    t nmi 1 "$(often 5000 100000)" 10000 0
    remark "$(cat "$ANSWER")"
    # An NMI that meets a shoot-down's own in the CPU's one-deep latch is one NMI, as two are on
    # any CPU: one in some thousands. None may be invented.
    at_most arrived "$(of arrived)" "$(of sent)"
    at_most lost "$(of lost)" $(($(of sent) / 1000))
    kill $loads
    wait $loads
    hvnl set
} 2>/dev/null

load_test_module
taskset -p 1 $$ >/dev/null
check nmi_beside_shoot_downs
