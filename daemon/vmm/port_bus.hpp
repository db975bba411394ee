// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace hv::vmm {

/// What answers at some ports. Called by one CPU at a time.
class port_device {
public:
    virtual ~port_device() = default;
    virtual std::uint32_t in(unsigned offset, unsigned bytes) = 0;
    virtual void out(unsigned offset, unsigned bytes, std::uint32_t value) = 0;
};

/// Where no device is, a read gives ones and a write goes nowhere, as on a PC.
class port_bus {
public:
    void add(std::uint16_t first, unsigned count, port_device& device);
    void read(std::uint16_t port, std::span<std::byte> into);
    void write(std::uint16_t port, std::span<std::byte const> from);
    /// Held while a device is at work, also by those who change one from outside.
    std::mutex& lock() { return lock_; }

private:
    struct range {
        std::uint16_t first;
        unsigned count;
        port_device* device;
    };
    range const* find(std::uint16_t port) const;

    std::vector<range> ranges_;
    std::mutex lock_;
};

}
