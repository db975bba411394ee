// SPDX-License-Identifier: MIT
// Exits that no instruction asked for: memory, NMI, INIT, SIPI, shutdown, failed entries.
#include "root/memory_event.hpp"
#include "vmx/entry.hpp"
#include "vmx/exit.hpp"

namespace hv::vmx {

void prepare_retry(cpu const& c, ept_violation_qualification q) {
    auto const cut = make<event_field>(c.vmcs.read<vectoring_event>());
    if (q.get<ept_violation_qualification::nmi_unblocked>() && !cut.get<event_field::valid>())
        c.block_nmis(true);
}

after on_ept_violation(cpu& c) {
    auto const q = make<ept_violation_qualification>(c.vmcs.read<exit_qualification>());
    violation const v{c.vmcs.read<guest_physical_address>(), access_of(q), c.linear_rip(),
                      c.reason(), q.raw};
    if (on_violation(c.machine(), c, v) == outcome::fault) {
        c.inject(general_protection);
        return after::resume;
    }
    prepare_retry(c, q);
    return after::resume;
}

after on_ept_misconfiguration(cpu& c) {
    record(c, HV_RECORD_UNEXPECTED_EXIT, c.vmcs.read<guest_physical_address>().raw);
    return after::park;    // the core wrote an entry that it must not write
}

/// #DB that exits has not written DR6: its conditions are in the qualification. SDM 3C 28.2.1.
void take_debug_condition(cpu const& c) {
    constexpr std::uint64_t conditions = 0xf | general_detect | 1u << 14;
    auto const q = c.vmcs.read<exit_qualification>();
    insn::write_dr6((insn::read_dr6() & ~std::uint64_t{0xf}) | (q & conditions));
    // The delivery also clears the general-detect bit of DR7, which the injection does not do.
    c.vmcs.write<guest_dr7>(c.vmcs.read<guest_dr7>() & ~general_detect);
}

/// #DB is the end of the step, all other exceptions are the root VM's own.
static after end_of_step(cpu& c, event_field e) {
    auto const which = static_cast<vector>(e.get<event_field::vector>());
    auto const q = c.vmcs.read<exit_qualification>();
    on_preemption_timer(c);
    if (which != vector::debug) {
        if (which == vector::page_fault) insn::write_cr2(q);
        c.inject({which, e.get<event_field::has_error>(), c.vmcs.read<exit_event_error>()});
    } else if ((q & general_detect) != 0) {    // before MOV to or from a debug register
        take_debug_condition(c);
        c.inject(debug_trap);
    } else if (takes_back(c)) {
        c.vmcs.write<guest_rip>(gva{c.base.held.rip});
        c.inject(general_protection);
    } else {
        auto const own = c.step_flags.get<rflags::tf>();
        c.vmcs.write<guest_pending_debug>(
            make<pending_debug>(q & pending_debug::hits).with<pending_debug::single_step>(own));
    }
    if (c.base.nmi_waits) c.deliver_nmi();
    return after::resume;
}

after on_nmi(cpu& c) {
    auto const event = make<event_field>(c.vmcs.read<exit_event>());
    if (event.get<event_field::type>() != event_field::nmi)
        return c.stepping ? end_of_step(c, event) : on_unexpected(c);
    insn::unblock_nmi();
    meet_nmi(c.base);
    return after::resume;
}

after on_nmi_window(cpu& c) {
    c.close_windows();
    if (c.base.nmi_waits) c.deliver_nmi();
    return after::resume;
}

after on_preemption_timer(cpu& c) {
    c.end_time_slice();
    auto const hold = hold_machine(c.machine(), c);
    close_pages(c.machine(), c, false);
    return after::resume;
}

after on_init(cpu& c) {
    record(c, HV_RECORD_INIT);
    {
        auto const hold = hold_machine(c.machine(), c);
        c.end_time_slice();
        close_pages(c.machine(), c, false);
    }
    c.reset_by_init();
    c.base.state.store(cpu_state::waiting_for_sipi);
    return after::resume;
}

after on_sipi(cpu& c) {
    auto const vector = static_cast<std::uint8_t>(c.vmcs.read<exit_qualification>());
    record(c, HV_RECORD_SIPI, vector);
    c.start_by_sipi(vector);
    return after::resume;
}

/// No 64-bit Linux switches tasks. In 32-bit code there is no way to do it on the guest's behalf
/// without reading its memory, which this core does not: the switch fails as one to a bad task
/// does.
after on_task_switch(cpu& c) {
    auto const task = static_cast<std::uint16_t>(c.vmcs.read<exit_qualification>() & 0xfff8);
    record(c, HV_RECORD_UNEXPECTED_EXIT, task);
    c.inject({vector::invalid_tss, true, task});
    return after::resume;
}

/// The guest state is not one that a CPU enters. At launch the loader gets an error. Later on it is
/// the core's mistake: it takes back what it put there itself and tries once more.
after on_entry_failed(cpu& c) {
    if (c.first_exit()) hv_vmx_abandon(c);
    record(c, HV_RECORD_ENTRY_FAILED, c.vmcs.read<exit_qualification>());
    if (c.second_try) return after::park;
    c.second_try = true;
    c.vmcs.write<entry_event>(0);
    c.vmcs.write<guest_interruptibility>(0);
    c.vmcs.write<guest_pending_debug>(pending_debug{});
    c.vmcs.write<guest_activity>(std::uint32_t(activity::active));
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv::vmx
