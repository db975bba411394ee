// SPDX-License-Identifier: MIT
#include "mem/ept_format.hpp"
#include <gtest/gtest.h>

namespace {
using namespace hv;

constexpr stage_limits wide{.address_bits = 40, .leaf_2m = true, .leaf_1g = true};
constexpr bool bad(std::uint64_t entry, unsigned level, stage_limits const& limits = wide) {
    return ept_format::malformed(entry, level, limits);
}

TEST(ept_format, writes_and_reads_back_every_leaf) {
    for (unsigned level = 1; level <= 3; ++level)
        for (auto const type :
             {memory_type::uc, memory_type::wc, memory_type::wt, memory_type::wp, memory_type::wb})
            for (unsigned r = 0; r < 8; ++r)
                for (auto const pat : {guest_pat::honoured, guest_pat::ignored}) {
                    leaf_value const v{hpa{0xffc0000000}, static_cast<rights>(r), type, pat};
                    auto const entry = ept_format::leaf(v, level);
                    EXPECT_TRUE(ept_format::is_leaf(entry, level));
                    EXPECT_EQ(ept_format::value_of(entry, level), v);
                    EXPECT_EQ(bad(entry, level), r != 0 && (r & 1) == 0);
                }
}

TEST(ept_format, has_the_bits_of_the_manual) {
    leaf_value const v{hpa{0x12345000}, read_execute, memory_type::wb, guest_pat::ignored};
    EXPECT_EQ(ept_format::leaf(v, 1), 0x12345075u);
    EXPECT_EQ(ept_format::leaf({hpa{0x40000000}, read_write, memory_type::uc, {}}, 3), 0x40000083u);
    EXPECT_EQ(ept_format::leaf({hpa{0x12345000}, rights::none, memory_type::wb, {}}, 1),
              0xf'ffff'edcb'a030u);
    EXPECT_EQ(ept_format::table(hpa{0x7000}), 0x7007u);
}

TEST(ept_format, finds_every_misconfiguration) {
    EXPECT_TRUE(bad(0x1000 | 2, 1)) << "write only";
    EXPECT_TRUE(bad(0x1000 | 6, 1)) << "write and execute only";
    EXPECT_TRUE(bad(0x1000 | 4, 1)) << "execute only";
    EXPECT_TRUE(bad(0x1000 | 2 << 3 | 7, 1)) << "type 2";
    EXPECT_TRUE(bad(0x1000 | 3 << 3 | 7, 1)) << "type 3";
    EXPECT_TRUE(bad(0x1000 | 7 << 3 | 7, 1)) << "type 7";
    EXPECT_TRUE(bad(1ull << 40 | 0x37, 1)) << "beyond the physical width";
    EXPECT_TRUE(bad(1ull << 51 | 7, 4)) << "table beyond the physical width";
    EXPECT_TRUE(bad(0x200000 | 0x1000 | 0xb7, 2)) << "low bits of a 2 MiB frame";
    EXPECT_TRUE(bad(0x40000000 | 0x200000 | 0xb7, 3)) << "low bits of a 1 GiB frame";
    EXPECT_TRUE(bad(0xb7, 4)) << "a leaf of 512 GiB";
    EXPECT_TRUE(bad(0x1000 | 0x40 | 7, 2)) << "reserved bit in a table entry";
    EXPECT_TRUE(bad(0x1000 | 0x08 | 7, 4));
    EXPECT_TRUE(bad(0x12345000, 1)) << "a frame number in a non-present entry";
    EXPECT_TRUE(bad(0xffff'fedc'baff'f080, 4)) << "a closed leaf of 512 GiB";
    EXPECT_TRUE(bad(0xf'fffe'dcba'f000, 2)) << "a closed table";
    EXPECT_FALSE(bad(0xf'fffe'dcba'f000, 1));
    EXPECT_FALSE(bad(0, 1));
    EXPECT_FALSE(bad(0x1000 | 7, 2));
    EXPECT_FALSE(bad(0x1000 | 0x37, 1));
}

TEST(ept_format, knows_which_leaves_the_processor_has) {
    constexpr stage_limits narrow{.address_bits = 40, .leaf_2m = true, .leaf_1g = false};
    EXPECT_TRUE(bad(0x40000000 | 0xb7, 3, narrow));
    EXPECT_FALSE(bad(0x40000000 | 0xb7, 2, narrow));
    constexpr stage_limits none{.address_bits = 40, .leaf_2m = false, .leaf_1g = false};
    EXPECT_TRUE(bad(0x40000000 | 0xb7, 2, none));
}

TEST(rights, behave_like_a_set) {
    EXPECT_TRUE(includes(all_rights, read_write));
    EXPECT_FALSE(includes(read_write, rights::execute));
    EXPECT_EQ(all_rights & ~rights::write, read_execute);
    EXPECT_TRUE(includes(rights::none, rights::none));
    EXPECT_FALSE(expressible(rights::write | rights::execute));
    EXPECT_TRUE(expressible(rights::none));
}

}    // namespace
