// SPDX-License-Identifier: MIT
// Exits on instructions that Linux may execute.
#include "call/dispatch.hpp"
#include "svm/exit.hpp"

namespace hv::svm {

after on_vmmcall(cpu& c) {
    if (c.privilege() != 0) {
        c.record(HV_RECORD_CALL_DENIED, c.base.gpr.rax);
        c.inject(invalid_opcode);
        return after::resume;
    }
    if (c.base.gpr.rax == HV_CALL_NOP) return after::advance;    // in a step
    auto const answer = dispatch_call(c);
    if (answer.left) return after::resume;
    if (answer.guest != nullptr) {
        c.guest = answer.guest;
        return after::enter_guest;
    }
    c.base.gpr.rax = static_cast<std::uint64_t>(answer.rax);
    return after::advance;
}

/// SVM's own instructions: what a CPU raises on which firmware has switched SVM off.
after on_svm_instruction(cpu& c) {
    c.record(HV_RECORD_INSTRUCTION_DENIED);
    c.inject(invalid_opcode);
    return after::resume;
}

/// Caches of the whole machine would lose what was not written back, the core's data too: write it
/// back.
after on_invd(cpu&) {
    insn::wbinvd();
    return after::advance;
}

/// A rule watches the register: see what the instruction does.
after on_cr_write(cpu& c) {
    c.begin_step(step_control_register);
    return after::resume;
}

}    // namespace hv::svm
