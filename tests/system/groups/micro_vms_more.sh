# SPDX-License-Identifier: MIT
# summary: hvctl vm on the node: boot, console, limits, every way to end, ten at once, and hvd
#   killed beside them
# rig: --boot-files --memory 2048
# only: qemu Bochs takes a minute for each boot of a guest
# seconds: 600 1200
# full:
# weight: 120

. /t/sh/vms.sh

modprobe hv_kvm
check vm_boots_and_powers_off
check vm_console_types
check vm_every_end_is_told
check vm_is_confined
check vm_limits_hold
check vm_out_of_its_memory_is_told
check vm_pauses
check vm_refusals_are_one_line
check vm_outlives_hvd
check vm_ten_at_once
