// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"
#include "vmx/entry.hpp"
#include "vmx/exit_reason.hpp"

namespace hv::vmx {

void cpu::inject(exception x) {
    auto const before = make<event_field>(vmcs.read<vectoring_event>());
    auto const type = before.get<event_field::type>();
    std::optional<exception> what = x;
    if (before.get<event_field::valid>() && type == event_field::hardware_exception)
        what = combine(static_cast<vector>(before.get<event_field::vector>()), x);
    if (!what) {    // a third fault: the CPU would shut down
        record(HV_RECORD_TRIPLE_FAULT);
        reset_machine();
    }
    // In real mode no exception has an error code, and an entry with one is refused.
    what->has_error = what->has_error && vmcs.read<guest_cr0>().get<cr0::pe>();
    if (what->has_error) vmcs.write<entry_event_error>(what->error);
    auto const event = event_field{}
                           .with<event_field::vector>(static_cast<std::uint64_t>(what->vector))
                           .with<event_field::type>(event_field::hardware_exception)
                           .with<event_field::has_error>(what->has_error)
                           .with<event_field::valid>(true);
    vmcs.write<entry_event>(static_cast<std::uint32_t>(event.raw));
    wake();
}

void cpu::synchronise() {
    HV_ASSERT(insn::invept(invalidate_all_contexts, 0));
    insn::write_cr3(insn::read_cr3());    // the core's own translations
    load_masks();
}

void cpu::load_masks() {
    auto& rules = owner->rules();
    for (unsigned number : {0u, 4u}) {
        auto r = control_register(number);
        // bits that become watched, or stop being so, keep the value that is seen
        r.shadow = r.seen();
        r.mask = rules.cr_mask(number) |
                 (number == 0 ? cr0_bits.virtually : cr4_bits.never | cr4_bits.virtually);
        set_control_register(number, r);
    }
}

masked_register cpu::control_register(unsigned number) const {
    auto const& pins = owner->pinned;
    if (number == 0)
        return {vmcs.read<guest_cr0>().raw, vmcs.read<cr0_shadow>().raw, vmcs.read<cr0_mask>(),
                pins.cr0};
    return {vmcs.read<guest_cr4>().raw, vmcs.read<cr4_shadow>().raw, vmcs.read<cr4_mask>(),
            pins.cr4};
}

void cpu::set_control_register(unsigned number, masked_register const& r) {
    if (number == 0) {
        vmcs.write<guest_cr0>(make<cr0>(r.real));
        vmcs.write<cr0_shadow>(make<cr0>(r.shadow));
        vmcs.write<cr0_mask>(r.mask);
    } else {
        vmcs.write<guest_cr4>(make<cr4>(r.real));
        vmcs.write<cr4_shadow>(make<cr4>(r.shadow));
        vmcs.write<cr4_mask>(r.mask);
    }
}

pinned_registers cpu::seen_registers() const {
    return {control_register(0).seen(), control_register(4).seen()};
}

void cpu::open_window(std::uint64_t mask) {
    vmcs.write<processor_controls>(vmcs.read<processor_controls>() |
                                   static_cast<std::uint32_t>(mask));
}

void cpu::close_windows() {
    constexpr auto both = processor::nmi_window::mask | processor::interrupt_window::mask;
    vmcs.write<processor_controls>(vmcs.read<processor_controls>() &
                                   ~static_cast<std::uint32_t>(both));
}

/// Exits save what is left of the slice, or a guest that exits often would make it last for ever.
void cpu::set_time_slice(bool on) {
    auto const pins = make<pin>(vmcs.read<pin_controls>()).with<pin::preemption_timer>(on);
    auto const exits = make<exit_control>(vmcs.read<exit_controls>())
                           .with<exit_control::save_timer>(on);
    vmcs.write<pin_controls>(static_cast<std::uint32_t>(pins.raw));
    vmcs.write<exit_controls>(static_cast<std::uint32_t>(exits.raw));
}

void cpu::start_time_slice(bool /*executes*/) {
    vmcs.write<preemption_timer_value>(timer_value);
    set_time_slice(true);
}

void cpu::end_time_slice() { set_time_slice(false); }

/// An event ends HLT.
void cpu::wake() const {
    if (vmcs.read<guest_activity>() == std::uint32_t(activity::hlt))
        vmcs.write<guest_activity>(std::uint32_t(activity::active));
}

void cpu::deliver_nmi() {
    close_windows();
    base.nmi_waits = true;
    if (vmcs.read<guest_activity>() == std::uint32_t(activity::wait_for_sipi)) return;
    auto const blocked = make<interruptibility>(vmcs.read<guest_interruptibility>());
    bool const busy = make<event_field>(vmcs.read<entry_event>()).get<event_field::valid>();
    if (busy || blocked.get<interruptibility::mov_ss>() || blocked.get<interruptibility::nmi>())
        return open_window(processor::nmi_window::mask);
    // STI does not keep the NMI window shut: it would open at once, again and again.
    if (blocked.get<interruptibility::sti>()) return open_window(processor::interrupt_window::mask);
    base.nmi_waits = false;
    auto const event = event_field{}
                           .with<event_field::vector>(static_cast<std::uint64_t>(vector::nmi))
                           .with<event_field::type>(event_field::nmi)
                           .with<event_field::valid>(true);
    vmcs.write<entry_event>(static_cast<std::uint32_t>(event.raw));
    wake();
}

void cpu::record(std::uint16_t kind, std::uint64_t address, std::uint64_t value) {
    auto const why = make<exit_information>(vmcs.read<exit_reason_field>());
    base.records.append({.tsc = insn::rdtsc(),
                         .kind = kind,
                         .reason = static_cast<std::uint16_t>(why.get<exit_information::basic>()),
                         .rip = vmcs.read<guest_rip>().raw,
                         .address = address,
                         .value = value});
}

}    // namespace hv::vmx
