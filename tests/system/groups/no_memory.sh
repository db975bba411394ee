# SPDX-License-Identifier: MIT
# summary: no memory for the core
# rig: --no-hoist --test-build
# weight: 25

no_memory_named() {
    # Linux may still find large blocks by compaction: leave it less each time.
    for left in 256 192 128 96 64; do
        t unhog
        t hog $left
        hvctl start >/dev/null 2>/tmp/err || break
        hvctl stop >/dev/null
    done
    remark "$left MiB left in pieces of 8 KiB"
    grep -qE 'KiB for the core|memory' /tmp/err || cat /tmp/err
    wrong hoisted "$(status hoisted)" false
}

no_memory_undone() {
    t unhog
    same_state /tmp/before
}

start_with_memory_again() {
    hvnl start
    wrong hoisted "$(status hoisted)" true
    hvnl stop
}

# Memory in pieces makes Linux keep far more than it needs to run, and then kill for the rest.
echo 0 >/proc/sys/vm/watermark_boost_factor
insert_hv
load_test_module
start_hvd
t snapshot
cp "$ANSWER" /tmp/before
hvnl start && hvnl stop # takes what is taken only once
check no_memory_named
check no_memory_undone
check start_with_memory_again
