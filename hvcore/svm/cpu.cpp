// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"

namespace hv::svm {

namespace {
constexpr std::uint64_t shadow = 1;             // control_area::interrupt_shadow
constexpr std::uint64_t step_bit = 1u << 14;    // DR6.BS
template <typename... Values> void write_all(std::uint64_t* to, Values... values) {
    ((*to++ = static_cast<std::uint64_t>(values)), ...);
}
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

held_values cpu::held_now() const {
    auto const& s = block->save;
    std::uint64_t dr[4];
    read_breakpoints(dr);
    auto const table = [](vmcb_segment const& t) {
        return segment{.limit = static_cast<std::uint16_t>(t.limit), .base = gva{t.base}};
    };
    auto const system = [](vmcb_segment const& t) {
        return segment{t.selector, t.limit, t.attributes, gva{t.base}};
    };
    held_values v{{table(s.gdtr), table(s.idtr), system(s.ldtr), system(s.tr)}};
    for (unsigned i = 0; i < 4; ++i) v[held_dr0 + i].base = gva{dr[i]};
    v[held_dr7].base = gva{s.dr7};
    return v;
}

void cpu::set_held(held_values const& v) const {
    auto* to = &block->save.gdtr;    // GDTR, LDTR, IDTR, TR
    for (auto const i : {HV_TABLE_GDT, HV_TABLE_LDT, HV_TABLE_IDT, HV_TABLE_TR})
        *to++ = {v[i].selector, static_cast<std::uint16_t>(v[i].access), v[i].limit, v[i].base.raw};
    write_breakpoints({v[4].base.raw, v[5].base.raw, v[6].base.raw, v[7].base.raw});
    block->save.dr7 = v[held_dr7].base.raw;
}

/// Writes of registers exit only where a rule watches them, and not while one of them is judged.
void cpu::load_masks() {
    auto& rules = owner->rules();
    bool const judged = (step.reasons & step_register) != 0;
    pin_registers(*this);
    auto const watch = [&](exit_code what, bool on) { set_intercept(*block, what, on && !judged); };
    auto const held = rules.bits(policy::bit_group::tables);
    watch(exit_code::cr0_write, rules.cr_mask(0) != 0);
    watch(exit_code::cr4_write, rules.cr_mask(4) != 0);
    watch(exit_code::gdtr_write, (held & 1u << HV_TABLE_GDT) != 0);
    watch(exit_code::idtr_write, (held & 1u << HV_TABLE_IDT) != 0);
    watch(exit_code::ldtr_write, (held & 1u << HV_TABLE_LDT) != 0);
    watch(exit_code::tr_write, (held & 1u << HV_TABLE_TR) != 0);
    bool const debug = rules.bits(policy::bit_group::dr) != 0;
    block->control.dr_intercepts = debug && !judged ? 0xffff0000 : 0;    // writes
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

/// The state of this CPU as `hvctl dump` shows it; for the controls, the words of intercepts.
void cpu::dump(hv_cpu_dump& out) const {
    auto const& s = block->save;
    auto const& v = block->control;
    begin_dump(base, s.rsp, out);
    // The members of hv_cpu_dump in their order; 0: VMX's alone.
    auto const blocked = v.interrupt_shadow | std::uint64_t{nmi_masked} << 3;
    write_all(&out.rip, s.rip, s.rflags, s.cr0, s.cr3, s.cr4, s.efer, 0, 0, 0, 0, v.exit_code,
              v.exit_info_1, v.exit_info_2, v.cr_intercepts, v.intercepts_1, v.intercepts_2,
              v.exception_intercepts, 0, v.nested_cr3, blocked, 0, s.cs.selector, s.ss.selector,
              s.tr.selector, s.gdtr.base, s.idtr.base, s.fs.base, s.gs.base);
}

}    // namespace hv::svm
