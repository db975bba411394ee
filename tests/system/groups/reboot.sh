# SPDX-License-Identifier: MIT
# summary: a reboot of a hoisted Linux
# weight: 20
# tests: before_reboot
# ends: 123 reboot_hoisted

verdict before_reboot "$(wrong hoisted "$(status hoisted)" true)"
NO_END=1
reboot -f
usleep 60000000
