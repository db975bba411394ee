# SPDX-License-Identifier: MIT
# summary: CPU 1 goes and comes, INIT and SIPI twice, sleep: no CPU is ever beside the core
# rig: --test-build
# seconds: 400 3600
# weight: 80

load_test_module
CPU1=/sys/devices/system/cpu/cpu1/online
both_hoisted() {
    wrong 'CPUs online' "$(nproc)" 2
    under_core 0
    under_core 1
    wrong hoisted "$(status 'cpus\..\.hoisted' | sort -u)" true
    clean
}

offline_online() {
    count=$(full 20 "$(by_backend 100 1000)")
    remark "$count cycles"
    for _ in $(seq "$count"); do
        echo 0 >$CPU1 || echo 'offline failed; '
        wrong 'CPUs online' "$(nproc)" 1
        echo 1 >$CPU1 || echo 'online failed; '
        wrong 'CPUs online' "$(nproc)" 2
    done
    taskset -c 1 true || echo 'CPU 1 runs nothing; '
}

stays_hoisted() { both_hoisted; }

rules_after_online() {
    t own 1
    page=$(($(of block)))
    hvnl set 1,3,2,0x175,0x175,0 3,3,2,$page,$((page + 4095)),0 2,3,2,4,4,0x100
    echo 0 >$CPU1
    echo 1 >$CPU1
    for command in 'wrmsr 0x175 0' "poke $page 1" 'cr_set 4 0 0x100'; do
        on 1 $command
        wrong "$command on CPU 1" "$(of fault)" $GP
    done
    hvnl set
}

# 0x4500 is INIT, 0x4600 SIPI at a page.
double_init() {
    echo 0 >$CPU1
    for _ in 1 2 3; do t ipi 1 0x4500; done
    echo 1 >$CPU1
    both_hoisted
}

# To a CPU that runs Linux.
init_while_online() {
    skip "$(by_backend 'it is passed on: the CPU is lost to Linux, as it is without the core' \
        'QEMU resets the CPU although the core intercepts INIT: it is lost, as without the core')"
}

stray_sipi() {
    t ipi 1 0x4610
    t ipi 1 0x4699
    taskset -c 1 true || echo 'CPU 1 is gone; '
    both_hoisted
}

stop_with_cpu_offline() {
    echo 0 >$CPU1
    hvctl stop 2>&1 >/dev/null
    wrong hoisted "$(status hoisted)" false
    wrong 'CPUs online' "$(nproc)" 1
    echo 1 >$CPU1
    wrong 'CPUs online' "$(nproc)" 2
    not_under_core 0
    not_under_core 1
    hvctl start 2>&1 >/dev/null
    both_hoisted
}

# The emulated machine has nothing to wake it, so its last step into sleep is refused: by then
# devices are suspended and CPU 1 is offline. The core is off meanwhile, and back with its rules.
sleep_and_resume() {
    hvnl set 1,3,2,0x175,0x175,0
    session=$(status session)
    t sleepless 1
    echo mem 2>/tmp/err >/sys/power/state && echo 'it slept; '
    t sleepless 0
    wrong 'refused at the end' "$(of refused)" 1
    both_hoisted
    [ "$(status session)" != "$session" ] || echo 'it was not unhoisted meanwhile; '
    on 1 wrmsr 0x175 0
    wrong 'rule after the sleep' "$(of fault)" $GP
}

check offline_online
check stays_hoisted
check rules_after_online
check double_init
check init_while_online
check stray_sipi
check stop_with_cpu_offline
check sleep_and_resume
