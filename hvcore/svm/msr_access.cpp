// SPDX-License-Identifier: MIT
// Exits on RDMSR and WRMSR. What the root VM has in some MSRs is in the VMCB, not in the CPU, while
// the core runs: those that VMRUN switches, and those that VMSAVE has put there.
#include "root/msr_event.hpp"
#include "svm/exit.hpp"

namespace hv::svm {

namespace {

/// What a CPU says on which firmware has switched SVM off.
constexpr auto hidden_vm_cr = msr::vm_control{}
                                  .with<msr::vm_control::lock>(true)
                                  .with<msr::vm_control::svm_disable>(true)
                                  .raw;

/// Where the VMCB has the MSR; nothing: it is in the CPU. Addresses must be canonical.
struct place {
    std::uint64_t* value{};
    bool address{};
};
place place_of(save_area& s, std::uint32_t index) {
    switch (index) {
    case msr::ia32_sysenter_cs:    return {&s.sysenter_cs, false};
    case msr::ia32_sysenter_esp:   return {&s.sysenter_esp, true};
    case msr::ia32_sysenter_eip:   return {&s.sysenter_eip, true};
    case msr::ia32_star:           return {&s.star, false};
    case msr::ia32_lstar:          return {&s.lstar, true};
    case msr::ia32_cstar:          return {&s.cstar, true};
    case msr::ia32_fmask:          return {&s.sfmask, false};
    case msr::ia32_fs_base:        return {&s.fs.base, true};
    case msr::ia32_gs_base:        return {&s.gs.base, true};
    case msr::ia32_kernel_gs_base: return {&s.kernel_gs_base, true};
    default:                       return {};
    }
}

/// Bits that some AMD CPU has: SCE, LME, LMA, NXE, SVME, LMSLE, FFXSR, TCE, MCOMMIT, INTWB, UAIE,
/// AIBRSE. APM 2 3.1.7 "Extended Feature Enable Register (EFER)".
constexpr std::uint64_t efer_bits = 0x36fd01;

/// Which of them this CPU has shows by trying; SVME is the core's, and seen as set.
bool write_efer(save_area& s, efer wanted) {
    auto const now = make<efer>(s.efer);
    if (!takes_efer(wanted, now, make<cr0>(s.cr0), efer_bits)) return false;
    auto const own = insn::rdmsr(efer::msr);
    auto const mine = wanted.with<efer::svme>(true).with<efer::lme>(true).with<efer::lma>(true);
    if (!insn::wrmsr_safe(efer::msr, mine.with<efer::nxe>(true).raw)) return false;
    insn::wrmsr(efer::msr, own);
    s.efer = wanted.with<efer::svme>(true).with<efer::lma>(now.get<efer::lma>()).raw;
    return true;
}

}    // namespace

bool cpu::write_msr(std::uint32_t index, std::uint64_t value) {
    auto& s = block->save;
    if (index == msr::ia32_efer) return write_efer(s, make<efer>(value));
    if (index == msr::ia32_pat) {
        if (valid_pat(value)) s.pat = value;
        return valid_pat(value);
    }
    auto const at = place_of(s, index);
    if (at.value == nullptr) return insn::wrmsr_safe(index, value);
    if (at.address && !canonical(gva{value})) return false;
    *at.value = value;
    return true;
}

bool cpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
    auto& s = block->save;
    auto const at = place_of(s, index);
    if (at.value != nullptr) value = *at.value;
    switch (index) {
    case msr::ia32_efer: value = s.efer; return true;
    case msr::ia32_pat:  value = s.pat; return true;
    case msr::vm_cr:     value = hidden_vm_cr; return true;
    default:             return at.value != nullptr || insn::rdmsr_safe(index, value);
    }
}

after on_msr(cpu& c) {
    bool const write = c.block->control.exit_info_1 == 1;
    return advance_or_fault(c, write ? hv::write_msr(c) : hv::read_msr(c));
}

}    // namespace hv::svm
