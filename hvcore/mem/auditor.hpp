// SPDX-License-Identifier: MIT
#pragma once
#include "abi/call.h"
#include "mem/core_guard.hpp"
#include "mem/entry_format.hpp"
#include "mem/mtrr.hpp"

namespace hv {

/// Walks all second-stage tables of the root VM, without second_stage, and notes what breaks the
/// memory rule of this core. Reads only; the caller holds the tables' lock.
template <entry_format F, table_memory M> class auditor {
public:
    constexpr auditor(M const& memory, frames const& all, mtrr_set const& types,
                      stage_limits const& limits)
        : memory_{memory}, frames_{all}, types_{types}, limits_{limits} {}

    /// pool_total, pool_free are left 0 for the caller, who knows the pool.
    [[nodiscard]] hv_audit audit(hpa root) {
        report_ = {};
        report_.version = HV_ABI_VERSION;
        report_.size = sizeof(hv_audit);
        report_.core_frames = frames_.count();
        if (is_core_table(root)) {
            walk<stage_levels>(root, gpa{});
        } else {
            note(gpa{}, HV_FINDING_TABLE_OUTSIDE);
        }
        return report_;
    }

private:
    template <unsigned Level> void walk(hpa table, gpa base) {
        ++report_.tables;
        for (unsigned i = 0; i < table_entries; ++i) {
            auto const entry = memory_.read(table, i);
            auto const at = base + i * entry_bytes(Level);
            if (F::malformed(entry, Level, limits_)) note(at, HV_FINDING_RESERVED_BIT);
            if (F::is_leaf(entry, Level)) {
                ++(&report_.leaves_4k)[Level - 1];    // 2M and 1G follow
                check(F::value_of(entry, Level), {at, entry_bytes(Level)});
            } else if constexpr (Level > 1) {
                if (entry != 0) descend<Level>(F::table_of(entry), at);
            }
        }
    }
    template <unsigned Level> void descend(hpa table, gpa at) {
        if (is_core_table(table)) {
            walk<Level - 1>(table, at);
        } else {
            note(at, HV_FINDING_TABLE_OUTSIDE);
        }
    }

    void check(leaf_value const& v, gpa_span at) {
        hpa_span const to{v.to, at.bytes};
        if (frames_.touches(to)) check_core(v, at);
        bool const hidden = frames_.kind(hpa{at.first.raw}) == frame_kind::private_core;
        bool const zeroes = hidden && at.bytes == page_bytes && v.to == frames_.zero_page();
        if (v.to.raw != at.first.raw && !zeroes) note(at.first, HV_FINDING_NOT_IDENTITY);
        auto const type = types_.type_of(to);
        if (v.type != (type ? *type : memory_type::uc)) note(at.first, HV_FINDING_TYPE);
    }

    /// Frame by frame, so that nothing hangs on where runs of one kind end.
    void check_core(leaf_value const& v, gpa_span at) {
        if (v.pat != guest_pat::ignored) note(at.first, HV_FINDING_TYPE);
        for (std::uint64_t offset = 0; offset < at.bytes; offset += page_bytes) {
            auto const kind = frames_.kind(v.to + offset);
            if (kind == frame_kind::private_core) {
                note(at.first + offset, HV_FINDING_CORE_FRAME);
            } else if (!includes(most_rights(kind), v.allowed)) {
                note(at.first + offset, HV_FINDING_WRITABLE_SHARED);
            }
        }
    }

    [[nodiscard]] bool is_core_table(hpa table) const {
        return frames_.kind(table) == frame_kind::private_core;
    }
    void note(gpa at, hv_finding kind) {
        if (report_.findings++ != 0) return;
        report_.first_finding = at.raw;
        report_.finding_kind = kind;
    }

    M const& memory_;
    frames const& frames_;
    mtrr_set const& types_;
    stage_limits limits_;
    hv_audit report_{};
};

}    // namespace hv
