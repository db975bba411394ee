// SPDX-License-Identifier: MIT
#include "vmx/cpu.hpp"
#include "vmx/entry.hpp"
#include "vmx/exit_reason.hpp"
#include "vmx/watched.hpp"

namespace hv::vmx {

void cpu::inject(exception x) {
    auto const event = event_of(make<event_field>(vmcs.read<vectoring_event>()), x,
                                vmcs.read<guest_cr0>().get<cr0::pe>());
    if (!event) shut_down(*this);    // a third fault
    if (event->get<event_field::has_error>())
        vmcs.write<entry_event_error>(event->get<event_field::error>());
    vmcs.write<entry_event>(static_cast<std::uint32_t>(event->raw));
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
        auto const own = number == 0 ? cr0_bits.virtually : cr4_bits.never | cr4_bits.virtually;
        // bits that become watched, or stop being so, keep the value that is seen; in a step, the
        // one that its instruction writes and a rule does not let in
        auto const lent = stepping ? 0 : rules.cr_mask(number) & ~own;
        r.shadow = (r.seen() & ~lent) | (r.real & lent);
        r.mask = rules.cr_mask(number) | own;
        set_control_register(number, r);
    }
    pin_registers(*this);
    base.cpuid_ruled = rules.watches_cpuid();
    watch_instructions();
}

/// Controls of what rules watch, none of them in a step.
void cpu::watch_instructions() {
    auto const& rules = owner->rules();
    auto const watched = stepping ? 0 : rules.bits(policy::bit_group::instructions);
    bool const tables = !stepping && rules.bits(policy::bit_group::tables) != 0;
    std::uint64_t all = processor::io_bitmaps::mask | processor::mov_dr::mask, primary = 0;
    std::uint64_t more = own_controls.secondary;
    if (!stepping && rules.watches_io()) primary = processor::io_bitmaps::mask;
    if (!stepping && rules.bits(policy::bit_group::dr) != 0) primary |= processor::mov_dr::mask;
    if (tables) more |= secondary::descriptor_tables::mask;
    for (unsigned i = 0; i < HV_INSTRUCTION_COUNT; ++i) {
        auto const& each = watched_instructions[i];
        all |= each.primary;
        if ((watched >> i & 1) == 0) continue;
        primary |= each.primary;
        more |= each.secondary;
    }
    set_processor_control(all, false);
    set_processor_control(primary, true);
    vmcs.write<secondary_controls>(static_cast<std::uint32_t>(more));
}

masked_register cpu::control_register(unsigned number) const {
    auto const n = number / 4;    // CR4 has its value behind CR3, its mask and shadow behind CR0
    return {vmcs.read_at<guest_cr0>(2 * n), vmcs.read_at<cr0_shadow>(n), vmcs.read_at<cr0_mask>(n),
            number == 0 ? owner->pinned.cr0 : owner->pinned.cr4};
}

void cpu::set_control_register(unsigned number, masked_register const& r) {
    auto const n = number / 4;
    vmcs.write_at<guest_cr0>(2 * n, r.real);
    vmcs.write_at<cr0_shadow>(n, r.shadow);
    vmcs.write_at<cr0_mask>(n, r.mask);
}

bool cpu::runs_64_bit_code() const {
    constexpr std::uint32_t long_mode = 1u << 13;    // L, in the access rights of CS
    return (vmcs.read<guest_cs_access>() & long_mode) != 0;
}

gva cpu::linear_rip() const {
    constexpr unsigned cs = 1;
    return runs_64_bit_code() ? rip() : rip() + vmcs.read_at<guest_es_base>(cs);
}

pinned_registers cpu::seen_registers() const {
    return {control_register(0).seen(), control_register(4).seen()};
}

void cpu::set_processor_control(std::uint64_t mask, bool on) {
    auto const now = vmcs.read<processor_controls>();
    vmcs.write<processor_controls>(static_cast<std::uint32_t>(on ? now | mask : now & ~mask));
}

void cpu::close_windows() {
    set_processor_control(processor::nmi_window::mask | processor::interrupt_window::mask, false);
}

/// Exits save what is left of the slice, or a guest that exits often would make it last for ever.
void cpu::set_time_slice(bool on) {
    auto const pins = make<pin>(vmcs.read<pin_controls>()).with<pin::preemption_timer>(on);
    auto const exits = make<exit_control>(vmcs.read<exit_controls>())
                           .with<exit_control::save_timer>(on);
    vmcs.write<pin_controls>(static_cast<std::uint32_t>(pins.raw));
    vmcs.write<exit_controls>(static_cast<std::uint32_t>(exits.raw));
}

void cpu::start_time_slice(bool /*executes*/, bool once) {
    // The flags that the delivery of an event pushes are the root VM's: no trap flag of the core's.
    bool const delivering = make<event_field>(vmcs.read<vectoring_event>())
                                .get<event_field::valid>();
    if (once && !delivering) return begin_step();
    vmcs.write<preemption_timer_value>(timer_value);
    set_time_slice(true);
}

