# SPDX-License-Identifier: MIT
# summary: hoist and unhoist again and again: nothing changes, nothing is lost; KVM before and after
# rig: --no-hoist --test-build
# seconds: 400 3000
# weight: 80

cycles_work() {
    remark "$count cycles"
    hvnl cycle "$count"
}

cycles_keep_registers() {
    wrong 'CPUs that kept theirs' "$(grep -c kept /tmp/planted)" 2
    grep CHANGED /tmp/planted
}

cycles_keep_state() { same_state /tmp/before; }

# A page that each cycle loses is 800 KiB and more. Linux gives some back late, and takes some once:
# what stays above the limit after two seconds is gone.
cycles_keep_memory() {
    for _ in 1 2 3 4 5; do
        lost=$((memory - $(free_kib)))
        [ $lost -gt 256 ] || break
        usleep 400000
    done
    remark "$lost KiB less after $count cycles"
    at_most 'KiB that are gone' $lost "$(by_backend 400 512)"
}

core_code_is_gone() {
    now=$(ask found find $sample)
    remark "copies of the core's code in RAM: $copies before, $now after"
    at_least 'copies of the sample' "$copies" 1
    at_most 'copies of the sample' "$now" "$copies"
}

hold_vm() {
    tiny_vm hold >/tmp/vm &
    vm=$!
    for _ in $(seq 200); do grep -q hlt /tmp/vm && break; usleep 20000; done
    grep -q 'exit 5 hlt' /tmp/vm || cat /tmp/vm
}

# hv.ko is loaded and Linux not hoisted: KVM is free to use the CPUs, and the core then not.
kvm_first_refused() {
    modprobe $RIVAL
    hold_vm
    refused 1 $RIVAL hvctl start
    wrong hoisted "$(status hoisted)" false
    kill $vm
    wait $vm
    rmmod $RIVAL
} 2>/dev/null

# Without a VM it uses nothing yet, but may at any time.
kvm_loaded_refused() {
    modprobe $RIVAL
    refused 1 $RIVAL hvctl start
    wrong hoisted "$(status hoisted)" false
    rmmod $RIVAL
}

# CPUID or VM_CR is read live: the module does not load at all.
kvm_hoisted_refused() {
    hvnl start
    modprobe $RIVAL 2>/tmp/err && echo "$RIVAL loaded; "
    [ ! -e /dev/kvm ] || tiny_vm
    wrong hoisted "$(status hoisted)" true
    hvnl stop
}

kvm_runs_after() {
    modprobe $RIVAL
    tiny_vm >/tmp/vm || cat /tmp/vm
    rmmod $RIVAL
}

insert_hv
load_test_module
count=$(full 200 "$(by_backend 1000 5000)")
t snapshot
cp "$ANSWER" /tmp/before
hvnl cycle 2 # takes what is taken only once
sample=$(cat /t/sh/core_sample.txt)
copies=$(ask found find $sample)
memory=$(free_kib)
planted 2 >/tmp/planted &
check cycles_work
wait $!
check cycles_keep_registers
check cycles_keep_state
check cycles_keep_memory
check core_code_is_gone
check kvm_first_refused
check kvm_loaded_refused
check kvm_hoisted_refused
check kvm_runs_after
