// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/vmm/acpi_tables.hpp"
#include "daemon/vmm/boot.hpp"
#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"
#include "kernel_images.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

using namespace vmm;

class boot : public testing::Test {
protected:
    boot_start load(image const& kernel) {
        input_file const file{"kernel", folder_.write("kernel", text_of(kernel))};
        return load_linux(memory_, {file, initrd_, command_line_, tables_gpa});
    }
    std::string refused(image const& kernel) {
        return refusal_of<failure>([&] { load(kernel); });
    }
    void give_initrd(std::size_t bytes) {
        initrd_.emplace("initrd", folder_.write("initrd", std::string(bytes, 'i')));
    }
    template <typename T> T at(std::uint64_t gpa) {
        T out;
        std::memcpy(&out, memory_.at(gpa, sizeof(out)).data(), sizeof(out));
        return out;
    }

    temporary_folder folder_;
    guest_memory memory_{64 * mib};
    std::optional<input_file> initrd_;
    std::string command_line_ = "console=ttyS0";
};

TEST_F(boot, a_bzimage_starts_in_long_mode_with_boot_parameters) {
    give_initrd(5000);
    auto const start = load(make_bzimage());
    EXPECT_TRUE(start.long_mode);
    EXPECT_EQ(start.entry, 0x1000200u);
    EXPECT_EQ(at<std::uint8_t>(start.entry), 0xf4);
    auto const told = at<boot_params>(start.information);
    EXPECT_EQ(+told.hdr.type_of_loader, 0xff);
    EXPECT_EQ(+told.hdr.init_size, 0x200000u) << "the kernel's own words stay";
    EXPECT_EQ(+told.acpi_rsdp_addr, tables_gpa);
    EXPECT_EQ(+told.hdr.ramdisk_image, 64 * mib - 8192);
    EXPECT_EQ(+told.hdr.ramdisk_size, 5000u);
    EXPECT_EQ(at<char>(told.hdr.ramdisk_image), 'i');
    EXPECT_STREQ(reinterpret_cast<char const*>(memory_.at(told.hdr.cmd_line_ptr, 14).data()),
                 "console=ttyS0");
    ASSERT_EQ(+told.e820_entries, 3);
    EXPECT_EQ(told.e820_table[2].addr + told.e820_table[2].size, 64 * mib);
}

TEST_F(boot, a_vmlinux_with_a_note_starts_as_pvh_has_it) {
    auto const start = load(make_vmlinux());
    EXPECT_FALSE(start.long_mode);
    EXPECT_EQ(start.entry, 0x1000100u);
    EXPECT_EQ(at<std::uint32_t>(start.information), 0x336ec578u);
    EXPECT_EQ(at<std::uint32_t>(start.information + 12), 0u) << "no module without an initrd";
    EXPECT_EQ(at<std::uint64_t>(start.information + 32), tables_gpa);
}

TEST_F(boot, a_vmlinux_without_one_starts_in_long_mode) {
    auto const start = load(make_vmlinux({.pvh_entry = 0}));
    EXPECT_TRUE(start.long_mode);
    EXPECT_EQ(start.entry, 0x1000000u);
    EXPECT_EQ(+at<boot_params>(start.information).hdr.header, 0x53726448u);
}

TEST_F(boot, what_does_not_fit_is_refused_in_one_line) {
    auto header = sound_header();
    header.init_size = 60u << 20;
    EXPECT_EQ(refused(make_bzimage(header)),
              "the kernel does not fit in 64 MiB of memory: give the VM more with --memory");
    give_initrd(47 * mib);
    EXPECT_EQ(refused(make_bzimage()),
              "the initrd of 47 MiB does not fit beside the kernel, which leaves 46 MiB: give the "
              "VM more with --memory");
    command_line_ = std::string(3000, 'x');
    EXPECT_EQ(refused(make_bzimage()),
              "the kernel takes a command line of at most 2047 bytes, this one has 3000");
}

TEST_F(boot, a_file_that_is_no_kernel_is_refused_in_one_line) {
    EXPECT_EQ(refused(image(4096)), folder_.path("kernel") + " is no Linux kernel: it is neither "
                                                             "a bzImage nor an ELF vmlinux");
    EXPECT_EQ(refused({}), folder_.path("kernel") + " is empty: name another with --kernel");
    EXPECT_EQ(refusal_of<failure>([] { input_file{"kernel", "/none"}; }),
              "no kernel at /none: No such file or directory: name another with --kernel");
    EXPECT_EQ(refusal_of<failure>([] { input_file{"initrd", "/"}; }),
              "/ is no file: name another with --initrd");
}

TEST(place_initrd, lies_as_high_as_it_may) {
    EXPECT_EQ(place_initrd(4096, 0, 0x10000).gpa, 0xf000u);
    EXPECT_EQ(place_initrd(1, 0, 0x10001).gpa, 0x10000u);
    EXPECT_EQ(place_initrd(0x1000, 0xeffe, 0x10000).gpa, 0xf000u);
    EXPECT_THROW(place_initrd(0x1001, 0xeffe, 0x10000), failure);
}

TEST(guest_memory, has_a_hole_below_4_gib) {
    guest_memory const memory{16 * mib};
    EXPECT_EQ(memory.regions().size(), 1u);
    EXPECT_NO_THROW((void)memory.at(16 * mib - 1, 1));
    EXPECT_THROW((void)memory.at(16 * mib, 1), failure);
    EXPECT_THROW((void)memory.at(0, ~0ull), failure);
    EXPECT_EQ(refusal_of<failure>([] { guest_memory{1ull << 40}; }).substr(0, 52),
              "not enough memory: the VM asks for 1048576 MiB, and ");
}

unsigned sum_of(std::span<std::byte const> table) {
    unsigned sum = 0;
    for (auto const each : table) {
        sum += std::to_integer<unsigned>(each);
    }
    return sum & 0xff;
}

TEST(acpi_tables, every_table_sums_to_zero_and_the_madt_has_every_cpu) {
    auto const all = acpi_tables(tables_gpa, 64);
    ASSERT_LT(all.size(), tables_end - tables_gpa);
    std::span<std::byte const> const bytes{all};
    EXPECT_EQ(sum_of(bytes.first(20)), 0u);
    EXPECT_EQ(sum_of(bytes.first(36)), 0u);
    unsigned found = 0;
    for (std::size_t at = 64; at + 8 < all.size(); at += 64) {
        std::string_view const name{reinterpret_cast<char const*>(&all[at]), 4};
        std::uint32_t length = 0;
        std::memcpy(&length, &all[at + 4], sizeof(length));
        if (name == "XSDT" || name == "FACP" || name == "DSDT" || name == "APIC") {
            EXPECT_EQ(sum_of(bytes.subspan(at, length)), 0u) << name;
            ++found;
        }
        if (name == "APIC") {
            EXPECT_EQ(length, 44u + 64 * 8 + 12 + 10 + 6);
        }
    }
    EXPECT_EQ(found, 4u);
}

}
}
