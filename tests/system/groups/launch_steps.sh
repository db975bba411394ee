# SPDX-License-Identifier: MIT
# summary: each launch step made to fail on each CPU: all undone, the error names CPU, step and
# reason
# rig: --no-hoist --test-build
# weight: 40
# tests: fail_on_cpu1 fail_on_cpu0 state_after_failures memory_after_failures start_after_failures

insmod /opt/hv/hv-hooks.ko
load_test_module
parameters=/sys/module/hv/parameters
# In the order of abi/launch.h; the three in the middle happen on the first CPU only.
names="arguments vendor feature_control in_use capabilities memory_types second_stage hide"
names="$names host_state vmxon vmclear vmptrld controls guest_state vmlaunch entry"
first_only=" memory_types second_stage hide "

# try CPU STEP NAME: start must fail, and say where; or work where that CPU has no such step.
try() {
    echo "$1" >$parameters/fail_cpu
    echo "$2" >$parameters/fail_step
    refused="$(hvnl start 2>&1)"
    started=$?
    if [ "$1" = 1 ] && [ "${first_only#* $3 }" != "$first_only" ]; then
        wrong "start with step $3 on CPU 1, which has none" $started 0
        hvnl stop >/dev/null
        return
    fi
    wrong "start with step $3 on CPU $1" $started 1
    echo "$refused" | grep -q "CPU $1: launch step $3 failed: reason 0x" || echo "$3: $refused; "
    wrong hoisted "$(status hoisted)" false
}

fail_each() {
    number=0
    for name in $names; do
        number=$((number + 1))
        try "$1" $number "$name"
    done
}

# The first start and stop take what is taken only once (netlink, per-CPU caches).
hvnl start && hvnl stop
t snapshot
cp "$ANSWER" /tmp/before
memory=$(free_kib)
on_1=$(fail_each 1)
first=$((memory - $(free_kib)))
on_0=$(fail_each 0)
note fail_on_cpu1 "$(echo "$names" | wc -w) steps"
verdict fail_on_cpu1 "$on_1"
verdict fail_on_cpu0 "$on_0"
t snapshot
verdict state_after_failures "$(diff /tmp/before "$ANSWER")"
lost=$((memory - $(free_kib)))
note memory_after_failures \
    "$first KiB after the first $(echo "$names" | wc -w), $lost KiB at the end"
verdict memory_after_failures "$([ $lost -lt 256 ] || echo "$lost KiB are gone")"
echo 0 >$parameters/fail_step
verdict start_after_failures "$(hvnl start
    wrong hoisted "$(status hoisted)" true
    hvnl stop)"
