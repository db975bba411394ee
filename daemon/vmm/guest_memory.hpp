// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hv::vmm {

// Below 4 GiB a quarter is for the interrupt controllers; memory that is left goes above.
constexpr std::uint64_t hole_gpa = 0xc0000000;
constexpr std::uint64_t above_hole_gpa = 1ull << 32;

/// The memory of the VM, as its owner's process sees it.
class guest_memory {
public:
    struct region {
        std::uint64_t gpa;
        std::uint64_t bytes;
        std::byte* host;
    };

    /// Errors: failure, when this machine has not that much to give.
    explicit guest_memory(std::uint64_t bytes);
    ~guest_memory();
    guest_memory(guest_memory const&) = delete;
    guest_memory& operator=(guest_memory const&) = delete;

    std::vector<region> const& regions() const { return regions_; }
    /// The end of what lies below the hole.
    std::uint64_t low_end() const { return regions_.front().bytes; }
    std::uint64_t bytes() const { return bytes_; }
    /// Errors: failure, when not all of it is memory.
    std::span<std::byte> at(std::uint64_t gpa, std::uint64_t bytes) const;
    void write(std::uint64_t gpa, std::span<std::byte const> what) const;

    template <typename T> void put(std::uint64_t gpa, T const& what) const {
        write(gpa, std::as_bytes(std::span{&what, 1}));
    }

private:
    std::uint64_t bytes_;
    std::byte* base_;
    std::vector<region> regions_;
};

/// What Linux could give without swapping; nothing where it does not say.
std::uint64_t available_memory();

}
