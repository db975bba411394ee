// SPDX-License-Identifier: MIT
#include "fake_mtrrs.hpp"
#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace {
using namespace hv;
using fake::bochs_bits;
using fake::msr_file;

constexpr std::uint64_t gib = 1ull << 30;
constexpr std::uint64_t types[] = {0, 1, 4, 5, 6};

/// MTRRs on, write-back by default, no fixed ranges.
msr_file plain(std::uint64_t def_type = 0x806, std::uint64_t cap = 0x508) {
    msr_file f;
    f.value[0xfe] = cap;
    f.value[0x2ff] = def_type;
    return f;
}

void expect_run(mtrr_set const& set, std::uint64_t at, memory_type type, std::uint64_t end) {
    auto const run = set.type_at(hpa{at});
    EXPECT_EQ(run.type, type) << std::hex << at;
    EXPECT_EQ(at + run.bytes, end) << std::hex << at;
}

TEST(mtrr, reads_the_set_of_bochs) {
    auto const set = fake::bochs_mtrrs().read(bochs_bits);
    expect_run(set, 0, memory_type::wb, 0xa0000);
    expect_run(set, 0x9ffff, memory_type::wb, 0xa0000);
    expect_run(set, 0xa0000, memory_type::uc, 0xc0000);
    expect_run(set, 0xc0000, memory_type::wb, 3 * gib);
    expect_run(set, 3 * gib, memory_type::uc, 4 * gib);
    expect_run(set, 4 * gib - 1, memory_type::uc, 4 * gib);
    expect_run(set, 4 * gib, memory_type::wb, 1ull << bochs_bits);
    EXPECT_EQ(set.type_at(hpa{1ull << bochs_bits}).type, memory_type::uc);
    EXPECT_EQ(set.type_of({hpa{0}, 0xa0000}), memory_type::wb);
    EXPECT_EQ(set.type_of({hpa{0}, 0xa0001}), std::nullopt);
    EXPECT_EQ(set.type_of({hpa{2 * gib}, 2 * gib}), std::nullopt);
}

TEST(mtrr, everything_is_uncached_while_they_are_off) {
    auto f = fake::bochs_mtrrs();
    f.value[0x2ff] = 0x406;
    expect_run(f.read(bochs_bits), 0x1000, memory_type::uc, 1ull << bochs_bits);
}

TEST(mtrr, fixed_ranges_count_only_when_on_and_there) {
    auto f = plain();
    f.fixed_all(0);
    expect_run(f.read(40), 0, memory_type::wb, 1ull << 40);
    f.value[0x2ff] = 0xc06;
    expect_run(f.read(40), 0, memory_type::uc, 1 << 20);
    f.value[0xfe] = 0x408;    // the CPU has none
    expect_run(f.read(40), 0, memory_type::wb, 1ull << 40);
}

TEST(mtrr, fixed_ranges_have_three_grains) {
    auto f = plain(0xc06);
    f.fixed_all(0x0606060606060606);
    f.value[0x250] = 0x0600060606060606;    // part 6 of 64 KiB
    f.value[0x258] = 0x0606060606060400;    // parts 0 and 1 of 16 KiB
    f.value[0x268] = 0x0506060606060606;    // part 7 of 4 KiB at 0xc0000
    f.value[0x26f] = 0x0106060606060606;    // the last 4 KiB below 1 MiB
    auto const set = f.read(40);
    expect_run(set, 0, memory_type::wb, 0x60000);
    expect_run(set, 0x60000, memory_type::uc, 0x70000);
    expect_run(set, 0x7ffff, memory_type::wb, 0x80000);
    expect_run(set, 0x80000, memory_type::uc, 0x84000);
    expect_run(set, 0x84000, memory_type::wt, 0x88000);
    expect_run(set, 0xc7000, memory_type::wp, 0xc8000);
    expect_run(set, 0xff000, memory_type::wc, 0x100000);
}

TEST(mtrr, fixed_ranges_win_below_1_mib) {
    auto f = plain(0xc06);
    f.fixed_all(0x0404040404040404);
    f.variable(0, 0, gib, 0, 40);
    auto const set = f.read(40);
    expect_run(set, 0, memory_type::wt, 1 << 20);
    expect_run(set, 1 << 20, memory_type::uc, gib);
}

TEST(mtrr, overlaps_follow_the_manual) {
    struct {
        std::uint64_t a, b;
        memory_type both;
    } const cases[] = {
        {0, 6, memory_type::uc}, {6, 0, memory_type::uc}, {4, 6, memory_type::wt},
        {6, 4, memory_type::wt}, {6, 6, memory_type::wb}, {1, 0, memory_type::uc},
        {1, 6, memory_type::uc}, {5, 6, memory_type::uc},    // undefined: the safe answer
        {5, 5, memory_type::wp},
    };
    for (auto const& c : cases) {
        auto f = plain(0x801);
        f.variable(3, 4 * gib, 4 * gib, c.a, 40);
        f.variable(1, 5 * gib, gib, c.b, 40);
        EXPECT_EQ(f.read(40).type_at(hpa{5 * gib}).type, c.both) << c.a << " and " << c.b;
    }
}

TEST(mtrr, three_ranges_with_one_uncached_are_uncached) {
    auto f = plain();
    f.variable(0, 0, 8 * gib, 4, 40);
    f.variable(1, 0, 4 * gib, 6, 40);
    f.variable(2, 0, 2 * gib, 0, 40);
    auto const set = f.read(40);
    expect_run(set, 0, memory_type::uc, 2 * gib);
    expect_run(set, 2 * gib, memory_type::wt, 8 * gib);    // WT with WB, then WT alone
    expect_run(set, 8 * gib, memory_type::wb, 1ull << 40);
}

