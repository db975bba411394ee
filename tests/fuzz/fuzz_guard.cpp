// SPDX-License-Identifier: MIT
// Any frames of the core, given and taken back, and any leaf: the guard says what a model says that
// looks at each page of it.
#include "fuzz_bytes.hpp"
#include "mem/core_guard.hpp"
#include <memory>
#include <vector>

namespace {

using namespace hv;

void check(bool held, char const* what) {
    if (!held) broken(what, __LINE__);
}

constexpr std::uint64_t pages = 1024;    // of the machine, as far as the model goes
using kinds = std::vector<frame_kind>;

/// Chunks at launch: in the order given, each with some pages of the layout.
bool launch(fuzz_bytes& in, frames& all, kinds& model) {
    frame_layout const layout{1u + in.take<std::uint8_t>() % 8u, in.take<std::uint8_t>() % 8u,
                              in.take<std::uint8_t>() % 8u,      in.take<std::uint8_t>() % 8u,
                              in.take<std::uint8_t>() % 4u,      in.take<std::uint8_t>() % 8u};
    std::vector<hv_chunk> chunks;
    std::uint64_t page = 0;
    while (page < layout.total()) {
        auto const first = in.take<std::uint16_t>() % pages;
        auto const left = layout.total() - page;
        auto const count = in.empty() ? left : 1 + in.take<std::uint8_t>() % left;
        chunks.push_back({first * page_bytes, count});
        for (std::uint64_t i = 0; i < count && first + i < pages; ++i)
            model[first + i] = layout.kind(page + i);
        page += count;
    }
    return bool{all.init({chunks.data(), chunks.size()}, layout)};
}

void give(fuzz_bytes& in, frames& all, kinds& model, std::uint64_t window) {
    auto const first = in.take<std::uint16_t>() % pages;
    auto const count = 1u + in.take<std::uint8_t>() % 16u;
    auto const kind = in.take<std::uint8_t>() % 2 != 0 ? frame_kind::private_core
                                                       : frame_kind::shared_write;
    if (first + count > pages) return;
    bool free = true;
    for (std::uint64_t i = 0; i < count; ++i)
        free = free && model[first + i] == frame_kind::outside;
    bool const added{all.add({first * page_bytes, count}, hva{window}, kind)};
    check(!added || free, "frames that are noted twice");
    for (std::uint64_t i = 0; added && i < count; ++i) model[first + i] = kind;
}

void take_back(fuzz_bytes& in, frames& all, kinds& model) {
    hpa const first{in.take<std::uint16_t>() % pages * page_bytes};
    auto const given = all.donation(first);
    check(bool{all.remove(first)} == bool{given}, "a donation that cannot be taken back");
    if (!given) return;
    for (std::uint64_t i = 0; i < given.value().pages; ++i)
        model[first.raw / page_bytes + i] = frame_kind::outside;
}

void ask(fuzz_bytes& in, frames const& all, kinds const& model) {
    auto const first = in.take<std::uint16_t>() % pages;
    auto const count = 1 + in.take<std::uint16_t>() % (pages - first);
    auto const r = static_cast<rights>(in.take<std::uint8_t>() & 7);
    bool may = true, core = false;
    for (std::uint64_t i = 0; i < count; ++i) {
        may = may && includes(most_rights(model[first + i]), r);
        core = core || model[first + i] != frame_kind::outside;
        check(all.kind(hpa{(first + i) * page_bytes}) == model[first + i], "another kind of frame");
    }
    auto const answer = core_guard{all}({hpa{first * page_bytes}, count * page_bytes}, r);
    check(bool{answer} == may, "the guard takes what it must refuse, or refuses what it may not");
    if (answer) check((answer.value() == guest_pat::ignored) == core, "whose PAT counts");
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    auto const all = std::make_unique<frames>();
    kinds model(pages, frame_kind::outside);
    if (!launch(in, *all, model)) return 0;
    for (std::uint64_t i = 0; i < 64 && !in.empty(); ++i) {
        auto const what = in.take<std::uint8_t>() % 4;
        if (what == 0) give(in, *all, model, 0x100000 * (i + 1));
        if (what == 1) take_back(in, *all, model);
        if (what > 1) ask(in, *all, model);
    }
    return 0;
}
