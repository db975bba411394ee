// SPDX-License-Identifier: MIT
#pragma once
// Table memory without a machine: pages in a vector, a limit on them, and a watch on every store.
#include "base/address.hpp"
#include "base/result.hpp"
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace fake {

class tables {
public:
    using page = std::array<std::uint64_t, 512>;
    /// Sees each store before it happens: table, its level, index, value.
    using watch = std::function<void(hv::hpa, unsigned, unsigned, std::uint64_t)>;

    tables(hv::hpa first, std::uint64_t capacity) : first_{first}, capacity_{capacity} {}

    [[nodiscard]] std::uint64_t read(hv::hpa table, unsigned index) const {
        return at(table).words->at(index);
    }
    void write(hv::hpa table, unsigned index, std::uint64_t value) {
        auto const& t = at(table);
        if (on_write) on_write(table, t.level, index, value);
        ++writes;
        t.words->at(index) = value;
    }
    [[nodiscard]] hv::result<hv::hpa> take(unsigned level) {
        if (available() == 0) return hv::error{hv::errc::no_memory};
        std::size_t i = 0;
        while (i < pages_.size() && pages_[i].words) ++i;
        if (i == pages_.size()) pages_.emplace_back();
        pages_[i] = {std::make_unique<page>(), level};
        ++in_use_;
        return first_ + i * hv::page_bytes;
    }
    void give(hv::hpa table, unsigned level) {
        if (at(table).level != level) std::abort();    // given back as what it never was
        pages_[number(table)] = {};
        --in_use_;
    }
    [[nodiscard]] std::uint64_t available() const {
        return capacity_ > in_use_ ? capacity_ - in_use_ : 0;
    }
    [[nodiscard]] std::uint64_t in_use() const { return in_use_; }
    void set_capacity(std::uint64_t pages) { capacity_ = pages; }

    /// The content of all tables by their address, to see whether anything changed.
    [[nodiscard]] std::map<std::uint64_t, page> content() const {
        std::map<std::uint64_t, page> all;
        for (std::size_t i = 0; i < pages_.size(); ++i)
            if (pages_[i].words) all[(first_ + i * hv::page_bytes).raw] = *pages_[i].words;
        return all;
    }

    watch on_write;
    std::uint64_t writes{};

private:
    struct entry {
        std::unique_ptr<page> words;
        unsigned level{};
    };
    [[nodiscard]] std::size_t number(hv::hpa table) const {
        return (table - first_) / hv::page_bytes;
    }
    [[nodiscard]] entry const& at(hv::hpa table) const {
        auto const i = number(table);
        // Not a table, or given back already: the code under test is broken.
        if (!table.aligned(hv::page_bytes) || i >= pages_.size() || !pages_[i].words) std::abort();
        return pages_[i];
    }

    hv::hpa first_;
    std::uint64_t capacity_;
    std::uint64_t in_use_{};
    std::vector<entry> pages_;
};

}    // namespace fake
