# SPDX-License-Identifier: MIT
# summary: another kernel started out of a Linux that is not hoisted
# rig: --boot-files --no-hoist
# seconds: 300 600
# weight: 50
# full:
# ends: 42 kexec_native

NO_END=1
# The second kernel ends the machine with this command's status.
kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"exit 42\""
