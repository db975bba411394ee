# SPDX-License-Identifier: MIT
# summary: Debian's QEMU on the node: its other machines, and two CPUs
# rig: --package qemu-system-x86 --boot-files --memory 2048
# only: qemu Bochs takes a minute for each boot of a guest
# seconds: 900
# full:
# weight: 90

. /t/sh/qemu.sh

qemu_pc_off_1() { boots pc off 1; }
qemu_q35_split_1() { boots q35 split 1; }
qemu_q35_split_2() { boots q35 split 2; }
qemu_microvm_split_2() { boots microvm,rtc=on split 2; }
qemu_pc_on_1() { boots pc on 1; }
qemu_pc_on_2() { boots pc on 2; }
qemu_q35_on_1() { boots q35 on 1; }
qemu_q35_on_2() { boots q35 on 2; }
qemu_microvm_on_2() { boots microvm,rtc=on on 2; }

check qemu_pc_off_1
check qemu_q35_split_1
check qemu_q35_split_2
check qemu_microvm_split_2
check qemu_pc_on_1
check qemu_pc_on_2
check qemu_q35_on_1
check qemu_q35_on_2
check qemu_microvm_on_2
