// SPDX-License-Identifier: MIT
#pragma once
#include "svm/cpu.hpp"
#include "vcpu/after.hpp"

namespace hv::svm {

after on_vmmcall(cpu&), on_nested_page_fault(cpu&), on_msr(cpu&), on_cr_write(cpu&),
    on_exception(cpu&), on_nmi(cpu&), on_iret(cpu&), on_init(cpu&), on_shutdown(cpu&),
    on_invd(cpu&), on_svm_instruction(cpu&), on_interrupt(cpu&), on_invalid(cpu&),
    on_unexpected(cpu&);

}    // namespace hv::svm
