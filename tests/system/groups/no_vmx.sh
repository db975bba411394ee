# SPDX-License-Identifier: MIT
# summary: a CPU without VMX
# rig: --no-hoist --cpus 1 --cpu-model p4_prescott_celeron_336
# weight: 20
# tests: no_vmx_named no_vmx_through_hvd

insmod "/lib/modules/$(uname -r)/updates/hv.ko"
verdict no_vmx_named \
    "$(refused 1 'CPU 0: .*VMX' hvctl start | sed 's/not one line[^;]*hvd is not running[^;]*;//'
    wrong hoisted "$(status hoisted)" false)"
start_hvd
verdict no_vmx_through_hvd "$(refused 1 'CPU 0: .*VMX' hvctl start; wrong hoisted "$(status \
    hoisted)" false)"
