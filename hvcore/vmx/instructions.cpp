// SPDX-License-Identifier: MIT
// Exits on instructions that Linux may execute.
#include "call/dispatch.hpp"
#include "vcpu/cpuid_filter.hpp"
#include "vcpu/xcr0.hpp"
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
    r.rax = answer.eax;
    r.rbx = answer.ebx;
    r.rcx = answer.ecx;
    r.rdx = answer.edx;
    return after::advance;
}

after on_vmcall(cpu& c) { return answer_call(c); }
after on_vmx_instruction(cpu& c) { return deny_instruction(c); }    // and GETSEC
after on_invd(cpu&) { return answer_invd(); }

after on_xsetbv(cpu& c) {
    auto const& r = c.base.gpr;
    auto const low = static_cast<std::uint32_t>(r.rax);
    auto const value = make<xcr0>(low | r.rdx << 32);
    auto const leaf = insn::cpuid(0xd, 0);
    auto const supported = make<xcr0>(leaf.eax | std::uint64_t{leaf.edx} << 32);
    auto const index = static_cast<std::uint32_t>(r.rcx);
    bool const sound = index == 0 && valid_xcr0(value, supported);
    return advance_or_fault(c, sound && insn::xsetbv_safe(0, value.raw));
}

}    // namespace hv::vmx
