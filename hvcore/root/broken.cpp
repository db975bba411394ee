// SPDX-License-Identifier: MIT
// Alone in its file: hosted tests end the process instead (tests/fake/broken.cpp).
#include "root/root_trap.hpp"

namespace hv {

void broken(char const* what, unsigned line) {
    auto& c = this_cpu();
    c.records.append({.tsc = insn::rdtsc(),
                      .kind = HV_RECORD_ROOT_FAULT,
                      .address = line,
                      .value = reinterpret_cast<std::uint64_t>(__builtin_return_address(0))});
    park(c, what);
}

}    // namespace hv
