# SPDX-License-Identifier: MIT
# summary: a reboot of a Linux that is not hoisted
# weight: 20
# rig: --no-hoist
# full:
# ends: 123 reboot_native

NO_END=1
reboot -f
usleep 60000000
