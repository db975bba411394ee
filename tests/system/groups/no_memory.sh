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
verdict no_memory_named \
    "$(refused 1 'KiB for the core|memory' hvctl start; wrong hoisted "$(status hoisted)" false)"
t unhog
t snapshot
verdict no_memory_undone "$(diff /tmp/before "$ANSWER")"
verdict start_with_memory_again "$(hvnl start; wrong hoisted "$(status hoisted)" true; hvnl stop)"
