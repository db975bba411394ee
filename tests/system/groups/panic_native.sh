# SPDX-License-Identifier: MIT
# summary: a panic of a Linux that is not hoisted
# rig: --no-hoist
# weight: 20
# ends: 125 panic_native
# full:

NO_END=1
echo c >/proc/sysrq-trigger
