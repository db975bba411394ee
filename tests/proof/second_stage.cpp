// SPDX-License-Identifier: MIT
// No request leads a second stage into the core, on either format of entries.
#include "second_stage_model.hpp"

// Each loop is proved by one turn from any state; what a turn reads of the tables is any entry.
// loop plan: offset <= at.coerce1 && offset % 4096 == 0
// loop carry_out: offset <= at.coerce1 && offset % 4096 == 0
// loop fill: i <= 512
// loop find: walk_sound(agg.result.f0.f0, agg.result.f1, agg.result.f2, level, agg.result.f3)
// loop put: slot_sound(at.f0.f0, at.f1, at.f2)
// loop merge_below: i <= 512
// loop collapse: i <= 512
// loop alike: i <= 512
// loop retype_below: i <= 512
// loop release_below: i <= 512
// Planning reads and carrying out writes: each is proved with the other doing anything.
// any plan in map_ept map_npt map_to_one_ept map_to_one_npt
// any plan in unmap_ept unmap_npt protect_ept protect_npt
// any put in plan_map_ept plan_map_npt plan_unmap_ept plan_unmap_npt
// any put in plan_protect_ept plan_protect_npt
// any retype_below<1> in retype_2_ept retype_2_npt: slot_sound(table.coerce, 0, 1)
// any retype_below<2> in retype_3_ept retype_3_npt: slot_sound(table.coerce, 0, 2)
// any retype_below<3> in retype_4_ept retype_4_npt: slot_sound(table.coerce, 0, 3)

extern "C" bool slot_sound(std::uint64_t table, unsigned index, unsigned level) {
    return model::is_pools(table) && index < 512 && level >= 1 && level <= 4 &&
           model::level_of(table) == level;
}
extern "C" bool walk_sound(std::uint64_t table, unsigned index, unsigned level, unsigned counted,
                           std::uint64_t entry) {
    return slot_sound(table, index, level) && level == counted && model::sound(entry, level);
}

namespace {
using namespace model;

template <typename Vendor, typename Operation> void request(Operation const& operation) {
    any_world(Vendor::format::has_types);
    tables memory;
    stage<Vendor> s{memory, guard{}};
    if (!s.init(w.limits)) return;
    operation(s);
}

gpa_span any_span() { return {gpa{HV_INPUT("at")}, HV_INPUT("bytes")}; }
rights any_rights() { return static_cast<rights>(HV_INPUT("rights") & 0xff); }
memory_type any_type() { return static_cast<memory_type>(HV_INPUT("type") & 0xff); }

template <typename Vendor> void map() {
    request<Vendor>([](auto& s) {
        hpa const to{HV_INPUT("to")};
        if (s.map(any_span(), to, any_rights(), any_type())) prove_reach("mapped");
    });
}
template <typename Vendor> void map_to_one() {
    request<Vendor>([](auto& s) {
        hpa const page{HV_INPUT("to")};
        if (s.map_to_one(any_span(), page, any_rights(), any_type())) prove_reach("mapped to one");
    });
}
template <typename Vendor> void unmap() {
    request<Vendor>([](auto& s) {
        if (s.unmap(any_span())) prove_reach("unmapped");
    });
}
template <typename Vendor> void protect() {
    request<Vendor>([](auto& s) {
        if (s.protect(any_span(), any_rights())) prove_reach("protected");
    });
}
template <typename Vendor> void merge() {
    request<Vendor>([](auto& s) {
        s.merge(any_span());
        prove_reach("merged");
    });
}
template <unsigned Level, typename Vendor> void retype() {
    request<Vendor>([](auto& s) {
        hpa const table{prove_any_u64()};
        prove_assume(is_pools(table.raw) && level_of(table.raw) == Level);
        s.template retype_below<Level>(table, [](hpa_span) {
            return prove::any<bool>() ? std::optional{any_type()} : std::optional<memory_type>{};
        });
        prove_reach("retyped");
    });
}
template <typename Vendor> void release() {
    request<Vendor>([](auto& s) {
        s.release();
        prove_reach("released");
    });
}

/// What the invariant is for: whatever the processor finds on its way, it never gets into the core.
void walk(bool is_ept) {
    any_world(is_ept);
    tables memory;
    gpa const a{HV_INPUT("at")};
    auto table = prove_any_u64();
    prove_assume(a.raw < w.limits.top() && is_pools(table) && level_of(table) == 4);
    for (unsigned level = 4; level >= 1; --level) {
        auto const index = static_cast<unsigned>(a.raw >> (3 + 9 * level)) & 511;
        auto const entry = memory.read(hpa{table}, index);
        if (!present(entry)) return;
        if (leaf(entry, level)) {
            auto const to = (entry & frame_mask & ~(covered(level) - 1)) |
                            (a.raw & (covered(level) - 1));
            prove_reach("translated");
            prove_check(!in_core(to, 1), "a walk that ends in the core");
            return;
        }
        table = entry & frame_mask;
    }
    prove_check(false, "a walk that does not end");
}

}    // namespace

#define HV_BOTH(operation) \
    extern "C" void operation##_ept() { operation<ept>(); } \
    extern "C" void operation##_npt() { operation<npt>(); }
HV_BOTH(map)
HV_BOTH(map_to_one)
HV_BOTH(unmap)
HV_BOTH(protect)
HV_BOTH(merge)
HV_BOTH(release)
extern "C" void plan_map_ept() { map<ept>(); }
extern "C" void plan_map_npt() { map<npt>(); }
extern "C" void plan_unmap_ept() { unmap<ept>(); }
extern "C" void plan_unmap_npt() { unmap<npt>(); }
extern "C" void plan_protect_ept() { protect<ept>(); }
extern "C" void plan_protect_npt() { protect<npt>(); }
extern "C" void retype_4_ept() { retype<4, ept>(); }
extern "C" void retype_4_npt() { retype<4, npt>(); }
extern "C" void retype_3_ept() { retype<3, ept>(); }
extern "C" void retype_3_npt() { retype<3, npt>(); }
extern "C" void retype_2_ept() { retype<2, ept>(); }
extern "C" void retype_2_npt() { retype<2, npt>(); }
extern "C" void retype_1_ept() { retype<1, ept>(); }
extern "C" void retype_1_npt() { retype<1, npt>(); }
extern "C" void walk_ept() { walk(true); }
extern "C" void walk_npt() { walk(false); }
