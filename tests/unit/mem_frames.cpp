// SPDX-License-Identifier: MIT
#include "fake_machine.hpp"
#include <gtest/gtest.h>

namespace {
using namespace fake;

status init(frames& f, std::vector<hv_chunk> const& chunks, frame_layout const& l = small_layout) {
    return f.init({chunks.data(), chunks.size()}, l);
}

TEST(frames, tells_each_area_of_the_layout) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    auto const kind = [&](std::uint64_t page) { return f.kind(hpa{0x200000 + page * 4096}); };
    EXPECT_EQ(kind(0), frame_kind::private_core);
    EXPECT_EQ(kind(478), frame_kind::private_core);
    EXPECT_EQ(kind(479), frame_kind::shared_read);    // the zero page
    EXPECT_EQ(kind(480), frame_kind::shared_write);
    EXPECT_EQ(kind(495), frame_kind::shared_write);
    EXPECT_EQ(kind(496), frame_kind::shared_read);
    EXPECT_EQ(kind(511), frame_kind::shared_read);
    EXPECT_EQ(kind(512), frame_kind::outside);
    EXPECT_EQ(f.kind(hpa{0x1fffff}), frame_kind::outside);
    EXPECT_EQ(f.zero_page(), hpa{0x200000 + 479 * 4096});
    EXPECT_EQ(f.count(), 512u);
}

TEST(frames, tells_areas_over_scattered_chunks) {
    frames f;
    ASSERT_TRUE(init(f, {{0x9000000, 479}, {0x1000, 1}, {0x40000000000, 32}}));
    EXPECT_EQ(f.kind(hpa{0x9000000 + 478 * 4096}), frame_kind::private_core);
    EXPECT_EQ(f.kind(hpa{0x1000}), frame_kind::shared_read);
    EXPECT_EQ(f.kind(hpa{0x2000}), frame_kind::outside);
    EXPECT_EQ(f.kind(hpa{0x40000000000}), frame_kind::shared_write);
    EXPECT_EQ(f.zero_page(), hpa{0x1000});
    EXPECT_EQ(f.to_hva(hpa{0x1234}).value(), hva{HV_CORE_BASE + 479 * 4096 + 0x234});
    EXPECT_EQ(f.to_hpa(hva{HV_CORE_BASE + 480 * 4096}).value(), hpa{0x40000000000});
    EXPECT_FALSE(f.to_hva(hpa{0x2000}));
    EXPECT_FALSE(f.to_hpa(hva{HV_CORE_BASE + 512 * 4096}));
    EXPECT_FALSE(f.to_hpa(hva{HV_CORE_BASE - 1}));
}

TEST(frames, touches_at_every_edge) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    EXPECT_FALSE(f.touches({hpa{0x1ff000}, 0x1000}));
    EXPECT_TRUE(f.touches({hpa{0x1ff000}, 0x1001}));
    EXPECT_TRUE(f.touches({hpa{0x1fffff}, 2}));
    EXPECT_TRUE(f.touches({hpa{0x200000}, 1}));
    EXPECT_TRUE(f.touches({hpa{0x3fffff}, 1}));
    EXPECT_FALSE(f.touches({hpa{0x400000}, 1ull << 50}));
    EXPECT_TRUE(f.touches({hpa{0}, 1ull << 30}));
    EXPECT_FALSE(f.touches({hpa{0x300000}, 0}));
}

TEST(frames, a_run_that_wraps_touches) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    EXPECT_TRUE(f.touches({hpa{0x400000}, ~0ull}));
    EXPECT_TRUE(f.touches({hpa{~0xfffull}, 0x300000}));
    EXPECT_TRUE(f.touches({hpa{1}, ~0ull}));
}

TEST(frames, runs_end_where_the_kind_does) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    EXPECT_EQ(f.run_at(hpa{0}).bytes, 0x200000u);
    EXPECT_EQ(f.run_at(hpa{0x200001}).bytes, 479u * 4096 - 1);
    EXPECT_EQ(f.run_at(hpa{0x200000 + 479 * 4096}).bytes, 4096u);
    EXPECT_EQ(f.run_at(hpa{0x200000 + 480 * 4096}).bytes, 16u * 4096);
    EXPECT_EQ(f.run_at(hpa{0x400000}).kind, frame_kind::outside);
}

