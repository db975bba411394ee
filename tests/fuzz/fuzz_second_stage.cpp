// SPDX-License-Identifier: MIT
// Any sequence of requests on a hoisted machine's second stage, with few pages: no store may ever
// make a leaf into the core, and what the root VM can ask for must leave the auditor content.
#include "fake_machine.hpp"
#include <cstring>

namespace {
using namespace fake;

class bytes {
public:
    bytes(std::uint8_t const* at, std::size_t left) : at_{at}, left_{left} {}
    template <typename T> T take() {
        T value{};
        auto const n = sizeof(T) < left_ ? sizeof(T) : left_;
        std::memcpy(&value, at_, n);
        at_ += n;
        left_ -= n;
        return value;
    }
    [[nodiscard]] bool empty() const { return left_ == 0; }

private:
    std::uint8_t const* at_;
    std::size_t left_;
};

constexpr std::uint64_t core = 0x8000000;

/// Three bytes say where, and like it near the core; after a 255 eight bytes say it all.
std::uint64_t address(bytes& in) {
    constexpr std::uint64_t anchors[] = {core, core + page_2m_bytes, core + 0x300000, 0};
    auto const how = in.take<std::uint8_t>();
    if (how == 255) return in.take<std::uint64_t>();
    std::uint64_t const n = in.take<std::uint16_t>();
    switch (how % 4) {
    case 0:  return n % 16 * page_1g_bytes;
    case 1:  return anchors[n % 4];
    case 2:  return n % 128 * page_2m_bytes;
    default: return anchors[n % 4] + (n / 4 % 2048 - 1024) * page_bytes;
    }
}

std::uint64_t size(bytes& in) {
    auto const n = in.take<std::uint8_t>();
    if (n == 255) return in.take<std::uint64_t>();
    if (n % 32 == 3) return page_1g_bytes;
    return n % 2 == 0 ? page_bytes * (1 + n / 2) : page_2m_bytes * (1 + n / 2 % 4);
}

void check(bool held, char const* what) {
    if (!held) broken(what, __LINE__);
}

void own_request(machine& m, bytes& in, std::uint8_t which) {
    gpa_span const at{gpa{address(in)}, size(in)};
    hpa const to{address(in)};
    auto const how = in.take<std::uint8_t>();
    auto const r = static_cast<rights>(how & 7);
    auto const before = how & 128 ? m.memory.content() : decltype(m.memory.content()){};
    status s = done;
    switch (which % 4) {
    case 0:  s = m.stage.map(at, to, r, memory_type::wb); break;
    case 1:  s = m.stage.map_to_one(at, to, r, memory_type::wb); break;
    case 2:  s = m.stage.unmap(at); break;
    default: s = m.stage.protect(at, r);
    }
    check(s || !(how & 128) || before == m.memory.content(), "an error changed something");
}

void root_request(machine& m, bytes& in, std::uint8_t which) {
    gpa_span const at{gpa{address(in)}, size(in)};
    auto const r = static_cast<rights>(in.take<std::uint8_t>() & 7);
    switch (which % 3) {
    case 0:  static_cast<void>(protect_root(m.stage, m.all, at, r)); break;
    case 1:  static_cast<void>(map_on_demand(m.stage, m.all, m.types, at.first)); break;
    default: m.stage.merge(at);
    }
}

void follow_mtrrs(machine& m, bytes& in) {
    auto f = bochs_mtrrs();
    f.value[0x202] = in.take<std::uint64_t>() & ((1ull << bochs_bits) - 1);
    f.value[0x203] = in.take<std::uint64_t>() & ((1ull << bochs_bits) - 1);
    auto const next = read_mtrrs(f, bochs_bits);
    if (!next) return;
    m.types = next.value();
    retype(m.stage, m.types);
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    bytes in{data, size};
    // The second part begins in the middle of a 2 MiB page: a leaf there has its base outside.
    machine m{{{core, 440}, {core + 0x300000, 72}}};
    m.hoist(16 * page_1g_bytes);
    bool const root_only = in.take<std::uint8_t>() % 2 == 0;
    m.memory.set_capacity(m.memory.in_use() + in.take<std::uint8_t>() % 32);
    for (unsigned i = 0; i < 64 && !in.empty(); ++i) {
        auto const which = in.take<std::uint8_t>();
        if (which % 16 == 15) {
            follow_mtrrs(m, in);
        } else if (root_only || which % 2 == 0) {
            root_request(m, in, which / 16);
        } else {
            own_request(m, in, which / 16);
        }
        check(m.bad_stores == 0, "a leaf into the core");
    }
    auto const a = m.audit();
    check(!root_only || a.findings == 0, "the auditor found something");
    return 0;
}
