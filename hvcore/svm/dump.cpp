// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"

namespace hv::svm {

/// The state of this CPU as `hvctl dump` shows it; for the controls, the words of intercepts.
void cpu::dump(hv_cpu_dump& out) const {
    auto const& s = block->save;
    auto const& v = block->control;
    begin_dump(base, s.rsp, out);
    // The members of hv_cpu_dump in their order; 0: VMX's alone.
    std::uint64_t const all[] = {s.rip,
                                 s.rflags,
                                 s.cr0,
                                 s.cr3,
                                 s.cr4,
                                 s.efer,
                                 0,
                                 0,
                                 0,
                                 0,
                                 v.exit_code,
                                 v.exit_info_1,
                                 v.exit_info_2,
                                 v.cr_intercepts,
                                 v.intercepts_1,
                                 v.intercepts_2,
                                 v.exception_intercepts,
                                 0,
                                 v.nested_cr3,
                                 v.interrupt_shadow | std::uint64_t{nmi_masked} << 3,
                                 0,
                                 s.cs.selector,
                                 s.ss.selector,
                                 s.tr.selector,
                                 s.gdtr.base,
                                 s.idtr.base,
                                 s.fs.base,
                                 s.gs.base};
    auto* to = &out.rip;
    for (auto const each : all) *to++ = each;
}

}    // namespace hv::svm
