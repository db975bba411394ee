# SPDX-License-Identifier: MIT
# summary: no memory for the core
# rig: --no-hoist --test-build
# weight: 25
# tests: no_memory_named no_memory_undone start_with_memory_again

insmod "/lib/modules/$(uname -r)/updates/hv.ko"
load_test_module
hvnl start && hvnl stop
t snapshot
cp "$ANSWER" /tmp/before
t hog 256
# What is free is the kernel's to say: now and then it still finds enough.
if hvctl start >/dev/null 2>/tmp/err; then
    hvctl stop >/dev/null 2>&1
    t unhog
    for each in no_memory_named no_memory_undone start_with_memory_again; do
        skip $each "the machine still had memory for the core"
    done
else
    verdict no_memory_named "$(grep -qE 'KiB for the core|memory' /tmp/err || cat /tmp/err
        wrong hoisted "$(status hoisted)" false)"
    t unhog
    t snapshot
    verdict no_memory_undone "$(diff /tmp/before "$ANSWER")"
    verdict start_with_memory_again "$(hvnl start; wrong hoisted "$(status hoisted)" true
        hvnl stop)"
fi
