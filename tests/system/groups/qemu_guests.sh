# SPDX-License-Identifier: MIT
# summary: Debian's QEMU, unmodified, boots the stock kernel on the node to user space: each place
#   of the interrupt controllers, one CPU
# rig: --package qemu-system-x86 --boot-files
# qemu: --memory 2048
# seconds: 900
# full: bochs each start of QEMU takes Bochs half a minute
# weight: 100

. /t/sh/qemu.sh
if [ "$BACKEND" = vmx ]; then
    # The smaller build of the same package; the clock is the counter of instructions.
    QEMU=qemu-system-x86_64-microvm QEMU_MEMORY=96
    QEMU_LINE="$QEMU_LINE tsc_early_khz=100000 lpj=400000"
fi

qemu_microvm_off_1() { boots microvm,rtc=on off 1; }
qemu_microvm_split_1() { boots microvm,rtc=on split 1; }
qemu_microvm_on_1() { boots microvm,rtc=on on 1; }

check qemu_microvm_off_1
check qemu_microvm_split_1
check qemu_microvm_on_1
