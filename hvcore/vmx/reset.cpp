// SPDX-License-Identifier: MIT
// What INIT and SIPI do to a CPU. SDM 3A 10.1.1 "Processor State After Reset", table 10-1, column
// INIT.
#include "vmx/cpu.hpp"

namespace hv::vmx {

namespace {
constexpr std::uint32_t real_code = 0x9b, real_data = 0x93, real_ldt = 0x82, real_task = 0x8b;
constexpr std::uint64_t kept_by_init = cr0::nw::mask | cr0::cd::mask;    // of CR0

constexpr std::uint32_t access_of(unsigned i) {
    if (i == cs_segment) return real_code;
    return i == ldtr_segment ? real_ldt : i == tr_segment ? real_task : real_data;
}

void reset_segments(current_vmcs const& v) {
    for (unsigned i = 0; i < segments; ++i) {
        segment s{.limit = 0xffff, .access = access_of(i)};
        if (i == cs_segment) s = {0xf000, 0xffff, access_of(i), gva{0xffff0000}};
        v.write_segment(i, s);
    }
}
}    // namespace

void cpu::reset_by_init() {
    reset_segments(vmcs);
    set_held(with_tables(held_now(), {0xffff, 0}, {0xffff, 0}));
    auto r0 = control_register(0);
    r0.shadow = cr0::et::mask | (r0.seen() & kept_by_init);
    r0.real = cr0::et::mask | cr0::ne::mask | (r0.real & kept_by_init);
    set_control_register(0, r0);
    auto r4 = control_register(4);
    r4.shadow = 0;
    r4.real = cr4::vmxe::mask;
    set_control_register(4, r4);
    vmcs.write<guest_cr3>(0);
    vmcs.write<guest_efer>(efer{});
    vmcs.write<entry_controls>(vmcs.read<entry_controls>() &
                               ~static_cast<std::uint32_t>(entry_control::ia32e::mask));
    vmcs.write<guest_rip>(gva{0xfff0});
    vmcs.write<guest_rsp>(gva{});
    vmcs.write<guest_rflags>(rflags{}.with<rflags::fixed_1>(true));
    vmcs.write<guest_dr7>(0x400);
    vmcs.write<guest_interruptibility>(0);
    vmcs.write<guest_pending_debug>(pending_debug{});
    vmcs.write<entry_event>(0);
    base.gpr = {};
    base.gpr.rdx = insn::cpuid(1, 0).eax;    // family, model, stepping
    base.nmi_waits = false;
    close_windows();
    vmcs.write<guest_activity>(std::uint32_t(activity::wait_for_sipi));
    HV_ASSERT(insn::invvpid(invalidate_all_contexts, 0));
}

void cpu::start_by_sipi(std::uint8_t vector) {
    vmcs.write<guest_cs_selector>(static_cast<std::uint16_t>(vector << 8));
    vmcs.write_at<guest_es_base>(cs_segment, std::uint64_t{vector} << 12);
    vmcs.write<guest_rip>(gva{});
    vmcs.write<guest_interruptibility>(0);    // Bochs saves the blocking of SMIs while it waits
    vmcs.write<guest_activity>(std::uint32_t(activity::active));
    base.state.store(cpu_state::running);
    synchronise();    // whatever was shot down while nothing ran here
    if (base.nmi_waits) deliver_nmi();
}

}    // namespace hv::vmx
