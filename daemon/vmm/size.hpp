// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hv::vmm {

constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t gib = 1u << 30;

/// Bytes, or with K, M, G after it that many KiB, MiB, GiB.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// A decimal number, and nothing around it.
std::optional<std::uint64_t> parse_count(std::string_view text);
/// "256 MiB", rounded up to whole MiB.
std::string mebibytes(std::uint64_t bytes);

}
