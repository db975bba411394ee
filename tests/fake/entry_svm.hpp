// SPDX-License-Identifier: MIT
#pragma once
#include "cpu.hpp"
#include "svm/cpu.hpp"

namespace fake {

/// From #VMEXIT to the next VMRUN, as svm/entry.S goes; nothing: the CPU is Linux's again.
std::optional<entry> svm_way_out(cpu& p, hv::svm::cpu& c);
/// The same from a guest VM's #VMEXIT on.
entry svm_guest_way_out(cpu& p, hv::svm::cpu& c);

}    // namespace fake
