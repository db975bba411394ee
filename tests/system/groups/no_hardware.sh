# SPDX-License-Identifier: MIT
# summary: a CPU without VMX and SVM, or with it locked off
# rig: --no-hoist --cpus 1
# bochs: --cpu-model p4_prescott_celeron_336
# qemu: --cpu-model EPYC,-svm
# weight: 20

no_hardware_named() {
    refused 1 "CPU 0: .*$MISSING" hvctl start
    wrong hoisted "$(status hoisted)" false
}
no_hardware_without_hvd() {
    hvnl start >/tmp/out && echo 'it started; '
    grep -q "^error [0-9]*: CPU 0: .*$MISSING" /tmp/out || cat /tmp/out
}
disabled_by_firmware() {
    skip "no register of the emulated CPU locks it off: tests/unit and launch_steps show it"
}

MISSING=$(by_backend VMX SVM)
insert_hv
check no_hardware_without_hvd
start_hvd
check no_hardware_named
check disabled_by_firmware
