// SPDX-License-Identifier: MIT
#include "second_stage_fixture.hpp"

namespace {
using namespace fake;
template <typename Format> using stage_map = second_stage_test<Format>;
TYPED_TEST_SUITE(stage_map, both_formats, format_names);
template <typename Format> using stage_protect = second_stage_test<Format>;
TYPED_TEST_SUITE(stage_protect, both_formats, format_names);
template <typename Format> using stage_merge = second_stage_test<Format>;
TYPED_TEST_SUITE(stage_merge, both_formats, format_names);

TYPED_TEST(stage_map, uses_the_largest_leaves_that_fit) {
    ASSERT_TRUE(this->map(gib - mib2 - kib4, gib + 2 * mib2 + 2 * kib4, 5 * gib - mib2 - kib4));
    this->expect(gib - mib2 - kib4, 5 * gib - mib2 - kib4, 1);
    this->expect(gib - mib2, 5 * gib - mib2, 2);
    this->expect(gib + 0x123456, 5 * gib + 0x123456, 3);
    this->expect(2 * gib, 6 * gib, 2);
    this->expect(2 * gib + mib2, 6 * gib + mib2, 1);
    EXPECT_FALSE(this->m.at(2 * gib + mib2 + kib4));
    EXPECT_FALSE(this->m.at(gib - mib2 - kib4 - 1));
    EXPECT_EQ(this->m.memory.in_use(), 1 + 1 + 2 + 2u);
}

TYPED_TEST(stage_map, a_shifted_target_takes_small_leaves) {
    ASSERT_TRUE(this->map(2 * gib, mib2, 4 * gib + kib4));
    this->expect(2 * gib + mib2 - 1, 4 * gib + kib4 + mib2 - 1, 1);
    ASSERT_TRUE(this->map(3 * gib, gib, 4 * gib + mib2));
    this->expect(4 * gib - 1, 5 * gib + mib2 - 1, 2);
}

TYPED_TEST(stage_map, does_without_leaves_the_processor_lacks) {
    machine_of<TypeParam> narrow{
        chunk_at(core), small_layout, {.address_bits = 36, .leaf_2m = true, .leaf_1g = false}};
    ASSERT_TRUE(narrow.stage.map({gpa{gib}, gib}, hpa{gib}, all_rights, memory_type::wb));
    EXPECT_EQ(narrow.at(gib)->level, 2u);
    machine_of<TypeParam> none{
        chunk_at(core), small_layout, {.address_bits = 36, .leaf_2m = false, .leaf_1g = false}};
    ASSERT_TRUE(none.stage.map({gpa{gib}, mib2}, hpa{gib}, all_rights, memory_type::wb));
    EXPECT_EQ(none.at(gib)->level, 1u);
    none.stage.merge({gpa{gib}, mib2});
    EXPECT_EQ(none.at(gib)->level, 1u);
}

TYPED_TEST(stage_map, splits_a_2m_leaf) {
    ASSERT_TRUE(this->map(gib, mib2, gib));
    ASSERT_TRUE(this->map(gib + 3 * kib4, kib4, 9 * gib, rights::read));
    this->expect(gib + 2 * kib4, gib + 2 * kib4, 1);
    this->expect(gib + 3 * kib4, 9 * gib, 1, rights::read);
    this->expect(gib + 4 * kib4, gib + 4 * kib4, 1);
    this->expect(gib + 511 * kib4, gib + 511 * kib4, 1);
}

TYPED_TEST(stage_map, splits_a_1g_leaf_down_to_4k) {
    ASSERT_TRUE(this->map(gib, gib, gib, read_execute));
    ASSERT_TRUE(this->map(gib + mib2, kib4, 0, read_write));
    this->expect(gib, gib, 2, read_execute);
    this->expect(gib + mib2, 0, 1, read_write);
    this->expect(gib + mib2 + kib4, gib + mib2 + kib4, 1, read_execute);
    this->expect(2 * gib - 1, 2 * gib - 1, 2, read_execute);
}

TYPED_TEST(stage_map, keeps_the_memory_type_in_splits) {
    if (!TypeParam::has_types) return;
    ASSERT_TRUE(this->m.stage.map({gpa{gib}, gib}, hpa{gib}, all_rights, memory_type::wt));
    ASSERT_TRUE(this->protect(gib + kib4, kib4, rights::read));
    EXPECT_EQ(this->m.at(gib)->type, memory_type::wt);
    EXPECT_EQ(this->m.at(gib + kib4)->type, memory_type::wt);
    EXPECT_EQ(this->m.at(gib + mib2)->type, memory_type::wt);
}

TYPED_TEST(stage_map, refuses_bad_arguments_and_changes_nothing) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    this->remember();
    auto const top = 1ull << bochs_bits;
    this->expect_refused(this->map(gib, 0, gib), errc::invalid);
    this->expect_refused(this->map(gib + 1, kib4, gib), errc::invalid);
    this->expect_refused(this->map(gib, kib4 + 1, gib), errc::invalid);
    this->expect_refused(this->map(gib, kib4, gib + 0x800), errc::invalid);
    this->expect_refused(this->map(top, kib4, gib), errc::invalid);
    this->expect_refused(this->map(top - kib4, 2 * kib4, gib), errc::invalid);
    this->expect_refused(this->map(gib, kib4, top), errc::invalid);
    this->expect_refused(this->map(gib, 2 * kib4, top - kib4), errc::invalid);
    this->expect_refused(this->map(gib, ~0ull & ~0xfffull, gib), errc::invalid);
    this->expect_refused(this->map(~0xfffull, 2 * kib4, gib), errc::invalid);
    this->expect_refused(this->map(gib, 2 * kib4, ~0xfffull), errc::invalid);
    this->expect_refused(this->map(gib, kib4, gib, rights::write), errc::invalid);
    this->expect_refused(this->map(gib, kib4, gib, rights::execute), errc::invalid);
    this->expect_refused(this->map(gib, kib4, gib, rights::none), errc::invalid);
    this->expect_refused(this->protect(gib, kib4, rights::write | rights::execute), errc::invalid);
    this->expect_refused(this->protect(gib, 0, rights::read), errc::invalid);
    this->expect_refused(this->unmap(top, kib4), errc::invalid);
    this->expect_refused(
        this->m.stage.map_to_one({gpa{gib}, kib4}, hpa{top}, rights::read, memory_type::wb),
        errc::invalid);
    this->expect_refused(
        this->m.stage.map_to_one({gpa{gib}, kib4}, hpa{1}, rights::read, memory_type::wb),
        errc::invalid);
}

