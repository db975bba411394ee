# SPDX-License-Identifier: MIT
# summary: NMIs from the other CPU while a CPU leaves guest operation all the time: each comes, once
# rig: --no-hoist --test-build
# seconds: 400 3600
# weight: 60
# tests: nmi_during_cpuid nmi_during_hypercalls nmi_in_root_mode nmi_with_shoot_downs
# tests: root_general_protection root_nmi root_machine_check

hoist /opt/hv/hv-hooks.ko || fail hoist "$(cat /tmp/start)"
load_test_module
storm() {
    t nmi 1 "$2" "$3" "$4"
    note "$1" "$(tr '\n' ' ' <"$ANSWER")"
    wrong arrived "$(of arrived)" "$(of sent)"
    wrong sent "$(of sent)" "$2"
    wrong lost "$(of lost)" 0
    [ "$(of exits)" -ge "$3" ] || echo "only $(of exits) exits; "
}
report() {
    why=$(storm "$@" | tee /tmp/storm | grep -v '^NOTE')
    grep '^NOTE' /tmp/storm
    verdict "$1" "$why"
}
report nmi_during_cpuid "$(full 10000 100000)" 100000 0
report nmi_during_hypercalls "$(full 5000 100000)" 100000 1
report nmi_in_root_mode "$(full 2000 20000)" 1000 2

# Shoot-downs use NMIs too: neither may take the other's.
while :; do hvnl set 1,1,2,0x174,0x174,0; hvnl set; done >/dev/null 2>&1 &
loads=$!
report nmi_with_shoot_downs "$(full 3000 50000)" 10000 0
kill $loads
wait $loads
hvnl set

# 9: HV_CALL_TEST. A fault in root mode is recovered, an NMI delivered, a machine check recorded.
verdict root_general_protection "$(wrong result "$(ask result core 9 1 0)" -5; clean)"
before=$(sed -n 's/^NMI: *\([0-9]*\) *\([0-9]*\).*/\1/p' /proc/interrupts)
verdict root_machine_check "$(wrong result "$(ask result core 9 2 0)" 0
    [ "$(records machine_check)" -ge 1 ] || echo 'no record; '
    clean)"
# An NMI that nobody sent is unknown to Linux, and it says so: read the count, then forget the
# message.
verdict root_nmi "$(wrong result "$(taskset -c 0 sh -c 'echo core 9 3 0 >/proc/hv_test'; sed -n \
    's/^result //p' /proc/hv_test)" 0
    after=$(sed -n 's/^NMI: *\([0-9]*\) *\([0-9]*\).*/\1/p' /proc/interrupts)
    wrong 'NMIs of CPU 0' $((after - before)) 1)"
dmesg | grep -q 'NMI received for unknown reason' && dmesg -c >/dev/null
