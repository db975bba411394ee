// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace hv {

/// Somebody else's text, fit for one line of a message: control characters become '?', and what
/// is longer than `limit` bytes is cut between two characters.
inline std::string printable(std::string_view text, std::size_t limit = 64) {
    bool const cut = text.size() > limit;
    if (cut) {
        // A byte 10xxxxxx continues the character before it.
        while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
        text = text.substr(0, limit);
    }
    std::string out{text};
    for (auto& each : out) {
        auto const byte = static_cast<unsigned char>(each);
        if (byte < 0x20 || byte == 0x7f) each = '?';
    }
    return cut ? out + "..." : out;
}

}
