# SPDX-License-Identifier: MIT
# guests.sh KVM ROUNDS: what a guest pays on the machine's own KVM, whose module that is, and on the
# node, in turns. Prints, as bench does:  sample NAME kvm|node TICKS     value NAME NUMBER

reserved() { hvctl --json status 2>/dev/null | sed -n 's/.*"reserved_bytes": *\([0-9]*\).*/\1/p'; }
speed() { # kvm|node FILE
    /bench/kvm_speed "$2" 3 >/tmp/speed || exit 1
    sed "s/^\([a-z]*\) /sample \1 $1 /" /tmp/speed
    /bench/switches "$1" "$2" || exit 1
}

for _ in $(seq "$2"); do
    modprobe "$1" || exit 1
    speed kvm /dev/kvm
    modprobe -r "$1"
    modprobe hv && hvctl start >/dev/null 2>&1 && modprobe hv_kvm || exit 1
    before=$(reserved)
    speed node /dev/hvkvm
    echo value left_bytes $(($(reserved) - before))
    modprobe -r hv_kvm && modprobe -r hv || exit 1    # which unhoists
done
