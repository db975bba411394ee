// SPDX-License-Identifier: MIT
#include "daemon/text/number.hpp"

#include <array>
#include <charconv>

namespace hv {

std::string hex(std::uint64_t value) {
    std::array<char, 18> out{'0', 'x'};
    auto const end = std::to_chars(out.data() + 2, out.data() + out.size(), value, 16).ptr;
    return {out.data(), end};
}

std::string hex(std::span<std::uint8_t const> bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (auto const each : bytes) {
        out.push_back(digits[each >> 4]);
        out.push_back(digits[each & 15]);
    }
    return out;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    bool const hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if (hexadecimal) text.remove_prefix(2);
    std::uint64_t value = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value, hexadecimal ? 16 : 10);
    if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    static constexpr std::string_view units = "KMG";
    auto const unit = text.empty() ? units.npos : units.find(text.back());
    if (unit != units.npos) text.remove_suffix(1);
    auto const shift = unit == units.npos ? 0 : 10 * (unit + 1);
    auto const count = parse_number(text);
    if (!count || *count > ~0ull >> shift) return std::nullopt;
    return *count << shift;
}

std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural) {
    auto const text = std::to_string(count) + " ";
    if (count == 1) return text + std::string{singular};
    return text + (plural.empty() ? std::string{singular} + "s" : std::string{plural});
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array<char const*, 5> units{"bytes", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    std::uint64_t tenths = bytes * 10;
    if (bytes >= 1ull << 56) return hex(bytes) + " bytes";
    while (tenths >= 10240 && unit + 1 < units.size()) {
        tenths = (tenths + 512) / 1024;
        ++unit;
    }
    std::string out = std::to_string(tenths / 10);
    if (tenths % 10 != 0) out += "." + std::to_string(tenths % 10);
    return out + " " + units[unit];
}

}
