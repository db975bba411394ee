// SPDX-License-Identifier: MIT
// Exits on instructions that Linux may execute, as far as VMX alone has them or its fields tell.
#include "root/instruction_event.hpp"
#include "vcpu/cpuid_filter.hpp"
#include "vmx/exit.hpp"

namespace hv::vmx {

after on_cpuid(cpu& c) {
    auto& r = c.base.gpr;
    auto const leaf = static_cast<std::uint32_t>(r.rax);
    auto const subleaf = static_cast<std::uint32_t>(r.rcx);
    auto answer = insn::cpuid(leaf, subleaf);
    if (cpuid_is_filtered(leaf)) [[unlikely]] {
        bool const show_vmx = c.owner->offered.load() != 0 && c.privilege() == 3;
        answer = filter_cpuid(leaf, subleaf, answer, c.vmcs.read<guest_cr4>(), show_vmx);
    }
    hide_cpuid(c, leaf, subleaf, answer);
    r.take(answer);
    return after::advance;
}

}    // namespace hv::vmx
