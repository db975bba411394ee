# SPDX-License-Identifier: MIT
# summary: another kernel started out of a Linux that is not hoisted
# rig: --boot-files --no-hoist
# seconds: 400 900
# weight: 90
# ends: 42 kexec_native
# full:

NO_END=1
kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"exit 42\""
