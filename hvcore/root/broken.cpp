// SPDX-License-Identifier: MIT
// Alone in its file: hosted tests end the process instead (tests/fake/broken.cpp).
#include "root/root_trap.hpp"

namespace hv {

void broken(char const* what, unsigned line) {
    auto& c = this_cpu();
    auto const from = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
    record_plain(c, HV_RECORD_ROOT_FAULT, line, from);
    park(c, what);
}

}    // namespace hv
