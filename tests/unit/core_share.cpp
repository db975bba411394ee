// SPDX-License-Identifier: MIT
// Frames that the root VM shares with the core and goes on writing: exchange areas of vcpus.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t page = 0x1000, pages = 32;
constexpr std::uint64_t first_area = 0x2000000, in_whole_leaf = 0x18005000;
constexpr std::int64_t einval = -22, enomem = -12;

class share : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    std::int64_t give(std::uint64_t first) { return vm.call(0, HV_CALL_SHARE, first, pages); }
    std::int64_t back(std::uint64_t first) { return vm.call(0, HV_CALL_RECLAIM, first); }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, share, both_backends(), backend_name);

TEST_P(share, leaves_them_writable_but_not_executable) {
    for (auto const at : {first_area, in_whole_leaf}) {
        ASSERT_EQ(give(at), 0) << std::hex << at;
        for (std::uint64_t i = 0; i < pages; ++i) {
            EXPECT_EQ(vm.leaf(at + i * page)->to, hv::hpa{at + i * page});
            EXPECT_EQ(vm.leaf(at + i * page)->allowed, hv::read_write);
        }
        EXPECT_EQ(vm.leaf(at - page)->allowed, hv::all_rights);
        EXPECT_EQ(vm.leaf(at + pages * page)->allowed, hv::all_rights);
    }
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(share, comes_back_whole) {
    auto const level = vm.leaf(in_whole_leaf)->level;
    ASSERT_EQ(give(in_whole_leaf), 0);
    ASSERT_EQ(back(in_whole_leaf), 0);
    EXPECT_EQ(vm.leaf(in_whole_leaf)->allowed, hv::all_rights);
    EXPECT_EQ(vm.leaf(in_whole_leaf)->level, level) << "merged again";
}

TEST_P(share, refused_changes_nothing) {
    ASSERT_EQ(give(first_area), 0);
    EXPECT_EQ(give(first_area + page), einval) << "the core's already";
    auto const level = vm.leaf(in_whole_leaf)->level;
    while (vm.pool().available() != 0) ASSERT_TRUE(vm.pool().take());
    EXPECT_EQ(give(in_whole_leaf), enomem);
    EXPECT_EQ(vm.leaf(in_whole_leaf)->level, level);
    EXPECT_EQ(vm.leaf(in_whole_leaf)->allowed, hv::all_rights);
}
