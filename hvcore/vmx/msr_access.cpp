// SPDX-License-Identifier: MIT
// Exits on RDMSR and WRMSR.
#include "root/msr_guard.hpp"
#include "vmx/exit.hpp"

namespace hv::vmx {

namespace {

struct msr_access {
    std::uint32_t index;
    bool write;
    std::uint64_t value;    // of a write
    [[nodiscard]] std::uint32_t bits() const {
        return write ? std::uint32_t{HV_ACCESS_WRITE} : std::uint32_t{HV_ACCESS_READ};
    }
};

void record_msr(cpu& c, msr_access const& a, verdict by) {
    c.base.records.append({.tsc = insn::rdtsc(),
                           .kind = record_kind(event_kind::msr, by.action),
                           .reason = static_cast<std::uint16_t>(c.vmcs.read<exit_reason_field>()),
                           .rule = by.rule,
                           .access = a.bits(),
                           .rip = c.rip().raw,
                           .address = a.index,
                           .value = a.value});
}

/// What the rules and the built-in table say; denials and what is to be logged leave a record.
msr_decision decide(cpu& c, msr_access const& a) {
    auto const by = c.machine().rules().decide({event_kind::msr, a.bits(), a.index, a.value, 0});
    if (by.action != action::allow) record_msr(c, a, by);
    if (by.action == action::deny) return msr_decision::deny;
    auto const built_in = decide_msr(a.index, a.write);
    // Reads of what is not there are everyday life: the kernel probes. Writes are not.
    if (built_in == msr_decision::deny && a.write) record_msr(c, a, {action::deny, 0});
    return built_in;
}

after fault(cpu& c) {
    c.inject(general_protection);
    return after::resume;
}

// What the root VM has in these MSRs is in the VMCS, not in the CPU, while the core runs.
template <typename F> bool put(cpu const& c, std::uint64_t value) {
    c.vmcs.write<F>(from_raw<typename F::value_type>(value));
    return true;
}
template <typename F> bool get(cpu const& c, std::uint64_t& value) {
    value = to_raw(c.vmcs.read<F>());
    return true;
}

constexpr bool canonical(std::uint64_t a) { return a + (1ull << 47) < 1ull << 48; }

constexpr bool valid_pat(std::uint64_t value) {    // SDM 3A 12.12.2 "IA32_PAT MSR"
    for (unsigned i = 0; i < 8; ++i) {
        auto const type = value >> 8 * i & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

/// Locked, and VMX neither inside nor outside SMX: a CPU on which firmware has switched VMX off.
constexpr auto hidden_feature_control =
    msr::feature_control{}.with<msr::feature_control::locked>(true).raw;

/// EFER as the CPU would take it: LMA is not written, LME does not change while paging is on.
bool write_efer(cpu& c, efer wanted) {
    auto const now = c.vmcs.read<guest_efer>();
    constexpr auto known = efer::sce::mask | efer::lme::mask | efer::lma::mask | efer::nxe::mask;
    if ((wanted.raw & ~known) != 0) return false;
    bool const paging = c.vmcs.read<guest_cr0>().get<cr0::pg>();
    if (paging && wanted.get<efer::lme>() != now.get<efer::lme>()) return false;
    c.vmcs.write<guest_efer>(wanted.with<efer::lma>(now.get<efer::lma>()));
    return true;
}

bool write_msr(cpu& c, std::uint32_t index, std::uint64_t value) {
    switch (index) {
    case msr::ia32_sysenter_cs:  return put<guest_sysenter_cs>(c, value);
    case msr::ia32_sysenter_esp: return canonical(value) && put<guest_sysenter_esp>(c, value);
    case msr::ia32_sysenter_eip: return canonical(value) && put<guest_sysenter_eip>(c, value);
    case msr::ia32_fs_base:      return canonical(value) && put<guest_fs_base>(c, value);
    case msr::ia32_gs_base:      return canonical(value) && put<guest_gs_base>(c, value);
    case msr::ia32_pat:          return valid_pat(value) && put<guest_pat>(c, value);
    // DEBUGCTL's bits differ from CPU to CPU: try the value on this one. The exit loaded the core's
    // own.
    case msr::ia32_debugctl: {
        std::uint64_t own = 0;
        if (!insn::rdmsr_safe(index, own) || !insn::wrmsr_safe(index, value)) return false;
        insn::wrmsr(index, own);
        return put<guest_debugctl>(c, value);
    }
    case msr::ia32_efer: return write_efer(c, make<efer>(value));
    default:             return insn::wrmsr_safe(index, value);
    }
}

bool read_msr(cpu const& c, std::uint32_t index, std::uint64_t& value) {
    switch (index) {
    case msr::ia32_sysenter_cs:     return get<guest_sysenter_cs>(c, value);
    case msr::ia32_sysenter_esp:    return get<guest_sysenter_esp>(c, value);
    case msr::ia32_sysenter_eip:    return get<guest_sysenter_eip>(c, value);
    case msr::ia32_fs_base:         return get<guest_fs_base>(c, value);
    case msr::ia32_gs_base:         return get<guest_gs_base>(c, value);
    case msr::ia32_pat:             return get<guest_pat>(c, value);
    case msr::ia32_debugctl:        return get<guest_debugctl>(c, value);
    case msr::ia32_efer:            return get<guest_efer>(c, value);
    case msr::ia32_feature_control: value = hidden_feature_control; return true;
    default:                        return insn::rdmsr_safe(index, value);
    }
}

}    // namespace

after on_msr_read(cpu& c) {
    auto& r = c.base.gpr;
    msr_access const a{static_cast<std::uint32_t>(r.rcx), false, 0};
    std::uint64_t value = 0;
    auto const how = decide(c, a);
    if (how == msr_decision::deny) return fault(c);
    if (how != msr_decision::ignore && !read_msr(c, a.index, value)) return fault(c);
    r.rax = static_cast<std::uint32_t>(value);
    r.rdx = value >> 32;
    return after::advance;
}

after on_msr_write(cpu& c) {
    auto const& r = c.base.gpr;
    msr_access const a{static_cast<std::uint32_t>(r.rcx), true,
                       static_cast<std::uint32_t>(r.rax) | r.rdx << 32};
    switch (decide(c, a)) {
    case msr_decision::ignore: return after::advance;
    case msr_decision::deny:   return fault(c);
    case msr_decision::pass:   return write_msr(c, a.index, a.value) ? after::advance : fault(c);
    case msr_decision::guard:  break;
    }
    if (write_guarded(c.machine(), c, a.index, a.value) == guarded::write) return after::advance;
    if (is_mtrr(a.index))
        c.record(HV_RECORD_MTRR_DENIED, a.index, a.value);
    else
        record_msr(c, a, {action::deny, 0});
    return fault(c);
}

}    // namespace hv::vmx