TEST(mtrr, order_of_the_registers_does_not_matter) {
    std::vector<unsigned> numbers{0, 1, 2, 3};
    do {
        auto f = plain(0x800);
        f.variable(numbers[0], 0, 2 * gib, 6, 40);
        f.variable(numbers[1], 2 * gib, gib, 6, 40);
        f.variable(numbers[2], 0x80000000 - 0x800000, 0x800000, 0, 40);
        f.variable(numbers[3], 4 * gib, 4 * gib, 6, 40);
        auto const set = f.read(40);
        expect_run(set, 0, memory_type::wb, 0x7f800000);
        expect_run(set, 0x7f800000, memory_type::uc, 0x80000000);
        expect_run(set, 0x80000000, memory_type::wb, 3 * gib);
        expect_run(set, 3 * gib, memory_type::uc, 4 * gib);
        expect_run(set, 4 * gib, memory_type::wb, 8 * gib);
    } while (std::next_permutation(numbers.begin(), numbers.end()));
}

TEST(mtrr, a_range_of_one_page_and_one_of_all) {
    auto f = plain();
    f.variable(0, 0x123456000, 4096, 1, 40);
    auto const set = f.read(40);
    expect_run(set, 0, memory_type::wb, 0x123456000);
    expect_run(set, 0x123456fff, memory_type::wc, 0x123457000);
    auto g = plain();
    g.variable(0, 0, 1ull << 40, 5, 40);
    expect_run(g.read(40), 0, memory_type::wp, 1ull << 40);
}

TEST(mtrr, a_disabled_range_is_not_read_at_all) {
    auto f = plain();
    f.value[0x200] = 0x40000000 | 7;    // reserved type, but not valid
    f.value[0x201] = 0xffc0000000;
    expect_run(f.read(40), 0, memory_type::wb, 1ull << 40);
}

TEST(mtrr, refuses_what_the_manual_reserves) {
    auto const fails = [](msr_file const& f, unsigned bits = 40) {
        auto const r = read_mtrrs(f, bits);
        return !r && r.error().code == errc::invalid;
    };
    for (auto const type : {2u, 3u, 7u, 0xffu}) EXPECT_TRUE(fails(plain(0x800 | type)));
    auto f = plain();
    f.variable(0, gib, gib, 2, 40);
    EXPECT_TRUE(fails(f));
    f = plain(0xc06);
    f.value[0x26f] = 0x0600000000000300;
    EXPECT_TRUE(fails(f));
    f = plain();
    f.value[0x200] = 6;
    f.value[0x201] = 0xfff0f00800;    // a mask with a hole
    EXPECT_TRUE(fails(f));
    f = plain();
    f.variable(0, gib, gib, 6, 41);    // mask beyond the physical width
    EXPECT_TRUE(fails(f));
    EXPECT_TRUE(fails(plain(0x806, 0x521)));    // 33 ranges
    EXPECT_FALSE(fails(plain(0x806, 0x520)));
    EXPECT_TRUE(fails(plain(), 31));
    EXPECT_TRUE(fails(plain(), 53));
}

TEST(mtrr, runs_agree_with_a_page_by_page_reading) {
    std::mt19937_64 random{7};
    for (unsigned round = 0; round < 200; ++round) {
        auto f = plain(0x800 | types[random() % 5]);
        struct range {
            std::uint64_t first, bytes, type;
        };
        std::vector<range> ranges;
        for (unsigned n = 0; n < 8; ++n) {
            auto const bytes = 4096ull << random() % 8;
            auto const first = (1 << 20) + random() % 64 * 4096 / bytes * bytes;
            auto const aligned = first / bytes * bytes;
            ranges.push_back({aligned, bytes, types[random() % 5]});
            f.variable(n, aligned, bytes, ranges.back().type, 40);
        }
        auto const set = f.read(40);
        auto const slow = [&](std::uint64_t at) {
            std::vector<std::uint64_t> hit;
            for (auto const& r : ranges)
                if (at >= r.first && at < r.first + r.bytes) hit.push_back(r.type);
            std::sort(hit.begin(), hit.end());
            hit.erase(std::unique(hit.begin(), hit.end()), hit.end());
            if (hit.empty()) return f.value.at(0x2ff) & 7;
            if (hit.size() == 1) return hit[0];
            return hit == std::vector<std::uint64_t>{4, 6} ? std::uint64_t{4} : std::uint64_t{0};
        };
        for (std::uint64_t at = 0xc0000; at < 0x200000;) {
            auto const run = set.type_at(hpa{at});
            auto const end = std::min<std::uint64_t>(at + run.bytes, 0x200000);
            for (; at < end; at += 4096) ASSERT_EQ(static_cast<std::uint64_t>(run.type), slow(at));
            if (end < 0x200000) {
                ASSERT_NE(slow(end), static_cast<std::uint64_t>(run.type));
            }
        }
    }
}

TEST(mtrr, knows_its_own_registers) {
    for (std::uint32_t const index :
         {0x200u, 0x20fu, 0x23fu, 0x250u, 0x258u, 0x259u, 0x268u, 0x26fu, 0x2ffu})
        EXPECT_TRUE(is_mtrr(index)) << std::hex << index;
    for (std::uint32_t const index :
         {0xfeu, 0x1ffu, 0x240u, 0x251u, 0x25au, 0x267u, 0x270u, 0x277u})
        EXPECT_FALSE(is_mtrr(index)) << std::hex << index;
}

}    // namespace
