// SPDX-License-Identifier: MIT
#pragma once
#include "fake_machine.hpp"
#include <gtest/gtest.h>

namespace fake {

constexpr std::uint64_t kib4 = page_bytes, mib2 = page_2m_bytes, gib = page_1g_bytes;
constexpr std::uint64_t core = 0x8000000;    // 128 MiB

/// Tests of what both formats of entries share run on each.
using both_formats = testing::Types<ept_format, npt_format>;
struct format_names {
    template <typename Format> static std::string GetName(int) {
        return Format::has_types ? "ept" : "npt";
    }
};

template <typename Format> struct second_stage_test : testing::Test {
    machine_of<Format> m{chunk_at(core)};
    [[nodiscard]] status map(std::uint64_t at, std::uint64_t bytes, std::uint64_t to,
                             rights r = all_rights) {
        return m.stage.map({gpa{at}, bytes}, hpa{to}, r, memory_type::wb);
    }
    [[nodiscard]] status protect(std::uint64_t at, std::uint64_t bytes, rights r) {
        return m.stage.protect({gpa{at}, bytes}, r);
    }
    [[nodiscard]] status unmap(std::uint64_t at, std::uint64_t bytes) {
        return m.stage.unmap({gpa{at}, bytes});
    }
    void merge(std::uint64_t at, std::uint64_t bytes) { m.stage.merge({gpa{at}, bytes}); }
    void expect(std::uint64_t at, std::uint64_t to, unsigned level, rights r = all_rights) {
        auto const t = m.at(at);
        ASSERT_TRUE(t) << std::hex << at;
        EXPECT_EQ(t->to.raw, to) << std::hex << at;
        EXPECT_EQ(t->level, level) << std::hex << at;
        EXPECT_EQ(t->allowed, r) << std::hex << at;
    }
    void expect_refused(status const& s, errc code) {
        ASSERT_FALSE(s);
        EXPECT_EQ(s.error().code, code);
        EXPECT_EQ(m.memory.content(), before);
    }
    void remember() { before = m.memory.content(); }
    std::map<std::uint64_t, tables::page> before;
};

}    // namespace fake
