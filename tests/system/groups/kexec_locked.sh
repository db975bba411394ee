# SPDX-License-Identifier: MIT
# summary: under a locked policy a kexec becomes a restart through the firmware
# rig: --boot-files
# seconds: 300 600
# full:
# tests: kexec_locked_loaded
# ends: 123 kexec_locked

verdict kexec_locked_loaded "$(hvctl policy lock 2>&1 >/dev/null
    wrong locked "$(status locked)" true)"
NO_END=1
kexec /boot/vmlinuz /boot/initrd "$(cat /proc/cmdline) rig_command=\"exit 42\""
