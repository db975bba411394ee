// SPDX-License-Identifier: MIT
#pragma once
// Exits on RDMSR and WRMSR: what both backends do alike. A virtual CPU offers read_msr() and
// write_msr(), which know where the root VM's value is while the core runs: in the control block or
// in the CPU.
#include "root/msr_guard.hpp"

namespace hv {

struct msr_access {
    std::uint32_t index;
    bool write;
    std::uint64_t value;    // of a write
    [[nodiscard]] std::uint32_t bits() const {
        return write ? std::uint32_t{HV_ACCESS_WRITE} : std::uint32_t{HV_ACCESS_READ};
    }
};

template <typename Cpu> event as_event(Cpu const& c, msr_access const& a) {
    return {event_kind::msr, a.bits(), a.index, a.value, 0, c.rip().raw};
}

/// What the rules and the built-in list say; denials and what is to be logged leave a record.
template <typename Cpu> msr_decision decide(Cpu& c, msr_access const& a) {
    auto& m = c.machine();
    auto e = as_event(c, a);
    if (a.write && m.rules().watches_msrs()) static_cast<void>(c.read_msr(a.index, e.old_value));
    auto const by = judge(c, e).action;
    if (by == action::deny) return msr_decision::deny;
    if (by == action::keep) return msr_decision::ignore;
    auto const built_in = decide_msr(m.msrs->list(), a.index, a.write);
    // Reads of what is not there are everyday life: the kernel probes. Writes are not.
    if (built_in == msr_decision::deny && a.write)
        record_event(c.common(), HV_RECORD_MSR_DENIED, c.reason(), e, 0);
    return built_in;
}

/// RDMSR: false is #GP(0).
template <typename Cpu> bool read_msr(Cpu& c) {
    auto& r = c.common().gpr;
    msr_access const a{static_cast<std::uint32_t>(r.rcx), false, 0};
    std::uint64_t value = 0;
    auto const how = decide(c, a);
    if (how == msr_decision::deny) return false;
    if (how != msr_decision::ignore && !c.read_msr(a.index, value)) return false;
    r.rax = static_cast<std::uint32_t>(value);
    r.rdx = value >> 32;
    return true;
}

/// WRMSR: false is #GP(0).
template <typename Cpu> bool write_msr(Cpu& c) {
    auto const& r = c.common().gpr;
    msr_access const a{static_cast<std::uint32_t>(r.rcx), true,
                       static_cast<std::uint32_t>(r.rax) | r.rdx << 32};
    switch (decide(c, a)) {
    case msr_decision::ignore: return true;
    case msr_decision::deny:   return false;
    case msr_decision::pass:   return c.write_msr(a.index, a.value);
    case msr_decision::guard:  break;
    }
    if (write_guarded(c.machine(), c, a.index, a.value) == guarded::write) return true;
    auto const kind = is_mtrr(a.index) ? HV_RECORD_MTRR_DENIED : HV_RECORD_MSR_DENIED;
    record_event(c.common(), kind, c.reason(), as_event(c, a), 0);
    return false;
}

constexpr bool valid_pat(std::uint64_t value) {    // SDM 3A 12.12.2 "IA32_PAT MSR"
    for (unsigned i = 0; i < 8; ++i) {
        auto const type = value >> 8 * i & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

/// Whether a CPU takes the value, for MSRs of the root VM that a control block may have: addresses
/// are canonical. Of EFER, see below.
constexpr bool takes_msr(std::uint32_t index, std::uint64_t value) {
    if (index == msr::ia32_pat) return valid_pat(value);
    for (auto const address :
         {msr::ia32_sysenter_esp, msr::ia32_sysenter_eip, msr::ia32_lstar, msr::ia32_cstar,
          msr::ia32_fs_base, msr::ia32_gs_base, msr::ia32_kernel_gs_base})
        if (index == address) return canonical(gva{value});
    return true;
}

/// Whether a CPU takes the value for EFER, as far as the mode it is in goes: LME does not change
/// while paging is on. LMA is not written.
constexpr bool takes_efer(efer wanted, efer now, cr0 now0, std::uint64_t known) {
    if ((wanted.raw & ~known) != 0) return false;
    return !now0.get<cr0::pg>() || wanted.get<efer::lme>() == now.get<efer::lme>();
}

}    // namespace hv
