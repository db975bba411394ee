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

/// Where the VMCB has the MSR; nullptr: it is in the CPU.
std::uint64_t* place_of(save_area& s, std::uint32_t index) {
    switch (index) {
    case msr::ia32_sysenter_cs:    return &s.sysenter_cs;
    case msr::ia32_sysenter_esp:   return &s.sysenter_esp;
    case msr::ia32_sysenter_eip:   return &s.sysenter_eip;
    case msr::ia32_star:           return &s.star;
    case msr::ia32_lstar:          return &s.lstar;
    case msr::ia32_cstar:          return &s.cstar;
    case msr::ia32_fmask:          return &s.sfmask;
    case msr::ia32_fs_base:        return &s.fs.base;
    case msr::ia32_gs_base:        return &s.gs.base;
    case msr::ia32_kernel_gs_base: return &s.kernel_gs_base;
    case msr::ia32_pat:            return &s.pat;
    case msr::ia32_efer:           return &s.efer;
    default:                       return nullptr;
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
    if (index == msr::ia32_efer) return write_efer(block->save, make<efer>(value));
    if (!takes_msr(index, value)) return false;
    auto* const at = place_of(block->save, index);
    if (at == nullptr) return insn::wrmsr_safe(index, value);
    *at = value;
    return true;
}

bool cpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
    auto const* const at = place_of(block->save, index);
    if (at == nullptr && index != msr::vm_cr) return insn::rdmsr_safe(index, value);
    value = at != nullptr ? *at : hidden_vm_cr;
    return true;
}

after on_msr(cpu& c) {
    bool const write = c.block->control.exit_info_1 == 1;
    return advance_or_fault(c, write ? hv::write_msr(c) : hv::read_msr(c));
}

}    // namespace hv::svm
