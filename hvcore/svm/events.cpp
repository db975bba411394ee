// SPDX-License-Identifier: MIT
// Exits that no instruction asked for: memory, exceptions in a step, NMI, INIT, shutdown.
#include "root/memory_event.hpp"
#include "svm/exit.hpp"

namespace hv::svm {

std::uint32_t access_of(nested_fault f) {
    if (f.get<nested_fault::fetch>()) return HV_ACCESS_EXECUTE;
    return f.get<nested_fault::write>() ? HV_ACCESS_WRITE : HV_ACCESS_READ;
}

namespace {

constexpr bool has_error_code(unsigned vector) {
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
}

}    // namespace

after on_nested_page_fault(cpu& c) {
    auto const& v = c.block->control;
    auto const f = make<nested_fault>(v.exit_info_1);
    violation const what{.at = gpa{v.exit_info_2},
                         .access = access_of(f),
                         .rip = c.linear(c.rip().raw),
                         .reason = c.reason(),
                         .qualification = f.raw};
    if (on_violation(c.machine(), c, what) == outcome::fault) c.inject(general_protection);
    return after::resume;
}

/// Exceptions are intercepted during a step only: #DB is its end, all others are the root VM's.
after on_exception(cpu& c) {
    auto const& v = c.block->control;
    auto const n = static_cast<unsigned>(v.exit_code) - static_cast<unsigned>(exit_code::exception);
    auto const which = static_cast<vector>(n);
    if (which == vector::debug && c.step.reasons != 0) {
        c.finish_step();
        return after::resume;
    }
    if (which == vector::page_fault) c.block->save.cr2 = v.exit_info_2;
    c.inject({which, has_error_code(n), static_cast<std::uint32_t>(v.exit_info_1)});
    return after::resume;
}

/// The NMI stays pending over the exit. GIF lets it in, to hv_svm_trap, which notes whose it is.
after on_nmi(cpu& c) {
    c.let_nmis_in();
    return after::resume;
}

/// The root VM's NMI handler is about to end, or that of an event whose delivery was logged.
after on_iret(cpu& c) {
    if (c.step.open_until_iret) c.close_own_pages();
    c.nmi_masked = false;
    set_intercept(*c.block, exit_code::iret, false);
    if (c.base.nmi_waits) c.begin_step(step_iret);
    return after::resume;
}

/// Intercepted while pages are open that are executed. It stays pending, and is Linux's at the next
/// entry.
after on_interrupt(cpu& c) {
    c.close_own_pages();
    return after::resume;
}

/// Redirected, an INIT becomes a security exception in root mode, and the root VM goes on. Where
/// the CPU cannot do that it stays pending for ever: the CPU then waits, as after any INIT, for a
/// SIPI that cannot come.
after on_init(cpu& c) {
    record(c, HV_RECORD_INIT);
    if (c.redirects_init) {
        c.let_nmis_in();
        return after::resume;
    }
    c.cancel_step();
    c.base.state.store(cpu_state::waiting_for_sipi);
    for (;;) insn::cli_hlt();
}

/// The VMCB is not one that a CPU enters. At launch the loader gets an error. Later on it is the
/// core's mistake: it takes back what it put there itself and tries once more.
after on_invalid(cpu& c) {
    if (c.first_exit()) hv_svm_abandon(c);
    record(c, HV_RECORD_ENTRY_FAILED, c.block->control.exit_info_1);
    if (c.second_try) return after::park;
    c.second_try = true;
    c.cancel_step();
    c.block->control.interrupt_shadow = 0;
    c.block->control.exit_event = 0;
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv::svm
