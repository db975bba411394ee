// SPDX-License-Identifier: MIT
// What `hvctl dump` tells of a CPU under VMX.
#include "core_hoist.hpp"

using namespace fake;

TEST_F(hoist, dump_shows_this_cpu) {
    vm.gpr(0).r15 = 0xf15;
    EXPECT_EQ(vm.call(0, HV_CALL_DUMP, 0), 0);
    auto const& d = vm.mailbox<hv_cpu_dump>();
    auto const& v = vm.v(0);
    EXPECT_EQ(d.version, HV_ABI_VERSION);
    EXPECT_EQ(d.size, sizeof(hv_cpu_dump));
    EXPECT_EQ(d.cpu_id, 10u);
    EXPECT_EQ(d.launched, 1u);
    EXPECT_EQ(d.gpr[0], std::uint64_t{HV_CALL_DUMP});
    EXPECT_EQ(d.gpr[4], v[field::rsp]);
    EXPECT_EQ(d.gpr[7], board::secret);
    EXPECT_EQ(d.gpr[15], 0xf15u);
    EXPECT_EQ(d.rip + 3, v[field::rip]);
    EXPECT_EQ(d.cr0, v[field::cr0]);
    EXPECT_EQ(d.cr3, v[field::cr3]);
    EXPECT_EQ(d.efer, 0xd01u);
    EXPECT_EQ(d.cr4_shadow, v[field::cr4_shadow]);
    EXPECT_EQ(d.exit_reason, 18u);
    EXPECT_EQ(d.ept_pointer, v[field::ept_pointer]);
    EXPECT_EQ(d.tr_selector, 0x40u);
    EXPECT_EQ(d.gs_base, v[field::gs_base]);
    EXPECT_EQ(vm.call(0, HV_CALL_DUMP, 1), -22) << "a CPU shows itself only";
}
