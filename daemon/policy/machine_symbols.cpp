// SPDX-License-Identifier: MIT
#include "daemon/policy/machine_symbols.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/device/device_error.hpp"

namespace hv {
namespace {

/// hv.ko's word on the request itself; with any other there was none.
constexpr std::array final_words{EFAULT, ESRCH, ENODATA, EOPNOTSUPP, E2BIG, EINVAL};

template <typename Answer, typename Ask> machine_answer<Answer> answered(Ask ask) {
    try {
        return {.answer = ask()};
    } catch (device_error const& error) {
        bool const final = std::find(final_words.begin(), final_words.end(), error.code()) !=
                           final_words.end();
        if (final) return {.refused = error.what()};
        return {.unavailable = error.what()};
    }
}

}

machine_answer<place_answer> machine_symbols::place(place_request const& wanted) {
    return answered<place_answer>([&] { return machine_.place(wanted); });
}

machine_answer<sha256_sum> machine_symbols::sum(std::span<hv_range const> ranges) {
    return answered<sha256_sum>([&] { return machine_.hash(ranges); });
}

}
