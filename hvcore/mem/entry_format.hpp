// SPDX-License-Identifier: MIT
#pragma once
#include "base/address.hpp"
#include "base/result.hpp"
#include "mem/rights.hpp"
#include <concepts>
#include <cstdint>

namespace hv {

inline constexpr unsigned stage_levels = 4;    // level 1 holds 4 KiB leaves, 2: 2 MiB, 3: 1 GiB
inline constexpr unsigned table_entries = 512;

/// Bytes that `count` entries of a table of `level` cover. By shifts: a prover pays for products.
constexpr std::uint64_t entry_bytes(unsigned level, std::uint64_t count = 1) {
    return count << (3 + 9 * level);
}
constexpr unsigned entry_index(gpa a, unsigned level) {
    return static_cast<unsigned>(a.raw >> (3 + 9 * level)) % table_entries;
}

/// What the processor can walk.
struct stage_limits {
    unsigned address_bits{};    // MAXPHYADDR, at most 48: four levels reach no further
    bool leaf_2m{};
    bool leaf_1g{};
    [[nodiscard]] constexpr std::uint64_t top() const { return 1ull << address_bits; }
    [[nodiscard]] constexpr bool sound() const {
        return address_bits >= 32 && address_bits <= 48 && (leaf_2m || !leaf_1g);
    }
    [[nodiscard]] constexpr bool leaf_at(unsigned level) const {
        return level == 1 || (level == 2 && leaf_2m) || (level == 3 && leaf_1g);
    }
};

struct leaf_value {
    hpa to{};
    rights allowed{};
    memory_type type{};
    guest_pat pat{};
    friend constexpr bool operator==(leaf_value const&, leaf_value const&) = default;
};

/// What a leaf's frame field holds. Where nothing is allowed it is the complement, beyond all
/// memory: the CPU may speculate with the frame number of an entry that is not present (L1TF).
constexpr hpa frame_field(hpa frame, rights allowed) {
    return allowed == rights::none ? hpa{frame.raw ^ 0xffffffffff000} : frame;
}

/// How one vendor writes a second-stage entry; 0 is one that leads nowhere. All functions are pure;
/// `level` is the table's.
template <typename F>
concept entry_format = requires(std::uint64_t entry, hpa a, unsigned level, leaf_value const& v,
                                stage_limits const& limits) {
    { F::leaf(v, level) } -> std::same_as<std::uint64_t>;
    { F::table(a) } -> std::same_as<std::uint64_t>;
    { F::is_leaf(entry, level) } -> std::same_as<bool>;
    { F::table_of(entry) } -> std::same_as<hpa>;
    { F::value_of(entry, level) } -> std::same_as<leaf_value>;
    { F::malformed(entry, level, limits) } -> std::same_as<bool>;
};

/// Where page tables live. The only way to them, so that tests and proofs can stand in.
///   take       a page of zeroes for a table of `level`; no_memory: none left
///   give       a table that no entry leads to any more. Other CPUs may still walk it until they
///              flush, so its content stays, and it is not taken again, before the shoot-down ends
///   available  pages that take() is sure to deliver while the caller holds the lock of the tables
template <typename M>
concept table_memory = requires(M& m, M const& c, hpa table, unsigned index, std::uint64_t value,
                                unsigned level) {
    { c.read(table, index) } -> std::same_as<std::uint64_t>;
    { m.write(table, index, value) } -> std::same_as<void>;
    { m.take(level) } -> std::same_as<result<hpa>>;
    { m.give(table, level) } -> std::same_as<void>;
    { c.available() } -> std::same_as<std::uint64_t>;
};

}    // namespace hv
