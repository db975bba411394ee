# SPDX-License-Identifier: MIT
# summary: hvctl vm on the machine's own KVM, to compare: what micro_vms and micro_vms_more do on
#   the node; and who gets /dev/kvm
# rig: --no-hoist --boot-files --memory 2048
# only: qemu Bochs takes a minute for each boot of a guest
# seconds: 600 1200
# weight: 120
# full:

. /t/sh/vms.sh
for each in first_form boots_and_powers_off console_types every_end_is_told is_confined \
    limits_hold out_of_its_memory_is_told pauses refusals_are_one_line outlives_hvd ten_at_once; do
    eval "kvm_vm_$each() { vm_$each; }"
done

# misc_register() lets only one have the name.
kvm_keeps_its_node() {
    dmesg -c >/dev/null
    modprobe hv_kvm node=kvm 2>/dev/null && echo 'hv_kvm was loaded beside kvm.ko; '
    dmesg | grep -q "hv_kvm: /dev/kvm is kvm.ko's: rmmod kvm_intel (or kvm_amd) and kvm" ||
        echo "the kernel says: $(dmesg | tail -n 1); "
    modprobe hv_kvm node=other 2>/dev/null && echo 'hv_kvm took another name; '
    dmesg | grep -q 'node=other is not possible: give node=hvkvm or node=kvm' ||
        echo "the kernel says: $(dmesg | tail -n 1); "
    modprobe hv_kvm || echo 'hv_kvm cannot be loaded beside kvm.ko; '
    [ -c /dev/hvkvm ] || echo 'there is no /dev/hvkvm; '
    wrong 'without a hoist' "$(hv-run tiny_vm)" 'KVM_CREATE_VM: No such device or address'
    rmmod hv_kvm
}

modprobe $RIVAL
sed -i 's|/dev/hvkvm|/dev/kvm|' /etc/hv/hvd.json
modprobe hv
start_hvd
check kvm_keeps_its_node
check kvm_vm_first_form
check kvm_vm_boots_and_powers_off
check kvm_vm_console_types
check kvm_vm_every_end_is_told
check kvm_vm_is_confined
check kvm_vm_limits_hold
check kvm_vm_out_of_its_memory_is_told
check kvm_vm_pauses
check kvm_vm_refusals_are_one_line
check kvm_vm_outlives_hvd
check kvm_vm_ten_at_once
