// SPDX-License-Identifier: MIT
// Any bytes as the kernel of a VM: refused with one clean line, taken for no kernel, or understood
// so that everything to be loaded lies in the file.
#include <cstdlib>
#include <span>

#include "daemon/vmm/bzimage.hpp"
#include "daemon/vmm/elf_image.hpp"
#include "daemon/vmm/failure.hpp"

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_bzimage(std::span<std::byte const> file) {
    auto const found = hv::vmm::parse_bzimage(file, "k");
    if (!found) return;
    require(found->kernel_offset <= file.size());
    require(found->kernel_bytes == file.size() - found->kernel_offset);
    require(found->kernel_bytes > hv::vmm::long_mode_entry);
    require(found->needs_bytes >= found->kernel_bytes && found->load_gpa >= 1u << 20);
}

void check_elf(std::span<std::byte const> file) {
    auto const found = hv::vmm::parse_elf(file, "k");
    if (!found) return;
    require(!found->segments.empty());
    for (auto const& each : found->segments) {
        require(each.offset <= file.size() && each.file_bytes <= file.size() - each.offset);
        require(each.file_bytes <= each.memory_bytes && each.gpa >= 1u << 20);
        require(each.gpa + each.memory_bytes >= each.gpa);
        require(each.gpa + each.memory_bytes <= found->end_gpa);
    }
}

}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const file = std::as_bytes(std::span{data, size});
    for (auto const check : {check_bzimage, check_elf}) {
        try {
            check(file);
        } catch (hv::vmm::failure const& refused) {
            require(std::string_view{refused.what()}.starts_with("k "));
        }
    }
    return 0;
}
