// SPDX-License-Identifier: MIT
#pragma once
#include "arch/msr.hpp"
#include "arch/register.hpp"
#include "base/address.hpp"
#include "base/array.hpp"
#include "base/result.hpp"
#include "mem/rights.hpp"
#include <concepts>
#include <cstdint>
#include <optional>

namespace hv {

struct mtrr_cap : reg<mtrr_cap> {    // SDM 3A 12.11.1 "MTRR Feature Identification"
    static constexpr std::uint32_t msr = hv::msr::ia32_mtrrcap;
    using variable = field<mtrr_cap, 7, 0>;
    using fixed = bit<mtrr_cap, 8>;
};

struct mtrr_def_type : reg<mtrr_def_type> {    // SDM 3A 12.11.2.1 "IA32_MTRR_DEF_TYPE MSR"
    static constexpr std::uint32_t msr = hv::msr::ia32_mtrr_def_type;
    using type = field<mtrr_def_type, 7, 0>;
    using fixed_enable = bit<mtrr_def_type, 10>;
    using enable = bit<mtrr_def_type, 11>;
};

struct mtrr_base : reg<mtrr_base> {    // SDM 3A 12.11.2.3 "Variable Range MTRRs"
    static constexpr std::uint32_t msr(unsigned n) { return hv::msr::ia32_mtrr_physbase0 + 2 * n; }
    using type = field<mtrr_base, 7, 0>;
    using frame = field<mtrr_base, 51, 12>;
};

struct mtrr_mask : reg<mtrr_mask> {
    static constexpr std::uint32_t msr(unsigned n) { return mtrr_base::msr(n) + 1; }
    using valid = bit<mtrr_mask, 11>;
    using frame = field<mtrr_mask, 51, 12>;
};

/// The eleven fixed-range registers, eight equal parts each, from 0 up without a gap.
struct mtrr_fixed {
    static constexpr unsigned registers = 11;
    static constexpr unsigned parts = 8;
    static constexpr std::uint64_t top = 1ull << 20;
    static constexpr std::uint32_t msr(unsigned n) {
        return n == 0 ? 0x250u : n <= 2 ? 0x257u + n : 0x265u + n;
    }
    static constexpr std::uint64_t part_bytes(unsigned n) {
        return n == 0 ? 0x10000 : n <= 2 ? 0x4000 : 0x1000;
    }
    static constexpr std::uint64_t part_type(std::uint64_t value, unsigned part) {
        return value >> 8 * part & 0xff;
    }
};

/// Whether a write to the MSR can change what mtrr_set says.
constexpr bool is_mtrr(std::uint32_t index) {
    if (index >= mtrr_base::msr(0) && index <= mtrr_mask::msr(31)) return true;
    for (unsigned n = 0; n < mtrr_fixed::registers; ++n)
        if (index == mtrr_fixed::msr(n)) return true;
    return index == mtrr_def_type::msr;
}

/// Bytes from an address on that all have one type.
struct type_run {
    memory_type type{};
    std::uint64_t bytes{};
};

/// The memory types that the MTRRs of a CPU give to physical memory, at the time of reading.
class mtrr_set {
public:
    static constexpr unsigned variable_max = 32;

    /// One type all over, up to `limit`: what holds while the MTRRs are off.
    constexpr mtrr_set() = default;
    constexpr mtrr_set(memory_type everywhere, std::uint64_t limit)
        : default_{everywhere}, limit_{limit} {}

    /// The type at `at`, and as far as it lasts.
    /// Source   SDM 3A 12.11.4.1 "MTRR Precedences"; what that leaves undefined is UC.
    [[nodiscard]] type_run type_at(hpa at) const;
    /// The type of a whole run, where it has but one.
    [[nodiscard]] std::optional<memory_type> type_of(hpa_span run) const;

    /// Errors   invalid: a reserved type or encoding, a range beyond the CPU's reach.
    [[nodiscard]] status set_fixed(unsigned n, std::uint64_t value);
    [[nodiscard]] status add_variable(mtrr_base base, mtrr_mask mask);

private:
    struct range {
        std::uint64_t first{};
        std::uint64_t bytes{};
        memory_type type{};
    };
    struct fixed_part {
        std::uint64_t end{};
        memory_type type{};
    };
    [[nodiscard]] type_run piece_at(std::uint64_t at) const;
    [[nodiscard]] fixed_part fixed_at(std::uint64_t at) const;

    memory_type default_{memory_type::uc};
    bool fixed_on_{};
    array<array<memory_type, mtrr_fixed::parts>, mtrr_fixed::registers> fixed_{};
    array<range, variable_max> ranges_{};
    unsigned range_count_{};
    std::uint64_t limit_{};
};

template <typename R>
concept msr_reader = requires(R& r, std::uint32_t index) {
    { r(index) } -> std::convertible_to<std::uint64_t>;
};

/// Read the MTRRs of this CPU through `rdmsr`, a function of the MSR's index.
/// maxphyaddr   CPUID.80000008H:EAX[7:0], 32 to 52.
/// Errors   invalid: a register holds what the manual reserves, or too many ranges.
/// Source   SDM 3A 12.11 "Memory Type Range Registers (MTRRs)". SMRRs are not among them: SMM is
///          out of reach for both worlds.
template <msr_reader R> [[nodiscard]] result<mtrr_set> read_mtrrs(R&& rdmsr, unsigned maxphyaddr) {
    if (maxphyaddr < 32 || maxphyaddr > 52) return error{errc::invalid};
    auto const limit = 1ull << maxphyaddr;
    mtrr_cap const cap = make<mtrr_cap>(rdmsr(mtrr_cap::msr));
    mtrr_def_type const def = make<mtrr_def_type>(rdmsr(mtrr_def_type::msr));
    if (!def.get<mtrr_def_type::enable>()) return mtrr_set{memory_type::uc, limit};
    auto const type = def.get<mtrr_def_type::type>();
    auto const variable = cap.get<mtrr_cap::variable>();
    if (!is_memory_type(type) || variable > mtrr_set::variable_max) return error{errc::invalid};
    mtrr_set set{static_cast<memory_type>(type), limit};
    if (cap.get<mtrr_cap::fixed>() && def.get<mtrr_def_type::fixed_enable>())
        for (unsigned n = 0; n < mtrr_fixed::registers; ++n)
            HV_TRY(set.set_fixed(n, rdmsr(mtrr_fixed::msr(n))));
    for (unsigned n = 0; n < mtrr_set::variable_max && n < variable; ++n)
        HV_TRY(set.add_variable(make<mtrr_base>(rdmsr(mtrr_base::msr(n))),
                                make<mtrr_mask>(rdmsr(mtrr_mask::msr(n)))));
    return set;
}

}    // namespace hv
