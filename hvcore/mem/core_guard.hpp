// SPDX-License-Identifier: MIT
#pragma once
#include "mem/frames.hpp"
#include "mem/rights.hpp"
#include <concepts>

namespace hv {

/// Asked before every leaf is written: refuses it, or says whether the guest's PAT counts there.
template <typename G>
concept leaf_guard = requires(G const& g, hpa_span to, rights r) {
    { g(to, r) } -> std::same_as<result<guest_pat>>;
};

/// What the root VM may have of a core frame, at most.
constexpr rights most_rights(frame_kind kind) {
    switch (kind) {
    case frame_kind::outside:      return all_rights;
    case frame_kind::private_core: return rights::none;
    case frame_kind::shared_read:  return rights::read;
    case frame_kind::shared_write: return read_write;
    }
    return rights::none;
}

/// Keeps every leaf of every VM away from the core: no private frame as a target, and no shared one
/// with more rights than its kind has.
/// Errors   perm: the run holds a core frame that must not be reached so.
class core_guard {
public:
    constexpr explicit core_guard(frames const& all) : frames_{&all} {}
    [[nodiscard]] result<guest_pat> operator()(hpa_span to, rights r) const;

private:
    frames const* frames_;
};
// A chunk holds at most three changes of kind, and one gap follows it.
inline constexpr unsigned runs_max = 5 * HV_MAX_CHUNKS;

inline result<guest_pat> core_guard::operator()(hpa_span to, rights r) const {
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
static_assert(leaf_guard<core_guard>);

}    // namespace hv
