// SPDX-License-Identifier: MIT
#include "fake_machine.hpp"
#include <gtest/gtest.h>

namespace {
using namespace fake;

constexpr stage_limits wide{.address_bits = 40, .leaf_2m = true, .leaf_1g = true};
constexpr std::uint64_t nx = 1ull << 63;
constexpr std::uint64_t gib = page_1g_bytes, core = 0x8000000;

constexpr bool bad(std::uint64_t entry, unsigned level, stage_limits const& limits = wide) {
    return npt_format::malformed(entry, level, limits);
}

TEST(npt_format, writes_and_reads_back_every_leaf) {
    for (unsigned level = 1; level <= 3; ++level)
        for (auto const r : {0u, 1u, 3u, 5u, 7u})
            for (auto const pat : {guest_pat::honoured, guest_pat::ignored}) {
                leaf_value const v{hpa{0xffc0000000}, static_cast<rights>(r), memory_type::wb, pat};
                auto const entry = npt_format::leaf(v, level);
                EXPECT_TRUE(npt_format::is_leaf(entry, level));
                EXPECT_EQ(npt_format::value_of(entry, level), v);
                EXPECT_FALSE(bad(entry, level));
            }
}

// APM 2 5.3 "Long-Mode Page Translation"; user, because a nested walk asks as ring 3; accessed and
// dirty, so that the CPU has nothing to write.
TEST(npt_format, has_the_bits_of_the_manual) {
    auto const leaf = [](rights r, unsigned level, guest_pat pat = guest_pat::honoured) {
        return npt_format::leaf({hpa{0x40000000}, r, memory_type::wb, pat}, level);
    };
    EXPECT_EQ(leaf(all_rights, 1), 0x40000067u);
    EXPECT_EQ(leaf(all_rights, 2), 0x400000e7u);
    EXPECT_EQ(leaf(all_rights, 3), 0x400000e7u);
    EXPECT_EQ(leaf(read_execute, 1), 0x40000065u);
    EXPECT_EQ(leaf(rights::read, 1), 0x40000065u | nx);
    EXPECT_EQ(leaf(read_write, 1), 0x40000067u | nx);
    EXPECT_EQ(leaf(rights::read, 1, guest_pat::ignored), 0x40000265u | nx);
    EXPECT_EQ(leaf(rights::none, 1), 0xf'ffff'bfff'f064u | nx);
    EXPECT_EQ(npt_format::table(hpa{0x7000}), 0x7027u);
}

// The MTRRs count for guests too: this stage adds nothing.
TEST(npt_format, knows_no_memory_type) {
    for (auto const type : {memory_type::uc, memory_type::wc, memory_type::wt, memory_type::wp})
        EXPECT_EQ(npt_format::leaf({hpa{}, all_rights, type, {}}, 1),
                  npt_format::leaf({hpa{}, all_rights, memory_type::wb, {}}, 1));
    EXPECT_EQ(npt_format::value_of(0x67, 1).type, memory_type::wb);
}

TEST(npt_format, finds_what_a_walk_may_not_meet) {
    EXPECT_TRUE(bad(0x1000 | 0x63, 1)) << "not for ring 3: nobody could use it";
    EXPECT_TRUE(bad(0x1000 | 0x23, 2)) << "the same of a table";
    EXPECT_TRUE(bad(0x1000 | 0x67 | 8, 1)) << "write-through";
    EXPECT_TRUE(bad(0x1000 | 0x67 | 16, 1)) << "uncached";
    EXPECT_TRUE(bad(0x1000 | 0x67 | 0x80, 1)) << "PAT of a small leaf";
    EXPECT_TRUE(bad(1ull << 40 | 0x67, 1)) << "beyond the physical width";
    EXPECT_TRUE(bad(1ull << 51 | 0x27, 4)) << "table beyond the physical width";
    EXPECT_TRUE(bad(0x200000 | 0x1000 | 0xe7, 2)) << "PAT of a 2 MiB leaf";
    EXPECT_TRUE(bad(0x200000 | 0x2000 | 0xe7, 2)) << "low bits of a 2 MiB frame";
    EXPECT_TRUE(bad(0x40000000 | 0x200000 | 0xe7, 3)) << "low bits of a 1 GiB frame";
    EXPECT_TRUE(bad(0xe7, 4)) << "a leaf of 512 GiB";
    EXPECT_TRUE(bad(0x1000 | 0x27 | 0x100, 2)) << "reserved bit in a table entry";
    EXPECT_TRUE(bad(0x1000 | 0x27 | nx, 3)) << "a table that nothing is executed through";
    EXPECT_TRUE(bad(0x12345000, 1)) << "a frame number in a non-present entry";
    EXPECT_TRUE(bad(nx, 1));
    EXPECT_TRUE(bad(0xf'fffe'dcba'f0e4, 4)) << "a closed leaf of 512 GiB";
    EXPECT_TRUE(bad(0xf'fffe'dcba'f064, 2)) << "a closed table";
    EXPECT_FALSE(bad(0xf'fffe'dcba'f064, 1));
    EXPECT_FALSE(bad(0, 1));
    EXPECT_FALSE(bad(0x1000 | 0x27, 2));
    EXPECT_FALSE(bad(0x1000 | 0x67 | nx, 1));
}

TEST(npt_format, knows_which_leaves_the_processor_has) {
    constexpr stage_limits narrow{.address_bits = 40, .leaf_2m = true, .leaf_1g = false};
    EXPECT_TRUE(bad(0x40000000 | 0xe7, 3, narrow));
    EXPECT_FALSE(bad(0x40000000 | 0xe7, 2, narrow));
}

/// A hoisted machine with a page split off at 6 GiB, in which tests break one entry by hand.
struct npt_auditor : testing::Test {
    void SetUp() override {
        m.hoist();
        ASSERT_TRUE(m.stage.protect({gpa{6 * gib}, page_bytes}, rights::read));
        ASSERT_EQ(m.audit().findings, 0u);
    }
    void set(std::uint64_t a, unsigned level, std::uint64_t entry) {
        auto table = m.stage.root();
        for (unsigned l = 4; l > level; --l)
            table = npt_format::table_of(m.memory.read(table, entry_index(gpa{a}, l)));
        m.memory.write(table, entry_index(gpa{a}, level), entry);
    }
    void expect(hv_finding kind, std::uint64_t at) {
        auto const a = m.audit();
        EXPECT_GE(a.findings, 1u);
        EXPECT_EQ(a.finding_kind, static_cast<std::uint64_t>(kind));
        EXPECT_EQ(a.first_finding, at);
    }
    machine_of<npt_format> m{chunk_at(core)};
};

TEST_F(npt_auditor, finds_a_leaf_into_the_core) {
    set(core, 1, core | 0x265 | nx);
    expect(HV_FINDING_CORE_FRAME, core);
    set(core, 1, m.all.zero_page().raw | 0x265 | nx);
    EXPECT_EQ(m.audit().findings, 0u);
    set(0, 3, 0x2e7);
    expect(HV_FINDING_CORE_FRAME, core);
}

TEST_F(npt_auditor, finds_rights_beyond_the_kind_of_frame) {
    auto const mailbox = core + 480 * 4096, ring = core + 511 * 4096;
    set(mailbox, 1, mailbox | 0x267);    // executable
    expect(HV_FINDING_WRITABLE_SHARED, mailbox);
    set(mailbox, 1, mailbox | 0x267 | nx);
    EXPECT_EQ(m.audit().findings, 0u);
    set(ring, 1, ring | 0x267 | nx);
    expect(HV_FINDING_WRITABLE_SHARED, ring);
}

TEST_F(npt_auditor, finds_what_leads_elsewhere_and_what_is_reserved) {
    set(6 * gib, 1, (6 * gib + 4096) | 0x65 | nx);
    expect(HV_FINDING_NOT_IDENTITY, 6 * gib);
    set(6 * gib, 1, 6 * gib | 0x61);
    expect(HV_FINDING_RESERVED_BIT, 6 * gib);
    set(6 * gib, 1, 0);
    set(7 * gib, 3, 0x7000027);
    expect(HV_FINDING_TABLE_OUTSIDE, 7 * gib);
}

}    // namespace
