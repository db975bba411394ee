# SPDX-License-Identifier: MIT
# summary: under a locked policy a kexec becomes a restart through the firmware
# rig: --boot-files
# seconds: 300 600
# ends: 123 kexec_locked
# full:

NO_END=1
hvctl policy lock >/dev/null &&
    kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"exit 42\""
