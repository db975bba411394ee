// SPDX-License-Identifier: MIT
#include "second_stage_fixture.hpp"

namespace {
using namespace fake;
using ept_map = second_stage_test;
using ept_protect = second_stage_test;
using ept_merge = second_stage_test;

TEST_F(ept_map, uses_the_largest_leaves_that_fit) {
    ASSERT_TRUE(map(gib - mib2 - kib4, gib + 2 * mib2 + 2 * kib4, 5 * gib - mib2 - kib4));
    expect(gib - mib2 - kib4, 5 * gib - mib2 - kib4, 1);
    expect(gib - mib2, 5 * gib - mib2, 2);
    expect(gib + 0x123456, 5 * gib + 0x123456, 3);
    expect(2 * gib, 6 * gib, 2);
    expect(2 * gib + mib2, 6 * gib + mib2, 1);
    EXPECT_FALSE(m.at(2 * gib + mib2 + kib4));
    EXPECT_FALSE(m.at(gib - mib2 - kib4 - 1));
    EXPECT_EQ(m.memory.in_use(), 1 + 1 + 2 + 2u);
}

TEST_F(ept_map, a_shifted_target_takes_small_leaves) {
    ASSERT_TRUE(map(2 * gib, mib2, 4 * gib + kib4));
    expect(2 * gib + mib2 - 1, 4 * gib + kib4 + mib2 - 1, 1);
    ASSERT_TRUE(map(3 * gib, gib, 4 * gib + mib2));
    expect(4 * gib - 1, 5 * gib + mib2 - 1, 2);
}

TEST_F(ept_map, does_without_leaves_the_processor_lacks) {
    machine narrow{
        chunk_at(core), small_layout, {.address_bits = 36, .leaf_2m = true, .leaf_1g = false}};
    ASSERT_TRUE(narrow.stage.map({gpa{gib}, gib}, hpa{gib}, all_rights, memory_type::wb));
    EXPECT_EQ(narrow.at(gib)->level, 2u);
    machine none{
        chunk_at(core), small_layout, {.address_bits = 36, .leaf_2m = false, .leaf_1g = false}};
    ASSERT_TRUE(none.stage.map({gpa{gib}, mib2}, hpa{gib}, all_rights, memory_type::wb));
    EXPECT_EQ(none.at(gib)->level, 1u);
    none.stage.merge({gpa{gib}, mib2});
    EXPECT_EQ(none.at(gib)->level, 1u);
}

TEST_F(ept_map, splits_a_2m_leaf) {
    ASSERT_TRUE(map(gib, mib2, gib));
    ASSERT_TRUE(map(gib + 3 * kib4, kib4, 9 * gib, rights::read));
    expect(gib + 2 * kib4, gib + 2 * kib4, 1);
    expect(gib + 3 * kib4, 9 * gib, 1, rights::read);
    expect(gib + 4 * kib4, gib + 4 * kib4, 1);
    expect(gib + 511 * kib4, gib + 511 * kib4, 1);
}

TEST_F(ept_map, splits_a_1g_leaf_down_to_4k) {
    ASSERT_TRUE(map(gib, gib, gib, read_execute));
    ASSERT_TRUE(map(gib + mib2, kib4, 0, read_write));
    expect(gib, gib, 2, read_execute);
    expect(gib + mib2, 0, 1, read_write);
    expect(gib + mib2 + kib4, gib + mib2 + kib4, 1, read_execute);
    expect(2 * gib - 1, 2 * gib - 1, 2, read_execute);
}

TEST_F(ept_map, keeps_the_memory_type_in_splits) {
    ASSERT_TRUE(m.stage.map({gpa{gib}, gib}, hpa{gib}, all_rights, memory_type::wt));
    ASSERT_TRUE(protect(gib + kib4, kib4, rights::read));
    EXPECT_EQ(m.at(gib)->type, memory_type::wt);
    EXPECT_EQ(m.at(gib + kib4)->type, memory_type::wt);
    EXPECT_EQ(m.at(gib + mib2)->type, memory_type::wt);
}

TEST_F(ept_map, refuses_bad_arguments_and_changes_nothing) {
    ASSERT_TRUE(map(gib, gib, gib));
    remember();
    auto const top = 1ull << bochs_bits;
    expect_refused(map(gib, 0, gib), errc::invalid);
    expect_refused(map(gib + 1, kib4, gib), errc::invalid);
    expect_refused(map(gib, kib4 + 1, gib), errc::invalid);
    expect_refused(map(gib, kib4, gib + 0x800), errc::invalid);
    expect_refused(map(top, kib4, gib), errc::invalid);
    expect_refused(map(top - kib4, 2 * kib4, gib), errc::invalid);
    expect_refused(map(gib, kib4, top), errc::invalid);
    expect_refused(map(gib, 2 * kib4, top - kib4), errc::invalid);
    expect_refused(map(gib, ~0ull & ~0xfffull, gib), errc::invalid);
    expect_refused(map(~0xfffull, 2 * kib4, gib), errc::invalid);
    expect_refused(map(gib, 2 * kib4, ~0xfffull), errc::invalid);
    expect_refused(map(gib, kib4, gib, rights::write), errc::invalid);
    expect_refused(map(gib, kib4, gib, rights::execute), errc::invalid);
    expect_refused(map(gib, kib4, gib, rights::none), errc::invalid);
    expect_refused(protect(gib, kib4, rights::write | rights::execute), errc::invalid);
    expect_refused(protect(gib, 0, rights::read), errc::invalid);
    expect_refused(unmap(top, kib4), errc::invalid);
    expect_refused(m.stage.map_to_one({gpa{gib}, kib4}, hpa{top}, rights::read, memory_type::wb),
                   errc::invalid);
    expect_refused(m.stage.map_to_one({gpa{gib}, kib4}, hpa{1}, rights::read, memory_type::wb),
                   errc::invalid);
}

TEST_F(ept_map, reaches_the_last_page) {
    auto const top = 1ull << bochs_bits;
    ASSERT_TRUE(map(top - kib4, kib4, top - kib4));
    expect(top - 1, top - 1, 1);
    EXPECT_FALSE(m.at(top));
    EXPECT_FALSE(m.at(~0ull));
}

TEST_F(ept_map, unmaps_part_of_a_large_leaf) {
    ASSERT_TRUE(map(gib, 2 * gib, gib));
    ASSERT_TRUE(unmap(2 * gib - kib4, mib2 + kib4));
    expect(2 * gib - kib4 - 1, 2 * gib - kib4 - 1, 1);
    EXPECT_FALSE(m.at(2 * gib - kib4));
    EXPECT_FALSE(m.at(2 * gib + mib2 - 1));
    expect(2 * gib + mib2, 2 * gib + mib2, 2);
    ASSERT_TRUE(unmap(0, 1ull << bochs_bits));    // holes are no error
    EXPECT_FALSE(m.at(gib));
    merge(0, 1ull << bochs_bits);
    EXPECT_EQ(m.memory.in_use(), 1u);
    m.stage.release();
    EXPECT_EQ(m.memory.in_use(), 0u);
}

TEST_F(ept_map, an_unmapped_entry_keeps_no_frame_number) {
    ASSERT_TRUE(map(gib, mib2, gib));
    ASSERT_TRUE(unmap(gib, kib4));
    for (auto const& [where, page] : m.memory.content())
        for (auto const entry : page) EXPECT_TRUE((entry & 7) != 0 || entry == 0);
}

TEST_F(ept_protect, changes_the_rights_of_the_span_only) {
    ASSERT_TRUE(map(gib, 3 * gib, gib));
    ASSERT_TRUE(protect(2 * gib - kib4, gib + 2 * kib4, read_execute));
    expect(2 * gib - kib4 - 1, 2 * gib - kib4 - 1, 1);
    expect(2 * gib - kib4, 2 * gib - kib4, 1, read_execute);
    expect(2 * gib, 2 * gib, 3, read_execute);
    expect(3 * gib, 3 * gib, 1, read_execute);
    expect(3 * gib + kib4, 3 * gib + kib4, 1);
}

TEST_F(ept_protect, a_hole_is_an_error_that_changes_nothing) {
    ASSERT_TRUE(map(gib, gib, gib));
    ASSERT_TRUE(map(2 * gib + kib4, kib4, 2 * gib));
    remember();
    expect_refused(protect(2 * gib - kib4, 2 * kib4, rights::read), errc::no_entry);
    expect_refused(protect(gib, gib + kib4, rights::read), errc::no_entry);
}

TEST_F(ept_protect, takes_no_table_where_the_rights_are_right_already) {
    ASSERT_TRUE(map(gib, 2 * gib, gib));
    m.memory.set_capacity(m.memory.in_use());
    remember();
    auto const writes = m.memory.writes;
    ASSERT_TRUE(protect(gib + kib4, gib + mib2, all_rights));
    EXPECT_EQ(m.memory.content(), before);
    EXPECT_EQ(m.memory.writes, writes);
    expect_refused(protect(gib + kib4, gib + mib2, read_execute), errc::no_memory);
}

TEST_F(ept_protect, goes_back_without_a_table_after_a_failure_half_way) {
    ASSERT_TRUE(map(gib, 4 * gib, gib));
    m.memory.set_capacity(m.memory.in_use() + 2);
    ASSERT_TRUE(protect(gib + kib4, kib4, rights::read));
    EXPECT_EQ(protect(2 * gib + kib4, kib4, rights::read).error().code, errc::no_memory);
    for (auto const at : {gib + kib4, 2 * gib + kib4, 3 * gib + kib4})
        EXPECT_TRUE(protect(at, kib4, all_rights));
}

TEST_F(ept_protect, says_beforehand_what_it_costs) {
    ASSERT_TRUE(map(gib, 3 * gib, gib));
    EXPECT_EQ(m.stage.protect_cost({gpa{gib}, gib}, rights::read).value(), 0u);
    EXPECT_EQ(m.stage.protect_cost({gpa{gib}, mib2}, rights::read).value(), 1u);
    EXPECT_EQ(m.stage.protect_cost({gpa{gib}, mib2 + kib4}, rights::read).value(), 2u);
    EXPECT_EQ(m.stage.protect_cost({gpa{gib + kib4}, 2 * mib2}, rights::read).value(), 3u);
    EXPECT_EQ(m.stage.protect_cost({gpa{2 * gib - kib4}, gib + 2 * kib4}, rights::read).value(),
              4u);
    auto const used = m.memory.in_use();
    ASSERT_TRUE(protect(2 * gib - kib4, gib + 2 * kib4, rights::read));
    EXPECT_EQ(m.memory.in_use(), used + 4);
}

TEST_F(ept_merge, undoes_splits_up_to_1g) {
    ASSERT_TRUE(map(gib, gib, gib));
    auto const used = m.memory.in_use();
    ASSERT_TRUE(protect(gib + 5 * mib2 + kib4, kib4, rights::read));
    EXPECT_EQ(m.memory.in_use(), used + 2);
    merge(gib, gib);
    expect(gib, gib, 2);    // one page differs
    EXPECT_EQ(m.memory.in_use(), used + 2);
    ASSERT_TRUE(protect(gib + 5 * mib2 + kib4, kib4, all_rights));
    merge(gib + 5 * mib2, kib4);
    expect(gib + 5 * mib2, gib + 5 * mib2, 3);
    EXPECT_EQ(m.memory.in_use(), used);
}

TEST_F(ept_merge, leaves_other_blocks_alone) {
    ASSERT_TRUE(map(gib, gib, gib));
    for (auto const at : {gib + mib2, gib + 2 * mib2, gib + 3 * mib2}) {
        ASSERT_TRUE(protect(at, kib4, rights::read));
        ASSERT_TRUE(protect(at, kib4, all_rights));
    }
    merge(gib + 2 * mib2, mib2);
    expect(gib + mib2, gib + mib2, 1);
    expect(gib + 2 * mib2, gib + 2 * mib2, 2);
    expect(gib + 3 * mib2, gib + 3 * mib2, 1);
}

TEST_F(ept_merge, wants_contiguous_aligned_and_alike) {
    ASSERT_TRUE(map(gib, mib2, gib + kib4));    // contiguous, not aligned
    merge(gib, mib2);
    expect(gib, gib + kib4, 1);
    ASSERT_TRUE(map(2 * gib, mib2, 2 * gib));
    ASSERT_TRUE(map(2 * gib + kib4, kib4, 2 * gib));    // aligned, not contiguous
    merge(2 * gib, mib2);
    expect(2 * gib + kib4, 2 * gib, 1);
    ASSERT_TRUE(map(3 * gib, mib2, 3 * gib));
    ASSERT_TRUE(m.stage.map({gpa{3 * gib + mib2 - kib4}, kib4}, hpa{3 * gib + mib2 - kib4},
                            all_rights, memory_type::uc));    // the last has another type
    merge(3 * gib, mib2);
    expect(3 * gib, 3 * gib, 1);
    ASSERT_TRUE(map(5 * gib, mib2, 5 * gib));
    ASSERT_TRUE(unmap(5 * gib + mib2 - kib4, kib4));    // the last is missing
    merge(5 * gib, mib2);
    expect(5 * gib, 5 * gib, 1);
}

TEST_F(ept_merge, of_nonsense_does_nothing) {
    ASSERT_TRUE(map(gib, gib, gib));
    remember();
    merge(gib, 0);
    merge(~0ull, 2);
    merge(1ull << bochs_bits, gib);
    EXPECT_EQ(m.memory.content(), before);
}

}    // namespace
