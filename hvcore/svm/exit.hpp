// SPDX-License-Identifier: MIT
#pragma once
#include "svm/cpu.hpp"

namespace hv::svm {

/// What a handler leaves to its caller.
enum class after : std::uint8_t {
    resume,         // enter again where the guest stood, or with what was injected
    advance,        // the instruction is done: go behind it
    enter_guest,    // the instruction is done, and a guest runs next
    park,           // the core is broken on this CPU
};

after on_vmmcall(cpu&), on_nested_page_fault(cpu&), on_msr(cpu&), on_cr_write(cpu&),
    on_exception(cpu&), on_nmi(cpu&), on_iret(cpu&), on_init(cpu&), on_shutdown(cpu&),
    on_invd(cpu&), on_svm_instruction(cpu&), on_invalid(cpu&), on_unexpected(cpu&);

}    // namespace hv::svm
