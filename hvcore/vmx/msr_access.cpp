// SPDX-License-Identifier: MIT
// Exits on RDMSR and WRMSR. What the root VM has in some MSRs is in the VMCS, not in the CPU, while
// the core runs.
#include "root/msr_event.hpp"
#include "vmx/exit.hpp"

namespace hv::vmx {

namespace {

/// Visit the field of the VMCS that has the MSR. False: it is in the CPU.
template <typename Visit> bool visit_field(std::uint32_t index, Visit const& visit) {
    switch (index) {
    case msr::ia32_sysenter_cs:  visit(guest_sysenter_cs{}); return true;
    case msr::ia32_sysenter_esp: visit(guest_sysenter_esp{}); return true;
    case msr::ia32_sysenter_eip: visit(guest_sysenter_eip{}); return true;
    case msr::ia32_fs_base:      visit(guest_fs_base{}); return true;
    case msr::ia32_gs_base:      visit(guest_gs_base{}); return true;
    case msr::ia32_pat:          visit(guest_pat{}); return true;
    case msr::ia32_debugctl:     visit(guest_debugctl{}); return true;
    case msr::ia32_efer:         visit(guest_efer{}); return true;
    default:                     return false;
    }
}

/// Locked, and VMX neither inside nor outside SMX: a CPU on which firmware has switched VMX off.
constexpr auto hidden_feature_control =
    msr::feature_control{}.with<msr::feature_control::locked>(true).raw;

bool write_efer(cpu const& c, efer wanted) {
    auto const now = c.vmcs.read<guest_efer>();
    constexpr auto known = efer::sce::mask | efer::lme::mask | efer::lma::mask | efer::nxe::mask;
    if (!takes_efer(wanted, now, c.vmcs.read<guest_cr0>(), known)) return false;
    c.vmcs.write<guest_efer>(wanted.with<efer::lma>(now.get<efer::lma>()));
    return true;
}

}    // namespace

bool cpu::write_msr(std::uint32_t index, std::uint64_t value) const {
    if (index == msr::ia32_efer) return write_efer(*this, make<efer>(value));
    if (!takes_msr(index, value)) return false;
    // DEBUGCTL's bits differ from CPU to CPU: try the value on this one. The exit loaded the core's
    // own.
    if (index == msr::ia32_debugctl) {
        std::uint64_t own = 0;
        if (!insn::rdmsr_safe(index, own) || !insn::wrmsr_safe(index, value)) return false;
        insn::wrmsr(index, own);
    }
    auto const put = [&]<typename F>(F) { vmcs.write<F>(from_raw<typename F::value_type>(value)); };
    return visit_field(index, put) || insn::wrmsr_safe(index, value);
}

bool cpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
    if (index == msr::ia32_feature_control) {
        value = hidden_feature_control;
        return true;
    }
    auto const get = [&]<typename F>(F) { value = to_raw(vmcs.read<F>()); };
    return visit_field(index, get) || insn::rdmsr_safe(index, value);
}

after on_msr_read(cpu& c) { return advance_or_fault(c, hv::read_msr(c)); }
after on_msr_write(cpu& c) { return advance_or_fault(c, hv::write_msr(c)); }

}    // namespace hv::vmx
