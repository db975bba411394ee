# SPDX-License-Identifier: MIT
# summary: another kernel started out of a hoisted one
# rig: --boot-files
# seconds: 400 900
# full: bochs it boots twice, which takes Bochs a minute and more: kexec_locked does so too
# weight: 90
# ends: 42 kexec_hoisted

NO_END=1
# The second kernel ends the machine with this command's status: 42 where no core is around it. On
# SVM the emulator itself says that it is one, but KVM only gets the CPUs where no core has them.
then=$(by_backend 'grep -q hypervisor /proc/cpuinfo || exit 42' 'modprobe kvm_amd && exit 42')
[ "$(status hoisted)" = true ] &&
    kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"$then\""
