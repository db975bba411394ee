# SPDX-License-Identifier: MIT
# summary: another kernel started out of a hoisted one finds a machine without a core
# rig: --boot-files
# seconds: 300 600
# weight: 50
# tests: kexec_loaded
# ends: 42 kexec_hoisted

verdict kexec_loaded "$(wrong hoisted "$(status hoisted)" true)"
NO_END=1
# The second kernel ends the machine with this command's status.
kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"exit 42\""
