// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"

namespace hv::vmx {

/// The state of this CPU as `hvctl dump` shows it.
void cpu::dump(hv_cpu_dump& out) const {
    begin_dump(base, vmcs.read<guest_rsp>().raw, out);
    out.rip = rip().raw;
    out.rflags = vmcs.read<guest_rflags>().raw;
    out.cr0 = vmcs.read<guest_cr0>().raw;
    out.cr3 = vmcs.read<guest_cr3>();
    out.cr4 = vmcs.read<guest_cr4>().raw;
    out.efer = vmcs.read<guest_efer>().raw;
    out.cr0_shadow = vmcs.read<cr0_shadow>().raw;
    out.cr0_mask = vmcs.read<cr0_mask>();
    out.cr4_shadow = vmcs.read<cr4_shadow>().raw;
    out.cr4_mask = vmcs.read<cr4_mask>();
    out.exit_reason = vmcs.read<exit_reason_field>();
    out.exit_qualification = vmcs.read<exit_qualification>();
    out.guest_physical_address = vmcs.read<guest_physical_address>().raw;
    out.pin_controls = vmcs.read<pin_controls>();
    out.processor_controls = vmcs.read<processor_controls>();
    out.secondary_controls = vmcs.read<secondary_controls>();
    out.exit_controls = vmcs.read<exit_controls>();
    out.entry_controls = vmcs.read<entry_controls>();
    out.ept_pointer = vmcs.read<ept_pointer_field>().raw;
    out.interruptibility = vmcs.read<guest_interruptibility>();
    out.activity = vmcs.read<guest_activity>();
    out.cs_selector = vmcs.read<guest_cs_selector>();
    out.ss_selector = vmcs.read<guest_ss_selector>();
    out.tr_selector = vmcs.read<guest_tr_selector>();
    out.gdtr_base = vmcs.read<guest_gdtr_base>().raw;
    out.idtr_base = vmcs.read<guest_idtr_base>().raw;
    out.fs_base = vmcs.read<guest_fs_base>().raw;
    out.gs_base = vmcs.read<guest_gs_base>().raw;
}

}    // namespace hv::vmx
