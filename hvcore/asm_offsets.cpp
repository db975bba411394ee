// SPDX-License-Identifier: MIT
// Compiled to assembly only: the build turns the .ascii lines into asm_offsets.h.
#include "abi/image.h"
#include "core_layout.hpp"

// A member of a class that is not standard layout: GCC and clang both define offsetof for it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

#define HV_OFFSET(name, value) asm volatile("\n.ascii \"@define " #name " %c0 \"" ::"i"(value))

void hv_asm_offsets() {
    using hv::vmx::cpu;
    static_assert(offsetof(cpu, guest) == offsetof(hv::svm::cpu, guest), "virtual_cpu comes first");
    HV_OFFSET(HV_CPU_PENDING_WORK, offsetof(cpu, base) + offsetof(hv::cpu, pending_work));
    HV_OFFSET(HV_CPU_GUEST, offsetof(cpu, guest));
    HV_OFFSET(HV_GUEST_ON, offsetof(hv::guest_vcpu, on));
    HV_OFFSET(HV_GUEST_LAUNCHED, offsetof(hv::guest_vcpu, launched));
    HV_OFFSET(HV_CPU_LAUNCH_RSP, offsetof(cpu, launch_rsp));
    HV_OFFSET(HV_CPU_LAUNCH_CR3, offsetof(cpu, launch_cr3));
    HV_OFFSET(HV_GUEST_BLOCK, offsetof(hv::guest_vcpu, block_at));
    HV_OFFSET(HV_SVM_LEAVE_CR3, offsetof(hv::svm::cpu, leave_cr3));
    HV_OFFSET(HV_SVM_LEAVE_RIP, offsetof(hv::svm::cpu, leave_rip));
    HV_OFFSET(HV_SVM_VMCB, offsetof(hv::svm::cpu, control_at));
    HV_OFFSET(HV_SVM_HOST, offsetof(hv::svm::cpu, host_at));
    HV_OFFSET(HV_SVM_BLOCK, offsetof(hv::svm::cpu, block));
    HV_OFFSET(HV_VMCB_RSP, offsetof(hv::svm::vmcb, save) + offsetof(hv::svm::save_area, rsp));
    HV_OFFSET(HV_KEPT_BYTES, offsetof(hv::general_registers, r11));
    HV_OFFSET(HV_GPR_BYTES, sizeof(hv::general_registers));
    HV_OFFSET(HV_HEADER_MAGIC, HV_IMAGE_MAGIC);
    HV_OFFSET(HV_HEADER_VERSION, HV_ABI_VERSION);
    HV_OFFSET(HV_HEADER_BYTES, sizeof(hv_image_header));
    HV_OFFSET(HV_POOL_PAGES, hv::pool_pages);
    HV_OFFSET(HV_CPU_PAGES, hv::cpu_pages);
    HV_OFFSET(HV_SHARED_CPU_PAGES, hv::shared_cpu_pages);
    HV_OFFSET(HV_MAX_CPUS, hv::max_cpus);
}