TYPED_TEST(stage_map, reaches_the_last_page) {
    auto const top = 1ull << bochs_bits;
    ASSERT_TRUE(this->map(top - kib4, kib4, top - kib4));
    this->expect(top - 1, top - 1, 1);
    EXPECT_FALSE(this->m.at(top));
    EXPECT_FALSE(this->m.at(~0ull));
}

TYPED_TEST(stage_map, unmaps_part_of_a_large_leaf) {
    ASSERT_TRUE(this->map(gib, 2 * gib, gib));
    ASSERT_TRUE(this->unmap(2 * gib - kib4, mib2 + kib4));
    this->expect(2 * gib - kib4 - 1, 2 * gib - kib4 - 1, 1);
    EXPECT_FALSE(this->m.at(2 * gib - kib4));
    EXPECT_FALSE(this->m.at(2 * gib + mib2 - 1));
    this->expect(2 * gib + mib2, 2 * gib + mib2, 2);
    ASSERT_TRUE(this->unmap(0, 1ull << bochs_bits));    // holes are no error
    EXPECT_FALSE(this->m.at(gib));
    this->merge(0, 1ull << bochs_bits);
    EXPECT_EQ(this->m.memory.in_use(), 1u);
    this->m.stage.release();
    EXPECT_EQ(this->m.memory.in_use(), 0u);
}

TYPED_TEST(stage_map, an_unmapped_entry_keeps_no_frame_number) {
    ASSERT_TRUE(this->map(gib, mib2, gib));
    ASSERT_TRUE(this->unmap(gib, kib4));
    for (auto const& [where, page] : this->m.memory.content())
        for (auto const entry : page) EXPECT_TRUE((entry & 1) != 0 || entry == 0);
}

