// SPDX-License-Identifier: MIT
#pragma once
#include "vmx/cpu.hpp"
#include "vmx/exit_reason.hpp"

namespace hv::vmx {

after on_ept_violation(cpu&), on_msr_read(cpu&), on_msr_write(cpu&), on_cr_access(cpu&),
    on_nmi(cpu&), on_nmi_window(cpu&), on_init(cpu&), on_sipi(cpu&), on_task_switch(cpu&),
    on_preemption_timer(cpu&), on_ept_misconfiguration(cpu&), on_entry_failed(cpu&),
    on_unexpected(cpu&);

/// Bits of enum hv_access.
constexpr std::uint32_t access_of(ept_violation_qualification q) {
    return static_cast<std::uint32_t>(q.get<ept_violation_qualification::access>());
}
inline constexpr std::uint64_t general_detect = 1u << 13;    // in DR6, DR7 and the qualification
void take_debug_condition(cpu const& c);
/// An IRET that is executed again must find NMIs blocked again. SDM 3C 28.2.3.
void prepare_retry(cpu const& c, ept_violation_qualification q);

}    // namespace hv::vmx
