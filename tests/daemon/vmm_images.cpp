// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/vmm/bzimage.hpp"
#include "daemon/vmm/elf_image.hpp"
#include "daemon/vmm/failure.hpp"
#include "kernel_images.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

using vmm::failure;
using vmm::parse_bzimage;
using vmm::parse_elf;

std::string bzimage_refused(image const& file) {
    return refusal_of<failure>([&] { parse_bzimage(file, "/k"); });
}
std::string elf_refused(image const& file) {
    return refusal_of<failure>([&] { parse_elf(file, "/k"); });
}

TEST(bzimage, finds_the_kernel_behind_its_setup_sectors) {
    auto const found = parse_bzimage(make_bzimage(), "/k");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kernel_offset, 1024u);
    EXPECT_EQ(found->kernel_bytes, 4096u);
    EXPECT_EQ(found->load_gpa, 0x1000000u);
    EXPECT_EQ(found->needs_bytes, 0x200000u);
    EXPECT_EQ(+found->header.cmdline_size, 2047u);
}

TEST(bzimage, no_setup_sectors_mean_four) {
    auto header = sound_header();
    header.setup_sects = 0;
    EXPECT_EQ(parse_bzimage(make_bzimage(header), "/k")->kernel_offset, 5 * 512u);
}

TEST(bzimage, what_lies_behind_its_header_is_not_read_as_header) {
    auto header = sound_header();
    header.jump = static_cast<std::uint16_t>((0x260 - 0x202) << 8 | 0xeb);
    auto const found = parse_bzimage(make_bzimage(header), "/k");
    EXPECT_EQ(found->load_gpa, 0x1000000u);
    EXPECT_EQ(found->needs_bytes, found->kernel_bytes) << "init_size lies behind its end";
}

TEST(bzimage, other_files_are_none) {
    EXPECT_FALSE(parse_bzimage({}, "/k"));
    EXPECT_FALSE(parse_bzimage(image(10'000), "/k"));
    EXPECT_FALSE(parse_bzimage(make_vmlinux(), "/k"));
}

TEST(bzimage, one_that_cannot_be_booted_is_refused_in_one_line) {
    auto header = sound_header();
    header.xloadflags = 0;
    EXPECT_EQ(bzimage_refused(make_bzimage(header)),
              "/k has no 64-bit entry: boot a 64-bit Linux, 3.8 or later");
    header = sound_header();
    header.loadflags = 0;
    EXPECT_EQ(bzimage_refused(make_bzimage(header)),
              "/k wants to be loaded below 1 MiB: boot a bzImage, not a zImage");
    header = sound_header();
    header.pref_address = 0x1000;
    EXPECT_EQ(bzimage_refused(make_bzimage(header)),
              "/k asks for a strange address: is it complete?");
    auto cut = make_bzimage();
    cut.resize(1100);
    EXPECT_EQ(bzimage_refused(cut), "/k ends before its kernel begins: is it complete?");
}

TEST(elf_image, finds_segments_and_the_pvh_entry) {
    auto const found = parse_elf(make_vmlinux(), "/k");
    ASSERT_TRUE(found);
    ASSERT_EQ(found->segments.size(), 1u);
    EXPECT_EQ(found->segments[0].gpa, 0x1000000u);
    EXPECT_EQ(found->segments[0].file_bytes, 4096u);
    EXPECT_EQ(found->pvh_entry, 0x1000100u);
    EXPECT_EQ(found->end_gpa, 0x1100000u);
}

TEST(elf_image, without_the_note_a_linux_starts_at_its_entry) {
    auto const found = parse_elf(make_vmlinux({.pvh_entry = 0}), "/k");
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->pvh_entry);
    EXPECT_EQ(found->entry, 0x1000000u);
}

TEST(elf_image, other_files_are_none) {
    EXPECT_FALSE(parse_elf({}, "/k"));
    EXPECT_FALSE(parse_elf(image(10'000), "/k"));
    EXPECT_FALSE(parse_elf(make_bzimage(), "/k"));
}

TEST(elf_image, a_program_is_no_kernel) {
    auto const no_kernel = "/k is an ELF file, but no kernel: give a bzImage or a vmlinux";
    EXPECT_EQ(elf_refused(make_vmlinux({.linked = 0x400000, .pvh_entry = 0})), no_kernel);
    EXPECT_EQ(elf_refused(make_vmlinux({.pvh_entry = 0x100})), no_kernel) << "entry in no segment";
    auto shared = make_vmlinux();
    put(shared, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_DYN});
    EXPECT_EQ(elf_refused(shared), no_kernel);
    auto other = make_vmlinux();
    put(other, offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_AARCH64});
    EXPECT_EQ(elf_refused(other), "/k is no 64-bit x86 program: boot a 64-bit x86 Linux");
}

TEST(elf_image, one_that_lies_about_its_length_is_refused) {
    auto const cut_short = "/k says it is longer than it is: is it complete?";
    EXPECT_EQ(elf_refused(make_vmlinux({.bytes = 4097})), cut_short);
    auto far = make_vmlinux();
    put(far, offsetof(Elf64_Ehdr, e_phoff), Elf64_Off{~0ull - 8});
    EXPECT_EQ(elf_refused(far), cut_short);
    auto note = make_vmlinux();
    put(note, 2048, Elf64_Nhdr{0xffffffff, 0xffffffff, 18});
    EXPECT_EQ(elf_refused(note), "") << "such a note is skipped";
    EXPECT_EQ(elf_refused(make_vmlinux({.physical = 0x1000})),
              "/k wants to be loaded below 1 MiB: is it a Linux kernel?");
}

}
}