TYPED_TEST(stage_protect, changes_the_rights_of_the_span_only) {
    ASSERT_TRUE(this->map(gib, 3 * gib, gib));
    ASSERT_TRUE(this->protect(2 * gib - kib4, gib + 2 * kib4, read_execute));
    this->expect(2 * gib - kib4 - 1, 2 * gib - kib4 - 1, 1);
    this->expect(2 * gib - kib4, 2 * gib - kib4, 1, read_execute);
    this->expect(2 * gib, 2 * gib, 3, read_execute);
    this->expect(3 * gib, 3 * gib, 1, read_execute);
    this->expect(3 * gib + kib4, 3 * gib + kib4, 1);
}

TYPED_TEST(stage_protect, a_hole_is_an_error_that_changes_nothing) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    ASSERT_TRUE(this->map(2 * gib + kib4, kib4, 2 * gib));
    this->remember();
    this->expect_refused(this->protect(2 * gib - kib4, 2 * kib4, rights::read), errc::no_entry);
    this->expect_refused(this->protect(gib, gib + kib4, rights::read), errc::no_entry);
}

TYPED_TEST(stage_protect, what_is_closed_is_no_hole) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    auto const used = this->m.memory.in_use();
    for (auto const bytes : {kib4, mib2, gib}) {
        ASSERT_TRUE(this->protect(gib, bytes, rights::none));
        this->merge(gib, gib);
        this->expect(gib + bytes - 1, gib + bytes - 1,
                     bytes == kib4   ? 1
                     : bytes == mib2 ? 2
                                     : 3,
                     rights::none);
        EXPECT_EQ(this->m.stage.hole_at(gpa{gib}), 0u);
        ASSERT_TRUE(this->protect(gib, bytes, all_rights));
        this->merge(gib, gib);
        this->expect(gib, gib, 3);
        EXPECT_EQ(this->m.memory.in_use(), used);
    }
}

TYPED_TEST(stage_protect, a_closed_page_has_no_frame_number) {
    ASSERT_TRUE(this->map(gib, mib2, gib));
    ASSERT_TRUE(this->protect(gib, mib2 - kib4, rights::none));
    unsigned closed = 0;
    for (auto const& [where, page] : this->m.memory.content())
        for (auto const entry : page) {
            if ((entry & 7) != 0 || entry == 0) continue;
            EXPECT_GE(entry & 0xffffffffff000, 1ull << 48);
            ++closed;
        }
    EXPECT_EQ(closed, TypeParam::has_types ? 511u : 0u);
}

TYPED_TEST(stage_protect, takes_no_table_where_the_rights_are_right_already) {
    ASSERT_TRUE(this->map(gib, 2 * gib, gib));
    this->m.memory.set_capacity(this->m.memory.in_use());
    this->remember();
    auto const writes = this->m.memory.writes;
    ASSERT_TRUE(this->protect(gib + kib4, gib + mib2, all_rights));
    EXPECT_EQ(this->m.memory.content(), this->before);
    EXPECT_EQ(this->m.memory.writes, writes);
    this->expect_refused(this->protect(gib + kib4, gib + mib2, read_execute), errc::no_memory);
}

TYPED_TEST(stage_protect, goes_back_without_a_table_after_a_failure_half_way) {
    ASSERT_TRUE(this->map(gib, 4 * gib, gib));
    this->m.memory.set_capacity(this->m.memory.in_use() + 2);
    ASSERT_TRUE(this->protect(gib + kib4, kib4, rights::read));
    EXPECT_EQ(this->protect(2 * gib + kib4, kib4, rights::read).error().code, errc::no_memory);
    for (auto const at : {gib + kib4, 2 * gib + kib4, 3 * gib + kib4})
        EXPECT_TRUE(this->protect(at, kib4, all_rights));
}

