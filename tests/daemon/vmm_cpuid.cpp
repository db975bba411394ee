// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/vmm/cpuid.hpp"
#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/options.hpp"
#include "daemon/vmm/size.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

using namespace vmm;

kvm_cpuid_entry2 leaf(std::uint32_t function, std::uint32_t index = 0) {
    kvm_cpuid_entry2 out{};
    out.function = function;
    out.index = index;
    out.eax = out.ebx = out.ecx = out.edx = 0xffffffff;
    return out;
}

kvm_cpuid_entry2 find(std::vector<kvm_cpuid_entry2> const& in, std::uint32_t function,
                      std::uint32_t index = 0) {
    for (auto const& each : in) {
        if (each.function == function && each.index == index) return each;
    }
    return {};
}

TEST(cpuid_of, each_cpu_knows_its_number_and_how_many_there_are) {
    std::vector const supported{leaf(1), leaf(0xb), leaf(0x80000008), leaf(0x8000001e)};
    auto const made = cpuid_of(supported, {3, 6, true});
    EXPECT_EQ(find(made, 1).ebx >> 16, 3u << 8 | 6);
    EXPECT_EQ(find(made, 0xb, 0).edx, 3u);
    EXPECT_EQ(find(made, 0xb, 1).eax, 3u) << "6 cores take 3 bits";
    EXPECT_EQ(find(made, 0xb, 1).ebx, 6u);
    EXPECT_EQ(find(made, 0xb, 1).ecx, 0x201u);
    EXPECT_EQ(find(made, 0xb, 2).ecx, 2u) << "the end of the list";
    EXPECT_EQ(find(made, 0x80000008).ecx & 0xf0ff, 0x3005u);
    EXPECT_EQ(find(made, 0x8000001e).eax, 3u);
    EXPECT_EQ(find(made, 0x1f).function, 0u) << "what the node lacks is not made up";
}

TEST(cpuid_of, one_cpu_is_alone) {
    auto const made = cpuid_of({leaf(1), leaf(0xb)}, {0, 1, false});
    EXPECT_EQ(find(made, 1).edx & 1u << 28, 0u);
    EXPECT_EQ(find(made, 0xb, 1).eax, 0u);
    EXPECT_EQ(find(made, 0xb, 1).ebx, 1u);
}

TEST(cpuid_of, a_guest_sees_a_hypervisor_and_cannot_be_one) {
    auto const made = cpuid_of({leaf(1), leaf(0x80000001), leaf(0xa)}, {0, 2, false});
    EXPECT_NE(find(made, 1).ecx & 1u << 31, 0u);
    EXPECT_EQ(find(made, 1).ecx & (1u << 5 | 1u << 24), 0u) << "no VMX, no deadline timer";
    EXPECT_EQ(find(made, 0x80000001).ecx & 1u << 2, 0u);
    EXPECT_EQ(find(made, 0xa).eax, 0u) << "no counters";
}

TEST(sizes, are_read_and_said) {
    EXPECT_EQ(parse_size("256M"), 256 * mib);
    EXPECT_EQ(parse_size("4096"), 4096u);
    EXPECT_EQ(parse_size("2g"), 2 * gib);
    for (auto const* const each :
         {"", "M", "-1", "1T", "1 M", "0x10", "99999999999999999999", "18446744073709551615K"}) {
        EXPECT_FALSE(parse_size(each)) << each;
    }
    EXPECT_EQ(mebibytes(mib + 1), "2 MiB");
}

class command_line : public testing::Test {
protected:
    options parse(std::vector<std::string> words) {
        words.insert(words.begin(), "hv-vmm");
        std::vector<char*> raw;
        for (auto& each : words) {
            raw.push_back(each.data());
        }
        raw.push_back(nullptr);
        return parse_options(static_cast<int>(words.size()), raw.data());
    }
    std::string refused(std::vector<std::string> const& words) {
        return refusal_of<failure>([&] { parse(words); });
    }
};

TEST_F(command_line, has_every_option) {
    auto const given = parse({"--kernel", "/k",        "--initrd", "/i",       "--command-line",
                              "a b",      "--cpus",    "64",       "--memory", "1G",
                              "--name",   "n",         "--node",   "/dev/kvm", "--console",
                              "/c",       "--control", "/d",       "--report", "fd:9"});
    EXPECT_EQ(given.kernel + given.initrd + given.command_line + given.name, "/k/ia bn");
    EXPECT_EQ(given.node + given.console + given.control + given.report, "/dev/kvm/c/dfd:9");
    EXPECT_EQ(given.cpus, 64u);
    EXPECT_EQ(given.memory_bytes, gib);
    auto const help = help_text();
    for (auto const& each : option_texts) {
        EXPECT_NE(help.find(std::string{"--"} + each.name), std::string::npos);
    }
}

TEST_F(command_line, is_refused_in_one_line) {
    EXPECT_EQ(refused({}), "--kernel FILE is missing: see hv-vmm --help");
    EXPECT_EQ(refused({"--kernel", "/k", "x"}), "\"x\" is no option: see hv-vmm --help");
    EXPECT_EQ(refused({"--cpus", "0"}), "--cpus 0: expected 1 to 64");
    EXPECT_EQ(refused({"--memory", "100"}),
              "--memory 100: expected whole MiB, 16M to 1024G, such as 256M");
    EXPECT_EQ(refused({"--what"}), "arguments not understood: see hv-vmm --help");
}

}
}
