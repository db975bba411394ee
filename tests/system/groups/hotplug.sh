# SPDX-License-Identifier: MIT
# summary: CPU 1 goes and comes, INIT and SIPI twice, sleep: no CPU is ever beside the core
# rig: --test-build
# seconds: 400 3600
# weight: 80
# tests: offline_online stays_hoisted rules_after_online double_init stray_sipi
# stop_with_cpu_offline
# tests: sleep_and_resume

load_test_module
cpu1=/sys/devices/system/cpu/cpu1/online
on_1() { taskset -c 1 sh -c "echo $* >/proc/hv_test"; cat /proc/hv_test >"$ANSWER"; }
under_core() {
    t snapshot
    wrong 'core on CPU 1' "$(of 'cpu1 cpuid' | cut -d' ' -f2)" 73696f48
    wrong 'CR4.VMXE' $((0x$(of 'cpu1 cr4') & 0x2000)) 0
    wrong hoisted "$(status 'cpus\.1\.hoisted')" true
}
count=$(full 20 100)
done_cycles=0
why=
while [ $done_cycles -lt "$count" ] && [ -z "$why" ]; do
    why=$(echo 0 >$cpu1 || echo 'offline failed; '
        wrong 'CPUs online' "$(nproc)" 1
        echo 1 >$cpu1 || echo 'online failed; '
        wrong 'CPUs online' "$(nproc)" 2)
    done_cycles=$((done_cycles + 1))
done
note offline_online "$done_cycles cycles"
verdict offline_online "$why$(taskset -c 1 true || echo 'CPU 1 runs nothing')"
verdict stays_hoisted "$(under_core; clean)"

t own 1
page=$(of block)
hvnl set 1,2,2,0x175,0x175,0 "3,2,2,$((page)),$((page + 4095)),0" 2,2,2,4,4,0x100
echo 0 >$cpu1
echo 1 >$cpu1
verdict rules_after_online "$(on_1 wrmsr 0x175 0; wrong MSR "$(of fault)" 13
    on_1 poke $((page)) 1; wrong memory "$(of fault)" 13
    on_1 cr_set 4 0 0x100; wrong CR4.PCE "$(of fault)" 13)"
hvnl set

echo 0 >$cpu1
# 0x500 INIT, 0x600 | page SIPI
for _ in 1 2 3; do t ipi 1 0x4500; done
echo 1 >$cpu1
verdict double_init "$(wrong 'CPUs online' "$(nproc)" 2; under_core; clean)"
for vector in 0x10 0x99; do t ipi 1 $((0x4600 | vector)); done
verdict stray_sipi "$(taskset -c 1 true || echo 'CPU 1 is gone; '; under_core)"

echo 0 >$cpu1
verdict stop_with_cpu_offline "$(hvctl stop 2>&1 >/dev/null
    wrong hoisted "$(status hoisted)" false
    wrong 'CPUs online' "$(nproc)" 1
    echo 1 >$cpu1
    wrong 'CPUs online' "$(nproc)" 2
    t snapshot
    wrong 'core on CPU 1' "$(of 'cpu1 cpuid' | cut -d' ' -f2)" "$(of 'cpu0 cpuid' | cut -d' ' -f2)"
    hvctl start 2>&1 >/dev/null
    under_core)"

# The emulated machine has nothing to wake it, so its last step into sleep is refused: by then
# devices
# are suspended and CPU 1 is offline. The core is off during a sleep, and back with its rules after
# it.
hvnl set 1,2,2,0x175,0x175,0
session=$(status session)
t sleepless 1
echo mem >/sys/power/state 2>/tmp/err
t sleepless 0
note sleep_and_resume \
    "$(dmesg | grep -c 'CPU 1 is now offline') times offline, error: $(sed 's/.*: //' /tmp/err)"
verdict sleep_and_resume "$(wrong 'refused at the end' "$(of refused)" 1
    under_core
    [ "$(status session)" != "$session" ] || echo 'it was not unhoisted for the sleep; '
    on_1 wrmsr 0x175 0; wrong 'rule after the sleep' "$(of fault)" 13
    clean)"
