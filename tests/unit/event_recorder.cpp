// SPDX-License-Identifier: MIT
// The record ring of one CPU.
#include "event/recorder.hpp"
#include <gtest/gtest.h>
#include <vector>

using namespace hv;

namespace {

class record_ring : public testing::Test {
protected:
    void append(std::uint64_t value) {
        hv_record r{};
        r.tsc = 5;
        r.kind = HV_RECORD_INIT;
        r.value = value;
        to_.append(r);
    }
    void SetUp() override { shared_.cpu_id = 7; }
    hv_cpu_shared shared_{};
    std::vector<hv_record> ring_ = std::vector<hv_record>(HV_RING_RECORDS);
    recorder to_{shared_, ring_.data()};
};

}    // namespace

TEST_F(record_ring, writes_every_field) {
    to_.append({77, 1, 88, 2, 3, 4, 5, 6, 7, 8, 9});
    auto const& r = ring_[0];
    EXPECT_EQ(r.sequence, 0u);
    EXPECT_EQ(r.tsc, 1u);
    EXPECT_EQ(r.cpu, 7u);
    EXPECT_EQ(r.kind, 2u);
    EXPECT_EQ(r.reason, 3u);
    EXPECT_EQ(r.rule, 4u);
    EXPECT_EQ(r.access, 5u);
    EXPECT_EQ(r.rip, 6u);
    EXPECT_EQ(r.address, 7u);
    EXPECT_EQ(r.value, 8u);
    EXPECT_EQ(r.old_value, 9u);
    EXPECT_EQ(shared_.head, 1u);
}

TEST_F(record_ring, drops_what_has_no_room_and_counts_it) {
    for (std::uint64_t i = 0; i < HV_RING_RECORDS + 5; ++i) append(i);
    EXPECT_EQ(shared_.head, HV_RING_RECORDS);
    EXPECT_EQ(shared_.dropped, 5u);
    EXPECT_EQ(ring_[0].value, 0u) << "the oldest stays";
    EXPECT_EQ(ring_.back().value, HV_RING_RECORDS - 1);
}

TEST_F(record_ring, goes_round_without_a_gap) {
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < 3 * HV_RING_RECORDS; ++i) {
        append(i);
        if (i % 100 != 99) continue;
        for (; next < shared_.head; ++next) {
            ASSERT_EQ(ring_[next % HV_RING_RECORDS].sequence, next);
            ASSERT_EQ(ring_[next % HV_RING_RECORDS].value, next);
        }
        ASSERT_TRUE(to_.release(next));
        ASSERT_EQ(shared_.tail, next);
    }
    EXPECT_EQ(shared_.dropped, 0u);
}

TEST_F(record_ring, releases_only_what_was_written_and_only_forward) {
    for (unsigned i = 0; i < 10; ++i) append(i);
    EXPECT_FALSE(to_.release(11));
    EXPECT_FALSE(to_.release(~0ull));
    EXPECT_TRUE(to_.release(4));
    EXPECT_FALSE(to_.release(3));
    EXPECT_TRUE(to_.release(4));
    EXPECT_TRUE(to_.release(10));
    EXPECT_EQ(shared_.tail, 10u);
}

TEST_F(record_ring, has_room_for_exactly_as_many_as_were_released) {
    for (std::uint64_t i = 0; i < HV_RING_RECORDS; ++i) append(i);
    ASSERT_TRUE(to_.release(3));
    for (unsigned i = 0; i < 5; ++i) append(i);
    EXPECT_EQ(shared_.head, HV_RING_RECORDS + 3);
    EXPECT_EQ(shared_.dropped, 2u);
}

TEST_F(record_ring, believes_its_own_indices_only) {
    append(1);
    shared_.head = 40;
    shared_.tail = 30;
    append(2);
    EXPECT_EQ(shared_.head, 2u);
    EXPECT_EQ(ring_[1].value, 2u);
    EXPECT_FALSE(to_.release(30));
}

TEST(recorder, without_a_ring_keeps_quiet) {
    recorder none;
    none.append(hv_record{});
    EXPECT_EQ(none.head(), 0u);
}
