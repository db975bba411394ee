// SPDX-License-Identifier: MIT
#include "mem/core_guard.hpp"

namespace hv {

// A chunk holds at most three changes of kind, and one gap follows it.
constexpr unsigned runs_max = 5 * HV_MAX_CHUNKS;

result<guest_pat> core_guard::operator()(hpa_span to, rights r) const {
    if (!frames_->touches(to)) return guest_pat::honoured;
    std::uint64_t checked = 0;
    for (unsigned i = 0; i < runs_max && checked < to.bytes; ++i) {
        auto const run = frames_->run_at(to.first + checked);
        if (!includes(most_rights(run.kind), r)) return error{errc::perm};
        checked += run.bytes < to.bytes - checked ? run.bytes : to.bytes - checked;
    }
    if (checked < to.bytes) return error{errc::perm};
    return guest_pat::ignored;
}

}    // namespace hv
