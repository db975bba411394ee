# SPDX-License-Identifier: MIT
# Debian's QEMU as a client of the node, with the stock kernel as its guest. It knows only /dev/kvm.
QEMU_SECONDS=${QEMU_SECONDS:-150}
# The emulated machine is slow: no self-tests, no measuring of clocks.
QEMU_LINE="console=ttyS0 panic=-1 quiet cryptomgr.notests=1 tsc=reliable no_timer_check"

# qemu MACHINE IRQCHIP CPUS COMMAND: a guest whose first process does COMMAND. What it says is in
# /tmp/said, what QEMU says in /tmp/qemu.
qemu() {
    timeout -s KILL "$QEMU_SECONDS" "${QEMU:-qemu-system-x86_64}" -nodefaults -no-user-config \
        -display none -no-reboot -M "$1,accel=kvm,kernel-irqchip=$2" -cpu host -smp "$3" \
        -m "${QEMU_MEMORY:-128}" -serial file:/tmp/said -kernel /boot/vmlinuz -initrd /boot/initrd \
        -append "$QEMU_LINE rdinit=/bin/sh -- -c \"$4\"" >/tmp/qemu 2>&1
}

# boots MACHINE IRQCHIP CPUS: a reason unless Linux comes up with that many CPUs, says so on its
# console, and powers off.
boots() {
    rm -f /tmp/said
    boots_since=$(cut -d' ' -f1 /proc/uptime)
    qemu "$@" 'echo up with $(nproc) CPUs; poweroff -f'
    wrong 'status of QEMU' $? 0
    boots_now=$(cut -d' ' -f1 /proc/uptime)
    grep -q "^up with $3 CPUs" /tmp/said && grep -q 'reboot: Power down' /tmp/said ||
        tail -n 12 /tmp/said /tmp/qemu
    remark "$(echo "$boots_since $boots_now" | awk '{ printf "%.1f s", $2 - $1 }')"
}

modprobe hv_kvm node=kvm
