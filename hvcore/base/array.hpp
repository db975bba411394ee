// SPDX-License-Identifier: MIT
#pragma once
#include "base/assert.hpp"
#include <cstddef>

namespace hv {

/// Like std::array, with every index checked: <array> is not on the list of freestanding headers.
template <typename T, std::size_t Size> struct array {
    T items[Size]{};
    [[nodiscard]] static constexpr std::size_t size() { return Size; }
    constexpr T& operator[](std::size_t i) {
        HV_ASSERT(i < Size);
        return items[i];
    }
    constexpr T const& operator[](std::size_t i) const {
        HV_ASSERT(i < Size);
        return items[i];
    }
    constexpr T* begin() { return items; }
    constexpr T* end() { return items + Size; }
    constexpr T const* begin() const { return items; }
    constexpr T const* end() const { return items + Size; }
};

/// A view of a run of objects, every index checked.
template <typename T> class span {
public:
    constexpr span() = default;
    constexpr span(T* first, std::size_t size) : first_{first}, size_{size} {}
    template <std::size_t Size>
    constexpr span(T (&items)[Size]) : first_{items}, size_{Size} {}    // NOLINT: a view of it all
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    constexpr T& operator[](std::size_t i) const {
        HV_ASSERT(i < size_);
        return first_[i];
    }
    constexpr T* begin() const { return first_; }
    constexpr T* end() const { return first_ + size_; }

private:
    T* first_{};
    std::size_t size_{};
};

}    // namespace hv
