// SPDX-License-Identifier: MIT
#include "second_stage_fixture.hpp"

namespace {
using namespace fake;
template <typename Format> using stage_core = second_stage_test<Format>;
TYPED_TEST_SUITE(stage_core, both_formats, format_names);

TYPED_TEST(stage_core, refuses_the_core_at_every_edge) {
    auto const end = core + mib2;
    this->remember();
    this->expect_refused(this->map(gib, kib4, core, rights::read), errc::perm);    // base
    this->expect_refused(this->map(gib, 2 * kib4, core - kib4, rights::read),
                         errc::perm);    // reaches the base
    this->expect_refused(this->map(gib, mib2, core - mib2 + kib4, rights::read), errc::perm);
    this->expect_refused(this->map(gib, kib4, core + 0x100000, rights::read), errc::perm);
    this->expect_refused(this->map(gib, kib4, end - kib4, read_write),
                         errc::perm);    // the last: a ring, read only
    this->expect_refused(this->map(gib, mib2, core, rights::read),
                         errc::perm);    // a 2 MiB leaf, exactly
    this->expect_refused(this->map(gib, gib, 0, rights::read),
                         errc::perm);    // inside a 1 GiB leaf
    this->expect_refused(this->map(0, 16 * gib, 0), errc::perm);
    ASSERT_TRUE(this->map(gib, kib4, core - kib4));
    ASSERT_TRUE(this->map(gib + kib4, kib4, end));
    ASSERT_TRUE(this->map(gib + mib2, mib2, core - mib2));
    ASSERT_TRUE(this->map(gib + 2 * mib2, mib2, end));
    EXPECT_EQ(this->m.bad_stores, 0u);
}

TYPED_TEST(stage_core, refuses_a_core_above_4_gib) {
    machine_of<TypeParam> high{chunk_at(5 * gib + mib2)};
    auto const refused = [&](std::uint64_t to, std::uint64_t bytes) {
        auto const s = high.stage.map({gpa{0}, bytes}, hpa{to}, rights::read, memory_type::wb);
        return !s && s.error().code == errc::perm;
    };
    EXPECT_TRUE(refused(5 * gib + mib2, kib4));
    EXPECT_TRUE(refused(5 * gib + mib2 + 478 * kib4, kib4));
    EXPECT_TRUE(refused(5 * gib, gib));
    EXPECT_TRUE(refused(5 * gib + mib2 - kib4, 2 * kib4));
    EXPECT_FALSE(refused(gib + mib2, kib4));    // the same low 32 bits
    EXPECT_FALSE(refused(5 * gib + 2 * mib2, mib2));
}

TYPED_TEST(stage_core, shared_frames_have_the_rights_of_their_kind_at_most) {
    auto const zero = this->m.all.zero_page().raw;
    ASSERT_TRUE(this->map(gib, kib4, zero, rights::read));
    ASSERT_TRUE(this->map(gib + kib4, 16 * kib4, zero + kib4, read_write));
    this->remember();
    this->expect_refused(this->map(gib, kib4, zero, read_write), errc::perm);
    this->expect_refused(this->map(gib, kib4, zero, read_execute), errc::perm);
    this->expect_refused(this->map(gib, kib4, zero + kib4, all_rights), errc::perm);
    this->expect_refused(this->protect(gib, kib4, all_rights), errc::perm);
    this->expect_refused(this->protect(gib, 2 * kib4, read_write), errc::perm);
    this->expect_refused(this->protect(gib + kib4, 16 * kib4, all_rights), errc::perm);
    this->expect_refused(
        this->m.stage.map_to_one({gpa{gib}, mib2}, hpa{core}, rights::read, memory_type::wb),
        errc::perm);
    EXPECT_TRUE(
        this->m.stage.map_to_one({gpa{gib}, mib2}, hpa{zero}, rights::read, memory_type::wb));
    this->merge(gib, mib2);
    EXPECT_EQ(this->m.at(gib + mib2 - 1)->to.raw, zero + 0xfff);
}

TYPED_TEST(stage_core, the_guests_pat_does_not_count_on_its_frames) {
    auto const zero = this->m.all.zero_page().raw;
    ASSERT_TRUE(this->map(gib, kib4, zero, rights::read));
    ASSERT_TRUE(this->map(gib + kib4, kib4, gib, rights::read));
    auto const expected = TypeParam::has_types ? 0x71 : 0x8000000000000265;
    unsigned fixed = 0;
    for (auto const& [where, page] : this->m.memory.content())
        for (auto const entry : page)
            if (entry == (zero | expected)) ++fixed;
    EXPECT_EQ(fixed, 1u);
}

}    // namespace
