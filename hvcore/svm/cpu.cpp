// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"
#include "arch/reset_machine.hpp"

namespace hv::svm {

namespace {
constexpr std::uint64_t shadow = 1;             // control_area::interrupt_shadow
constexpr std::uint64_t step_bit = 1u << 14;    // DR6.BS
}    // namespace

void cpu::inject(exception x) {
    bool const stepped = step.reasons != 0;
    cancel_step();
    auto const before = make<event_field>(block->control.exit_event);
    std::optional<exception> what = x;
    if (before.get<event_field::valid>() &&
        before.get<event_field::type>() == event_field::exception)
        what = combine(static_cast<vector>(before.get<event_field::vector>()), x);
    if (!what) {    // a third fault: the CPU would shut down
        record(HV_RECORD_TRIPLE_FAULT);
        reset_machine();
    }
    bool const has_error = what->has_error && make<cr0>(block->save.cr0).get<cr0::pe>();
    block->control.event = event_field{}
                               .with<event_field::vector>(static_cast<std::uint64_t>(what->vector))
                               .with<event_field::type>(event_field::exception)
                               .with<event_field::has_error>(has_error)
                               .with<event_field::valid>(true)
                               .with<event_field::error>(has_error ? what->error : 0u)
                               .raw;
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

void cpu::synchronise() {
    flush_next = true;
    insn::write_cr3(insn::read_cr3());    // the core's own translations
    load_masks();
}

/// Writes of CR0 and CR4 exit only where a rule watches them, and not while one of them is judged.
void cpu::load_masks() {
    auto& rules = owner->rules();
    bool const judged = (step.reasons & step_control_register) != 0;
    block->control.cr_intercepts = static_cast<std::uint32_t>(
        intercept_cr{}
            .with<intercept_cr::write_cr0>(!judged && rules.cr_mask(0) != 0)
            .with<intercept_cr::write_cr4>(!judged && rules.cr_mask(4) != 0)
            .raw);
}

void cpu::intercept_iret(bool on) {
    auto const now = make<intercept_1>(block->control.intercepts_1).with<intercept_1::iret>(on);
    block->control.intercepts_1 = static_cast<std::uint32_t>(now.raw);
}

void cpu::intercept_interrupts(bool on) {
    auto const now = make<intercept_1>(block->control.intercepts_1)
                         .with<intercept_1::external_interrupt>(on);
    block->control.intercepts_1 = static_cast<std::uint32_t>(now.raw);
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
    intercept_iret(true);
    v.event = event_field{}
                  .with<event_field::vector>(static_cast<std::uint64_t>(vector::nmi))
                  .with<event_field::type>(event_field::nmi)
                  .with<event_field::valid>(true)
                  .raw;
}

void cpu::record(std::uint16_t kind, std::uint64_t address, std::uint64_t value) {
    base.records.append({.tsc = insn::rdtsc(),
                         .kind = kind,
                         .reason = reason(),
                         .rip = block->save.rip,
                         .address = address,
                         .value = value});
}

}    // namespace hv::svm
