// SPDX-License-Identifier: MIT
#pragma once
#include "vmx/cpu.hpp"
#include "vmx/exit_reason.hpp"

namespace hv::vmx {

/// What a handler leaves to its caller.
enum class after : std::uint8_t {
    resume,         // enter again where the guest stood, or with what was injected
    advance,        // the instruction is done: go behind it
    enter_guest,    // the instruction is done, and a guest runs next
    park,           // the core is broken on this CPU
};

after on_cpuid(cpu&), on_vmcall(cpu&), on_ept_violation(cpu&), on_msr_read(cpu&),
    on_msr_write(cpu&), on_cr_access(cpu&), on_xsetbv(cpu&), on_invd(cpu&),
    on_vmx_instruction(cpu&), on_nmi(cpu&), on_nmi_window(cpu&), on_init(cpu&), on_sipi(cpu&),
    on_triple_fault(cpu&), on_task_switch(cpu&), on_preemption_timer(cpu&),
    on_ept_misconfiguration(cpu&), on_entry_failed(cpu&), on_unexpected(cpu&);

}    // namespace hv::vmx
