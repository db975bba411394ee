// SPDX-License-Identifier: MIT
#include "daemon/vmm/size.hpp"

#include <charconv>
#include <limits>

namespace hv::vmm {

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t out = 0;
    auto const* const end = text.data() + text.size();
    auto const [stopped, error] = std::from_chars(text.data(), end, out);
    if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
    return out;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t unit = 1;
    if (!text.empty()) {
        switch (text.back()) {
        case 'k':
        case 'K': unit = kib; break;
        case 'm':
        case 'M': unit = mib; break;
        case 'g':
        case 'G': unit = gib; break;
        default:  break;
        }
    }
    auto const count = parse_count(unit == 1 ? text : text.substr(0, text.size() - 1));
    if (!count || *count > std::numeric_limits<std::uint64_t>::max() / unit) return std::nullopt;
    return *count * unit;
}

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes / mib + (bytes % mib != 0 ? 1 : 0)) + " MiB";
}

}
