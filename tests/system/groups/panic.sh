# SPDX-License-Identifier: MIT
# summary: a panic of a hoisted Linux is told, and ends the machine
# weight: 20
# tests: before_panic
# ends: 125 panic_hoisted

verdict before_panic "$(wrong hoisted "$(status hoisted)" true)"
NO_END=1
echo c >/proc/sysrq-trigger
usleep 60000000
