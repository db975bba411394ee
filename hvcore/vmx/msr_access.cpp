// SPDX-License-Identifier: MIT
// Exits on RDMSR and WRMSR. What the root VM has in some MSRs is in the VMCS, not in the CPU, while
// the core runs.
#include "root/msr_event.hpp"
#include "vmx/exit.hpp"

namespace hv::vmx {

namespace {

template <typename F> bool put(cpu const& c, std::uint64_t value) {
    c.vmcs.write<F>(from_raw<typename F::value_type>(value));
    return true;
}
template <typename F> bool get(cpu const& c, std::uint64_t& value) {
    value = to_raw(c.vmcs.read<F>());
    return true;
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
    switch (index) {
    case msr::ia32_sysenter_cs: return put<guest_sysenter_cs>(*this, value);
    case msr::ia32_sysenter_esp:
        return canonical(gva{value}) && put<guest_sysenter_esp>(*this, value);
    case msr::ia32_sysenter_eip:
        return canonical(gva{value}) && put<guest_sysenter_eip>(*this, value);
    case msr::ia32_fs_base: return canonical(gva{value}) && put<guest_fs_base>(*this, value);
    case msr::ia32_gs_base: return canonical(gva{value}) && put<guest_gs_base>(*this, value);
    case msr::ia32_pat:     return valid_pat(value) && put<guest_pat>(*this, value);
    // DEBUGCTL's bits differ from CPU to CPU: try the value on this one. The exit loaded the core's
    // own.
    case msr::ia32_debugctl: {
        std::uint64_t own = 0;
        if (!insn::rdmsr_safe(index, own) || !insn::wrmsr_safe(index, value)) return false;
        insn::wrmsr(index, own);
        return put<guest_debugctl>(*this, value);
    }
    case msr::ia32_efer: return write_efer(*this, make<efer>(value));
    default:             return insn::wrmsr_safe(index, value);
    }
}

bool cpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
    switch (index) {
    case msr::ia32_sysenter_cs:     return get<guest_sysenter_cs>(*this, value);
    case msr::ia32_sysenter_esp:    return get<guest_sysenter_esp>(*this, value);
    case msr::ia32_sysenter_eip:    return get<guest_sysenter_eip>(*this, value);
    case msr::ia32_fs_base:         return get<guest_fs_base>(*this, value);
    case msr::ia32_gs_base:         return get<guest_gs_base>(*this, value);
    case msr::ia32_pat:             return get<guest_pat>(*this, value);
    case msr::ia32_debugctl:        return get<guest_debugctl>(*this, value);
    case msr::ia32_efer:            return get<guest_efer>(*this, value);
    case msr::ia32_feature_control: value = hidden_feature_control; return true;
    default:                        return insn::rdmsr_safe(index, value);
    }
}

after on_msr_read(cpu& c) { return advance_or_fault(c, hv::read_msr(c)); }
after on_msr_write(cpu& c) { return advance_or_fault(c, hv::write_msr(c)); }

}    // namespace hv::vmx
