// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <asm/bootparam.h>
#include <elf.h>

namespace hv {

using image = std::vector<std::byte>;

template <typename T> void put(image& into, std::size_t at, T const& what) {
    if (into.size() < at + sizeof(what)) into.resize(at + sizeof(what));
    std::memcpy(into.data() + at, &what, sizeof(what));
}

/// A bzImage that a boot loader takes for one: 1 sector of set-up after the first, then code.
inline setup_header sound_header() {
    setup_header out{};
    out.setup_sects = 1;
    out.boot_flag = 0xaa55;
    out.jump = 0x6aeb;    // over the header: 0x202 + 0x6a is where it ends
    out.header = 0x53726448;
    out.version = 0x20f;
    out.loadflags = LOADED_HIGH;
    out.xloadflags = XLF_KERNEL_64;
    out.pref_address = 0x1000000;
    out.init_size = 0x200000;
    out.initrd_addr_max = 0x7fffffff;
    out.cmdline_size = 2047;
    return out;
}
inline image make_bzimage(setup_header const& header = sound_header()) {
    image out(1024 + 4096);
    put(out, 0x1f1, header);
    out[1024 + 0x200] = std::byte{0xf4};
    return out;
}

/// A vmlinux of one segment, with a PVH note unless its entry is 0.
struct elf_facts {
    std::uint64_t physical = 0x1000000;
    std::uint64_t linked = 0xffffffff81000000;
    std::uint32_t pvh_entry = 0x1000100;
    std::uint64_t bytes = 4096;
};
inline image make_vmlinux(elf_facts const& facts = {}) {
    image out(8192);
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_type = ET_EXEC;
    head.e_machine = EM_X86_64;
    head.e_entry = facts.physical;
    head.e_phoff = sizeof(head);
    head.e_phentsize = sizeof(Elf64_Phdr);
    head.e_phnum = facts.pvh_entry != 0 ? 2 : 1;
    put(out, 0, head);
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_offset = 4096;
    load.p_filesz = facts.bytes;
    load.p_memsz = 0x100000;
    load.p_paddr = facts.physical;
    load.p_vaddr = facts.linked;
    put(out, sizeof(head), load);
    struct {
        Elf64_Nhdr head;
        char owner[4];
        std::uint32_t entry;
        std::uint32_t padding;
    } const note{{4, 8, 18}, {'X', 'e', 'n', 0}, facts.pvh_entry, 0};
    put(out, 2048, note);
    Elf64_Phdr notes{};
    notes.p_type = PT_NOTE;
    notes.p_offset = 2048;
    notes.p_filesz = sizeof(note);
    put(out, sizeof(head) + sizeof(load), notes);
    out[4096] = std::byte{0xf4};
    return out;
}

inline std::string text_of(image const& from) {
    return {reinterpret_cast<char const*>(from.data()), from.size()};
}

}
