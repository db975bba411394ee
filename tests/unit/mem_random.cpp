// SPDX-License-Identifier: MIT
#include "second_stage_fixture.hpp"
#include <algorithm>
#include <cstdlib>
#include <random>

namespace {
using namespace fake;

constexpr rights some_rights[] = {rights::none,
                                  rights::read,
                                  rights::write,
                                  read_write,
                                  read_execute,
                                  all_rights,
                                  rights::write | rights::execute};

/// Draws requests that like to hit the core, its edges, and odd sizes.
struct requests {
    explicit requests(std::uint64_t seed) : random{seed} {}
    std::uint64_t below(std::uint64_t n) { return random() % n; }
    template <typename Machine> std::uint64_t address(Machine const& m) {
        auto const chunks = m.all.chunks();
        auto const& c = chunks[below(chunks.size())];
        auto const end = c.first.raw + c.pages * kib4;
        switch (below(8)) {
        case 0:  return c.first.raw - kib4 * below(3);
        case 1:  return end - kib4 * below(3);
        case 2:  return c.first.raw + kib4 * below(c.pages);
        case 3:  return gib * below(8);
        case 4:  return mib2 * below(4096);
        case 5:  return below(64) == 0 ? random() : kib4 * below(0x100);
        default: return c.first.raw - mib2 + kib4 * below(1536);
        }
    }
    std::uint64_t size() {
        switch (below(64)) {
        case 0:  return below(16) == 0 ? gib : mib2;
        case 1:  return mib2 * (1 + below(4));
        case 2:  return kib4 * below(1024);
        case 3:  return below(8) == 0 ? random() : 0;
        case 4:  return mib2;
        default: return kib4 * (1 + below(8));
        }
    }
    rights allowed() { return some_rights[below(std::size(some_rights))]; }
    std::mt19937_64 random;
};

template <typename Machine> status one_request(Machine& m, requests& r) {
    gpa_span const at{gpa{r.address(m)}, r.size()};
    switch (r.below(8)) {
    case 0:
    case 1:  return m.stage.map(at, hpa{r.address(m)}, r.allowed(), memory_type::wb);
    case 2:  return m.stage.map_to_one(at, hpa{r.address(m)}, r.allowed(), memory_type::wb);
    case 3:
    case 4:  return m.stage.protect(at, r.allowed());
    case 5:  return m.stage.unmap(at);
    case 6:  return map_on_demand(m.stage, m.all, m.types, at.first);
    default: m.stage.merge(at); return done;
    }
}

/// What the root VM's own requests can reach: the auditor must find nothing at all afterwards.
template <typename Machine> status root_request(Machine& m, requests& r) {
    gpa_span const at{gpa{r.address(m)}, r.size()};
    switch (r.below(4)) {
    case 0:
    case 1:  return protect_root(m.stage, m.all, at, r.allowed());
    case 2:  return map_on_demand(m.stage, m.all, m.types, at.first);
    default: m.stage.merge(at); return done;
    }
}

std::vector<hv_chunk> scattered() {
    return {{0x8000000, 440}, {0x81ff000, 40}, {0x90000, 2}, {5 * gib - kib4, 2}, {0x10001000, 28}};
}

/// Of requests: the short check's, as proofs speak of any sequence, and that of make check-full.
unsigned how_many(unsigned shortly, unsigned in_full) {
    return std::getenv("HV_FULL") != nullptr ? in_full : shortly;
}

template <typename Format> struct random_requests : testing::Test {};
TYPED_TEST_SUITE(random_requests, both_formats, format_names);

TYPED_TEST(random_requests, never_write_a_leaf_into_the_core) {
    machine_of<TypeParam> m{scattered()};
    m.hoist(8 * gib);
    requests r{20240607};
    std::uint64_t done_count = 0, out_of_pages = 0;
    auto const requests_made = how_many(60'000, 250'000);
    for (unsigned i = 0; i < requests_made; ++i) {
        auto const s = one_request(m, r);
        if (s) ++done_count;
        if (!s && s.error().code == errc::no_memory) ++out_of_pages;
        if (i % 12'500 == 0)
            m.memory.set_capacity(
                i % 25'000 == 0 ? 400 : std::min<std::uint64_t>(400, m.memory.in_use() + 3));
        ASSERT_EQ(m.bad_stores, 0u) << i;
    }
    EXPECT_GT(done_count, requests_made * 3 / 10);    // the test is not vacuous
    EXPECT_GT(out_of_pages, 250u);
    for (auto const& [where, page] : m.memory.content())
        EXPECT_EQ(m.all.kind(hpa{where}), frame_kind::private_core);
    for (std::uint64_t a = 0; a < 8 * gib; a += kib4)
        if (auto const t = m.at(a); t && !includes(most_rights(m.all.kind(t->to)), t->allowed))
            FAIL() << std::hex << a << " leads to " << t->to.raw;
    m.stage.release();
    EXPECT_EQ(m.memory.in_use(), 0u);
}

TYPED_TEST(random_requests, of_the_root_vm_keep_the_auditor_content) {
    machine_of<TypeParam> m{scattered()};
    m.hoist(8 * gib);
    requests r{42};
    std::uint64_t done_count = 0;
    auto const requests_made = how_many(50'000, 200'000);
    for (unsigned i = 0; i < requests_made; ++i) {
        if (root_request(m, r)) ++done_count;
        if (i % 5'000 == 0) {
            auto const a = m.audit();
            ASSERT_EQ(a.findings, 0u) << "kind " << a.finding_kind << " at " << std::hex
                                      << a.first_finding << " after " << std::dec << i;
        }
    }
    EXPECT_GT(done_count, requests_made * 4 / 10);
    EXPECT_EQ(m.audit().findings, 0u);
    EXPECT_EQ(m.bad_stores, 0u);
    ASSERT_TRUE(protect_root(m.stage, m.all, {gpa{0}, 8 * gib}, all_rights));
    m.stage.merge({gpa{0}, 1ull << bochs_bits});
    machine_of<TypeParam> fresh{scattered()};
    fresh.hoist(8 * gib);
    EXPECT_EQ(m.audit().leaves_4k, fresh.audit().leaves_4k);
}

struct model_page {
    bool present;
    std::uint64_t to;
    rights allowed;
    bool operator==(model_page const&) const = default;
};

template <typename Machine> model_page seen_at(Machine& m, std::uint64_t at) {
    auto const t = m.at(at);
    return {t.has_value(), t ? t->to.raw : 0, t ? t->allowed : rights::none};
}

/// Page by page what a window of 16 MiB should hold.
TYPED_TEST(random_requests, translate_as_a_flat_model_does) {
    machine_of<TypeParam> m{chunk_at(0x8000000)};
    constexpr std::uint64_t base = gib - 4 * mib2, pages = 4096;
    std::vector<model_page> model(pages, {false, 0, rights::none});
    requests r{11};
    for (unsigned i = 0, n = how_many(8'000, 20'000); i < n; ++i) {
        auto const big = r.below(4) == 0;
        auto const first = big ? 512 * r.below(8) : r.below(pages);
        auto const count = big ? 512 : 1 + r.below(std::min<std::uint64_t>(64, pages - first));
        auto const at = gpa_span{gpa{base + first * kib4}, count * kib4};
        auto const allowed = r.below(2) == 0 ? rights::read : all_rights;
        auto const to = 2 * gib + mib2 * r.below(4) + (r.below(3) == 0 ? kib4 : 0);
        bool whole = true;
        for (auto page = first; page < first + count; ++page) whole = whole && model[page].present;
        switch (r.below(4)) {
        case 0:
            ASSERT_TRUE(m.stage.map(at, hpa{to}, allowed, memory_type::wb));
            for (std::uint64_t k = 0; k < count; ++k)
                model[first + k] = {true, to + k * kib4, allowed};
            break;
        case 1:
            ASSERT_EQ(static_cast<bool>(m.stage.protect(at, allowed)), whole);
            for (std::uint64_t k = 0; whole && k < count; ++k) model[first + k].allowed = allowed;
            break;
        case 2:
            if (r.below(3) != 0) break;
            ASSERT_TRUE(m.stage.unmap(at));
            for (std::uint64_t k = 0; k < count; ++k) model[first + k] = {false, 0, rights::none};
            break;
        default: m.stage.merge(at);
        }
        auto const check = i % 500 == 0 ? pages : 8;
        for (std::uint64_t k = 0; k < check; ++k) {
            auto const page = check == pages ? k : r.below(pages);
            ASSERT_EQ(seen_at(m, base + page * kib4), model[page]) << i << " page " << page;
        }
    }
}

}    // namespace
