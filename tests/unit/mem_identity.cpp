// SPDX-License-Identifier: MIT
#include "fake_machine.hpp"
#include <gtest/gtest.h>

namespace {
using namespace fake;
using fake::machine;    // and not the core's

constexpr std::uint64_t kib4 = page_bytes, mib2 = page_2m_bytes, gib = page_1g_bytes;
constexpr std::uint64_t core = 0x8000000;

void expect_clean(machine const& m) {
    auto const a = m.audit();
    EXPECT_EQ(a.findings, 0u) << "kind " << a.finding_kind << " at " << std::hex << a.first_finding;
    EXPECT_EQ(m.bad_stores, 0u);
}

TEST(identity, maps_all_but_the_core) {
    machine m{chunk_at(core)};
    m.hoist();
    for (std::uint64_t const at :
         {std::uint64_t{0}, std::uint64_t{0x9f000}, std::uint64_t{0xa0000}, core - 1, core + mib2,
          gib, 3 * gib, 4 * gib + 5, 1024 * gib - 1}) {
        ASSERT_TRUE(m.at(at)) << std::hex << at;
        EXPECT_EQ(m.at(at)->to.raw, at);
        EXPECT_EQ(m.at(at)->allowed, all_rights);
    }
    expect_clean(m);
    auto const a = m.audit();
    EXPECT_EQ(a.leaves_1g, 1023u);
    EXPECT_EQ(a.leaves_2m, 510u);    // the first GiB but for two: fixed MTRRs, core
    EXPECT_EQ(a.leaves_4k, 1024u);
    EXPECT_EQ(a.tables, m.memory.in_use());
    EXPECT_EQ(a.core_frames, 512u);
}

TEST(identity, takes_memory_types_from_the_mtrrs) {
    machine m{chunk_at(core)};
    m.hoist();
    EXPECT_EQ(m.at(0x9f000)->type, memory_type::wb);
    EXPECT_EQ(m.at(0xa0000)->type, memory_type::uc);
    EXPECT_EQ(m.at(0xbffff)->type, memory_type::uc);
    EXPECT_EQ(m.at(0xc0000)->type, memory_type::wb);
    EXPECT_EQ(m.at(3 * gib)->type, memory_type::uc);
    EXPECT_EQ(m.at(4 * gib)->type, memory_type::wb);
}

TEST(identity, shows_zeroes_for_private_frames_and_the_rest_as_its_kind) {
    machine m{chunk_at(core)};
    m.hoist();
    auto const zero = m.all.zero_page();
    for (std::uint64_t page = 0; page < 512; ++page) {
        auto const at = core + page * kib4;
        auto const t = m.at(at + 0x123);
        ASSERT_TRUE(t);
        auto const kind = small_layout.kind(page);
        EXPECT_EQ(t->to.raw, (kind == frame_kind::private_core ? zero.raw : at) + 0x123) << page;
        EXPECT_EQ(t->allowed, kind == frame_kind::shared_write ? read_write : rights::read) << page;
    }
}

TEST(identity, hides_scattered_chunks) {
    // One page next to the last of a 2 MiB page, one in the fixed MTRRs, one above 4 GiB.
    machine m{{{0x90000, 1}, {5 * gib - kib4, 2}, {0x3ff000, 37}, {0x10000000, 472}}};
    m.hoist();
    expect_clean(m);
    EXPECT_EQ(m.at(0x3fe000)->to.raw, 0x3fe000u);
    EXPECT_EQ(m.at(0x3ff000)->to, m.all.zero_page());
    EXPECT_EQ(m.at(0x90000)->to, m.all.zero_page());
    EXPECT_EQ(m.at(0x91000)->to.raw, 0x91000u);
    EXPECT_EQ(m.at(5 * gib - kib4)->to, m.all.zero_page());
    EXPECT_EQ(m.at(5 * gib)->to, m.all.zero_page());
    EXPECT_EQ(m.at(5 * gib + kib4)->to.raw, 5 * gib + kib4);
}

TEST(identity, stops_at_the_top_of_ram) {
    machine m{chunk_at(core)};
    m.hoist(0x3fff0000);
    EXPECT_TRUE(m.at(0x3ffeffff));
    EXPECT_FALSE(m.at(0x3fff0000));
    expect_clean(m);
}

TEST(identity, maps_mmio_when_it_is_used) {
    machine m{chunk_at(core)};
    m.hoist(0x3fff0000);
    auto const demand = [&](std::uint64_t at) {
        return map_on_demand(m.stage, m.all, m.types, gpa{at});
    };
    ASSERT_TRUE(demand(0xfee00000));
    EXPECT_EQ(m.at(0xfee00000)->level, 3u);    // the whole uncached GiB
    EXPECT_EQ(m.at(0xfee00000)->type, memory_type::uc);
    EXPECT_EQ(m.at(0xfee00123)->to.raw, 0xfee00123u);
    ASSERT_TRUE(demand(0x3ffff000));    // a table is there already: 4 KiB
    EXPECT_EQ(m.at(0x3ffff000)->level, 1u);
    EXPECT_FALSE(m.at(0x3fffe000));
    ASSERT_TRUE(demand(900 * gib + 77));
    EXPECT_EQ(m.at(900 * gib)->level, 3u);
    EXPECT_EQ(demand(0xfee00000).error().code, errc::exists);
    EXPECT_EQ(demand(core).error().code, errc::exists);
    EXPECT_EQ(demand(1ull << bochs_bits).error().code, errc::range);
    EXPECT_EQ(demand(~0ull).error().code, errc::range);
    expect_clean(m);
}

TEST(identity, on_demand_mapping_takes_smaller_pages_around_types_and_the_core) {
    machine m{chunk_at(core)};
    auto const demand = [&](std::uint64_t at) {
        return map_on_demand(m.stage, m.all, m.types, gpa{at});
    };
    ASSERT_TRUE(demand(0xb8000));    // nothing is mapped yet: text mode's page, by the fixed MTRRs
    EXPECT_EQ(m.at(0xb8000)->level, 1u);
    EXPECT_EQ(m.at(0xb8000)->type, memory_type::uc);
    ASSERT_TRUE(demand(core - 1));
    EXPECT_EQ(m.at(core - 1)->level, 2u);
    EXPECT_EQ(demand(core).error().code, errc::perm);
    EXPECT_EQ(demand(core + mib2 - 1).error().code, errc::perm);
    machine high{chunk_at(6 * gib + 8 * mib2)};    // in a GiB of one type
    ASSERT_TRUE(map_on_demand(high.stage, high.all, high.types, gpa{6 * gib}));
    EXPECT_EQ(high.at(6 * gib)->level, 2u);
    expect_clean(high);
    expect_clean(m);
}

TEST(identity, a_donation_disappears_and_comes_back) {
    machine m{chunk_at(core)};
    m.hoist();
    auto const leaves = m.audit().leaves_1g;
    hpa_span const gift{hpa{6 * gib + 3 * mib2}, 64 * kib4};
    ASSERT_TRUE(hide_run(m.stage, m.all, m.types, gift));
    ASSERT_TRUE(m.all.add({gift.first.raw, 64}, hva{HV_CORE_BASE + 0x300000}));
    expect_clean(m);
    EXPECT_EQ(m.at(gift.first.raw)->to, m.all.zero_page());
    EXPECT_EQ(m.at(gift.first.raw + 64 * kib4 - 1)->allowed, rights::read);
    EXPECT_EQ(m.at(gift.first.raw + 64 * kib4)->to.raw, gift.first.raw + 64 * kib4);
    auto const back = m.stage.map({gpa{gift.first.raw}, kib4}, gift.first, rights::read,
                                  memory_type::wb);
    EXPECT_EQ(back.error().code, errc::perm);
    ASSERT_TRUE(m.all.remove(gift.first));
    ASSERT_TRUE(expose(m.stage, m.all, m.types, gift));
    EXPECT_EQ(m.at(gift.first.raw)->level, 3u);
    EXPECT_EQ(m.audit().leaves_1g, leaves);
    expect_clean(m);
}

TEST(identity, a_donation_that_was_not_hidden_first_never_spreads) {
    machine m{chunk_at(core)};
    m.hoist();
    ASSERT_TRUE(
        m.all.add({6 * gib + mib2, 4}, hva{HV_CORE_BASE + 0x300000}));    // the caller's mistake
    auto const before = m.memory.content();
    auto const split = m.stage.protect({gpa{7 * gib - kib4}, kib4}, rights::read);
    EXPECT_EQ(split.error().code, errc::perm);
    EXPECT_EQ(m.memory.content(), before);
    EXPECT_NE(m.audit().findings, 0u);
    auto f = bochs_mtrrs();
    f.variable(1, 6 * gib, gib, 4, bochs_bits);
    m.types = f.read(bochs_bits);
    retype(m.stage, m.types);
    EXPECT_FALSE(m.at(6 * gib + mib2));
    EXPECT_EQ(m.bad_stores, 0u);
    EXPECT_EQ(m.audit().findings, 0u);
}

TEST(identity, a_rule_over_everything_leaves_the_core_as_it_is) {
    machine m{chunk_at(core)};
    m.hoist();
    gpa_span const all_memory{gpa{0}, 1ull << bochs_bits};
    ASSERT_TRUE(protect_root(m.stage, m.all, all_memory, read_execute));
    EXPECT_EQ(m.at(core - 1)->allowed, read_execute);
    EXPECT_EQ(m.at(core)->allowed, rights::read);
    EXPECT_EQ(m.at(core + 485 * kib4)->allowed, read_write);    // the mailbox works on
    ASSERT_TRUE(protect_root(m.stage, m.all, all_memory, all_rights));
    EXPECT_EQ(m.at(core)->allowed, rights::read);
    m.stage.merge(all_memory);
    EXPECT_EQ(m.audit().leaves_1g, 1023u);
    expect_clean(m);
    EXPECT_EQ(protect_root(m.stage, m.all, {gpa{1}, 4096}, rights::read).error().code,
              errc::invalid);
    EXPECT_EQ(protect_root(m.stage, m.all, {gpa{0}, ~0xfffull}, rights::read).error().code,
              errc::invalid);
    EXPECT_EQ(protect_root(m.stage, m.all, {gpa{0}, 4096}, rights::write).error().code,
              errc::invalid);
}

TEST(identity, a_rule_over_a_hole_changes_nothing) {
    machine m{chunk_at(core)};
    m.hoist(gib);
    auto const before = m.memory.content();
    auto const s = protect_root(m.stage, m.all, {gpa{core - kib4}, 2 * gib}, rights::read);
    EXPECT_EQ(s.error().code, errc::no_entry);
    EXPECT_EQ(m.memory.content(), before);
}

TEST(identity, follows_new_mtrrs_and_keeps_rights) {
    machine m{chunk_at(core)};
    m.hoist();
    ASSERT_TRUE(protect_root(m.stage, m.all, {gpa{6 * gib}, gib}, read_execute));
    auto f = bochs_mtrrs();
    f.variable(1, 6 * gib + 0x100000, kib4, 1, bochs_bits);
    f.variable(2, 8 * gib, 8 * gib, 4, bochs_bits);
    m.types = f.read(bochs_bits);
    EXPECT_NE(m.audit().findings, 0u);
    EXPECT_EQ(m.audit().finding_kind, HV_FINDING_TYPE);
    retype(m.stage, m.types);
    expect_clean(m);
    EXPECT_EQ(m.at(6 * gib + 0x100000)->type, memory_type::wc);
    EXPECT_EQ(m.at(6 * gib + 0x100000)->allowed, read_execute);
    EXPECT_EQ(m.at(6 * gib + 0x101000)->type, memory_type::wb);
    EXPECT_EQ(m.at(8 * gib)->type, memory_type::wt);
    EXPECT_EQ(m.at(8 * gib)->level, 3u);
    m.types = bochs_mtrrs().read(bochs_bits);
    retype(m.stage, m.types);    // and back, in large pages again
    expect_clean(m);
    EXPECT_EQ(m.at(6 * gib)->level, 3u);
    EXPECT_EQ(m.at(6 * gib)->allowed, read_execute);
}

TEST(identity, survives_mtrrs_that_are_off_for_a_while) {
    machine m{chunk_at(core)};
    m.hoist();
    auto const before = m.memory.content();
    auto f = bochs_mtrrs();
    f.value[0x2ff] = 0x406;
    m.types = f.read(bochs_bits);
    retype(m.stage, m.types);
    EXPECT_EQ(m.at(gib)->type, memory_type::uc);
    expect_clean(m);
    m.types = bochs_mtrrs().read(bochs_bits);
    retype(m.stage, m.types);
    expect_clean(m);
    EXPECT_EQ(m.audit().leaves_1g, 1023u);
}

TEST(identity, works_without_large_pages_of_1g) {
    machine m{
        chunk_at(core), small_layout, {.address_bits = 34, .leaf_2m = true, .leaf_1g = false}};
    m.hoist(8 * gib);
    EXPECT_EQ(m.audit().leaves_1g, 0u);
    expect_clean(m);
}

}    // namespace
