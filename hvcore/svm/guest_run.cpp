// SPDX-License-Identifier: MIT
// Into a guest and out again.
#include "svm/guest.hpp"

namespace hv::svm {

namespace {

constexpr std::uint64_t shadow = 1;    // control_area::interrupt_shadow

/// An external interrupt that the guest takes at once. It goes as a virtual one: QEMU 7.2 may
/// deliver what it finds in EVENTINJ a second time, before the handler has its stack.
bool is_taken_at_once(vmcb const& b) {
    auto const event = make<event_field>(b.control.event);
    return event.get<event_field::valid>() &&
           event.get<event_field::type>() == event_field::interrupt &&
           make<rflags>(b.save.rflags).get<rflags::interrupt_flag>() &&
           (b.control.interrupt_shadow & shadow) == 0;
}

/// The windows that the root VM waits for: a virtual interrupt of the highest priority exits as
/// soon as the guest would take it; IRET ends what blocks NMIs. Masking, without which the guest's
/// IF would keep the root VM's interrupts off, is set each time: an emulated CPU's VMRUN that fails
/// clears it.
void write_windows(vmcb& b, guest_vcpu const& v) {
    bool const window = (v.flags & HV_RUN_WINDOW) != 0;
    bool const as_virtual = !window && is_taken_at_once(b);
    auto const vector = make<event_field>(b.control.event).get<event_field::vector>();
    if (as_virtual) b.control.event = 0;
    b.control.virtual_interrupt = make<virtual_interrupt>(b.control.virtual_interrupt)
                                      .with<virtual_interrupt::pending>(window || as_virtual)
                                      .with<virtual_interrupt::vector>(vector)
                                      .with<virtual_interrupt::priority>(15u)
                                      .with<virtual_interrupt::ignore_tpr>(true)
                                      .with<virtual_interrupt::masking>(true)
                                      .raw;
    set_intercept(b, exit_code::virtual_interrupt, window);
    set_intercept(b, exit_code::iret, v.nmi_masked);
}

/// What the exchange area says, copied once, into VMCB and vcpu.
status take_exchange(cpu const& c, guest_vcpu& v) {
    auto& x = *v.exchange;
    auto& b = block_of(v);
    auto const flags = x.flags;
    hv_event const wanted = x.event;
    v.injected = HV_TRY(choose_event(v, flags, x.state, wanted));
    if ((flags & HV_RUN_SYSTEM) != 0) {
        hv_vcpu_system const s = x.system;
        HV_TRY(write_system(c, v, s));
        b.control.tlb = tlb_control::flush_all;
    }
    take_list(v, flags);
    take_registers(v);
    b.save.rax = v.gpr.rax;
    b.save.rsp = x.gpr[rsp_number];
    b.save.rip = x.rip;
    b.save.rflags = sound_rflags(x.rflags);
    v.nmi_masked = (x.state & HV_VCPU_NMI_BLOCKED) != 0;
    if ((x.state & HV_VCPU_SHADOW) == 0) b.control.interrupt_shadow &= ~shadow;
    auto const event = make<event_field>(v.injected.event);
    b.control.event = event.with<event_field::error>(v.injected.error).raw;
    if (event.get<event_field::valid>() && event.get<event_field::type>() == event_field::nmi)
        v.nmi_masked = true;
    v.flags = flags;
    write_windows(b, v);
    x.flags = 0;
    return done;
}

}    // namespace

status cpu::enter_guest(guest_vcpu& v) {
    auto& b = block_of(v);
    if (!v.built) build_guest(*this, v);
    // All guests share an ASID: what it holds is of the one that ran last here.
    bool const others = last_guest != v.number || v.last_cpu != base.number;
    b.control.tlb = others ? tlb_control::flush_all : tlb_control::nothing;
    v.built = true;
    guest = &v;
    v.on = &base;
    if (auto const taken = take_exchange(*this, v); !taken) {
        guest = nullptr;
        return taken.error();
    }
    v.last_cpu = base.number;
    last_guest = v.number;
    exchange_outside(outside, v.outside, has);
    return done;
}

void cpu::leave_guest(guest_exit const& e) {
    auto& v = *guest;
    auto const& b = block_of(v);
    exchange_outside(v.outside, outside, has);
    v.gpr.rax = b.save.rax;
    give_registers(v);
    give_exit(v, e);
    auto& x = *v.exchange;
    x.gpr[rsp_number] = b.save.rsp;
    x.rip = b.save.rip;
    x.rflags = b.save.rflags;
    bool const enabled = make<rflags>(x.rflags).get<rflags::interrupt_flag>();
    x.state = state_of(v, enabled, (b.control.interrupt_shadow & shadow) != 0, v.nmi_masked);
    guest = nullptr;
    owner->guests.give(v);
}

void cpu::read_guest(guest_vcpu& v) { read_system(v, v.exchange->system); }

}    // namespace hv::svm
