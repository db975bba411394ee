// SPDX-License-Identifier: MIT
// Addresses made of registers, the parts of registers that operands are, and the steps of strings.
#include "decoder.hpp"
#include <array>
#include <gtest/gtest.h>

namespace {

using registers = std::array<std::uint64_t, HVK_REGISTERS>;

/// Register n holds 0x1111111111111111 × n, but for those that a test sets.
registers numbered() {
    registers gpr{};
    for (unsigned i = 0; i < gpr.size(); ++i) gpr[i] = 0x1111111111111111u * i;
    return gpr;
}

hvk_insn decoded(char const* text, hvk_mode mode) {
    hvk_insn insn;
    EXPECT_EQ(decode(from_hex(text), mode, insn), HVK_DECODED) << text;
    return insn;
}

struct addressed {
    char const* bytes;
    hvk_mode mode;
    std::uint64_t offset;
    unsigned segment;
};

TEST(decode_address, is_what_the_form_says) {
    auto gpr = numbered();
    gpr[HVK_RBP] = 0x1'0000fffe;
    for (auto const& [text, mode, offset, segment] : {
             addressed{"8b 01", HVK_MODE_64, 0x1111111111111111, HVK_DS},
             {"67 8b 01", HVK_MODE_64, 0x11111111, HVK_DS},
             {"8b 41 ff", HVK_MODE_64, 0x1111111111111110, HVK_DS},
             {"8b 04 ca", HVK_MODE_64, 0xaaaaaaaaaaaaaaaa, HVK_DS},    // rdx + rcx × 8
             {"8b 05 f0 ff ff ff", HVK_MODE_64, 0x1000 + 6 - 16, HVK_DS},
             {"c7 05 f0 ff ff ff 01 00 00 00", HVK_MODE_64, 0x1000 + 10 - 16, HVK_DS},
             {"8b 05 f0 ff ff ff", HVK_MODE_32, 0xfffffff0, HVK_DS},
             {"8b 04 25 f0 ff ff ff", HVK_MODE_64, 0xfffffffffffffff0, HVK_DS},
             {"8b 04 24", HVK_MODE_64, 0x4444444444444444, HVK_SS},
             {"8b 45 02", HVK_MODE_64, 0x1'00010000, HVK_SS},
             {"8b 45 02", HVK_MODE_32, 0x10000, HVK_SS},
             {"8b 46 02", HVK_MODE_16, 0, HVK_SS},    // bp + 2 wraps
             {"8b 07", HVK_MODE_16, 0x3333, HVK_DS},
             {"67 66 8b 01", HVK_MODE_16, 0x11111111, HVK_DS},
             {"3e 8b 46 02", HVK_MODE_16, 0, HVK_DS},
             {"36 8b 01", HVK_MODE_64, 0x1111111111111111, HVK_DS},    // no base there
             {"65 36 8b 01", HVK_MODE_64, 0x1111111111111111, HVK_GS},
             {"65 36 8b 01", HVK_MODE_32, 0x11111111, HVK_SS},
             {"64 a1 f0 ff", HVK_MODE_16, 0xfff0, HVK_FS},
             {"a0 f0 de bc 9a 78 56 34 f2", HVK_MODE_64, 0xf23456789abcdef0, HVK_DS},
             {"67 a0 f0 de bc 9a", HVK_MODE_64, 0x9abcdef0, HVK_DS},
             {"65 ab", HVK_MODE_64, 0x7777777777777777, HVK_ES},
             {"65 ad", HVK_MODE_64, 0x6666666666666666, HVK_GS},
         }) {
        auto const insn = decoded(text, mode);
        EXPECT_EQ(hvk_effective_address(&insn, &insn.memory, gpr.data(), 0x1000), offset) << text;
        EXPECT_EQ(insn.memory.segment, segment) << text;
    }
}

TEST(decode_address, of_a_pop_to_the_stack_is_above_what_was_popped) {
    auto const gpr = numbered();
    auto const pop = decoded("8f 04 24", HVK_MODE_64);
    EXPECT_EQ(hvk_effective_address(&pop, &pop.memory, gpr.data(), 0), gpr[HVK_RSP] + 8);
    auto const push = decoded("ff 34 24", HVK_MODE_64);
    EXPECT_EQ(hvk_effective_address(&push, &push.memory, gpr.data(), 0), gpr[HVK_RSP]);
}

TEST(decode_address, of_a_bit_string_is_moved_by_whole_operands) {
    struct moved {
        char const* bytes;
        std::uint64_t bits;
        std::int64_t by;
    };
    for (auto const& [text, bits, by] : {moved{"0f a3 08", 31, 0},
                                         {"0f a3 08", 32, 4},
                                         {"0f a3 08", ~0ull, -4},
                                         {"0f a3 08", 0x5'00000000, 0},
                                         {"66 0f a3 08", 0xffef, -4},
                                         {"66 0f a3 08", 0x10010, 2},
                                         {"48 0f a3 08", ~0ull << 6, -8},
                                         {"48 0f a3 08", 1ull << 63, -(1ll << 60)},
                                         {"0f ba 20 ff", 0, 0}}) {
        registers gpr{0x8000000000000000};
        gpr[HVK_RCX] = bits;
        auto const insn = decoded(text, HVK_MODE_64);
        EXPECT_EQ(hvk_effective_address(&insn, &insn.memory, gpr.data(), 0),
                  gpr[0] + static_cast<std::uint64_t>(by))
            << text << ' ' << bits;
    }
}

/// RCX after a load of 0xf5f5… into the register that the instruction names.
std::uint64_t loaded(char const* text) {
    auto const insn = decoded(text, HVK_MODE_64);
    auto gpr = numbered();
    hvk_values values{0xf5f5f5f5f5f5f5f5, 0, 0, 0};
    hvk_take_registers(&insn, gpr.data(), 2, &values);
    hvk_execute(&insn, &values);
    hvk_give_registers(&insn, &values, gpr.data());
    EXPECT_EQ(values.rflags, 2u) << text;
    auto rest = numbered();
    rest[HVK_RCX] = gpr[HVK_RCX];
    EXPECT_EQ(gpr, rest) << text;
    return gpr[HVK_RCX];
}

TEST(decode_registers, leaves_or_clears_what_is_beside_the_operand) {
    EXPECT_EQ(loaded("8a 08"), 0x11111111111111f5u);
    EXPECT_EQ(loaded("8a 28"), 0x111111111111f511u);
    EXPECT_EQ(loaded("66 8b 08"), 0x111111111111f5f5u);
    EXPECT_EQ(loaded("8b 08"), 0xf5f5f5f5u);
    EXPECT_EQ(loaded("48 8b 08"), 0xf5f5f5f5f5f5f5f5u);
    EXPECT_EQ(loaded("0f b6 08"), 0xf5u);
    EXPECT_EQ(loaded("66 0f be 08"), 0x111111111111fff5u);
    EXPECT_EQ(loaded("0f be 08"), 0xfffffff5u);
    EXPECT_EQ(loaded("48 63 08"), 0xfffffffff5f5f5f5u);
}

TEST(decode_registers, writes_none_for_a_comparison_or_a_store) {
    for (auto const* text : {"3b 08", "39 08", "89 08", "85 08", "83 00 01", "0f a3 08"}) {
        auto const insn = decoded(text, HVK_MODE_64);
        auto gpr = numbered();
        hvk_values values{5, 0, 0, 0};
        hvk_take_registers(&insn, gpr.data(), 2, &values);
        hvk_execute(&insn, &values);
        hvk_give_registers(&insn, &values, gpr.data());
        EXPECT_EQ(gpr, numbered()) << text;
    }
}

TEST(decode_values, looks_at_no_more_of_its_operands_than_their_bytes) {
    for (auto const* text : {"00 08", "30 08", "0f b0 08", "86 08", "f6 18", "c6 00 01", "88 08"}) {
        auto const insn = decoded(text, HVK_MODE_64);
        hvk_values clean{5, 0x81, 7, 2}, dirty{0xff00000000000105, 0xff81, 0xff07, 2};
        hvk_execute(&insn, &clean);
        hvk_execute(&insn, &dirty);
        EXPECT_EQ(clean.memory, dirty.memory) << text;
        EXPECT_EQ(clean.rflags, dirty.rflags) << text;
    }
}

TEST(decode_string, counts_and_advances_within_the_width_of_addresses) {
    struct stepped {
        char const* bytes;
        hvk_mode mode;
        std::uint64_t left, rcx, rsi, rdi;
    };
    // Two iterations; rcx, rsi and rdi begin as 1'00010003, 1'0002fffe and 1'00030001.
    for (auto const& [text, mode, left, rcx, rsi, rdi] :
         {stepped{"f3 66 a5", HVK_MODE_64, 0x1'00010003, 0x1'00010001, 0x1'00030002, 0x1'00030005},
          {"67 f3 66 a5", HVK_MODE_64, 0x10003, 0x10001, 0x30002, 0x30005},
          {"f3 66 a5", HVK_MODE_32, 0x10003, 0x10001, 0x30002, 0x30005},
          {"f3 a5", HVK_MODE_16, 3, 0x1'00010001, 0x1'00020002, 0x1'00030005},
          {"f3 ab", HVK_MODE_16, 3, 0x1'00010001, 0x1'0002fffe, 0x1'00030005},
          {"f3 6f", HVK_MODE_16, 3, 0x1'00010001, 0x1'00020002, 0x1'00030001},
          {"a5", HVK_MODE_16, 1, 0x1'00010003, 0x1'00020002, 0x1'00030005}}) {
        registers gpr{};
        gpr[HVK_RCX] = 0x1'00010003;
        gpr[HVK_RSI] = 0x1'0002fffe;
        gpr[HVK_RDI] = 0x1'00030001;
        auto const insn = decoded(text, mode);
        EXPECT_EQ(hvk_string_count(&insn, gpr.data()), left) << text;
        hvk_string_advance(&insn, 2, 2, gpr.data());
        EXPECT_EQ(gpr[HVK_RCX], rcx) << text;
        EXPECT_EQ(gpr[HVK_RSI], rsi) << text;
        EXPECT_EQ(gpr[HVK_RDI], rdi) << text;
    }
}

TEST(decode_string, goes_down_with_the_direction_flag) {
    registers gpr{};
    gpr[HVK_RCX] = 9;
    gpr[HVK_RDI] = 0x1000;
    auto const insn = decoded("f3 ab", HVK_MODE_64);
    hvk_string_advance(&insn, HVK_RFLAGS_DF, 4, gpr.data());
    EXPECT_EQ(gpr[HVK_RDI], 0x1000u - 16);
    EXPECT_EQ(gpr[HVK_RCX], 5u);
}

TEST(decode_string, ends_with_its_count_or_its_comparison) {
    auto const movs = decoded("f3 a4", HVK_MODE_64), once = decoded("a4", HVK_MODE_64);
    auto const repe = decoded("f3 a6", HVK_MODE_64), repne = decoded("f2 ae", HVK_MODE_64);
    registers gpr{};
    for (auto const* insn : {&movs, &once, &repe, &repne}) {
        EXPECT_FALSE(hvk_string_again(insn, 0, gpr.data()));
        EXPECT_FALSE(hvk_string_again(insn, HVK_RFLAGS_ZF, gpr.data()));
    }
    gpr[HVK_RCX] = 1;
    EXPECT_FALSE(hvk_string_again(&once, 0, gpr.data()));
    EXPECT_TRUE(hvk_string_again(&movs, 0, gpr.data()));
    EXPECT_TRUE(hvk_string_again(&movs, HVK_RFLAGS_ZF, gpr.data()));
    EXPECT_FALSE(hvk_string_again(&repe, 0, gpr.data()));
    EXPECT_TRUE(hvk_string_again(&repe, HVK_RFLAGS_ZF, gpr.data()));
    EXPECT_TRUE(hvk_string_again(&repne, 0, gpr.data()));
    EXPECT_FALSE(hvk_string_again(&repne, HVK_RFLAGS_ZF, gpr.data()));
}

}    // namespace
