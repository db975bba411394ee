// SPDX-License-Identifier: MIT
// One instruction of the guest, and back: RFLAGS.TF with #DB intercepted, interrupts held off. SVM
// has neither masks for control registers nor a timer that ends guest operation, and this core does
// not decode instructions: what they do is looked at when they are done, and taken back where a
// rule says so. Nothing else runs on this CPU in between.
#include "root/memory_event.hpp"
#include "svm/cpu.hpp"

namespace hv::svm {

namespace {
constexpr std::uint64_t shadow = 1;             // control_area::interrupt_shadow
constexpr std::uint64_t step_bit = 1u << 14;    // DR6.BS
constexpr std::uint64_t debug_bits = 0x200f;    // DR6.B0 to B3, BD

/// Take back what a control register got, or let it be.
struct change {
    unsigned number;
    std::uint64_t before, now, pinned;
};

register_decision judge(cpu& c, change const& w) {
    auto const& rules = c.machine().rules();
    masked_register const was{w.before, w.before, rules.cr_mask(w.number), w.pinned};
    auto const rip = c.linear(c.base.held.rip);
    auto const d = decide_write(w.number, was, w.now, {}, rules, rip, c.base.shared->cpu_id);
    record_verdict(c.base, c.base.held.reason,
                   {event_kind::cr, HV_ACCESS_WRITE, w.number, w.now, w.before, rip.raw}, d.by);
    return d;
}

}    // namespace

void cpu::start_time_slice(bool executes, bool /*once*/) {
    if (!executes) return begin_step(step_open_page);
    step.open_until_interrupt = true;
    set_intercept(*block, exit_code::external_interrupt, true);
}

void cpu::begin_step(step_reason why) {
    auto& v = *block;
    // The flags that the delivery of an event pushes are the root VM's: no trap flag of the core's.
    // What the delivery touches stays open until the handler ends.
    if (why == step_open_page &&
        make<event_field>(v.control.exit_event).get<event_field::valid>()) {
        step.open_until_iret = true;
        return set_intercept(v, exit_code::iret, true);
    }
    if (step.reasons == 0) {
        step.own_trap_flag = make<rflags>(v.save.rflags).get<rflags::tf>();
        step.dr6 = v.save.dr6;
        v.save.rflags = make<rflags>(v.save.rflags).with<rflags::tf>(true).raw;
        v.control.exception_intercepts = step_faults;
        v.control.interrupt_shadow |= shadow;
    }
    step.reasons |= why;
    if (why != step_register) return;
    note_registers(*this);
    step.cr0 = v.save.cr0;
    step.cr4 = v.save.cr4;
    step.efer = v.save.efer;
    load_masks();
}

std::uint8_t cpu::stop_step(bool executed) {
    auto const reasons = step.reasons;
    step.reasons = 0;
    auto& s = block->save;
    block->control.exception_intercepts = 0;
    if (!executed || (reasons & step_iret) == 0)    // IRET loads the flags that are right then
        s.rflags = make<rflags>(s.rflags).with<rflags::tf>(step.own_trap_flag).raw;
    s.dr6 = (s.dr6 & ~step_bit) | (step.dr6 & step_bit);
    load_masks();
    return reasons;
}

void cpu::end_time_slice() {
    forget_open_pages();
    if (step.reasons != 0) static_cast<void>(stop_step(false));
}

void cpu::cancel_step() {
    if (step.reasons == 0) return;
    if ((stop_step(false) & step_open_page) != 0) close_own_pages();
}

void cpu::forget_open_pages() {
    step.open_until_iret = false;
    if (step.open_until_interrupt) set_intercept(*block, exit_code::external_interrupt, false);
    step.open_until_interrupt = false;
}

void cpu::close_own_pages() {
    forget_open_pages();
    auto const hold = hold_machine(*owner, *this);
    close_pages(*owner, *this, false);
}

/// CR0 and CR4 as rules leave them. False: this CPU takes no such value.
bool cpu::keep_registers(std::uint64_t value0, std::uint64_t value4) {
    auto& s = block->save;
    if (value0 == s.cr0 && value4 == s.cr4) return true;
    auto const to0 = make<cr0>(value0);
    auto const to4 = make<cr4>(value4);
    bool const code_64 = (s.cs.attributes & vmcb_segment::long_mode) != 0;
    paging_mode const m{
        make<cr0>(step.cr0), make<cr4>(step.cr4), make<efer>(step.efer), code_64, s.cr3,
        step.cr4 | s.cr4};
    if (!takes_cr0(to0, m) || !takes_cr4(to4, m)) return false;
    s.cr0 = value0;
    s.cr4 = value4;
    bool const active = m.now_efer.get<efer::lme>() && to0.get<cr0::pg>();
    s.efer = make<efer>(s.efer).with<efer::lma>(active).raw;
    flush_next = true;    // translations of what was not to be
    return true;
}

void cpu::judge_registers() {
    auto& s = block->save;
    auto const d0 = judge(*this, {0, step.cr0, s.cr0, owner->pinned.cr0});
    auto const d4 = judge(*this, {4, step.cr4, s.cr4, owner->pinned.cr4});
    bool const held_fault = takes_back(*this);
    if (!d0.fault && !d4.fault && !held_fault && keep_registers(d0.value, d4.value)) return;
    s.cr0 = step.cr0;
    s.cr4 = step.cr4;
    s.efer = step.efer;
    s.rip = base.held.rip;
    flush_next = true;    // translations of the mode that was not to be
    inject(general_protection);
}

void cpu::finish_step() {
    bool const hit = (block->save.dr6 & ~step.dr6 & debug_bits) != 0;
    auto const reasons = stop_step(true);
    if ((reasons & step_register) != 0) judge_registers();
    if ((reasons & step_open_page) != 0) close_own_pages();
    bool const own = step.own_trap_flag && (reasons & step_iret) == 0;
    if ((own || hit) && !make<event_field>(block->control.event).get<event_field::valid>()) {
        if (own) block->save.dr6 |= step_bit;
        inject(debug_trap);
    }
    if (base.nmi_waits) deliver_nmi();
}

}    // namespace hv::svm
