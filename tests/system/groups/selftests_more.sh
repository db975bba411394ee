# SPDX-License-Identifier: MIT
# summary: more of the kernel's own KVM selftests, on the node: which pass, which are skipped by
#   themselves, and which fail for a reason that is known
# before: scripts/build_selftests build/system/selftests
# rig: --add build/system/selftests:/t/selftests
# qemu: --memory 2048 --kernel-arg tsc=reliable --kernel-arg clocksource=tsc
# bochs: --kernel-arg clearcpuid=xsaves,xsavec
# full: bochs it takes Bochs a minute and more
# seconds: 300 3600
# weight: 60

. /t/sh/selftest.sh

fails hyperv_clock 'no Hyper-V enlightenments'
fails hyperv_features 'no Hyper-V enlightenments'
fails hardware_disable_test 'forks 500 VMs: no end within 600 s of the emulated machine'
fails memslot_perf_test 'gives a phase 2 s by its own alarm, or no end within 600 s'
fails rseq_test 'moves a thread 100,000 times: no end within 600 s of the emulated machine'
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
