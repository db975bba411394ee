# SPDX-License-Identifier: MIT
# summary: a CPU with VMX, but without EPT and unrestricted guest
# rig: --no-hoist --cpu-model core2_penryn_t9600 --test-build
# weight: 20
# tests: no_ept_named no_ept_unharmed

insmod "/lib/modules/$(uname -r)/updates/hv.ko"
load_test_module
start_hvd
t snapshot
cp "$ANSWER" /tmp/before
verdict no_ept_named \
    "$(refused 1 'CPU 0: .*(EPT|capabilities)' hvctl start; wrong hoisted "$(status \
        hoisted)" false)"
t snapshot
verdict no_ept_unharmed "$(diff /tmp/before "$ANSWER")"
