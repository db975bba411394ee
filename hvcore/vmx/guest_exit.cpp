// SPDX-License-Identifier: MIT
// Exits of guests: the core answers what needs no device, all others end the run.
#include "call/guest_event.hpp"
#include "root/msr_event.hpp"
#include "vmx/entry.hpp"
#include "vmx/exit.hpp"
#include "vmx/guest.hpp"

namespace hv::vmx {

namespace {

constexpr next behind_it = behind(1);    // the CPU says where that is

next fault(cpu& c, exception x) {
    c.inject(x);
    return again;
}

/// A hypercall of an unprivileged program, or one that KVM answers.
next on_guest_call(cpu& c) {
    if (c.privilege() != 0) return fault(c, invalid_opcode);
    return back({HV_GUEST_HYPERCALL, c.vmcs.read<instruction_length>()});
}

next on_guest_io(cpu const& c, guest_vcpu const& v) {
    auto const q = make<io_access>(c.vmcs.read<exit_qualification>());
    auto const length = c.vmcs.read<instruction_length>();
    return back(io_exit(q, length, v.gpr.rax));
}

next on_guest_cr(cpu& c, guest_vcpu& v) {
    auto const q = make<cr_access>(c.vmcs.read<exit_qualification>());
    if (q.get<cr_access::number>() == 8 && q.get<cr_access::type>() <= 1)
        return back({HV_GUEST_CR8, c.vmcs.read<instruction_length>(), 1 - q.get<cr_access::type>(),
                     q.get<cr_access::from>(), v.outside.cr8});
    return write_guest_cr(c, v.gpr, q) ? again : fault(c, general_protection);
}

next on_guest_msr(cpu& c, guest_vcpu& v, bool write) {
    auto& r = v.gpr;
    auto const index = static_cast<std::uint32_t>(r.rcx);
    auto const value = static_cast<std::uint32_t>(r.rax) | r.rdx << 32;
    if (index == msr::ia32_efer && write)
        return c.write_msr(index, value) ? behind_it : fault(c, general_protection);
    return msr_exit(write, c.vmcs.read<instruction_length>(), index, value);
}

next on_guest_xsetbv(cpu& c, guest_vcpu& v) {
    auto const value = static_cast<std::uint32_t>(v.gpr.rax) | v.gpr.rdx << 32;
    bool const sound = static_cast<std::uint32_t>(v.gpr.rcx) == 0 && c.has.xsave &&
                       xcr0_is_possible(value, c.outside.xcr0) && insn::xsetbv_safe(0, value);
    if (!sound) return fault(c, general_protection);
    return behind_it;
}

next on_guest_exception(cpu& c) {
    auto const e = make<event_field>(c.vmcs.read<exit_event>());
    if (e.get<event_field::type>() == event_field::nmi) {
        insn::unblock_nmi();
        meet_nmi(c.base);
        return back({.why = HV_GUEST_INTERRUPTED});
    }
    auto const vector = static_cast<hv::vector>(e.get<event_field::vector>());
    if (vector == hv::vector::machine_check) {
        c.base.pending_work.fetch_or(work_machine_check);
        return back({.why = HV_GUEST_INTERRUPTED});
    }
    if (vector == hv::vector::invalid_opcode) return back({.why = HV_GUEST_UNDEFINED});
    // #DB and #AC exit so that a guest cannot raise them for ever inside one instruction.
    if (vector == hv::vector::debug) take_debug_condition(c);
    bool const has_error = e.get<event_field::has_error>();
    return fault(c, {vector, has_error, 0});
}

next on_guest_memory(cpu const& c) {
    auto const q = make<ept_violation_qualification>(c.vmcs.read<exit_qualification>());
    prepare_retry(c, q);
    return back({HV_GUEST_MEMORY, 0, access_of(q), c.vmcs.read<guest_physical_address>().raw});
}

next on_guest_mwait(cpu& c, guest_vcpu const& v) {
    return (v.flags & HV_RUN_NO_MWAIT) != 0 ? fault(c, invalid_opcode) : behind_it;
}

next unexpected(cpu const& c) {
    return back({HV_GUEST_UNEXPECTED, 0, 0, c.vmcs.read<exit_reason_field>(),
                 c.vmcs.read<exit_qualification>()});
}

next dispatch(exit_reason why, cpu& c, guest_vcpu& v) {
    auto const length = [&] { return c.vmcs.read<instruction_length>(); };
    switch (static_cast<unsigned>(why)) {
    case unsigned(exit_reason::vmcall):             return on_guest_call(c);
    case unsigned(exit_reason::io):                 return on_guest_io(c, v);
    case unsigned(exit_reason::ept_violation):      return on_guest_memory(c);
    case unsigned(exit_reason::msr_read):           return on_guest_msr(c, v, false);
    case unsigned(exit_reason::msr_write):          return on_guest_msr(c, v, true);
    case unsigned(exit_reason::hlt):                return back({HV_GUEST_HLT, length()});
    case unsigned(exit_reason::external_interrupt):
    case unsigned(exit_reason::preemption_timer):   return back({.why = HV_GUEST_INTERRUPTED});
    case unsigned(exit_reason::exception_or_nmi):   return on_guest_exception(c);
    case unsigned(exit_reason::interrupt_window):
    case unsigned(exit_reason::nmi_window):         return back({.why = HV_GUEST_WINDOW});
    case unsigned(exit_reason::cr_access):          return on_guest_cr(c, v);
    case unsigned(exit_reason::xsetbv):             return on_guest_xsetbv(c, v);
    case unsigned(exit_reason::triple_fault):       return back({.why = HV_GUEST_SHUTDOWN});
    case unsigned(exit_reason::invd):
    case unsigned(exit_reason::wbinvd):             return behind_it;    // as if it did nothing
    case unsigned(exit_reason::mwait):
    case unsigned(exit_reason::monitor):            return on_guest_mwait(c, v);
    case unsigned(exit_reason::rdpmc):              return fault(c, general_protection);
    default:                                        break;
    }
    return is_virtualization(why) ? fault(c, invalid_opcode) : unexpected(c);
}

/// The event that the exit has cut short, for the next entry: unless the handler has put its own in
/// its place, which then holds what the two come to.
hv_event half_delivered(cpu const& c) {
    auto const e = make<event_field>(c.vmcs.read<vectoring_event>());
    if (!e.get<event_field::valid>()) return {};
    constexpr auto known = event_field::vector::mask | event_field::type::mask |
                           event_field::has_error::mask | event_field::valid::mask;
    // Blocked by its own delivery.
    if (e.get<event_field::type>() == event_field::nmi) c.block_nmis(false);
    // What an instruction raised on purpose, that instruction raises again: types 4 to 6.
    if (e.get<event_field::type>() >= event_field::software_interrupt) return {};
    auto const error = e.get<event_field::has_error>() ? c.vmcs.read<vectoring_error>() : 0;
    return {static_cast<std::uint32_t>(e.raw & known), error};
}

/// Another turn in the guest: true, unless its slice is over.
[[gnu::always_inline]] inline bool goes_on(cpu& c, guest_vcpu& v) {
    v.injected = {};
    if (++v.exits % exits_of_a_slice != 0) [[likely]]
        return true;
    hv_vmx_guest_interrupted(c);
    return false;
}

/// Whether the guest goes on.
[[gnu::noinline]] bool handle(cpu& c, guest_vcpu& v, exit_information why) {
    v.half_delivered = {};
    if (why.get<exit_information::entry_failed>()) {
        v.half_delivered = v.injected;
        c.leave_guest({HV_GUEST_INVALID, 0, 0, why.raw, c.vmcs.read<exit_qualification>()});
        return false;
    }
    v.launched = 1;
    auto next = dispatch(static_cast<exit_reason>(why.get<exit_information::basic>()), c, v);
    if (!next.stay && c.machine().rules().watches_guests()) [[unlikely]]
        next = judge_guest(c, v, next, c.reason(), c.linear_rip().raw,
                           [&](exception x) { return fault(c, x); });
    if (next.advance != 0) c.advance();
    auto const cut = next.advance != 0 ? hv_event{} : half_delivered(c);
    if (!next.stay) {
        if (next.exit.why != HV_GUEST_SHUTDOWN) v.half_delivered = cut;
        c.leave_guest(next.exit);
        return false;
    }
    bool const busy = make<event_field>(c.vmcs.read<entry_event>()).get<event_field::valid>();
    if (!busy && (cut.event & event_valid) != 0) {
        c.vmcs.write<entry_event>(cut.event);
        c.vmcs.write<entry_event_error>(cut.error);
    }
    return goes_on(c, v);
}

/// The frequent exits that need nothing but the registers. False: this is another one.
[[gnu::always_inline]] inline bool answer_at_once(cpu const& c, guest_vcpu& v,
                                                  exit_information why) {
    auto& r = v.gpr;
    if (why.raw == static_cast<std::uint64_t>(exit_reason::cpuid)) [[likely]] {
        r.take(v.list->answer(static_cast<std::uint32_t>(r.rax), static_cast<std::uint32_t>(r.rcx),
                              [&] { return c.vmcs.read<guest_cr4>(); }));
        return true;
    }
    if (why.raw != static_cast<std::uint64_t>(exit_reason::vmcall)) return false;
    if (kvm_has_hypercall(r.rax) || c.privilege() != 0) return false;
    r.rax = static_cast<std::uint64_t>(no_such_hypercall);
    return true;
}

}    // namespace

}    // namespace hv::vmx

