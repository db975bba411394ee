// SPDX-License-Identifier: MIT
#pragma once

namespace hv {
/// The core's own mistake: dumps the state of this CPU and parks it. Hosted tests abort instead.
[[noreturn]] void broken(char const* what, unsigned line);
}    // namespace hv

/// Stays on in release builds: a core that goes on after a broken invariant protects nobody.
#define HV_ASSERT(condition) \
    do { \
        if (!(condition)) [[unlikely]] \
            ::hv::broken(#condition, __LINE__); \
    } while (false)
