# SPDX-License-Identifier: MIT
# summary: more of the kernel's own KVM selftests, on the node: which pass, which are skipped by
#   themselves, and which fail for a reason that is known
# before: scripts/build_selftests build/system/selftests
# rig: --add build/system/selftests:/t/selftests
# qemu: --one-thread --memory 2048 --kernel-arg tsc=reliable --kernel-arg clocksource=tsc
# only: qemu what of these Bochs has the time for is not found out yet
# seconds: 300 3600
# weight: 60

. /t/sh/selftest.sh

level_2 access_tracking_perf_test -b 16M
level_2 dirty_log_perf_test -b 16M -i 3
level_2 hardware_disable_test
level_2 kvm_binary_stats_test
level_2 memslot_perf_test -l 1 -s 64
level_2 rseq_test
level_2 steal_time
level_2 system_counter_offset_test
level_2 x86_64/debug_regs
level_2 x86_64/hyperv_clock
level_2 x86_64/hyperv_cpuid
level_2 x86_64/hyperv_features
level_2 x86_64/kvm_pv_test
level_2 x86_64/max_vcpuid_cap_test
level_2 x86_64/mmio_warning_test
level_2 x86_64/monitor_mwait_test
level_2 x86_64/smm_test
level_2 x86_64/state_test
level_2 x86_64/userspace_msr_exit_test
level_2 x86_64/xss_msr_test

fails hyperv_clock 'no Hyper-V enlightenments'
fails hyperv_features 'no Hyper-V enlightenments'
fails monitor_mwait_test 'the quirk KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS cannot be switched off'
fails smm_test 'no SMM, and slots of address space 1 with it'
fails userspace_msr_exit_test 'no KVM_CAP_X86_USER_SPACE_MSR'

long hardware_disable_test 'forks 500 VMs; an emulator takes minutes'
long memslot_perf_test 'an emulator takes minutes'
long rseq_test 'moves a thread 100,000 times; an emulator takes minutes'

check access_tracking_perf_test
check debug_regs
check dirty_log_perf_test
check hardware_disable_test
check hyperv_clock
check hyperv_cpuid
check hyperv_features
check kvm_binary_stats_test
check kvm_pv_test
check max_vcpuid_cap_test
check memslot_perf_test
check mmio_warning_test
check monitor_mwait_test
check rseq_test
check smm_test
check state_test
check steal_time
check system_counter_offset_test
check userspace_msr_exit_test
check xss_msr_test
