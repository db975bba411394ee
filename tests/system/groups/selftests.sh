# SPDX-License-Identifier: MIT
# summary: the kernel's own KVM selftests that every KVM must pass, on the node
# before: scripts/build_selftests build/system/selftests
# rig: --add build/system/selftests:/t/selftests
# qemu: --memory 2048 --kernel-arg tsc=reliable --kernel-arg clocksource=tsc
# bochs: --kernel-arg clearcpuid=xsaves,xsavec
# seconds: 400 3600
# weight: 60

. /t/sh/selftest.sh

if [ "$BACKEND" = vmx ]; then
    long cr4_cpuid_sync_test 'Bochs takes half a minute'
    long set_memory_region_test 'Bochs takes 80 s'
    long xapic_state_test 'Bochs takes 80 s'
    long xapic_ipi_test 'Bochs takes half a minute'
fi

check cr4_cpuid_sync_test
check demand_paging_test
check dirty_log_test
check fix_hypercall_test
check get_msr_index_features
check kvm_clock_test
check kvm_create_max_vcpus
check kvm_page_table_test
check memslot_modification_stress_test
check platform_info_test
check set_boot_cpu_id
check set_memory_region_test
check set_sregs_test
check sync_regs_test
check tsc_msrs_test
check userspace_io_test
check xapic_ipi_test
check xapic_state_test