/// Every exit of a guest, with all its registers in its vcpu. True: it goes on; false: the root
/// VM's VMCS is the current one again.
extern "C" bool hv_vmx_guest_exit(hv::vmx::cpu& c) {
    using namespace hv::vmx;
    auto& v = *c.guest;
    auto const why = hv::make<exit_information>(c.vmcs.read<exit_reason_field>());
    if (!answer_at_once(c, v, why)) return handle(c, v, why);
    v.launched = 1;
    v.half_delivered = {};
    c.advance();
    return goes_on(c, v);
}

/// Before an entry there is work for the root VM's side: the guest waits.
extern "C" void hv_vmx_guest_interrupted(hv::vmx::cpu& c) {
    auto& v = *c.guest;
    auto const event = c.vmcs.read<hv::vmx::entry_event>();
    v.half_delivered = {};
    if ((event & hv::event_valid) != 0)
        v.half_delivered = {event, c.vmcs.read<hv::vmx::entry_event_error>()};
    c.vmcs.write<hv::vmx::entry_event>(0);
    c.leave_guest({.why = HV_GUEST_INTERRUPTED});
}

/// VMLAUNCH or VMRESUME fell through: the controls or the host state are not sound.
extern "C" void hv_vmx_guest_refused(hv::vmx::cpu& c) {
    c.leave_guest({.why = HV_GUEST_INVALID, .address = c.vmcs.read<hv::vmx::instruction_error>()});
}
