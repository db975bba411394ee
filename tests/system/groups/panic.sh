# SPDX-License-Identifier: MIT
# summary: a panic of a hoisted Linux is told, and ends the machine
# weight: 20
# ends: 125 panic_hoisted

NO_END=1
[ "$(status hoisted)" = true ] && echo c >/proc/sysrq-trigger
