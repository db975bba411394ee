// SPDX-License-Identifier: MIT
#include "fake_machine.hpp"
#include <gtest/gtest.h>

namespace {
using namespace fake;
using fake::machine;    // and not the core's

constexpr std::uint64_t gib = page_1g_bytes;
constexpr std::uint64_t core = 0x8000000;

/// A hoisted machine with a page split off at 6 GiB, in which tests break one entry by hand.
struct auditor_finds : testing::Test {
    void SetUp() override {
        m.hoist();
        ASSERT_TRUE(m.stage.protect({gpa{6 * gib}, page_bytes}, rights::read));
        ASSERT_EQ(m.audit().findings, 0u);
    }
    /// The table of `level` on the way to `a`.
    [[nodiscard]] hpa table(std::uint64_t a, unsigned level) const {
        auto t = m.stage.root();
        for (unsigned l = 4; l > level; --l)
            t = ept_format::table_of(m.memory.read(t, entry_index(gpa{a}, l)));
        return t;
    }
    void set(std::uint64_t a, unsigned level, std::uint64_t entry) {
        m.memory.write(table(a, level), entry_index(gpa{a}, level), entry);
    }
    void expect(hv_finding kind, std::uint64_t at, std::uint64_t findings = 1) {
        auto const a = m.audit();
        EXPECT_EQ(a.findings, findings);
        EXPECT_EQ(a.finding_kind, static_cast<std::uint64_t>(kind));
        EXPECT_EQ(a.first_finding, at);
    }
    machine m{chunk_at(core)};
};

TEST_F(auditor_finds, a_leaf_into_the_core) {
    set(core, 1, core | 0x71);    // read-only, write-back, PAT ignored
    expect(HV_FINDING_CORE_FRAME, core);
}

TEST_F(auditor_finds, the_last_private_frame) {
    set(core + 478 * 4096, 1, (core + 478 * 4096) | 0x71);
    expect(HV_FINDING_CORE_FRAME, core + 478 * 4096);
}

TEST_F(auditor_finds, a_large_leaf_over_the_core) {
    set(core, 2, core | 0xf7);
    auto const a = m.audit();
    EXPECT_EQ(a.finding_kind, static_cast<std::uint64_t>(HV_FINDING_CORE_FRAME));
    EXPECT_EQ(a.findings, 512u);    // 479 private frames, 33 shared ones that may not be executed
}

TEST_F(auditor_finds, the_core_inside_a_1g_leaf) {
    set(0, 3, 0xb7);
    EXPECT_EQ(m.audit().first_finding, 0u);    // PAT not ignored comes first
    set(0, 3, 0xf7);
    EXPECT_EQ(m.audit().finding_kind, static_cast<std::uint64_t>(HV_FINDING_CORE_FRAME));
    EXPECT_EQ(m.audit().first_finding, core);
}

TEST_F(auditor_finds, a_writable_ring) {
    auto const ring = core + 511 * 4096;
    set(ring, 1, ring | 0x73);
    expect(HV_FINDING_WRITABLE_SHARED, ring);
}

TEST_F(auditor_finds, an_executable_mailbox) {
    auto const mailbox = core + 480 * 4096;
    set(mailbox, 1, mailbox | 0x77);
    expect(HV_FINDING_WRITABLE_SHARED, mailbox);
}

TEST_F(auditor_finds, a_writable_zero_page) {
    set(core, 1, m.all.zero_page().raw | 0x73);
    expect(HV_FINDING_WRITABLE_SHARED, core);
}

TEST_F(auditor_finds, a_page_that_leads_elsewhere) {
    set(6 * gib, 1, (6 * gib + 4096) | 0x31);
    expect(HV_FINDING_NOT_IDENTITY, 6 * gib);
}

TEST_F(auditor_finds, the_zero_page_where_nothing_is_hidden) {
    set(6 * gib, 1, m.all.zero_page().raw | 0x71);
    expect(HV_FINDING_NOT_IDENTITY, 6 * gib);
}

TEST_F(auditor_finds, reserved_bits_and_combinations) {
    set(6 * gib, 1, 6 * gib | 0x32);    // write without read
    expect(HV_FINDING_RESERVED_BIT, 6 * gib);
    set(6 * gib, 1, 6 * gib);    // a frame number in a non-present entry
    EXPECT_EQ(m.audit().finding_kind, static_cast<std::uint64_t>(HV_FINDING_RESERVED_BIT));
    set(6 * gib, 1, 6 * gib | 0x1f);    // memory type 3
    EXPECT_EQ(m.audit().finding_kind, static_cast<std::uint64_t>(HV_FINDING_RESERVED_BIT));
}

TEST_F(auditor_finds, a_512g_leaf) {
    set(600 * gib, 4, (512 * gib) | 0xb7);
    EXPECT_EQ(m.audit().finding_kind, static_cast<std::uint64_t>(HV_FINDING_RESERVED_BIT));
}

TEST_F(auditor_finds, a_table_outside_the_core) {
    set(7 * gib, 3, 0x7000007);
    expect(HV_FINDING_TABLE_OUTSIDE, 7 * gib);
    set(7 * gib, 3, m.all.zero_page().raw | 7);
    expect(HV_FINDING_TABLE_OUTSIDE, 7 * gib);
}

TEST_F(auditor_finds, a_root_outside_the_core) {
    auto const a = auditor<ept_format, tables>{m.memory, m.all, m.types, bochs_limits}.audit(
        hpa{0});
    EXPECT_EQ(a.finding_kind, static_cast<std::uint64_t>(HV_FINDING_TABLE_OUTSIDE));
}

TEST_F(auditor_finds, a_wrong_memory_type) {
    set(6 * gib, 1, 6 * gib | 0x01);
    expect(HV_FINDING_TYPE, 6 * gib);
    set(6 * gib, 1, 6 * gib | 0x31);
    set(core, 1, m.all.zero_page().raw | 0x31);    // an alias whose type the guest's PAT may weaken
    expect(HV_FINDING_TYPE, core);
}

TEST_F(auditor_finds, the_first_and_counts_all) {
    for (std::uint64_t i = 0; i < 5; ++i) set(core + i * 4096, 1, core | 0x71);
    auto const a = m.audit();
    EXPECT_EQ(a.first_finding, core);
    EXPECT_EQ(a.findings, 5 + 4u);    // and four of them are no identity
    EXPECT_EQ(a.version, HV_ABI_VERSION);
    EXPECT_EQ(a.size, sizeof(hv_audit));
}

}    // namespace
