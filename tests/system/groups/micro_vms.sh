# SPDX-License-Identifier: MIT
# summary: the node: a micro VM from start to stop, every way to the node, and who is on it
# rig: --boot-files --test-build
# qemu: --memory 2048
# seconds: 400 900
# full: bochs each VM takes Bochs half a minute and more
# weight: 100

. /t/sh/vms.sh
VMX_BIT=32 # of ecx, CPUID leaf 1

vm_without_a_node_says_so() {
    refused 1 'cannot open /dev/hvkvm: No such file .*: hoist Linux .* and load hv_kvm' \
        hvctl vm run --kernel /boot/vmlinuz none
    refused 125 'cannot open /dev/hvkvm: No such file .*hvctl start.*modprobe hv_kvm' \
        hv-run tiny_vm
}

vm_before_the_hoist_says_so() {
    hvctl stop >/dev/null
    modprobe hv_kvm
    refused 1 'Linux is not hoisted: hvctl start' hvctl vm run --kernel /boot/vmlinuz none
    hvctl start >/dev/null
}

# Ring 3 by a program, ring 0 by hv_test.ko.
vmx_bit() { echo $((0x$(cpuid 1 ecx) & VMX_BIT)); }
vmx_bit_of_ring_0() {
    t snapshot
    echo $((0x$(of 'cpu0 cpuid' | cut -d' ' -f1) & VMX_BIT))
}
node_shows_vmx_to_programs_alone() {
    [ "$BACKEND" = vmx ] || { skip 'CPUID is the CPU'"'"'s own with SVM' && return; }
    load_test_module
    wrong 'the bit in ring 3' "$(vmx_bit)" $VMX_BIT
    wrong 'the bit in ring 0' "$(vmx_bit_of_ring_0)" 0
    rmmod hv_kvm
    wrong 'the bit in ring 3 without hv_kvm' "$(vmx_bit)" 0
    hvctl stop >/dev/null
    modprobe hv_kvm
    hvctl start >/dev/null
    wrong 'the bit in ring 3 when hoisted anew' "$(vmx_bit)" $VMX_BIT
    wrong 'the bit in ring 0 when hoisted anew' "$(vmx_bit_of_ring_0)" 0
    rmmod hv_test
}

tells() { wrong "what $* prints" "$("$@" 2>&1)" 'exit 5 hlt'; }
as_user() { su user -c "PATH=$PATH $*" 2>&1; }
hv_run_gives_the_node() {
    tells hv-run tiny_vm
    [ ! -e /dev/kvm ] || echo '/dev/kvm was left; '
    wrong 'a user without the group' "$(as_user hv-run tiny_vm)" 'hv-run: cannot open /dev/hvkvm: '\
'Permission denied: be root or in the group kvm'
    sed -i 's/^kvm:.*/&user/' /etc/group
    chgrp kvm /dev/hvkvm
    wrong 'a user of the group' "$(as_user hv-run tiny_vm)" 'exit 5 hlt'
    wrong 'who it is' "$(as_user hv-run id -u)" 1000
    wrong 'its /dev' "$(as_user 'hv-run ls /dev' | grep -v '^kvm$')" "$(ls /dev)"
    mknod /dev/kvm c 10 232
    tells hv-run tiny_vm
    wrong 'the same over a /dev/kvm' "$(as_user hv-run tiny_vm)" 'exit 5 hlt'
    rm /dev/kvm
    hv-run sh -c 'exit 7'
    wrong 'status of exit 7' $? 7
    refused 127 'hv-run: nothing: No such file or directory' hv-run nothing
    refused 126 'hv-run: /etc/passwd: Permission denied' hv-run /etc/passwd
    refused 125 '"--bad" is no option: see hv-run --help' hv-run --bad
    refused 125 '/dev/null runs no guests' hv-run --node /dev/null tiny_vm
}

# Somebody else's VM: tiny_vm, which knows nothing but /dev/kvm.
vm_list_has_every_guest() {
    hv-run tiny_vm hold >/dev/null &
    for _ in $(seq 50); do [ "$(status vms)" = 1 ] && break; usleep 100000; done
    wrong 'VMs in status' "$(status vms)" 1
    hvctl vm list >/tmp/out
    grep -qE "^ *- +running +1 +4 KiB +$! .*tiny_vm" /tmp/out || cat /tmp/out
    wrong 'the row of it' "$(hvctl --json vm list | flat | sort | tr '\n' ' ')" \
        "vms.0.cpus=1 vms.0.memory_bytes=4096 vms.0.name=null vms.0.pid=$! \
vms.0.program=tiny_vm vms.0.state=running "
    refused 1 'guest VMs run: end them first' hvctl stop
    kill -9 $!
    for _ in $(seq 50); do [ "$(status vms)" = 0 ] && break; usleep 100000; done
    wrong 'VMs in status after it' "$(status vms)" 0
    as_user cat /sys/class/misc/hvkvm/guests >/dev/null && echo 'any user may read it; '
}

node_can_be_called_kvm() {
    rmmod hv_kvm
    modprobe hv_kvm node=kvm || dmesg | tail -n 1
    [ ! -e /dev/hvkvm ] || echo '/dev/hvkvm is there too; '
    tells tiny_vm
    rmmod hv_kvm
    [ ! -e /dev/kvm ] || echo '/dev/kvm is still there; '
    modprobe hv_kvm
}

check vm_without_a_node_says_so
check vm_before_the_hoist_says_so
check hv_run_gives_the_node
check vm_list_has_every_guest
check node_can_be_called_kvm
check vm_first_form
check node_shows_vmx_to_programs_alone
