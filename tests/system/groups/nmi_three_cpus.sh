# SPDX-License-Identifier: MIT
# summary: NMIs from one CPU and shoot-downs from another meet on a third
# rig: --cpus 3 --test-build
# seconds: 400 3600
# weight: 40
# full:
# tests: nmi_beside_shoot_downs

load_test_module
taskset -p 1 $$ >/dev/null
taskset -c 2 sh -c 'while :; do hvnl set 1,1,2,0x174,0x174,0; hvnl set; done' >/dev/null 2>&1 &
loads=$!
t nmi 1 "$(full 5000 100000)" 10000 0
note nmi_beside_shoot_downs "$(tr '\n' ' ' <"$ANSWER")"
# An NMI that meets a shoot-down's own in the CPU's one-deep latch is one NMI, as two are on any
# CPU. hv_test stops at the first that is lost, some thousands in; none may be invented.
verdict nmi_beside_shoot_downs "$([ "$(of arrived)" -le "$(of sent)" ] || echo 'more than were sent'
    [ "$(of lost)" -le 1 ] || echo "lost $(of lost)")"
kill $loads
wait $loads 2>/dev/null
hvnl set
