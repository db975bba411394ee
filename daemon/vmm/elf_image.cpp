// SPDX-License-Identifier: MIT
#include "daemon/vmm/elf_image.hpp"

#include <algorithm>
#include <cstring>

#include <elf.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {
namespace {

constexpr std::uint32_t pvh_note = 18;    // XEN_ELFNOTE_PHYS32_ENTRY
constexpr char pvh_owner[] = "Xen";
constexpr std::uint64_t note_alignment = 4;
constexpr std::uint64_t highest = 1ull << 46;
constexpr std::uint64_t upper_half = 0xffff800000000000;

class reader {
public:
    reader(std::span<std::byte const> file, std::string const& name) : file_{file}, name_{name} {}

    [[noreturn]] void fail(std::string const& what) const { throw failure{name_ + " " + what}; }

    std::span<std::byte const> part(std::uint64_t offset, std::uint64_t bytes) const {
        if (offset > file_.size() || bytes > file_.size() - offset) {
            fail("says it is longer than it is: is it complete?");
        }
        return file_.subspan(offset, bytes);
    }

    template <typename T> T at(std::uint64_t offset) const {
        T out;
        std::memcpy(&out, part(offset, sizeof(out)).data(), sizeof(out));
        return out;
    }

private:
    std::span<std::byte const> file_;
    std::string const& name_;
};

std::uint64_t aligned(std::uint64_t length) {
    return (length + note_alignment - 1) / note_alignment * note_alignment;
}

std::optional<std::uint32_t> find_pvh_entry(reader const& in, Elf64_Phdr const& notes) {
    (void)in.part(notes.p_offset, notes.p_filesz);
    auto const end = notes.p_offset + notes.p_filesz;
    for (auto at = notes.p_offset; at + sizeof(Elf64_Nhdr) <= end;) {
        auto const note = in.at<Elf64_Nhdr>(at);
        auto const owner = at + sizeof(note);
        auto const content = owner + aligned(note.n_namesz);
        bool const ours = note.n_type == pvh_note && note.n_namesz == sizeof(pvh_owner) &&
                          note.n_descsz >= sizeof(std::uint32_t) && content < end &&
                          std::memcmp(in.part(owner, sizeof(pvh_owner)).data(), pvh_owner,
                                      sizeof(pvh_owner)) == 0;
        if (ours) return in.at<std::uint32_t>(content);
        at = content + aligned(note.n_descsz);
    }
    return std::nullopt;
}

void add_segment(reader const& in, Elf64_Phdr const& from, elf_image& into) {
    if (from.p_memsz == 0) return;
    (void)in.part(from.p_offset, from.p_filesz);
    if (from.p_filesz > from.p_memsz || from.p_memsz > highest || from.p_paddr > highest) {
        in.fail("has a segment larger than memory can be: is it complete?");
    }
    if (from.p_paddr < mib) in.fail("wants to be loaded below 1 MiB: is it a Linux kernel?");
    into.segments.push_back({from.p_offset, from.p_filesz, from.p_memsz, from.p_paddr});
    into.end_gpa = std::max(into.end_gpa, from.p_paddr + from.p_memsz);
}

/// A program is linked to run where it is loaded, Linux is linked for its own half of addresses.
bool in_upper_half(reader const& in, Elf64_Ehdr const& head) {
    for (unsigned i = 0; i < head.e_phnum; ++i) {
        auto const each = in.at<Elf64_Phdr>(head.e_phoff + i * sizeof(Elf64_Phdr));
        if (each.p_type == PT_LOAD && each.p_vaddr >= upper_half) return true;
    }
    return false;
}

void require_kernel(reader const& in, Elf64_Ehdr const& head) {
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64) {
        in.fail("is no 64-bit x86 program: boot a 64-bit x86 Linux");
    }
    if (head.e_type != ET_EXEC || head.e_phentsize != sizeof(Elf64_Phdr)) {
        in.fail("is an ELF file, but no kernel: give a bzImage or a vmlinux");
    }
}

}

std::optional<elf_image> parse_elf(std::span<std::byte const> file, std::string const& name) {
    if (file.size() < sizeof(Elf64_Ehdr) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
        return std::nullopt;
    }
    reader const in{file, name};
    auto const head = in.at<Elf64_Ehdr>(0);
    require_kernel(in, head);
    elf_image out{.segments = {}, .entry = head.e_entry, .pvh_entry = {}, .end_gpa = 0};
    for (unsigned i = 0; i < head.e_phnum; ++i) {
        auto const each = in.at<Elf64_Phdr>(head.e_phoff + i * sizeof(Elf64_Phdr));
        if (each.p_type == PT_LOAD) add_segment(in, each, out);
        if (each.p_type == PT_NOTE && !out.pvh_entry) out.pvh_entry = find_pvh_entry(in, each);
    }
    auto const entry = out.pvh_entry ? *out.pvh_entry : out.entry;
    auto const holds = [&](elf_image::segment const& each) {
        return entry >= each.gpa && entry - each.gpa < each.memory_bytes;
    };
    bool const linked_as_kernel = out.pvh_entry || in_upper_half(in, head);
    if (!linked_as_kernel || std::none_of(out.segments.begin(), out.segments.end(), holds)) {
        in.fail("is an ELF file, but no kernel: give a bzImage or a vmlinux");
    }
    return out;
}

}
