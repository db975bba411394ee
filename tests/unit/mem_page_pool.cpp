// SPDX-License-Identifier: MIT
#include "fake_machine.hpp"
#include "mem/page_pool.hpp"
#include <cstring>
#include <gtest/gtest.h>
#include <set>

namespace {
using namespace fake;

constexpr frame_layout tiny{
    .image = 2, .pool = 6, .cpu = 1, .tables = 1, .mailbox = 1, .shared_cpu = 1};

/// A core in real memory of the test, in two chunks that split the pool, full of old content.
struct mem_page_pool : testing::Test {
    void SetUp() override {
        std::memset(buffer, 0xa5, sizeof buffer);
        hv_chunk const chunks[] = {{0x100000, 5}, {0x800000, 8}};
        ASSERT_TRUE(all.init({chunks, 2}, tiny, hva{reinterpret_cast<std::uint64_t>(buffer)}));
        ASSERT_TRUE(pool.add_layout(tiny.pool_first(), tiny.pool));
    }
    [[nodiscard]] unsigned char* memory(hpa at) const {
        return reinterpret_cast<unsigned char*>(all.to_hva(at).value().raw);
    }
    alignas(4096) unsigned char buffer[16 * 4096];
    frames all;
    page_pool pool{all};
};

TEST_F(mem_page_pool, hands_out_each_page_once_and_zeroed) {
    std::set<std::uint64_t> seen;
    for (unsigned i = 0; i < 6; ++i) {
        auto const page = pool.take();
        ASSERT_TRUE(page);
        EXPECT_TRUE(seen.insert(page.value().raw).second);
        for (unsigned b = 0; b < 4096; ++b) ASSERT_EQ(memory(page.value())[b], 0);
    }
    EXPECT_EQ(seen, (std::set<std::uint64_t>{0x102000, 0x103000, 0x104000, 0x800000, 0x801000,
                                             0x802000}));
    EXPECT_EQ(pool.available(), 0u);
    EXPECT_EQ(pool.take().error().code, errc::no_memory);
    EXPECT_EQ(memory(hpa{0x101fff})[0], 0xa5);    // its neighbours stay
    EXPECT_EQ(memory(hpa{0x803000})[0], 0xa5);
}

TEST_F(mem_page_pool, a_retired_page_keeps_its_content_until_settled) {
    for (unsigned i = 0; i < 5; ++i) ASSERT_TRUE(pool.take());
    auto const last = pool.take().value();
    memory(last)[7] = 42;
    pool.retire(last);
    EXPECT_EQ(pool.retired(), 1u);
    EXPECT_EQ(pool.take().error().code, errc::no_memory);
    EXPECT_EQ(memory(last)[7], 42);
    pool.settle();
    EXPECT_EQ(pool.retired(), 0u);
    EXPECT_EQ(pool.available(), 1u);
    EXPECT_EQ(pool.take().value(), last);
    EXPECT_EQ(memory(last)[7], 0);
}

TEST_F(mem_page_pool, refuses_pages_that_are_not_private) {
    EXPECT_EQ(pool.add({hpa{0x102000}, 4096}).error().code, errc::invalid);    // has it
    EXPECT_EQ(pool.add({hpa{0x900000}, 4096}).error().code, errc::invalid);    // outside
    EXPECT_EQ(pool.add({hpa{0x805000}, 4096}).error().code, errc::invalid);    // the zero page
    EXPECT_EQ(pool.add({hpa{0x804000}, 8192}).error().code, errc::invalid);    // and beyond
    EXPECT_EQ(pool.add({hpa{0x803001}, 4096}).error().code, errc::invalid);
    EXPECT_EQ(pool.add({hpa{0x803000}, 0}).error().code, errc::invalid);
    EXPECT_EQ(pool.total(), 6u);
}

TEST_F(mem_page_pool, lets_a_donation_go_when_nothing_of_it_is_used) {
    ASSERT_TRUE(all.add({0x4000000, 2}, hva{reinterpret_cast<std::uint64_t>(buffer + 13 * 4096)}));
    ASSERT_TRUE(pool.add({hpa{0x4000000}, 8192}));
    EXPECT_EQ(pool.total(), 8u);
    std::vector<hpa> taken;
    for (unsigned i = 0; i < 8; ++i) taken.push_back(pool.take().value());
    EXPECT_EQ(pool.remove(hpa{0x4000000}).error().code, errc::busy);
    pool.give(hpa{0x4000000});
    pool.retire(hpa{0x4001000});
    EXPECT_EQ(pool.remove(hpa{0x4000000}).error().code, errc::busy);
    memory(hpa{0x4001000})[0] = 1;
    pool.settle();
    ASSERT_TRUE(pool.remove(hpa{0x4000000}));
    EXPECT_EQ(memory(hpa{0x4001000})[0], 0);
    EXPECT_EQ(pool.remove(hpa{0x4000000}).error().code, errc::no_entry);
    EXPECT_EQ(pool.total(), 6u);
    EXPECT_EQ(pool.available(), 0u);
}

TEST_F(mem_page_pool, keeps_track_when_an_earlier_run_goes) {
    for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(pool.take());
    auto const kept = pool.take().value();
    EXPECT_EQ(kept, hpa{0x800000});
    for (auto const page : {0x102000u, 0x103000u, 0x104000u}) pool.give(hpa{page});
    ASSERT_TRUE(pool.remove(hpa{0x102000}));
    EXPECT_EQ(pool.total(), 3u);
    EXPECT_EQ(pool.take().value(), hpa{0x801000});
    EXPECT_EQ(pool.take().value(), hpa{0x802000});
    EXPECT_FALSE(pool.take());
    pool.give(kept);
    EXPECT_EQ(pool.take().value(), kept);
}

TEST_F(mem_page_pool, hands_out_runs_of_frames_in_one_piece) {
    auto const run = pool.take_run(3);    // the second chunk's start is no neighbour
    ASSERT_TRUE(run);
    EXPECT_EQ(run.value(), hpa{0x102000});
    for (unsigned i = 0; i < 3; ++i)
        for (unsigned b = 0; b < 4096; ++b) ASSERT_EQ(memory(run.value() + i * page_bytes)[b], 0);
    EXPECT_EQ(pool.available(), 3u);
    EXPECT_EQ(pool.take().value(), hpa{0x800000});
    EXPECT_EQ(pool.take_run(3).error().code, errc::no_memory);
    EXPECT_EQ(pool.available(), 2u) << "nothing is taken then";
    EXPECT_EQ(pool.take_run(2).value(), hpa{0x801000});
    EXPECT_EQ(pool.available(), 0u);
    EXPECT_EQ(pool.take_run(1).error().code, errc::no_memory);
}

TEST_F(mem_page_pool, no_run_goes_over_a_gap_or_a_page_in_use) {
    EXPECT_EQ(pool.take_run(4).error().code, errc::no_memory) << "three and three, apart";
    for (unsigned i = 0; i < 2; ++i) ASSERT_TRUE(pool.take());
    pool.give(hpa{0x102000});
    EXPECT_EQ(pool.take_run(2).value(), hpa{0x800000}) << "0x103000 is in use";
    EXPECT_EQ(pool.take_run(2).error().code, errc::no_memory);
    pool.give(hpa{0x800000});
    pool.retire(hpa{0x801000});
    EXPECT_EQ(pool.take_run(2).error().code, errc::no_memory) << "not before all have flushed";
    pool.settle();
    EXPECT_EQ(pool.take_run(3).value(), hpa{0x800000});
    EXPECT_EQ(pool.available(), 2u);
}

TEST_F(mem_page_pool, pages_of_a_run_come_back_one_by_one) {
    auto const run = pool.take_run(2).value();
    memory(run + page_bytes)[5] = 9;
    pool.give(run + page_bytes);
    EXPECT_EQ(pool.available(), 5u);
    EXPECT_EQ(pool.take().value(), run + page_bytes);
    EXPECT_EQ(memory(run + page_bytes)[5], 0);
}

using mem_page_pool_death = mem_page_pool;
TEST_F(mem_page_pool_death, a_page_given_twice_breaks_the_core) {
    auto const page = pool.take().value();
    pool.give(page);
    EXPECT_DEATH(pool.give(page), "broken");
    EXPECT_DEATH(pool.give(hpa{0x100000}), "broken");
    EXPECT_DEATH(pool.retire(page), "broken");
}

TEST_F(mem_page_pool, core_tables_reach_the_same_memory) {
    core_tables tables{all, pool};
    auto const table = tables.take(1).value();
    tables.write(table, 511, 0x1122334455667788);
    EXPECT_EQ(tables.read(table, 511), 0x1122334455667788u);
    EXPECT_EQ(memory(table)[511 * 8], 0x88);
    tables.give(table, 1);
    EXPECT_EQ(tables.available(), 5u);
    EXPECT_EQ(tables.read(table, 511), 0x1122334455667788u);
    pool.settle();
    EXPECT_EQ(tables.available(), 6u);
    EXPECT_DEATH((void)tables.read(table, 512), "broken");
    EXPECT_DEATH((void)tables.read(all.zero_page(), 0), "broken");
}

}    // namespace
