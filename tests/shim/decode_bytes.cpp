// SPDX-License-Identifier: MIT
// What the decoder looks at: no byte that it was not given, and none that does not matter.
#include "encodings.hpp"
#include <cstring>
#include <gtest/gtest.h>
#include <memory>

namespace {

constexpr unsigned rounds = 200'000;

bool same(hvk_insn const& a, hvk_insn const& b) {
    auto const address = [](hvk_address const& x, hvk_address const& y) {
        return x.segment == y.segment && x.base == y.base && x.index == y.index &&
               x.scale == y.scale && x.bytes == y.bytes && x.displacement == y.displacement;
    };
    return a.length == b.length && a.op == b.op && a.flags == b.flags && a.rep == b.rep &&
           a.bytes == b.bytes && a.other == b.other && a.other_bytes == b.other_bytes &&
           a.reg == b.reg && a.rflags == b.rflags && a.immediate == b.immediate &&
           address(a.memory, b.memory) && address(a.second, b.second);
}

/// The first count bytes alone on the heap, where a sanitizer sees a look beyond them.
hvk_decoded decode_part(encoding const& bytes, std::size_t count, hvk_mode mode, hvk_insn& insn) {
    auto const part = std::make_unique<std::uint8_t[]>(count);
    std::memcpy(part.get(), bytes.data(), count);
    return hvk_decode(part.get(), static_cast<unsigned>(count), mode, &insn);
}

TEST(decode_bytes, fewer_bytes_give_the_same_answer_or_ask_for_more) {
    random_bits random{3};
    for (unsigned i = 0; i < rounds; ++i) {
        auto const mode = static_cast<hvk_mode>(random() % 3);
        auto const bytes = random_encoding(random, mode);
        hvk_insn whole, part;
        auto const answer = decode(bytes, mode, whole);
        bool settled = false;
        for (std::size_t n = 0; n <= bytes.size(); ++n) {
            auto const now = decode_part(bytes, n, mode, part);
            ASSERT_TRUE(now == answer || (now == HVK_DECODE_MORE && !settled)) << hex(bytes);
            settled |= now != HVK_DECODE_MORE;
            ASSERT_TRUE(now != HVK_DECODED || same(whole, part)) << hex(bytes);
            ASSERT_TRUE(answer != HVK_DECODED || settled == (n >= whole.length)) << hex(bytes);
        }
    }
}

TEST(decode_bytes, bytes_behind_the_instruction_do_not_matter) {
    random_bits random{5};
    for (unsigned i = 0; i < rounds; ++i) {
        auto const mode = static_cast<hvk_mode>(random() % 3);
        auto bytes = random_encoding(random, mode);
        hvk_insn before, after;
        if (decode(bytes, mode, before) != HVK_DECODED) continue;
        for (std::size_t n = before.length; n < bytes.size(); ++n)
            bytes[n] = static_cast<std::uint8_t>(random());
        ASSERT_EQ(decode(bytes, mode, after), HVK_DECODED);
        ASSERT_TRUE(same(before, after)) << hex(bytes);
    }
}

TEST(decode_bytes, fifteen_prefixes_and_an_endless_row_of_them_are_too_long) {
    for (auto const prefix : {0x26, 0x66, 0x67, 0xf0, 0xf2, 0xf3}) {
        encoding bytes(15, static_cast<std::uint8_t>(prefix));
        hvk_insn insn;
        EXPECT_EQ(decode(bytes, HVK_MODE_32, insn), HVK_DECODE_TOO_LONG);
        bytes.resize(14);
        EXPECT_EQ(decode(bytes, HVK_MODE_32, insn), HVK_DECODE_MORE);
        bytes.resize(4096, static_cast<std::uint8_t>(prefix));
        EXPECT_EQ(decode(bytes, HVK_MODE_32, insn), HVK_DECODE_TOO_LONG);
    }
}

}    // namespace
