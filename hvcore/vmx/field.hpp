// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "base/address.hpp"
#include "vmx/controls.hpp"
#include <cstdint>

// gate: list
namespace hv::vmx {

/// One field of the VMCS: encoding, width and type. SDM 3D B "Field Encoding in VMCS".
template <std::uint32_t Encoding, typename T> struct vmcs_field {
    static constexpr std::uint32_t encoding = Encoding;
    static constexpr unsigned width = Encoding >> 13 & 3;    // 0: 16, 1: 64, 2: 32 bits, 3: natural
    static constexpr bool read_only = (Encoding >> 10 & 3) == 1;
    static_assert(sizeof(T) == (width == 0 ? 2 : width == 2 ? 4 : 8), "not the field's width");
    using value_type = T;
};

using vpid = vmcs_field<0x0000, std::uint16_t>;
// cs ss ds fs gs ldtr tr follow by 2
using guest_es_selector = vmcs_field<0x0800, std::uint16_t>;
using guest_cs_selector = vmcs_field<0x0802, std::uint16_t>;
using guest_ss_selector = vmcs_field<0x0804, std::uint16_t>;
using guest_tr_selector = vmcs_field<0x080e, std::uint16_t>;
using host_es_selector = vmcs_field<0x0c00, std::uint16_t>;
using host_cs_selector = vmcs_field<0x0c02, std::uint16_t>;
using host_ss_selector = vmcs_field<0x0c04, std::uint16_t>;
using host_tr_selector = vmcs_field<0x0c0c, std::uint16_t>;

using io_bitmap_a = vmcs_field<0x2000, hpa>;
using io_bitmap_b = vmcs_field<0x2002, hpa>;
using msr_bitmap_address = vmcs_field<0x2004, hpa>;
using tsc_offset = vmcs_field<0x2010, std::uint64_t>;
using ept_pointer_field = vmcs_field<0x201a, ept_pointer>;
using xss_exiting_bitmap = vmcs_field<0x202c, std::uint64_t>;
using guest_physical_address = vmcs_field<0x2400, gpa>;
using vmcs_link_pointer = vmcs_field<0x2800, std::uint64_t>;
using guest_debugctl = vmcs_field<0x2802, std::uint64_t>;
using guest_pat = vmcs_field<0x2804, std::uint64_t>;
using guest_efer = vmcs_field<0x2806, efer>;
using host_pat = vmcs_field<0x2c00, std::uint64_t>;
using host_efer = vmcs_field<0x2c02, efer>;

using pin_controls = vmcs_field<0x4000, std::uint32_t>;
using processor_controls = vmcs_field<0x4002, std::uint32_t>;
using exception_bitmap = vmcs_field<0x4004, std::uint32_t>;
using cr3_target_count = vmcs_field<0x400a, std::uint32_t>;
using exit_controls = vmcs_field<0x400c, std::uint32_t>;
using exit_msr_store_count = vmcs_field<0x400e, std::uint32_t>;
using exit_msr_load_count = vmcs_field<0x4010, std::uint32_t>;
using entry_controls = vmcs_field<0x4012, std::uint32_t>;
using entry_msr_load_count = vmcs_field<0x4014, std::uint32_t>;
using entry_event = vmcs_field<0x4016, std::uint32_t>;
using entry_event_error = vmcs_field<0x4018, std::uint32_t>;
using entry_instruction_length = vmcs_field<0x401a, std::uint32_t>;
using secondary_controls = vmcs_field<0x401e, std::uint32_t>;
using instruction_error = vmcs_field<0x4400, std::uint32_t>;
using exit_reason_field = vmcs_field<0x4402, std::uint32_t>;
using exit_event = vmcs_field<0x4404, std::uint32_t>;
using exit_event_error = vmcs_field<0x4406, std::uint32_t>;
using vectoring_event = vmcs_field<0x4408, std::uint32_t>;
using vectoring_error = vmcs_field<0x440a, std::uint32_t>;
using instruction_length = vmcs_field<0x440c, std::uint32_t>;
using guest_es_limit = vmcs_field<0x4800, std::uint32_t>;
using guest_gdtr_limit = vmcs_field<0x4810, std::uint32_t>;
using guest_idtr_limit = vmcs_field<0x4812, std::uint32_t>;
using guest_es_access = vmcs_field<0x4814, std::uint32_t>;
using guest_cs_access = vmcs_field<0x4816, std::uint32_t>;
using guest_ss_access = vmcs_field<0x4818, std::uint32_t>;
using guest_interruptibility = vmcs_field<0x4824, std::uint32_t>;
using guest_activity = vmcs_field<0x4826, std::uint32_t>;
using guest_sysenter_cs = vmcs_field<0x482a, std::uint32_t>;
using preemption_timer_value = vmcs_field<0x482e, std::uint32_t>;
using host_sysenter_cs = vmcs_field<0x4c00, std::uint32_t>;

using cr0_mask = vmcs_field<0x6000, std::uint64_t>;
using cr4_mask = vmcs_field<0x6002, std::uint64_t>;
using cr0_shadow = vmcs_field<0x6004, cr0>;
using cr4_shadow = vmcs_field<0x6006, cr4>;
using exit_qualification = vmcs_field<0x6400, std::uint64_t>;
using guest_cr0 = vmcs_field<0x6800, cr0>;
using guest_cr3 = vmcs_field<0x6802, std::uint64_t>;
using guest_cr4 = vmcs_field<0x6804, cr4>;
using guest_es_base = vmcs_field<0x6806, gva>;
using guest_fs_base = vmcs_field<0x680e, gva>;
using guest_gs_base = vmcs_field<0x6810, gva>;
using guest_tr_base = vmcs_field<0x6814, gva>;
using guest_gdtr_base = vmcs_field<0x6816, gva>;
using guest_idtr_base = vmcs_field<0x6818, gva>;
using guest_dr7 = vmcs_field<0x681a, std::uint64_t>;
using guest_rsp = vmcs_field<0x681c, gva>;
using guest_rip = vmcs_field<0x681e, gva>;
using guest_rflags = vmcs_field<0x6820, rflags>;
using guest_pending_debug = vmcs_field<0x6822, pending_debug>;
using guest_sysenter_esp = vmcs_field<0x6824, std::uint64_t>;
using guest_sysenter_eip = vmcs_field<0x6826, std::uint64_t>;
using host_cr0 = vmcs_field<0x6c00, cr0>;
using host_cr3 = vmcs_field<0x6c02, std::uint64_t>;
using host_cr4 = vmcs_field<0x6c04, cr4>;
using host_fs_base = vmcs_field<0x6c06, std::uint64_t>;
using host_gs_base = vmcs_field<0x6c08, std::uint64_t>;
using host_tr_base = vmcs_field<0x6c0a, std::uint64_t>;
using host_gdtr_base = vmcs_field<0x6c0c, std::uint64_t>;
using host_idtr_base = vmcs_field<0x6c0e, std::uint64_t>;
using host_sysenter_esp = vmcs_field<0x6c10, std::uint64_t>;
using host_sysenter_eip = vmcs_field<0x6c12, std::uint64_t>;
using host_rsp = vmcs_field<0x6c14, std::uint64_t>;
using host_rip = vmcs_field<0x6c16, std::uint64_t>;

}    // namespace hv::vmx