TEST(frames, refuses_what_the_loader_may_not_give) {
    frames f;
    EXPECT_EQ(init(f, {}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, 511}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, 513}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200800, 512}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, 0}, {0x400000, 512}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, 256}, {0x2ff000, 256}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x300000, 256}, {0x201000, 256}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, 256}, {0x200000, 256}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{~0xfffull, 512}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{(1ull << 52) - 4096, 512}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, {{0x200000, (1ull << 52) + 512}}).error().code, errc::invalid);
    EXPECT_EQ(init(f, std::vector<hv_chunk>(65, {0x1000, 1})).error().code, errc::invalid);
    EXPECT_EQ(f.count(), 0u);
}

TEST(frames, refuses_a_layout_whose_sum_wraps) {
    frames f;
    auto l = small_layout;
    l.pool = ~0ull - 110;
    EXPECT_FALSE(init(f, {{0x200000, 512}}, l));
}

TEST(frames, notes_and_forgets_donations) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    hva const spare{HV_CORE_BASE + 0x300000};
    ASSERT_TRUE(f.add({0x8000000, 4}, spare));
    EXPECT_EQ(f.kind(hpa{0x8003fff}), frame_kind::private_core);
    EXPECT_EQ(f.to_hva(hpa{0x8003000}).value(), spare + 0x3000);
    EXPECT_EQ(f.donation(hpa{0x8000000}).value().pages, 4u);
    EXPECT_EQ(f.donation(hpa{0x8001000}).error().code, errc::no_entry);
    EXPECT_EQ(f.remove(hpa{0x200000}).error().code, errc::no_entry);    // not a donation
    ASSERT_TRUE(f.remove(hpa{0x8000000}));
    EXPECT_EQ(f.kind(hpa{0x8000000}), frame_kind::outside);
    EXPECT_EQ(f.remove(hpa{0x8000000}).error().code, errc::no_entry);
}

TEST(frames, refuses_donations_that_overlap_in_either_space) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    hva const spare{HV_CORE_BASE + 0x300000};
    EXPECT_EQ(f.add({0x3ff000, 2}, spare).error().code, errc::invalid);
    EXPECT_EQ(f.add({0x1ff000, 2}, spare).error().code, errc::invalid);
    EXPECT_EQ(f.add({0, 4096}, spare).error().code, errc::invalid);
    EXPECT_EQ(f.add({0x800000, 1}, hva{HV_CORE_BASE + 0x1ff000}).error().code, errc::invalid);
    EXPECT_EQ(f.add({0x800000, 1}, hva{~0xfffull}).error().code, errc::invalid);
    EXPECT_EQ(f.add({0x800001, 1}, spare).error().code, errc::invalid);
    EXPECT_EQ(f.add({0x800000, 0}, spare).error().code, errc::invalid);
    for (std::uint64_t i = 0; i < HV_MAX_CHUNKS - 1; ++i)
        ASSERT_TRUE(f.add({0x8000000 + i * 8192, 1}, spare + i * 8192));
    EXPECT_EQ(f.add({0x7000000, 1}, hva{HV_CORE_BASE + 0x800000}).error().code, errc::no_space);
}

TEST(core_guard, knows_what_each_kind_allows) {
    frames f;
    ASSERT_TRUE(init(f, {{0x200000, 512}}));
    core_guard const guard{f};
    hpa_span const zero{f.zero_page(), 4096}, mail{f.zero_page() + 4096, 4096};
    EXPECT_TRUE(guard(zero, rights::read));
    EXPECT_FALSE(guard(zero, read_write));
    EXPECT_FALSE(guard(zero, read_execute));
    EXPECT_TRUE(guard(mail, read_write));
    EXPECT_FALSE(guard(mail, all_rights));
    EXPECT_FALSE(guard({hpa{0x200000}, 4096}, rights::read));
    EXPECT_FALSE(guard({zero.first, 8192}, read_write));    // the strictest frame decides
    EXPECT_TRUE(guard({zero.first, 8192}, rights::read));
    EXPECT_FALSE(guard({hpa{0x1ff000}, 8192}, rights::read));
    EXPECT_FALSE(guard({f.zero_page() - 4096, 8192}, rights::read));
    EXPECT_EQ(guard(zero, rights::read).value(), guest_pat::ignored);
    EXPECT_EQ(guard({hpa{0x400000}, 4096}, all_rights).value(), guest_pat::honoured);
    EXPECT_FALSE(guard({hpa{0x400000}, ~0ull}, all_rights));
}

}    // namespace
