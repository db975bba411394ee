// SPDX-License-Identifier: MIT
// Into a guest and out again: which VMCS is current, and whose registers are in the CPU.
#include "root/shoot_down.hpp"
#include "vmx/entry.hpp"
#include "vmx/guest.hpp"

namespace hv::vmx {

namespace {

constexpr std::uint32_t never_ran = ~0u;

/// The VMCS is this CPU's from here to leave_guest(), which clears it: so it can go on anywhere.
void make_current(cpu& c, guest_vcpu& v) {
    if (!v.built) {
        *reinterpret_cast<std::uint32_t*>(v.block.raw) = static_cast<std::uint32_t>(
            make<basic>(insn::rdmsr(msr::ia32_vmx_basic)).get<basic::revision>());
        HV_ASSERT(insn::vmclear(v.block_at));
    }
    HV_ASSERT(insn::vmptrld(v.block_at));
    v.launched = 0;
    if (!v.built) {
        v.tag = 2 + v.slot;    // the root VM has 1
        build_guest(c, v);
    }
    bool const moved = v.last_cpu != c.base.number;
    if (moved || !v.built) settle_guest(c);
    // What this CPU may remember of the guest is as old as its last run here.
    if (moved && v.last_cpu != never_ran) HV_ASSERT(insn::invvpid(invalidate_all_contexts, 0));
    v.last_cpu = c.base.number;
    v.built = true;
}

void make_root_current(cpu const& c, guest_vcpu const& v) {
    HV_ASSERT(insn::vmclear(v.block_at));
    HV_ASSERT(insn::vmptrld(c.control_at));
}

void write_event(cpu const& c, hv_event e) {
    c.vmcs.write<entry_event>(e.event);
    if ((e.event & event_valid) == 0) return;
    c.vmcs.write<entry_event_error>(e.error);
    c.wake();
}

/// What blocks events: Linux may have emulated the instruction behind STI or MOV SS, or may restore
/// a vcpu whose NMI handler runs.
void write_blocking(cpu const& c, std::uint32_t state) {
    auto s = make<interruptibility>(c.vmcs.read<guest_interruptibility>());
    s = s.with<interruptibility::nmi>((state & HV_VCPU_NMI_BLOCKED) != 0);
    if ((state & HV_VCPU_SHADOW) == 0) s.raw &= ~interruptibility::shadow;
    c.vmcs.write<guest_interruptibility>(static_cast<std::uint32_t>(s.raw));
}

void write_windows(cpu& c, std::uint32_t flags) {
    c.close_windows();
    if ((flags & HV_RUN_WINDOW) != 0)
        c.set_processor_control(processor::interrupt_window::mask, true);
    if ((flags & HV_RUN_NMI_WINDOW) != 0)
        c.set_processor_control(processor::nmi_window::mask, true);
}

/// What the exchange area says, copied once, into VMCS and vcpu.
status take_exchange(cpu& c, guest_vcpu& v) {
    auto& x = *v.exchange;
    auto const flags = x.flags;
    hv_event const wanted = x.event;
    v.injected = HV_TRY(choose_event(v, flags, x.state, wanted));
    if ((flags & HV_RUN_SYSTEM) != 0) {
        hv_vcpu_system const s = x.system;
        HV_TRY(write_system(c, v, s));
    }
    take_list(v, flags);
    take_registers(v);
    c.vmcs.write<guest_rsp>(gva{x.gpr[rsp_number]});
    c.vmcs.write<guest_rip>(gva{x.rip});
    c.vmcs.write<guest_rflags>(make<rflags>(sound_rflags(x.rflags)));
    write_blocking(c, x.state);
    write_event(c, v.injected);
    write_windows(c, flags);
    v.flags = flags;
    x.flags = 0;
    return done;
}

}    // namespace

status cpu::enter_guest(guest_vcpu& v) {
    guest = &v;
    v.on = &base;
    make_current(*this, v);
    if (auto const taken = take_exchange(*this, v); !taken) {
        make_root_current(*this, v);
        guest = nullptr;
        return taken.error();
    }
    if (own_controls.time_slices) vmcs.write<preemption_timer_value>(guest_slice);
    exchange_outside(outside, v.outside, has);
    exchange_call_msrs(outside, v.outside);
    return done;
}

void cpu::leave_guest(guest_exit const& e) {
    auto& v = *guest;
    exchange_call_msrs(v.outside, outside);
    exchange_outside(v.outside, outside, has);
    auto& x = *v.exchange;
    give_registers(v);
    give_exit(v, e);
    x.gpr[rsp_number] = vmcs.read<guest_rsp>().raw;
    x.rip = vmcs.read<guest_rip>().raw;
    x.rflags = vmcs.read<guest_rflags>().raw;
    auto const blocked = make<interruptibility>(vmcs.read<guest_interruptibility>());
    bool const shadow = (blocked.raw & interruptibility::shadow) != 0;
    bool const enabled = make<rflags>(x.rflags).get<rflags::interrupt_flag>();
    x.state = state_of(v, enabled, shadow, blocked.get<interruptibility::nmi>());
    make_root_current(*this, v);
    guest = nullptr;
    owner->guests.give(v);
}

void cpu::read_guest(guest_vcpu& v) {
    guest = &v;
    v.on = &base;
    make_current(*this, v);
    read_system(*this, v, v.exchange->system);
    make_root_current(*this, v);
    guest = nullptr;
}

}    // namespace hv::vmx
