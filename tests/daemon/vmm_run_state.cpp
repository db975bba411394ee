// SPDX-License-Identifier: MIT
// What a VM's CPUs and its loop agree on when a rule of the hypervisor's holds it.
#include "daemon/vmm/run_state.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace hv::vmm {
namespace {

TEST(run_state, a_rule_holds_the_vm_until_it_is_resumed) {
    run_state state;
    state.resume();
    EXPECT_TRUE(state.may_run());
    EXPECT_EQ(state.take_rule(), std::nullopt);
    state.pause_by_rule(7);
    state.pause_by_rule(9);    // another CPU met one, too
    EXPECT_TRUE(state.paused());
    EXPECT_EQ(state.take_rule(), 7u);
    EXPECT_EQ(state.take_rule(), std::nullopt) << "told once";
    bool ran = false;
    std::thread cpu{[&] { ran = state.may_run(); }};
    state.wait_for_parked(1);
    EXPECT_FALSE(ran);
    state.resume();
    cpu.join();
    EXPECT_TRUE(ran);
}

TEST(run_state, one_that_a_rule_holds_can_be_ended) {
    run_state state;
    state.resume();
    state.pause_by_rule(7);
    bool ran = true;
    std::thread cpu{[&] { ran = state.may_run(); }};
    state.wait_for_parked(1);
    state.end(ending::stopped);
    cpu.join();
    EXPECT_FALSE(ran);
}

}
}
