// SPDX-License-Identifier: MIT
// Encodings that are likely to be instructions of the decoder's.
#pragma once
#include "decoder.hpp"
#include <random>

using random_bits = std::mt19937_64;

template <typename List> auto any_of(random_bits& random, List const& list) {
    return list[random() % std::size(list)];
}

/// Opcodes as they are written, 0f included.
inline encoding random_opcode(random_bits& random) {
    static constexpr std::uint8_t one[] = {
        0x63, 0x6c, 0x6d, 0x6e, 0x6f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
        0x88, 0x89, 0x8a, 0x8b, 0x8f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
        0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff};
    static constexpr std::uint8_t two[] = {0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xb6, 0xb7,
                                           0xba, 0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3};
    switch (random() % 8) {
    case 0:  return {static_cast<std::uint8_t>(random())};
    case 1:  return {0x0f, static_cast<std::uint8_t>(random())};
    case 2:
    case 3:  return {static_cast<std::uint8_t>(random() % 8 << 3 | random() % 4)};
    case 4:
    case 5:  return {0x0f, any_of(random, two)};
    default: return {any_of(random, one)};
    }
}

inline encoding random_prefixes(random_bits& random, hvk_mode mode) {
    static constexpr std::uint8_t legacy[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26,
                                              0x2e, 0x36, 0x3e, 0x64, 0x65};
    encoding bytes;
    while (random() % 2 != 0 && bytes.size() < 14) {
        bool const rex = mode == HVK_MODE_64 && random() % 8 == 0;
        bytes.push_back(rex ? static_cast<std::uint8_t>(0x40 | random() % 16)
                            : any_of(random, legacy));
    }
    if (mode == HVK_MODE_64 && random() % 2 != 0)
        bytes.push_back(static_cast<std::uint8_t>(0x40 | random() % 16));
    return bytes;
}

/// Sometimes cut short, sometimes longer than an instruction may be.
inline encoding random_encoding(random_bits& random, hvk_mode mode) {
    auto bytes = random_prefixes(random, mode);
    for (auto const byte : random_opcode(random)) bytes.push_back(byte);
    auto const size = random() % 16 == 0 ? random() % 16 : 15 + random() % 3;
    while (bytes.size() < size) bytes.push_back(static_cast<std::uint8_t>(random()));
    return bytes;
}
