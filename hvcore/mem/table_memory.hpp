// SPDX-License-Identifier: MIT
#pragma once
#include "base/address.hpp"
#include "base/result.hpp"
#include <concepts>
#include <cstdint>

namespace hv {

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
