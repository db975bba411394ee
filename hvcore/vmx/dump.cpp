// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"

namespace hv::vmx {

namespace {
template <typename... Fields> void read_all(current_vmcs const& v, std::uint64_t* to) {
    ((*to++ = to_raw(v.read<Fields>())), ...);
}
}    // namespace

/// The state of this CPU as `hvctl dump` shows it.
void cpu::dump(hv_cpu_dump& out) const {
    begin_dump(base, vmcs.read<guest_rsp>().raw, out);
    // The members of hv_cpu_dump in their order.
    read_all<guest_rip, guest_rflags, guest_cr0, guest_cr3, guest_cr4, guest_efer, cr0_shadow,
             cr0_mask, cr4_shadow, cr4_mask, exit_reason_field, exit_qualification,
             guest_physical_address, pin_controls, processor_controls, secondary_controls,
             exit_controls, entry_controls, ept_pointer_field, guest_interruptibility,
             guest_activity, guest_cs_selector, guest_ss_selector, guest_tr_selector,
             guest_gdtr_base, guest_idtr_base, guest_fs_base, guest_gs_base>(vmcs, &out.rip);
}

}    // namespace hv::vmx
