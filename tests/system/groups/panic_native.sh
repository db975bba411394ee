# SPDX-License-Identifier: MIT
# summary: a panic of a Linux that is not hoisted is told, and ends the machine
# weight: 20
# rig: --no-hoist
# full:
# ends: 125 panic_native

NO_END=1
echo c >/proc/sysrq-trigger
usleep 60000000
