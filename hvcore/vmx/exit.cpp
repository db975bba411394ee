// SPDX-License-Identifier: MIT
#include "vmx/exit.hpp"
#include "call/dispatch.hpp"
#include "root/instruction_event.hpp"
#include "root/shoot_down.hpp"
#include "vcpu/cpuid_filter.hpp"
#include "vmx/entry.hpp"
#include "vmx/watched.hpp"

namespace hv::vmx {

namespace {

after on_cpuid(cpu& c) {
    auto& r = c.base.gpr;
    auto const leaf = static_cast<std::uint32_t>(r.rax);
    auto const subleaf = static_cast<std::uint32_t>(r.rcx);
    auto answer = insn::cpuid(leaf, subleaf);
    if (cpuid_is_filtered(leaf)) [[unlikely]] {
        bool const show_vmx = c.owner->offered.load() != 0 && c.privilege() == 3;
        answer = filter_cpuid(leaf, subleaf, answer, c.vmcs.read<guest_cr4>(), show_vmx);
    }
    hide_cpuid(c, leaf, subleaf, answer);
    r.take(answer);
    return after::advance;
}

// gate: list (of the reasons in SDM 3D C)
after dispatch(exit_reason why, cpu& c) {
    switch (static_cast<unsigned>(why)) {
    case unsigned(exit_reason::cpuid):  return on_cpuid(c);
    case unsigned(exit_reason::vmcall): return answer_call(c);
    case unsigned(exit_reason::io):
        return answer_io(c, make<io_access>(c.vmcs.read<exit_qualification>()));
    case unsigned(exit_reason::ept_violation):    return on_ept_violation(c);
    case unsigned(exit_reason::msr_read):         return on_msr_read(c);
    case unsigned(exit_reason::msr_write):        return on_msr_write(c);
    case unsigned(exit_reason::exception_or_nmi): return on_nmi(c);
    case unsigned(exit_reason::interrupt_window):
    case unsigned(exit_reason::nmi_window):       return on_nmi_window(c);
    case unsigned(exit_reason::preemption_timer): return on_preemption_timer(c);
    case unsigned(exit_reason::cr_access):        return on_cr_access(c);
    // While a rule holds what they load. The CPU's controls have no choice: instructions that only
    // store it come here too, and for one table those of all four.
    case unsigned(exit_reason::gdtr_idtr_access):
    case unsigned(exit_reason::mov_dr):
    case unsigned(exit_reason::ldtr_tr_access):       c.begin_step(); return after::resume;
    case unsigned(exit_reason::xsetbv):               return answer_xsetbv(c);
    case unsigned(exit_reason::init):                 return on_init(c);
    case unsigned(exit_reason::sipi):                 return on_sipi(c);
    case unsigned(exit_reason::invd):                 return answer_invd();
    case unsigned(exit_reason::triple_fault):         shut_down(c);
    case unsigned(exit_reason::task_switch):          return on_task_switch(c);
    case unsigned(exit_reason::ept_misconfiguration): return on_ept_misconfiguration(c);
    default:                                          break;    // others are told by ranges
    }
    for (std::uint32_t i = 0; i < HV_INSTRUCTION_COUNT; ++i)
        if (watched_instructions[i].reason == why) return answer_instruction(c, i);
    return is_virtualization(why) ? deny_instruction(c) : on_unexpected(c);
}

/// An exit in the middle of the delivery of an event took that event away: deliver it again, once,
/// unless the handler put something in its place. SDM 3C 28.2.4 "Information for VM Exits During
/// Event Delivery".
void deliver_again(cpu const& c) {
    auto event = make<event_field>(c.vmcs.read<vectoring_event>());
    if (!event.get<event_field::valid>()) return;
    if (make<event_field>(c.vmcs.read<entry_event>()).get<event_field::valid>()) return;
    if (c.vmcs.read<guest_activity>() == std::uint32_t(activity::wait_for_sipi)) return;
    c.wake();
    if (event.get<event_field::has_error>())
        c.vmcs.write<entry_event_error>(c.vmcs.read<vectoring_error>());
    c.vmcs.write<entry_instruction_length>(c.vmcs.read<instruction_length>());
    constexpr auto known = event_field::vector::mask | event_field::type::mask |
                           event_field::has_error::mask | event_field::valid::mask;
    c.vmcs.write<entry_event>(static_cast<std::uint32_t>(event.raw & known));
    // The NMI that was being delivered has blocked others already; the second delivery does so
    // again.
    if (event.get<event_field::type>() == event_field::nmi) c.block_nmis(false);
}

/// Whether a guest is entered now.
bool handle_rare(cpu& c, exit_information why) {
    auto const basic = static_cast<exit_reason>(why.get<exit_information::basic>());
    bool const entered = !why.get<exit_information::entry_failed>();
    if (entered) c.second_try = false;
    auto const next = entered ? dispatch(basic, c) : on_entry_failed(c);
    if (next == after::park) give_up(c, "exit");
    if (c.base.state.load() == cpu_state::unhoisted) return false;
    if (next == after::resume)
        deliver_again(c);
    else
        c.advance();
    return next == after::enter_guest && run_guest(c);
}

constexpr bool is(exit_information why, exit_reason reason) {
    return why.raw == static_cast<std::uint64_t>(reason);
}

void count(cpu const& c, exit_information why) { ++c.base.shared->counter[why.raw % HV_COUNTERS]; }

}    // namespace

after on_unexpected(cpu& c) {
    record(c, HV_RECORD_UNEXPECTED_EXIT, c.vmcs.read<exit_qualification>());
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv::vmx

/// All exits come here first, with the registers that C++ may change in `c.base.gpr`. The two
/// frequent ones are answered at once; true sends all others, with all registers saved, to
/// hv_vmx_exit_rare.
extern "C" bool hv_vmx_exit(hv::vmx::cpu& c) {
    using namespace hv::vmx;
    auto& r = c.base.gpr;
    auto const why = hv::make<exit_information>(c.vmcs.read<exit_reason_field>());
    if (is(why, exit_reason::cpuid) && !c.base.cpuid_ruled &&
        !hv::cpuid_is_filtered(static_cast<std::uint32_t>(r.rax))) [[likely]] {
        hv::insn::cpuid(r.rax, r.rbx, r.rcx, r.rdx);
    } else if (!is(why, exit_reason::vmcall) || r.rax != HV_CALL_NOP || c.privilege() != 0) {
        return true;
    }    // the answer of the no-op, 0, is in rax already
    count(c, why);
    c.advance();
    return false;
}

/// `exited` is false where no exit is to be handled, only work that came up after a frequent one.
/// True: a guest is entered, whose VMCS is the current one.
extern "C" bool hv_vmx_exit_rare(hv::vmx::cpu& c, bool exited) {
    using namespace hv::vmx;
    if (!exited) return false;
    auto const why = hv::make<exit_information>(c.vmcs.read<exit_reason_field>());
    count(c, why);
    return handle_rare(c, why);
}

/// What `pending_work` asks for, before the next entry; entry.S calls again until nothing is left.
extern "C" void hv_vmx_work(hv::vmx::cpu& c) {
    hv::answer_shoot_down(c);
    auto const what = c.base.pending_work.fetch_and(hv::work_synchronise);
    if ((what & hv::work_machine_check) != 0) hv::record(c, HV_RECORD_MACHINE_CHECK);
    if ((what & hv::work_nmi) != 0) c.deliver_nmi();
}
