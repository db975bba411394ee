// SPDX-License-Identifier: MIT
#include "base/assert.hpp"
#include <cstdio>
#include <cstdlib>

void hv::broken(char const* what, unsigned line) {
    std::fprintf(stderr, "broken: %s (line %u)\n", what, line);
    std::abort();
}
