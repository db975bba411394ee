// SPDX-License-Identifier: MIT
#include "daemon/vmm/bzimage.hpp"

#include <algorithm>
#include <cstring>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/guest_memory.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {
namespace {

constexpr std::size_t header_offset = 0x1f1;
constexpr std::uint16_t boot_flag = 0xaa55;
constexpr std::uint32_t magic = 0x53726448;    // "HdrS"
constexpr std::uint16_t least_version = 0x20c;
constexpr std::uint64_t sector = 512;
constexpr std::uint8_t sectors_if_zero = 4;
// A jump over the header follows its flag; its length is the header's.
constexpr std::size_t length_offset = 0x201;
constexpr std::size_t length_base = 0x202;

void require_bootable(setup_header const& header, std::string const& name) {
    if (header.version < least_version || (header.xloadflags & XLF_KERNEL_64) == 0) {
        throw failure{name + " has no 64-bit entry: boot a 64-bit Linux, 3.8 or later"};
    }
    if ((header.loadflags & LOADED_HIGH) == 0) {
        throw failure{name + " wants to be loaded below 1 MiB: boot a bzImage, not a zImage"};
    }
}

}

std::optional<bzimage> parse_bzimage(std::span<std::byte const> file, std::string const& name) {
    bzimage out{};
    if (file.size() < header_offset + sizeof(out.header)) return std::nullopt;
    auto const length = length_base + std::to_integer<std::size_t>(file[length_offset]);
    auto const bytes = std::min(sizeof(out.header),
                                std::max(length, header_offset) - header_offset);
    std::memcpy(&out.header, file.data() + header_offset, bytes);
    auto const& header = out.header;
    if (header.boot_flag != boot_flag || header.header != magic) return std::nullopt;
    require_bootable(header, name);
    auto const sectors = header.setup_sects == 0 ? sectors_if_zero : header.setup_sects;
    out.kernel_offset = (sectors + 1u) * sector;
    if (out.kernel_offset + long_mode_entry >= file.size()) {
        throw failure{name + " ends before its kernel begins: is it complete?"};
    }
    out.kernel_bytes = file.size() - out.kernel_offset;
    out.load_gpa = header.pref_address;
    out.needs_bytes = std::max<std::uint64_t>(header.init_size, out.kernel_bytes);
    if (out.load_gpa < mib || out.load_gpa > hole_gpa) {
        throw failure{name + " asks for a strange address: is it complete?"};
    }
    return out;
}

}
