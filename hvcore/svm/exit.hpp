// SPDX-License-Identifier: MIT
#pragma once
#include "svm/cpu.hpp"
#include "vcpu/after.hpp"

namespace hv::svm {

after on_nested_page_fault(cpu&), on_msr(cpu&), on_exception(cpu&), on_nmi(cpu&), on_iret(cpu&),
    on_init(cpu&), on_interrupt(cpu&), on_invalid(cpu&), on_unexpected(cpu&);

std::uint32_t access_of(nested_fault f);    // bits of enum hv_access

}    // namespace hv::svm