TYPED_TEST(stage_protect, says_beforehand_what_it_costs) {
    ASSERT_TRUE(this->map(gib, 3 * gib, gib));
    EXPECT_EQ(this->m.stage.protect_cost({gpa{gib}, gib}, rights::read).value(), 0u);
    EXPECT_EQ(this->m.stage.protect_cost({gpa{gib}, mib2}, rights::read).value(), 1u);
    EXPECT_EQ(this->m.stage.protect_cost({gpa{gib}, mib2 + kib4}, rights::read).value(), 2u);
    EXPECT_EQ(this->m.stage.protect_cost({gpa{gib + kib4}, 2 * mib2}, rights::read).value(), 3u);
    EXPECT_EQ(
        this->m.stage.protect_cost({gpa{2 * gib - kib4}, gib + 2 * kib4}, rights::read).value(),
        4u);
    auto const used = this->m.memory.in_use();
    ASSERT_TRUE(this->protect(2 * gib - kib4, gib + 2 * kib4, rights::read));
    EXPECT_EQ(this->m.memory.in_use(), used + 4);
}

TYPED_TEST(stage_merge, undoes_splits_up_to_1g) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    auto const used = this->m.memory.in_use();
    ASSERT_TRUE(this->protect(gib + 5 * mib2 + kib4, kib4, rights::read));
    EXPECT_EQ(this->m.memory.in_use(), used + 2);
    this->merge(gib, gib);
    this->expect(gib, gib, 2);    // one page differs
    EXPECT_EQ(this->m.memory.in_use(), used + 2);
    ASSERT_TRUE(this->protect(gib + 5 * mib2 + kib4, kib4, all_rights));
    this->merge(gib + 5 * mib2, kib4);
    this->expect(gib + 5 * mib2, gib + 5 * mib2, 3);
    EXPECT_EQ(this->m.memory.in_use(), used);
}

TYPED_TEST(stage_merge, leaves_other_blocks_alone) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    for (auto const at : {gib + mib2, gib + 2 * mib2, gib + 3 * mib2}) {
        ASSERT_TRUE(this->protect(at, kib4, rights::read));
        ASSERT_TRUE(this->protect(at, kib4, all_rights));
    }
    this->merge(gib + 2 * mib2, mib2);
    this->expect(gib + mib2, gib + mib2, 1);
    this->expect(gib + 2 * mib2, gib + 2 * mib2, 2);
    this->expect(gib + 3 * mib2, gib + 3 * mib2, 1);
}

TYPED_TEST(stage_merge, wants_contiguous_aligned_and_alike) {
    ASSERT_TRUE(this->map(gib, mib2, gib + kib4));    // contiguous, not aligned
    this->merge(gib, mib2);
    this->expect(gib, gib + kib4, 1);
    ASSERT_TRUE(this->map(2 * gib, mib2, 2 * gib));
    ASSERT_TRUE(this->map(2 * gib + kib4, kib4, 2 * gib));    // aligned, not contiguous
    this->merge(2 * gib, mib2);
    this->expect(2 * gib + kib4, 2 * gib, 1);
    ASSERT_TRUE(this->map(3 * gib, mib2, 3 * gib));
    ASSERT_TRUE(this->m.stage.map({gpa{3 * gib + mib2 - kib4}, kib4}, hpa{3 * gib + mib2 - kib4},
                                  all_rights, memory_type::uc));    // the last has another type
    this->merge(3 * gib, mib2);
    this->expect(3 * gib, 3 * gib, TypeParam::has_types ? 1 : 2);
    ASSERT_TRUE(this->map(5 * gib, mib2, 5 * gib));
    ASSERT_TRUE(this->unmap(5 * gib + mib2 - kib4, kib4));    // the last is missing
    this->merge(5 * gib, mib2);
    this->expect(5 * gib, 5 * gib, 1);
}

TYPED_TEST(stage_merge, of_nonsense_does_nothing) {
    ASSERT_TRUE(this->map(gib, gib, gib));
    this->remember();
    this->merge(gib, 0);
    this->merge(~0ull, 2);
    this->merge(1ull << bochs_bits, gib);
    EXPECT_EQ(this->m.memory.content(), this->before);
}

}    // namespace
