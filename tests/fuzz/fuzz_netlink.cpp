// SPDX-License-Identifier: MIT
// Any bytes where hv.ko's messages are read: understood or refused, never read beyond.
#include <cerrno>
#include <cstdlib>

#include "daemon/device/decode.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/device/message.hpp"

namespace {

constexpr std::uint16_t family = 0x22;

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

}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t bytes) {
    if (bytes == 0) return 0;
    // A copy of just that size, so that the sanitizer sees the first byte too many.
    auto const* const start = reinterpret_cast<std::byte const*>(data);
    std::vector<std::byte> const exact{start + 1, start + bytes};
    try {
        decode(data[0], exact);
    } catch (hv::device_error const& error) {
        if (error.code() <= 0 || error.code() > 4095) std::abort();
    }
    return 0;
}
