// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hv {

/// 0x and lower case digits, no leading zeroes.
std::string hex(std::uint64_t value);
std::string hex(std::span<std::uint8_t const> bytes);
/// Decimal, or hexadecimal after 0x; nothing else around it.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// Bytes, or with K, M, G after it that many KiB, MiB, GiB.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// "1 rule", "2 rules"; the plural is the singular and an s unless it is given.
std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural = {});
/// "4096 bytes" as people read it: "4 KiB".
std::string human_bytes(std::uint64_t bytes);

}
