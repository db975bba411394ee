// SPDX-License-Identifier: MIT
#include "svm/exit.hpp"
#include "call/dispatch.hpp"
#include "root/instruction_event.hpp"
#include "root/root_trap.hpp"
#include "root/shoot_down.hpp"
#include "svm/guest.hpp"
#include "vcpu/cpuid_filter.hpp"

namespace hv::svm {

namespace {

/// Only while a rule watches a leaf.
after on_cpuid(cpu& c) {
    auto& r = c.base.gpr;
    auto const leaf = static_cast<std::uint32_t>(r.rax);
    auto const subleaf = static_cast<std::uint32_t>(r.rcx);
    if (!c.machine().rules().watches_cpuid()) return on_unexpected(c);
    auto answer = with_cr4_bits(leaf, subleaf, insn::cpuid(leaf, subleaf),
                                make<cr4>(c.block->save.cr4));
    hide_cpuid(c, leaf, subleaf, answer);
    r.take(answer);
    return after::advance;
}

/// Of a register that rules hold: judged when it is done.
after on_load(cpu& c) {
    c.begin_step();
    return after::resume;
}

// gate: list (of the codes in APM 2 C)
after dispatch(exit_code why, cpu& c) {
    switch (static_cast<std::uint64_t>(why)) {
    case std::uint64_t(exit_code::vmmcall):           return answer_call(c);
    case std::uint64_t(exit_code::nested_page_fault): return on_nested_page_fault(c);
    case std::uint64_t(exit_code::msr):               return on_msr(c);
    case std::uint64_t(exit_code::cr0_write):
    case std::uint64_t(exit_code::cr4_write):
    case std::uint64_t(exit_code::idtr_write):
    case std::uint64_t(exit_code::gdtr_write):
    case std::uint64_t(exit_code::ldtr_write):
    case std::uint64_t(exit_code::tr_write):          return on_load(c);
    case std::uint64_t(exit_code::io):
        return answer_io(c, make<io_access>(c.block->control.exit_info_1));
    case std::uint64_t(exit_code::cpuid):              return on_cpuid(c);
    case std::uint64_t(exit_code::xsetbv):             return answer_xsetbv(c);
    case std::uint64_t(exit_code::nmi):                return on_nmi(c);
    case std::uint64_t(exit_code::iret):               return on_iret(c);
    case std::uint64_t(exit_code::init):               return on_init(c);
    case std::uint64_t(exit_code::shutdown):           shut_down(c);
    case std::uint64_t(exit_code::invd):               return answer_invd();
    case std::uint64_t(exit_code::invalid):            return on_invalid(c);
    case std::uint64_t(exit_code::external_interrupt): return on_interrupt(c);
    default:                                           break;    // all others are told by ranges
    }
    if (is_virtualization(why)) return deny_instruction(c);
    if (why >= exit_code::dr0_write && why <= exit_code::last_dr_write) return on_load(c);
    for (std::uint32_t i = 0; i < HV_INSTRUCTION_RDRAND; ++i)
        if (watched_instructions[i] == why) return answer_instruction(c, i);
    bool const exception = why >= exit_code::exception && why <= exit_code::last_exception;
    return exception ? on_exception(c) : on_unexpected(c);
}

/// Bytes of the instructions that exit and are then done, for CPUs that do not say it. A prefix
/// that changes nothing is not counted: who writes one goes on inside the instruction.
constexpr std::uint64_t bytes_of(exit_code why) {
    using enum exit_code;
    return why == vmmcall || why == mwait || why == xsetbv ? 3 : 2;
}

/// An exit in the middle of the delivery of an event took that event away: deliver it again, once,
/// unless the handler put something in its place.
void deliver_again(cpu const& c) {
    auto& v = c.block->control;
    if (!make<event_field>(v.event).get<event_field::valid>()) v.event = cut_short(v).raw;
}

/// Whether a guest is entered now.
bool handle_rare(cpu& c) {
    auto const why = code_of(c.block->control.exit_code);
    if (why != exit_code::invalid) c.second_try = false;
    auto const next = dispatch(why, c);
    if (next == after::park) park(c.base, "exit");
    if (c.base.state.load() == cpu_state::unhoisted) return false;
    if (next == after::resume)
        deliver_again(c);
    else
        c.advance(bytes_of(why));
    return next == after::enter_guest && run_guest(c);
}

/// What came while GIF was open for a moment.
void do_work(cpu& c) {
    while (c.base.pending_work.load() != 0) {
        bool const synchronised = (c.base.pending_work.load() & work_synchronise) != 0;
        answer_shoot_down(c);
        auto const what = c.base.pending_work.fetch_and(work_synchronise);
        if ((what & work_machine_check) != 0) record(c, HV_RECORD_MACHINE_CHECK);
        // One that waits may have shared the latch with a shoot-down's.
        if ((what & work_nmi) != 0 || (synchronised && c.base.nmi_waits)) c.deliver_nmi();
    }
}

void count(cpu const& c) {
    auto const& v = c.block->control;
    ++c.base.shared->counter[counter_of(v.exit_code, v.exit_info_1) % HV_COUNTERS];
}

}    // namespace

after on_unexpected(cpu& c) {
    record(c, HV_RECORD_UNEXPECTED_EXIT, c.block->control.exit_info_1);
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv::svm

/// All exits come here first, with the registers that C++ may change in `c.base.gpr` (but rax,
/// which the VMCB has), and the root VM's FS, GS, TR and MSRs still in the CPU. The frequent one is
/// answered at once; true sends all others to hv_svm_exit_rare.
extern "C" bool hv_svm_exit(hv::svm::cpu& c) {
    using namespace hv::svm;
    auto& v = *c.block;
    auto const why = code_of(v.control.exit_code);
    v.control.tlb = tlb_control::nothing;
    v.control.event = 0;
    if (why != exit_code::vmmcall || v.save.rax != HV_CALL_NOP || v.save.cpl != 0) return true;
    if ((v.save.rflags & hv::rflags::tf::mask) != 0) return true;
    count(c);    // the answer of the no-op, 0, is in rax already
    v.save.rip += 3;
    v.control.interrupt_shadow = 0;
    return false;
}

/// Where entry.S goes on.
extern "C" unsigned hv_svm_exit_rare(hv::svm::cpu& c) {
    using namespace hv::svm;
    auto& v = *c.block;
    c.base.gpr.rax = v.save.rax;
    count(c);
    bool const guest = handle_rare(c);
    if (c.base.pending_work.load() != 0) do_work(c);
    v.save.rax = c.base.gpr.rax;
    v.control.tlb = c.flush_next ? tlb_control::flush_all : tlb_control::nothing;
    c.flush_next = false;
    if (c.base.state.load() == hv::cpu_state::unhoisted) return way_to_linux;
    if (!guest) return way_to_root_vm;
    // An NMI or trap of the root VM comes before its guest.
    if ((v.control.event & hv::event_valid) == 0) return way_to_guest;
    c.leave_guest({.why = HV_GUEST_INTERRUPTED});
    return way_to_root_vm;
}

/// Every exit of a guest, with all its registers in its vcpu.
extern "C" unsigned hv_svm_guest_exit(hv::svm::cpu& c) {
    using namespace hv::svm;
    if (handle_guest(c)) return way_to_guest;
    if (c.base.pending_work.load() != 0) do_work(c);
    c.block->control.tlb = c.flush_next ? tlb_control::flush_all : tlb_control::nothing;
    c.flush_next = false;
    return way_to_root_vm;
}

/// NMIs come only while the exit path lets them in, and it looks at its work after that: nothing
/// has to start over.
extern "C" void hv_svm_trap(hv::trap_frame& f) {
    auto& c = hv::this_cpu();    // hv_svm_take_host_state put it there
    hv::on_root_trap(c, f, [](hv::trap_frame&) {});
}
