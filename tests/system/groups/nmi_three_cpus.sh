# SPDX-License-Identifier: MIT
# summary: NMIs from one CPU and shoot-downs from another meet on a third
# rig: --cpus 3 --test-build
# seconds: 400 3600
# weight: 40
# tests: nmi_beside_shoot_downs

load_test_module
taskset -p 1 $$ >/dev/null
taskset -c 2 sh -c 'while :; do hvnl set 1,1,2,0x174,0x174,0; hvnl set; done' >/dev/null 2>&1 &
loads=$!
t nmi 1 "$(full 5000 100000)" 10000 0
note nmi_beside_shoot_downs "$(tr '\n' ' ' <"$ANSWER")"
verdict nmi_beside_shoot_downs "$(wrong arrived "$(of arrived)" "$(of sent)"; wrong lost "$(of \
    lost)" 0)"
kill $loads
wait $loads 2>/dev/null
hvnl set
