# SPDX-License-Identifier: MIT
# summary: a reboot of a Linux that is not hoisted
# rig: --no-hoist
# weight: 20
# ends: 123 reboot_native
# full:

NO_END=1
reboot -f
usleep 60000000
