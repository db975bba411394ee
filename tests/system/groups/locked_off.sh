# SPDX-License-Identifier: MIT
# summary: firmware has locked VMX off
# rig: --no-hoist --test-build --kernel-arg clearcpuid=133
# weight: 20
# tests: locked_off_named locked_off_unharmed

insmod "/lib/modules/$(uname -r)/updates/hv.ko"
load_test_module
t snapshot
cp "$ANSWER" /tmp/before
verdict locked_off_named "$(refused 1 'firmware' hvctl start; wrong hoisted "$(status hoisted)" false)"
t snapshot
verdict locked_off_unharmed "$(diff /tmp/before "$ANSWER")"