void cpu::end_time_slice() {
    set_time_slice(false);
    if (!stepping) return;
    stepping = false;
    auto const now = vmcs.read<guest_rflags>();
    vmcs.write<guest_rflags>(
        now.with<rflags::tf>(step_flags.get<rflags::tf>())
            .with<rflags::interrupt_flag>(step_flags.get<rflags::interrupt_flag>()));
    vmcs.write<exception_bitmap>(0);
    load_masks();
}

/// One instruction and back: trap flag on, interrupts off, exceptions exit. The monitor trap flag
/// would do it too; Bochs 2.7 has none.
void cpu::begin_step() {
    if (stepping) return;
    note_registers(*this);
    stepping = true;
    step_flags = vmcs.read<guest_rflags>();
    vmcs.write<guest_rflags>(step_flags.with<rflags::tf>(true).with<rflags::interrupt_flag>(false));
    // With a shadow the trap would come before the instruction. SDM 3C 27.3.1.5.
    vmcs.write<guest_interruptibility>(vmcs.read<guest_interruptibility>() &
                                       ~static_cast<std::uint32_t>(interruptibility::shadow));
    vmcs.write<guest_pending_debug>(pending_debug{});
    vmcs.write<exception_bitmap>(step_faults);
    load_masks();
}

held_values cpu::held_now() const {
    std::uint64_t dr[4];
    read_breakpoints(dr);
    segment const gdt{.limit = vmcs.read<guest_gdtr_limit>(), .base = vmcs.read<guest_gdtr_base>()};
    segment const idt{.limit = vmcs.read<guest_idtr_limit>(), .base = vmcs.read<guest_idtr_base>()};
    held_values v{{gdt, idt, vmcs.read_segment(ldtr_segment), vmcs.read_segment(tr_segment)}};
    for (unsigned i = 0; i < 4; ++i) v[held_dr0 + i].base = gva{dr[i]};
    v[held_dr7].base = gva{vmcs.read<guest_dr7>()};
    return v;
}

void cpu::set_held(held_values const& v) const {
    vmcs.write<guest_gdtr_base>(v[HV_TABLE_GDT].base);
    vmcs.write<guest_gdtr_limit>(v[HV_TABLE_GDT].limit);
    vmcs.write<guest_idtr_base>(v[HV_TABLE_IDT].base);
    vmcs.write<guest_idtr_limit>(v[HV_TABLE_IDT].limit);
    vmcs.write_segment(ldtr_segment, v[HV_TABLE_LDT]);
    vmcs.write_segment(tr_segment, v[HV_TABLE_TR]);
    write_breakpoints({v[4].base.raw, v[5].base.raw, v[6].base.raw, v[7].base.raw});
    vmcs.write<guest_dr7>(v[held_dr7].base.raw);
}

void cpu::block_nmis(bool on) const {
    auto const now = make<interruptibility>(vmcs.read<guest_interruptibility>());
    vmcs.write<guest_interruptibility>(
        static_cast<std::uint32_t>(now.with<interruptibility::nmi>(on).raw));
}

/// An event ends HLT.
void cpu::wake() const {
    if (vmcs.read<guest_activity>() == std::uint32_t(activity::hlt))
        vmcs.write<guest_activity>(std::uint32_t(activity::active));
}

void cpu::deliver_nmi() {
    close_windows();
    base.nmi_waits = true;
    if (stepping) return;    // its end brings us back
    if (vmcs.read<guest_activity>() == std::uint32_t(activity::wait_for_sipi)) return;
    auto const blocked = make<interruptibility>(vmcs.read<guest_interruptibility>());
    bool const busy = make<event_field>(vmcs.read<entry_event>()).get<event_field::valid>();
    if (busy || blocked.get<interruptibility::mov_ss>() || blocked.get<interruptibility::nmi>())
        return set_processor_control(processor::nmi_window::mask, true);
    // STI does not keep the NMI window shut: it would open at once, again and again.
    if (blocked.get<interruptibility::sti>())
        return set_processor_control(processor::interrupt_window::mask, true);
    base.nmi_waits = false;
    vmcs.write<entry_event>(static_cast<std::uint32_t>(event_for_nmi.raw));
    wake();
}

template <typename... Fields> static void read_all(current_vmcs const& v, std::uint64_t* to) {
    ((*to++ = to_raw(v.read<Fields>())), ...);
}

/// The state of this CPU as `hvctl dump` shows it.
void cpu::dump(hv_cpu_dump& out) const {
    begin_dump(base, vmcs.read<guest_rsp>().raw, out);
    // The members of hv_cpu_dump in their order.
    read_all<guest_rip, guest_rflags, guest_cr0, guest_cr3, guest_cr4, guest_efer, cr0_shadow,
             cr0_mask, cr4_shadow, cr4_mask, exit_reason_field, exit_qualification,
             guest_physical_address, pin_controls, processor_controls, secondary_controls,
             exit_controls, entry_controls, ept_pointer_field, guest_interruptibility,
             guest_activity, guest_cs_selector, guest_ss_selector, guest_tr_selector,
             guest_gdtr_base, guest_idtr_base, guest_fs_base, guest_gs_base>(vmcs, &out.rip);
}

}    // namespace hv::vmx
