// SPDX-License-Identifier: MIT
#include "daemon/vmm/guest_memory.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include <sys/mman.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {
namespace {

failure not_available(std::uint64_t wanted, std::string const& there) {
    return failure{"not enough memory: the VM asks for " + mebibytes(wanted) + ", " + there +
                   ": give it less with --memory"};
}

}

std::uint64_t available_memory() {
    std::ifstream file{"/proc/meminfo"};
    for (std::string key; file >> key;) {
        std::uint64_t amount = 0;
        if (key == "MemAvailable:" && file >> amount) return amount * kib;
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return std::numeric_limits<std::uint64_t>::max();
}

guest_memory::guest_memory(std::uint64_t bytes) : bytes_{bytes} {
    auto const there = available_memory();
    if (there < bytes) throw not_available(bytes, "and this machine has " + mebibytes(there));
    // Untouched pages cost nothing, so none is reserved; what was promised was looked at above.
    auto* const made = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) throw not_available(bytes, "which its owner may not have");
    base_ = static_cast<std::byte*>(made);
    madvise(made, bytes, MADV_DONTDUMP);
    auto const low = std::min(bytes, hole_gpa);
    regions_.push_back({0, low, base_});
    if (bytes > low) regions_.push_back({above_hole_gpa, bytes - low, base_ + low});
}

guest_memory::~guest_memory() { munmap(base_, bytes_); }

std::span<std::byte> guest_memory::at(std::uint64_t gpa, std::uint64_t bytes) const {
    for (auto const& each : regions_) {
        if (gpa < each.gpa || gpa - each.gpa > each.bytes) continue;
        if (bytes <= each.bytes - (gpa - each.gpa)) return {each.host + (gpa - each.gpa), bytes};
    }
    throw failure{"the kernel does not fit in " + mebibytes(bytes_) +
                  " of memory: give the VM more with --memory"};
}

void guest_memory::write(std::uint64_t gpa, std::span<std::byte const> what) const {
    if (!what.empty()) std::memcpy(at(gpa, what.size()).data(), what.data(), what.size());
}

}
