# SPDX-License-Identifier: MIT
# The kernel's KVM selftests that are run, by level, and with what: how much memory they write is
# theirs to be told, by itself a GiB, and that again and again.

level_1 demand_paging_test -b 16M
level_1 dirty_log_test -i 3
level_1 kvm_create_max_vcpus
level_1 kvm_page_table_test -b 8M -v 1
level_1 memslot_modification_stress_test -b 16M -v 1
level_1 set_memory_region_test
level_1 x86_64/cr4_cpuid_sync_test
level_1 x86_64/fix_hypercall_test
level_1 x86_64/get_msr_index_features
level_1 x86_64/kvm_clock_test
level_1 x86_64/platform_info_test
level_1 x86_64/set_boot_cpu_id
level_1 x86_64/set_sregs_test
level_1 x86_64/sync_regs_test
level_1 x86_64/tsc_msrs_test
level_1 x86_64/userspace_io_test
level_1 x86_64/xapic_ipi_test
level_1 x86_64/xapic_state_test

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
