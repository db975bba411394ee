# SPDX-License-Identifier: MIT
# summary: a reboot of a hoisted Linux
# weight: 20
# ends: 123 reboot_hoisted

NO_END=1
[ "$(status hoisted)" = true ] && reboot -f
usleep 60000000
