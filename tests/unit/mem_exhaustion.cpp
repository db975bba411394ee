// SPDX-License-Identifier: MIT
#include "second_stage_fixture.hpp"

namespace {
using namespace fake;

/// Runs `request` with 0, 1, 2 … pages left until it succeeds; each failure must change nothing.
/// Says how many pages it took.
template <typename Format, typename Prepare, typename Request>
std::uint64_t starve(Prepare const& prepare, Request const& request) {
    for (std::uint64_t left = 0; left < 64; ++left) {
        machine_of<Format> m{chunk_at(0x8000000)};
        EXPECT_TRUE(prepare(m));
        m.memory.set_capacity(m.memory.in_use() + left);
        auto const before = m.memory.content();
        auto const writes = m.memory.writes;
        auto const s = request(m);
        EXPECT_EQ(m.bad_stores, 0u);
        if (s) {
            EXPECT_EQ(m.memory.available(), 0u) << "asked for more than it needed";
            return left;
        }
        EXPECT_EQ(s.error().code, errc::no_memory);
        EXPECT_EQ(m.memory.content(), before) << left;
        EXPECT_EQ(m.memory.writes, writes) << left;
    }
    ADD_FAILURE() << "never succeeded";
    return 0;
}

constexpr auto nothing_yet = [](auto&) -> status { return done; };
constexpr auto one_gib = [](auto& m) -> status {
    return m.stage.map({gpa{gib}, 4 * gib}, hpa{gib}, all_rights, memory_type::wb);
};
constexpr auto hoisted_machine = [](auto& m) -> status {
    HV_TRY(build_identity(m.stage, m.all, m.types, 1ull << bochs_bits));
    return hide(m.stage, m.all, m.types);
};
auto map(std::uint64_t at, std::uint64_t bytes, std::uint64_t to) {
    return [=](auto& m) -> status {
        return m.stage.map({gpa{at}, bytes}, hpa{to}, all_rights, memory_type::wb);
    };
}
auto protect(std::uint64_t at, std::uint64_t bytes) {
    return [=](auto& m) -> status { return m.stage.protect({gpa{at}, bytes}, rights::read); };
}

template <typename Format> struct exhaustion : testing::Test {};
TYPED_TEST_SUITE(exhaustion, both_formats, format_names);

TYPED_TEST(exhaustion, of_a_map_changes_nothing) {
    EXPECT_EQ(starve<TypeParam>(nothing_yet, map(gib, gib, gib)), 1u);
    EXPECT_EQ(starve<TypeParam>(nothing_yet, map(gib, kib4, gib)), 3u);
    EXPECT_EQ(starve<TypeParam>(nothing_yet, map(512 * gib - kib4, 2 * kib4, 0)), 6u);
    EXPECT_EQ(starve<TypeParam>(nothing_yet, map(gib, 8 * mib2, gib + kib4)), 1 + 1 + 8u);
    EXPECT_EQ(starve<TypeParam>(one_gib, map(2 * gib - kib4, gib + 2 * kib4, 10 * gib - kib4)), 4u);
}

TYPED_TEST(exhaustion, of_a_permission_change_changes_nothing) {
    EXPECT_EQ(starve<TypeParam>(one_gib, protect(gib, gib)), 0u);
    EXPECT_EQ(starve<TypeParam>(one_gib, protect(gib + mib2, mib2)), 1u);
    EXPECT_EQ(starve<TypeParam>(one_gib, protect(gib + kib4, kib4)), 2u);
    EXPECT_EQ(starve<TypeParam>(one_gib, protect(gib + kib4, gib)), 4u);
    EXPECT_EQ(starve<TypeParam>(one_gib, protect(2 * gib - mib2 - kib4, gib + 2 * mib2 + 2 * kib4)),
              4u);
}

TYPED_TEST(exhaustion, of_an_unmap_changes_nothing) {
    auto const unmap = [](std::uint64_t at, std::uint64_t bytes) {
        return [=](auto& m) -> status { return m.stage.unmap({gpa{at}, bytes}); };
    };
    EXPECT_EQ(starve<TypeParam>(one_gib, unmap(0, 100 * gib)), 0u);
    EXPECT_EQ(starve<TypeParam>(one_gib, unmap(gib + kib4, gib)), 4u);
}

TYPED_TEST(exhaustion, of_hiding_a_donation_changes_nothing) {
    auto const hide_at = [](std::uint64_t at, std::uint64_t bytes) {
        return
            [=](auto& m) -> status { return hide_run(m.stage, m.all, m.types, {hpa{at}, bytes}); };
    };
    EXPECT_EQ(starve<TypeParam>(hoisted_machine, hide_at(5 * gib + mib2, 4 * kib4)), 2u);
    EXPECT_EQ(starve<TypeParam>(hoisted_machine, hide_at(5 * gib - kib4, 2 * kib4)), 4u);
}

TYPED_TEST(exhaustion, of_a_rule_over_core_frames_changes_nothing) {
    auto const rule = [](auto& m) -> status {
        return protect_root(m.stage, m.all, {gpa{0x7000000 + kib4}, 0x2000000}, read_execute);
    };
    EXPECT_EQ(starve<TypeParam>(hoisted_machine, rule), 2u);
}

TYPED_TEST(exhaustion, of_mapping_on_demand_changes_nothing) {
    auto const low = [](auto& m) -> status {
        return build_identity(m.stage, m.all, m.types, 2 * gib);
    };
    auto const demand = [](auto& m) -> status {
        return map_on_demand(m.stage, m.all, m.types, gpa{700 * gib});
    };
    EXPECT_EQ(starve<TypeParam>(low, demand), 1u);
}

TYPED_TEST(exhaustion, at_the_start_leaves_no_root) {
    tables none{hpa{0x100000}, 0};
    frames all;
    second_stage<TypeParam, tables, core_guard> stage{none, core_guard{all}};
    EXPECT_EQ(stage.init(bochs_limits).error().code, errc::no_memory);
    EXPECT_EQ(stage.root(), hpa{});
    stage.release();
}

TYPED_TEST(exhaustion, at_any_moment_of_the_build_ends_in_an_error) {
    machine_of<TypeParam> whole{chunk_at(0x8000000)};
    ASSERT_TRUE(hoisted_machine(whole));
    auto const needed = whole.memory.in_use();
    // The root, two for 1 TiB, the first GiB, the core, and for types the fixed MTRRs.
    EXPECT_EQ(needed, TypeParam::has_types ? 6u : 5u);
    for (std::uint64_t pages = 1; pages < needed; ++pages) {
        machine_of<TypeParam> m{chunk_at(0x8000000)};
        m.memory.set_capacity(pages);
        EXPECT_EQ(hoisted_machine(m).error().code, errc::no_memory);
        EXPECT_EQ(m.bad_stores, 0u);
        m.stage.release();
        EXPECT_EQ(m.memory.in_use(), 0u);
    }
}

TYPED_TEST(exhaustion, makes_a_mixed_leaf_uncached_as_a_whole) {
    if (!TypeParam::has_types) return;
    machine_of<TypeParam> m{chunk_at(0x8000000)};
    ASSERT_TRUE(hoisted_machine(m));
    m.memory.set_capacity(m.memory.in_use());
    auto f = bochs_mtrrs();
    f.variable(1, 6 * gib + mib2, mib2, 1, bochs_bits);
    m.types = f.read(bochs_bits);
    retype(m.stage, m.types);
    EXPECT_EQ(m.at(6 * gib)->type, memory_type::uc);
    EXPECT_EQ(m.at(6 * gib)->level, 3u);
    EXPECT_EQ(m.at(7 * gib)->type, memory_type::wb);
    EXPECT_EQ(m.audit().findings, 0u);
    m.memory.set_capacity(400);
    retype(m.stage, m.types);    // stays safe, and becomes exact once there are pages
    EXPECT_EQ(m.at(6 * gib)->type, memory_type::wb);
    EXPECT_EQ(m.at(6 * gib + mib2)->type, memory_type::wc);
    EXPECT_EQ(m.audit().findings, 0u);
}

}    // namespace
