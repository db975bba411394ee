// SPDX-License-Identifier: MIT
#pragma once
#include "mem/entry_format.hpp"
#include "mem/frames.hpp"
#include "mem/page_pool.hpp"
#include "mem/table_memory.hpp"

namespace hv {

/// Page tables in the core's own frames, taken from its pool.
class core_tables {
public:
    constexpr core_tables(frames const& all, page_pool& pool) : frames_{all}, pool_{pool} {}

    [[nodiscard]] std::uint64_t read(hpa table, unsigned index) const {
        return *word(table, index);
    }
    /// One aligned 64-bit store: another CPU's walk sees the old entry or the new one.
    void write(hpa table, unsigned index, std::uint64_t entry) { *word(table, index) = entry; }
    [[nodiscard]] result<hpa> take(unsigned /*level*/) { return pool_.take(); }
    void give(hpa table, unsigned /*level*/) { pool_.retire(table); }
    [[nodiscard]] std::uint64_t available() const { return pool_.available(); }

private:
    [[nodiscard]] volatile std::uint64_t* word(hpa table, unsigned index) const {
        auto const at = frames_.to_private_hva(table);
        HV_ASSERT(at && index < table_entries);
        return reinterpret_cast<volatile std::uint64_t*>(at.value().raw) + index;
    }

    frames const& frames_;
    page_pool& pool_;
};
static_assert(table_memory<core_tables>);

}    // namespace hv
