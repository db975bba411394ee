// SPDX-License-Identifier: MIT
#include "daemon/vmm/port_bus.hpp"

#include <cstring>

namespace hv::vmm {

void port_bus::add(std::uint16_t first, unsigned count, port_device& device) {
    ranges_.push_back({first, count, &device});
}

port_bus::range const* port_bus::find(std::uint16_t port) const {
    for (auto const& each : ranges_) {
        if (port >= each.first && port - each.first < static_cast<int>(each.count)) return &each;
    }
    return nullptr;
}

void port_bus::read(std::uint16_t port, std::span<std::byte> into) {
    auto const* const there = find(port);
    std::uint32_t value = 0xffffffff;
    if (there != nullptr) {
        std::lock_guard const guard{lock_};
        value = there->device->in(port - there->first, static_cast<unsigned>(into.size()));
    }
    std::memcpy(into.data(), &value, into.size());
}

void port_bus::write(std::uint16_t port, std::span<std::byte const> from) {
    auto const* const there = find(port);
    if (there == nullptr) return;
    std::uint32_t value = 0;
    std::memcpy(&value, from.data(), from.size());
    std::lock_guard const guard{lock_};
    there->device->out(port - there->first, static_cast<unsigned>(from.size()), value);
}

}
