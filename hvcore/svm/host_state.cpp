// SPDX-License-Identifier: MIT
// The controls, and what the core itself runs with. APM 2 15.5 "VMRUN Instruction", 15.9
// "Instruction Intercepts".
#include "svm/launch.hpp"

namespace hv::svm {

namespace {
constexpr std::uint32_t root_asid = 1;

/// The core's CR4: no PCIDs, no global pages, no rights that depend on user pages, XSETBV possible.
constexpr std::uint64_t core_cr4(bool xsave) {
    return cr4::pae::mask | cr4::mce::mask | (xsave ? cr4::osxsave::mask : 0);
}
constexpr std::uint64_t core_cr0 = cr0::pe::mask | cr0::mp::mask | cr0::et::mask | cr0::ne::mask |
                                   cr0::wp::mask | cr0::pg::mask;
constexpr exit_code caught[] = {exit_code::nmi,     exit_code::init, exit_code::invd,
                                exit_code::invlpga, exit_code::msr,  exit_code::shutdown,
                                exit_code::vmmcall};
}    // namespace

/// No CPUID: its answers are the CPU's own, and SVM looks like switched off (docs/architecture.md).
void write_controls(cpu& c) {
    auto& v = c.block->control;
    auto const& m = c.machine();
    v = {};
    set_intercepts(*c.block, caught);
    v.msr_map = m.msrs_at.raw;
    v.io_map = m.ports_at.raw;
    v.asid = root_asid;
    v.tlb = tlb_control::flush_all;    // left over from a hoist before this one: same ASID
    v.nested_paging = 1;
    v.nested_cr3 = m.stage.root().raw;
    c.step = {};
    c.nmi_masked = false;
    c.flush_next = false;
    c.second_try = false;
    c.base.gpr = {};
}

}    // namespace hv::svm

/// From hv_svm_launch, on the core's stack: what the core runs with between #VMEXIT and VMRUN,
/// which VMRUN saves in the host save area, and VMSAVE beside it.
extern "C" void hv_svm_take_host_state(hv::svm::cpu& c) {
    using namespace hv;
    using namespace hv::svm;
    using c1 = cpuid::leaf_1_ecx;
    insn::clgi();
    insn::write_cr3(c.owner->space.root().raw);
    insn::write_cr4(core_cr4(make<c1>(insn::cpuid(1, 0).ecx).get<c1::xsave>()));
    insn::write_cr0(core_cr0);
    auto const own = efer{}.with<efer::lme>(true).with<efer::lma>(true).with<efer::nxe>(true);
    insn::wrmsr(efer::msr, own.with<efer::svme>(true).raw);
    insn::lgdt({sizeof(core_gdt) - 1, reinterpret_cast<std::uint64_t>(&c.base.gdt)});
    insn::lidt({sizeof c.owner->idt - 1, reinterpret_cast<std::uint64_t>(c.owner->idt.begin())});
    insn::load_segments(core_selector::code, core_selector::data);
    insn::ltr(core_selector::task);
    insn::wrmsr(msr::ia32_fs_base, 0);
    insn::wrmsr(msr::ia32_gs_base, reinterpret_cast<std::uint64_t>(&c));    // for the trap handlers
    insn::vmsave(c.host_at);
}
