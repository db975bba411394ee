// SPDX-License-Identifier: MIT
#pragma once
#include "base/assert.hpp"
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// The input of a fuzzer, taken piece by piece; zeroes after its end.
class fuzz_bytes {
public:
    fuzz_bytes(std::uint8_t const* at, std::size_t left) : at_{at}, left_{left} {}
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

inline void fuzz_expect_none(std::vector<std::string> const& problems) {
    for (auto const& p : problems) hv::broken(p.c_str(), __LINE__);
}
