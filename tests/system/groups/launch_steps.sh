# SPDX-License-Identifier: MIT
# summary: each launch step made to fail on each CPU: all undone, the error says where and why
# rig: --no-hoist --test-build
# weight: 40

PARAMETERS=/sys/module/hv/parameters
# In the order of abi/launch.h; some happen on the first CPU only, some with the other backend.
NAMES="arguments vendor feature_control in_use capabilities memory_types second_stage hide
    host_state vmxon vmclear vmptrld controls guest_state vmlaunch entry svme"
FIRST_ONLY='memory_types second_stage hide'
OTHERS=$(by_backend svme 'vmxon vmclear vmptrld vmlaunch')

has_step() {
    echo " $OTHERS " | grep -q " $2 " && return 1
    [ "$1" = 0 ] || ! echo " $FIRST_ONLY " | grep -q " $2 "
}

# fail_at CPU STEP NAME: start must fail, and say where; or work where that CPU has no such step.
fail_at() {
    echo "$1" >$PARAMETERS/fail_cpu
    echo "$2" >$PARAMETERS/fail_step
    answer=$(hvnl start 2>&1)
    started=$?
    if ! has_step "$1" "$3"; then
        wrong "start with step $3 on CPU $1, which has none" $started 0
        hvnl stop
        return
    fi
    wrong "start with step $3 on CPU $1" $started 1
    echo "$answer" | grep -q "CPU $1: launch step $3 failed: reason 0x" || echo "$3: $answer; "
    wrong hoisted "$(status hoisted)" false
}

fail_each() {
    number=0 steps=0
    for name in $NAMES; do
        number=$((number + 1))
        fail_at "$1" $number "$name"
        ! has_step "$1" "$name" || steps=$((steps + 1))
    done
    remark "$steps steps"
}

fail_on_cpu1() { fail_each 1; }
fail_on_cpu0() { fail_each 0; }

state_after_failures() { same_state /tmp/before; }

memory_after_failures() {
    lost=$((memory - $(free_kib)))
    remark "$lost KiB"
    at_most 'KiB that are gone' $lost 512
}

start_after_failures() {
    echo 0 >$PARAMETERS/fail_step
    hvnl start
    wrong hoisted "$(status hoisted)" true
    hvnl stop
}

insmod /opt/hv/hv-hooks.ko
load_test_module
t snapshot
cp "$ANSWER" /tmp/before
hvnl cycle 1 # takes what is taken only once
memory=$(free_kib)
check fail_on_cpu1
check fail_on_cpu0
check state_after_failures
check memory_after_failures
check start_after_failures
