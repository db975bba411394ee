// SPDX-License-Identifier: MIT
#pragma once
#include "mem/entry_format.hpp"
#include "mem/frames.hpp"

namespace hv {

/// Private pages of the core that are handed out one by one: second-stage tables, bitmaps.
/// Callers hold the lock of the second stage; the pool has none of its own.
class page_pool {
public:
    static constexpr std::uint64_t max_pages = 16384;

    constexpr explicit page_pool(frames const& all) : frames_{all} {}

    /// Errors   invalid: not pages of one chunk of private frames, or already here.
    ///          no_space: no room to note them.
    [[nodiscard]] status add(hpa_span pages);
    /// All pages of an area of the layout, over as many chunks as it lies in.
    [[nodiscard]] status add_layout(std::uint64_t first_page, std::uint64_t pages);
    /// Takes out exactly what one add() put in, zeroed. Errors: no_entry; busy: a page is in use.
    [[nodiscard]] status remove(hpa first);

    /// A page of zeroes. Errors: no_memory.
    [[nodiscard]] result<hpa> take();
    /// Pages of zeroes, one behind the other. Errors: no_memory: no such run is free.
    [[nodiscard]] result<hpa> take_run(std::uint64_t pages);
    /// Gives back a page that nobody can reach any more.
    void give(hpa page);
    /// Gives back a page that other CPUs may walk until they flush: it stays as it is, and in use,
    /// until settle().
    void retire(hpa page);
    /// To be called when a shoot-down has reached every CPU.
    void settle();

    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] std::uint64_t available() const { return total_ - in_use_; }
    [[nodiscard]] std::uint64_t retired() const { return retired_; }

private:
    static constexpr std::uint64_t word_bits = 64;
    using bitmap = array<std::uint64_t, max_pages / word_bits>;
    struct run {
        hpa first{};
        std::uint64_t pages{};
        std::uint64_t bit{};    // of the first page
    };
    static bool get(bitmap const& b, std::uint64_t i) { return b[i / 64] >> i % 64 & 1; }
    static void set(bitmap& b, std::uint64_t i, bool v);
    [[nodiscard]] std::uint64_t bit_of(hpa page) const;
    [[nodiscard]] hpa page_of(std::uint64_t bit) const;
    [[nodiscard]] bool any_in_use(run const& r) const;
    void zero(hpa page) const;
    void forget(std::size_t index);

    frames const& frames_;
    array<run, HV_MAX_CHUNKS> runs_{};
    std::size_t run_count_{};
    bitmap used_{};
    bitmap retiring_{};
    std::uint64_t total_{}, in_use_{}, retired_{};
};

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
