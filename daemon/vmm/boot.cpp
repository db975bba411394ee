// SPDX-License-Identifier: MIT
#include "daemon/vmm/boot.hpp"

#include <algorithm>

#include "daemon/vmm/boot_parameters.hpp"
#include "daemon/vmm/bzimage.hpp"
#include "daemon/vmm/elf_image.hpp"
#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {
namespace {

constexpr std::uint32_t ram = 1;
constexpr std::uint32_t reserved = 2;
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t largest_kernel = 512 * mib;
constexpr std::uint64_t initrd_below_unless_said = 0x37ffffff;

void write_command_line(guest_memory const& memory, std::string const& text) {
    if (text.size() >= command_line_most) {
        throw failure{"the kernel's command line has " + std::to_string(text.size()) +
                      " bytes, at most 65535 are possible"};
    }
    memory.write(command_line_gpa, std::as_bytes(std::span{text.c_str(), text.size() + 1}));
}

loaded_initrd load_initrd(guest_memory const& memory, boot_request const& what,
                          std::uint64_t kernel_end, std::uint64_t highest) {
    if (!what.initrd) return {};
    auto const out = place_initrd(what.initrd->bytes(), kernel_end,
                                  std::min(memory.low_end(), highest + 1));
    what.initrd->read(0, memory.at(out.gpa, out.bytes));
    return out;
}

boot_start load_bzimage(guest_memory const& memory, boot_request const& what,
                        std::span<std::byte const> file, bzimage const& kernel) {
    (void)memory.at(kernel.load_gpa, kernel.needs_bytes);
    memory.write(kernel.load_gpa, file.subspan(kernel.kernel_offset, kernel.kernel_bytes));
    auto const limit = kernel.header.cmdline_size;
    if (limit != 0 && what.command_line.size() > limit) {
        throw failure{"the kernel takes a command line of at most " + std::to_string(limit) +
                      " bytes, this one has " + std::to_string(what.command_line.size())};
    }
    auto const initrd = load_initrd(memory, what, kernel.load_gpa + kernel.needs_bytes,
                                    kernel.header.initrd_addr_max);
    write_boot_parameters(memory, kernel.header, initrd, what);
    return {true, kernel.load_gpa + long_mode_entry, boot_params_gpa};
}

boot_start load_elf(guest_memory const& memory, boot_request const& what,
                    std::span<std::byte const> file, elf_image const& kernel) {
    for (auto const& each : kernel.segments) {
        (void)memory.at(each.gpa, each.memory_bytes);
        memory.write(each.gpa, file.subspan(each.offset, each.file_bytes));
    }
    auto const initrd = load_initrd(memory, what, kernel.end_gpa, initrd_below_unless_said);
    if (kernel.pvh_entry) {
        write_start_info(memory, initrd, what);
        return {false, *kernel.pvh_entry, start_info_gpa};
    }
    write_boot_parameters(memory, header_of_vmlinux(), initrd, what);
    return {true, kernel.entry, boot_params_gpa};
}

}

std::vector<memory_range> memory_map(guest_memory const& memory) {
    std::vector<memory_range> out{{0, low_ram_end, ram},
                                  {tables_gpa, tables_end - tables_gpa, reserved},
                                  {tables_end, memory.low_end() - tables_end, ram}};
    for (auto const& each : memory.regions()) {
        if (each.gpa != 0) out.push_back({each.gpa, each.bytes, ram});
    }
    return out;
}

loaded_initrd place_initrd(std::uint64_t bytes, std::uint64_t kernel_end, std::uint64_t below) {
    auto const first = (kernel_end + page - 1) / page * page;
    if (bytes > below || (below - bytes) / page * page < first) {
        throw failure{"the initrd of " + mebibytes(bytes) +
                      " does not fit beside the kernel, "
                      "which leaves " +
                      mebibytes(below > first ? below - first : 0) +
                      ": give the VM more with --memory"};
    }
    return {(below - bytes) / page * page, bytes};
}

boot_start load_linux(guest_memory const& memory, boot_request const& what) {
    auto const file = what.kernel.whole(largest_kernel);
    auto const& name = what.kernel.name();
    write_command_line(memory, what.command_line);
    if (auto const kernel = parse_bzimage(file, name)) {
        return load_bzimage(memory, what, file, *kernel);
    }
    if (auto const kernel = parse_elf(file, name)) return load_elf(memory, what, file, *kernel);
    throw failure{name + " is no Linux kernel: it is neither a bzImage nor an ELF vmlinux"};
}

}
