// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"

namespace hv::svm {

namespace {
constexpr std::uint64_t shadow = 1;             // control_area::interrupt_shadow
constexpr std::uint64_t step_bit = 1u << 14;    // DR6.BS
}    // namespace

void cpu::inject(exception x) {
    bool const stepped = step.reasons != 0;
    cancel_step();
    auto const event = event_of(make<event_field>(block->control.exit_event), x,
                                make<cr0>(block->save.cr0).get<cr0::pe>());
    if (!event) shut_down(*this);    // a third fault
    block->control.event = event->raw;
    if (stepped && base.nmi_waits) deliver_nmi();    // the step's end would have done it
}

void cpu::advance(std::uint64_t bytes) {
    auto& v = *block;
    v.save.rip = has_next_rip ? v.control.next_rip : v.save.rip + bytes;
    v.control.interrupt_shadow &= ~shadow;
    if (step.reasons != 0) return finish_step();
    if (make<rflags>(v.save.rflags).get<rflags::tf>()) {
        v.save.dr6 |= step_bit;
        inject(debug_trap);
    }
    if (base.nmi_waits) deliver_nmi();    // left by a step that was given up
}

gva cpu::linear(std::uint64_t rip) const {
    auto const& cs = block->save.cs;
    return gva{(cs.attributes & vmcb_segment::long_mode) != 0 ? rip : cs.base + rip};
}

void cpu::synchronise() {
    flush_next = true;
    insn::write_cr3(insn::read_cr3());    // the core's own translations
    load_masks();
}

table_registers cpu::tables() const {
    auto const& s = block->save;
    return {{{static_cast<std::uint16_t>(s.gdtr.limit), s.gdtr.base},
             {static_cast<std::uint16_t>(s.idtr.limit), s.idtr.base}}};
}

void cpu::set_tables(table_registers const& t) const {
    block->save.gdtr = {0, 0, t[HV_TABLE_GDT].limit, t[HV_TABLE_GDT].base};
    block->save.idtr = {0, 0, t[HV_TABLE_IDT].limit, t[HV_TABLE_IDT].base};
}

/// Writes of registers exit only where a rule watches them, and not while one of them is judged.
void cpu::load_masks() {
    auto& rules = owner->rules();
    bool const judged = (step.reasons & step_register) != 0;
    pin_tables(*this);
    auto const watch = [&](exit_code what, bool on) { set_intercept(*block, what, on && !judged); };
    auto const held = rules.bits(policy::bit_group::tables);
    watch(exit_code::cr0_write, rules.cr_mask(0) != 0);
    watch(exit_code::cr4_write, rules.cr_mask(4) != 0);
    watch(exit_code::gdtr_write, (held & 1u << HV_TABLE_GDT) != 0);
    watch(exit_code::idtr_write, (held & 1u << HV_TABLE_IDT) != 0);
    watch(exit_code::io, rules.watches_io());
    watch(exit_code::cpuid, rules.watches_cpuid());
    watch(exit_code::xsetbv, rules.bits(policy::bit_group::xcr0) != 0);
    auto instructions = rules.bits(policy::bit_group::instructions);
    for (auto const each : watched_instructions) {
        watch(each, (instructions & 1) != 0);
        instructions >>= 1;
    }
}

/// Inject the NMI that waits, or see to it that the CPU comes back as soon as it can be injected.
void cpu::deliver_nmi() {
    base.nmi_waits = true;
    if (step.reasons != 0 || nmi_masked) return;    // the step's end, or IRET, brings us back
    auto& v = block->control;
    // Its place is taken: the CPU's own latch keeps the NMI until what is there is delivered.
    if (make<event_field>(v.event).get<event_field::valid>())
        return owner->apic.send_nmi(base.apic_id);
    if ((v.interrupt_shadow & shadow) != 0) return begin_step(step_shadow);
    base.nmi_waits = false;
    nmi_masked = true;
    set_intercept(*block, exit_code::iret, true);
    v.event = event_for_nmi.raw;
}

}    // namespace hv::svm
