// SPDX-License-Identifier: MIT
#include "mem/mtrr.hpp"

namespace hv {
namespace {

// Every boundary that type_at() may step over: of fixed parts, of ranges, and the top.
constexpr unsigned boundaries_max = mtrr_fixed::registers * mtrr_fixed::parts +
                                    2 * mtrr_set::variable_max + 2;

constexpr memory_type combine(memory_type a, memory_type b) {
    if (a == b) return a;
    bool const through_and_back = (a == memory_type::wt && b == memory_type::wb) ||
                                  (a == memory_type::wb && b == memory_type::wt);
    return through_and_back ? memory_type::wt : memory_type::uc;
}

// Not std::has_single_bit: that may call libgcc to count bits.
constexpr bool power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

constexpr void lower(std::uint64_t& end, std::uint64_t to) {
    if (to < end) end = to;
}

}    // namespace

status mtrr_set::set_fixed(unsigned n, std::uint64_t value) {
    for (unsigned part = 0; part < mtrr_fixed::parts; ++part) {
        auto const type = mtrr_fixed::part_type(value, part);
        if (!is_memory_type(type)) return error{errc::invalid};
        fixed_[n][part] = static_cast<memory_type>(type);
    }
    fixed_on_ = true;
    return done;
}

status mtrr_set::add_variable(mtrr_base base, mtrr_mask mask) {
    if (!mask.get<mtrr_mask::valid>()) return done;
    auto const type = base.get<mtrr_base::type>();
    auto const first = base.get<mtrr_base::frame>() * page_bytes;
    auto const fixed_bits = mask.get<mtrr_mask::frame>() * page_bytes;
    if (!is_memory_type(type) || first >= limit_ || fixed_bits >= limit_)
        return error{errc::invalid};
    // A mask with a hole matches many ranges; the core refuses to guess what firmware meant by it.
    auto const bytes = limit_ - fixed_bits;
    if (!power_of_two(bytes) || range_count_ == variable_max) return error{errc::invalid};
    ranges_[range_count_++] = {first & fixed_bits, bytes, static_cast<memory_type>(type)};
    return done;
}

auto mtrr_set::fixed_at(std::uint64_t at) const -> fixed_part {
    std::uint64_t first = 0;
    for (unsigned n = 0; n < mtrr_fixed::registers; ++n) {
        auto const bytes = mtrr_fixed::part_bytes(n);
        auto const part = (at - first) / bytes;
        if (part < mtrr_fixed::parts) return {first + (part + 1) * bytes, fixed_[n][part]};
        first += mtrr_fixed::parts * bytes;
    }
    return {first, memory_type::uc};
}

/// The type at `at`, and the distance to the next boundary of whatever kind.
type_run mtrr_set::piece_at(std::uint64_t at) const {
    if (fixed_on_ && at < mtrr_fixed::top) {
        auto const part = fixed_at(at);
        return {part.type, part.end - at};
    }
    auto end = limit_;
    auto type = default_;
    bool covered = false;
    for (unsigned i = 0; i < range_count_; ++i) {
        auto const& r = ranges_[i];
        if (at < r.first) {
            lower(end, r.first);
        } else if (at - r.first < r.bytes) {
            lower(end, r.first + r.bytes);
            type = covered ? combine(type, r.type) : r.type;
            covered = true;
        }
    }
    return {type, end - at};
}

type_run mtrr_set::type_at(hpa at) const {
    if (at.raw >= limit_) return {memory_type::uc, ~at.raw};
    auto run = piece_at(at.raw);
    for (unsigned i = 0; i < boundaries_max && at.raw + run.bytes < limit_; ++i) {
        auto const next = piece_at(at.raw + run.bytes);
        if (next.type != run.type) break;
        run.bytes += next.bytes;
    }
    return run;
}

std::optional<memory_type> mtrr_set::type_of(hpa_span run) const {
    auto const t = type_at(run.first);
    if (t.bytes < run.bytes) return std::nullopt;
    return t.type;
}

}    // namespace hv
