// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "kvm-shim/decode.h"
}

using encoding = std::vector<std::uint8_t>;

inline std::string hex(encoding const& bytes) {
    std::string text;
    for (auto const byte : bytes) {
        if (!text.empty()) text += ' ';
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

/// The bytes of "66 8b 05" and the like.
inline encoding from_hex(std::string_view text) {
    encoding bytes;
    bool half = false;
    for (char const c : text) {
        if (c == ' ') continue;
        auto const digit = static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        if (half)
            bytes.back() = static_cast<std::uint8_t>(bytes.back() << 4 | digit);
        else
            bytes.push_back(digit);
        half = !half;
    }
    return bytes;
}

inline hvk_decoded decode(encoding const& bytes, hvk_mode mode, hvk_insn& insn) {
    return hvk_decode(bytes.data(), static_cast<unsigned>(bytes.size()), mode, &insn);
}
