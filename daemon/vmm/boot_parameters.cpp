// SPDX-License-Identifier: MIT
#include "daemon/vmm/boot_parameters.hpp"

namespace hv::vmm {
namespace {

constexpr std::uint8_t unknown_loader = 0xff;
constexpr std::uint16_t normal_video = 0xffff;
constexpr std::uint32_t start_info_magic = 0x336ec578;

struct pvh_start_info {
    std::uint32_t magic;
    std::uint32_t version;
    std::uint32_t flags;
    std::uint32_t modules;
    std::uint64_t modules_gpa;
    std::uint64_t command_line_gpa;
    std::uint64_t rsdp_gpa;
    std::uint64_t map_gpa;
    std::uint32_t map_entries;
    std::uint32_t reserved;
};
static_assert(sizeof(pvh_start_info) == 56);

struct pvh_module {
    std::uint64_t gpa;
    std::uint64_t bytes;
    std::uint64_t command_line_gpa;
    std::uint64_t reserved;
};
static_assert(sizeof(pvh_module) == 32);

struct pvh_map_entry {
    std::uint64_t gpa;
    std::uint64_t bytes;
    std::uint32_t type;
    std::uint32_t reserved;
};
static_assert(sizeof(pvh_map_entry) == 24);

}

setup_header header_of_vmlinux() {
    setup_header out{};
    out.boot_flag = 0xaa55;
    out.header = 0x53726448;
    out.version = 0x20c;
    out.kernel_alignment = 0x1000000;
    return out;
}

void write_boot_parameters(guest_memory const& memory, setup_header header,
                           loaded_initrd const& initrd, boot_request const& what) {
    header.type_of_loader = unknown_loader;
    header.vid_mode = normal_video;
    header.cmd_line_ptr = command_line_gpa;
    header.cmdline_size = static_cast<std::uint32_t>(what.command_line.size());
    header.ramdisk_image = static_cast<std::uint32_t>(initrd.gpa);
    header.ramdisk_size = static_cast<std::uint32_t>(initrd.bytes);
    boot_params out{};
    out.hdr = header;
    out.acpi_rsdp_addr = what.rsdp_gpa;
    for (auto const& each : memory_map(memory)) {
        out.e820_table[out.e820_entries++] = {each.gpa, each.bytes, each.type};
    }
    memory.put(boot_params_gpa, out);
}

void write_start_info(guest_memory const& memory, loaded_initrd const& initrd,
                      boot_request const& what) {
    auto const modules_gpa = start_info_gpa + sizeof(pvh_start_info);
    auto const map_gpa = modules_gpa + sizeof(pvh_module);
    auto const map = memory_map(memory);
    pvh_start_info const info{.magic = start_info_magic,
                              .version = 1,
                              .flags = 0,
                              .modules = initrd.bytes != 0 ? 1u : 0u,
                              .modules_gpa = initrd.bytes != 0 ? modules_gpa : 0,
                              .command_line_gpa = command_line_gpa,
                              .rsdp_gpa = what.rsdp_gpa,
                              .map_gpa = map_gpa,
                              .map_entries = static_cast<std::uint32_t>(map.size()),
                              .reserved = 0};
    memory.put(start_info_gpa, info);
    memory.put(modules_gpa, pvh_module{initrd.gpa, initrd.bytes, 0, 0});
    for (std::size_t i = 0; i < map.size(); ++i) {
        memory.put(map_gpa + i * sizeof(pvh_map_entry),
                   pvh_map_entry{map[i].gpa, map[i].bytes, map[i].type, 0});
    }
}

}
