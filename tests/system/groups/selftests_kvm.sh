# SPDX-License-Identifier: MIT
# summary: the kernel's own KVM selftests on the machine's own KVM, to compare with what selftests
#   and selftests_more say of the node
# before: scripts/build_selftests build/system/selftests
# rig: --no-hoist --add build/system/selftests:/t/selftests
# qemu: --memory 2048 --kernel-arg tsc=reliable --kernel-arg clocksource=tsc
# bochs: --kernel-arg clearcpuid=xsaves,xsavec
# seconds: 3000 6000
# weight: 200
# full:

NODE_MODULE=$RIVAL
. /t/sh/selftest.sh

LIMIT=120
long rseq_test 'moves a thread 100,000 times; an emulator takes minutes'

for each in $(sed -n 's/^level_[12] \([^ ]*\).*/\1/p' /t/sh/selftest_list.sh); do
    eval "kvm_${each##*/}() { ${each##*/}; }"
done
check kvm_access_tracking_perf_test
check kvm_cr4_cpuid_sync_test
check kvm_debug_regs
check kvm_demand_paging_test
check kvm_dirty_log_perf_test
check kvm_dirty_log_test
check kvm_fix_hypercall_test
check kvm_get_msr_index_features
check kvm_hardware_disable_test
check kvm_hyperv_clock
check kvm_hyperv_cpuid
check kvm_hyperv_features
check kvm_kvm_binary_stats_test
check kvm_kvm_clock_test
check kvm_kvm_create_max_vcpus
check kvm_kvm_page_table_test
check kvm_kvm_pv_test
check kvm_max_vcpuid_cap_test
check kvm_memslot_modification_stress_test
check kvm_memslot_perf_test
check kvm_mmio_warning_test
check kvm_monitor_mwait_test
check kvm_platform_info_test
check kvm_rseq_test
check kvm_set_boot_cpu_id
check kvm_set_memory_region_test
check kvm_set_sregs_test
check kvm_smm_test
check kvm_state_test
check kvm_steal_time
check kvm_sync_regs_test
check kvm_system_counter_offset_test
check kvm_tsc_msrs_test
check kvm_userspace_io_test
check kvm_userspace_msr_exit_test
check kvm_xapic_ipi_test
check kvm_xapic_state_test
check kvm_xss_msr_test
