# SPDX-License-Identifier: MIT
# summary: QEMU killed in the midst of its run, hvd killed beside it: nothing stays behind, no CPU
#   is stuck, everything unloads
# rig: --package qemu-system-x86 --boot-files
# qemu: --memory 2048
# seconds: 1500 5400
# weight: 90
# full: bochs each start of QEMU takes Bochs half a minute

. /t/sh/qemu.sh
QEMU=qemu-system-x86_64-microvm QEMU_MEMORY=96

# Ticks (1/100 s) of guests' time that a process has had: field 43 of its stat.
guest_ticks() { cut -d' ' -f43 "/proc/$1/stat" 2>/dev/null; }
reserved() { status 'memory\.reserved_bytes'; }

# A QEMU whose guest runs, as $qemu_pid. in_midst TICKS CPUS
in_midst() {
    rm -f /tmp/said
    qemu microvm,rtc=on on "$2" 'echo up with $(nproc) CPUs; poweroff -f' &
    qemu_pid=
    for _ in $(seq 3000); do
        [ -n "$qemu_pid" ] || qemu_pid=$(pidof $QEMU)
        midst_ticks=$(guest_ticks "$qemu_pid")
        [ "${midst_ticks:-0}" -lt "$1" ] || return 0
        usleep 5000
    done
    echo "the guest has not run for $1 ticks; "
    return 1
}
gone() {
    wait
    [ -z "$(pidof $QEMU)" ] || echo 'QEMU is still there; '
}

qemus_killed() {
    for i in $(seq "$count"); do
        in_midst $((1 + i % 12)) $((1 + i % 2)) || return
        kill -9 "$qemu_pid"
        wait
    done
    remark "$count times"
    gone
} 2>/dev/null

# hvd dies five times beside each QEMU; every other QEMU dies before hvd is there again.
qemu_killed_with_hvd() {
    for i in $(seq "$hvd_count"); do
        in_midst $((1 + i % 5)) 2 || return
        for last in 0 0 0 0 1; do
            kill_hvd
            [ $((i % 2 * last)) = 0 ] || kill -9 "$qemu_pid"
            start_hvd || echo 'hvd does not start again; '
        done
        kill -9 "$qemu_pid"
        wait
    done
    remark "$hvd_count times QEMU, $((5 * hvd_count)) times hvd"
    gone
} 2>/dev/null

guest_outlives_hvd() {
    in_midst 3 1 || return
    for _ in 1 2 3; do
        kill_hvd
        start_hvd
    done
    wait
    grep -q '^up with 1 CPUs' /tmp/said || tail -n 5 /tmp/said /tmp/qemu
    gone
} 2>/dev/null

killed_keep_memory() {
    wrong 'bytes that the core holds' "$(reserved)" "$held"
    lost=$((memory - $(free_kib)))
    remark "$lost KiB less, the core holds $(($(reserved) / 1024)) KiB"
    at_most 'KiB that are gone' $lost 4096
}

killed_leave_cpus() {
    for cpu in 0 1; do
        timeout 20 taskset -c $cpu sh -c 'for i in 1 2 3; do true; done' ||
            echo "CPU $cpu does nothing any more; "
    done
}

killed_then_unloaded() {
    timeout 60 rmmod hv_kvm || echo 'hv_kvm stays; '
    timeout 60 hvctl stop >/tmp/out 2>&1 || cat /tmp/out
    wrong hoisted "$(status hoisted)" false
    kill_hvd
    timeout 60 rmmod hv || echo 'hv stays; '
    lsmod | grep '^hv'
}

count=$(by_backend "$(full 6 100)" "$(full 20 100)")
hvd_count=$(by_backend 2 "$(full 5 20)")
in_midst 1 2 # what is taken only once
kill -9 "$qemu_pid"
wait
held=$(reserved)
memory=$(free_kib)
check qemus_killed
check qemu_killed_with_hvd
check guest_outlives_hvd
check killed_keep_memory
check killed_leave_cpus
check killed_then_unloaded
