// SPDX-License-Identifier: MIT
// Exits on instructions that Linux may execute.
#include "call/dispatch.hpp"
#include "svm/exit.hpp"

namespace hv::svm {

after on_vmmcall(cpu& c) { return answer_call(c); }
after on_svm_instruction(cpu& c) { return deny_instruction(c); }
after on_invd(cpu&) { return answer_invd(); }

/// A rule watches the register: see what the instruction does.
after on_register_write(cpu& c) {
    c.begin_step(step_register);
    return after::resume;
}

}    // namespace hv::svm
