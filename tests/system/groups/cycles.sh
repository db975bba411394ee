# SPDX-License-Identifier: MIT
# summary: hoist and unhoist again and again: nothing changes, nothing is lost; KVM before and after
# rig: --no-hoist --test-build
# seconds: 400 3000
# weight: 80
# tests: cycles_work cycles_state cycles_memory cycles_registers core_gone_after
# tests: kvm_first_refused kvm_hoisted_refused kvm_after_runs

insmod "/lib/modules/$(uname -r)/updates/hv.ko"
load_test_module
count=$(full 200 1000)
hvnl cycle 2
sample=$(cat /t/sh/core_sample.txt)
copies=$(ask found find $sample)
t snapshot
cp "$ANSWER" /tmp/before
memory=$(free_kib)
planted 2 >/tmp/planted &
why=$(hvnl cycle "$count")
verdict cycles_work "$why"
wait $!
verdict cycles_registers "$(grep -c kept /tmp/planted | grep -qx 2 || cat /tmp/planted)"
t snapshot
verdict cycles_state "$(diff /tmp/before "$ANSWER")"
lost=$((memory - $(free_kib)))
note cycles_memory "$lost KiB less after $count cycles"
verdict cycles_memory "$([ $lost -lt 256 ] || echo "$lost KiB are gone after $count cycles")"
now=$(ask found find $sample)
note core_gone_after "copies of the core's code in RAM: $copies before, $now after"
verdict core_gone_after "$([ "$copies" -ge 1 ] || echo 'the sample is nowhere: a bad sample; '
    [ "$now" -le "$copies" ] || echo "$now copies, $copies before")"

# With hv loaded but not hoisted, KVM is free to use the CPUs.
modprobe kvm_intel
tiny_vm hold >/tmp/vm &
vm=$!
for _ in $(seq 200); do grep -q hlt /tmp/vm && break; usleep 20000; done
verdict kvm_first_refused "$(grep -q 'exit 5 hlt' /tmp/vm || cat /tmp/vm
    refused 1 'kvm_intel' hvctl start
    wrong hoisted "$(status hoisted)" false)"
kill $vm
wait $vm
rmmod kvm_intel
hvnl start
# CPUID is read live: the module does not load at all.
verdict kvm_hoisted_refused "$(modprobe kvm_intel 2>/tmp/err && echo 'kvm_intel loaded; '
    [ -e /dev/kvm ] && tiny_vm && echo 'and ran a VM; '
    wrong hoisted "$(status hoisted)" true)"
hvnl stop
modprobe kvm_intel
verdict kvm_after_runs "$(tiny_vm >/tmp/vm || cat /tmp/vm)"
rmmod kvm_intel
