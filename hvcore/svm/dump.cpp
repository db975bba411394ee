// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"

namespace hv::svm {

/// The state of this CPU as `hvctl dump` shows it; for the controls, the words of intercepts.
void cpu::dump(hv_cpu_dump& out) const {
    auto const& s = block->save;
    auto const& v = block->control;
    begin_dump(base, s.rsp, out);
    out.rip = s.rip;
    out.rflags = s.rflags;
    out.cr0 = s.cr0;
    out.cr3 = s.cr3;
    out.cr4 = s.cr4;
    out.efer = s.efer;
    out.exit_reason = v.exit_code;
    out.exit_qualification = v.exit_info_1;
    out.guest_physical_address = v.exit_info_2;
    out.pin_controls = v.cr_intercepts;
    out.processor_controls = v.intercepts_1;
    out.secondary_controls = v.intercepts_2;
    out.exit_controls = v.exception_intercepts;
    out.ept_pointer = v.nested_cr3;
    out.interruptibility = v.interrupt_shadow | std::uint64_t{nmi_masked} << 3;
    out.cs_selector = s.cs.selector;
    out.ss_selector = s.ss.selector;
    out.tr_selector = s.tr.selector;
    out.gdtr_base = s.gdtr.base;
    out.idtr_base = s.idtr.base;
    out.fs_base = s.fs.base;
    out.gs_base = s.gs.base;
}

}    // namespace hv::svm
