// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <type_traits>

namespace hv {

/// Linux errno values: what crosses a border is their negative.
enum class errc : std::int32_t {
    perm = 1,
    no_entry = 2,
    io = 5,
    bad_handle = 9,
    no_memory = 12,
    fault = 14,
    busy = 16,
    exists = 17,
    no_device = 19,
    invalid = 22,
    no_space = 28,
    range = 34,
    no_call = 38,
    timeout = 110,
};

struct error {
    errc code;
    std::uint32_t line;    // where it was born; the border logs it once
    constexpr error(errc c, std::uint32_t at = __builtin_LINE()) : code{c}, line{at} {}
    [[nodiscard]] constexpr std::int64_t negative() const {
        return -std::int64_t{std::int32_t(code)};
    }
};

/// A value, or why there is none. Trivially copyable where T is.
template <typename T> class [[nodiscard]] result {
public:
    constexpr result(T v) : value_{v}, error_{errc{}, 0}, ok_{true} {}
    constexpr result(hv::error e) : value_{}, error_{e}, ok_{false} {}
    [[nodiscard]] constexpr explicit operator bool() const { return ok_; }
    [[nodiscard]] constexpr T const& value() const { return value_; }
    [[nodiscard]] constexpr hv::error error() const { return error_; }

private:
    T value_;
    hv::error error_;
    bool ok_;
};

struct nothing {};
using status = result<nothing>;
inline constexpr nothing done{};

static_assert(std::is_trivially_copyable_v<result<std::uint64_t>>);

}    // namespace hv

/// Yields the value of a result, or returns its error from the enclosing function.
#define HV_TRY(expression) \
    __extension__({ \
        auto&& hv_result = (expression); \
        if (!hv_result) return hv_result.error(); \
        hv_result.value(); \
    })
