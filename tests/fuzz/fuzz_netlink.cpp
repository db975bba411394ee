// SPDX-License-Identifier: MIT
// Any bytes where hv.ko's messages are read, whole and cut off at any length: understood or
// refused, never read beyond.
#include <cerrno>
#include <cstdlib>

#include "daemon/device/decode.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/device/message.hpp"
#include "fuzz_count.hpp"

namespace {

constexpr std::uint16_t family = 0x22;
fuzz_count messages{"netlink messages"};

void decode(std::uint8_t which, hv::byte_span bytes) {
    hv::machine_state state;
    hv::enforced_policies policies;
    std::optional<hv_audit> audit;
    std::optional<hv_cpu_dump> dump;
    switch (which % 8) {
    case 0:  (void)hv::read_answer(bytes, family, 1); break;
    case 1:  (void)hv::read_events(bytes, family); break;
    case 2:  hv::decode_state(bytes, state); break;
    case 3:  hv::decode_policies(bytes, policies); break;
    case 4:  hv::decode_audit(bytes, audit); break;
    case 5:  hv::decode_dump(bytes, dump); break;
    case 6:  (void)hv::decode_records(bytes); break;
    default: (void)hv::decode_state_change(bytes); break;
    }
}

/// A copy of just that size, so that the sanitizer sees the first byte too many.
void read_message(std::uint8_t which, std::byte const* start, std::size_t bytes) {
    std::vector<std::byte> const exact{start, start + bytes};
    messages.one_more();
    try {
        decode(which, exact);
    } catch (hv::device_error const& error) {
        if (error.code() <= 0 || error.code() > 4095) std::abort();
    }
}

}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t bytes) {
    if (bytes == 0) return 0;
    auto const* const start = reinterpret_cast<std::byte const*>(data + 1);
    constexpr std::size_t most_cuts = 256;
    auto const step = bytes / most_cuts + 1;
    read_message(data[0], start, bytes - 1);
    for (std::size_t cut = 0; cut + 1 < bytes; cut += step) read_message(data[0], start, cut);
    return 0;
}
