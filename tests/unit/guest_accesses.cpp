// SPDX-License-Identifier: MIT
// What ticks do not show of a guest's exit to its client, for `make bench`, which reads the lines
// "accesses BACKEND NAME COUNT COUNT" (vmx: VMREAD, VMWRITE; svm: VMSAVE, VMLOAD) and
// "entries BACKEND NAME COUNT", of all worlds.
#include "guest_vm.hpp"

#include <cstdio>

using namespace fake;

namespace {

struct guest_accesses : guest_both {
    [[nodiscard]] bool is_vmx() { return GetParam() == vendor::intel; }
    void tell(char const* name) {
        auto& p = vm.hw(0);
        auto const* const backend = is_vmx() ? "vmx" : "svm";
        auto const first = is_vmx() ? p.vmreads : p.count(op::vmsave);
        auto const second = is_vmx() ? p.vmwrites : p.count(op::vmload);
        std::printf("accesses %s %s %llu %llu\nentries %s %s %llu\n", backend, name,
                    static_cast<unsigned long long>(first), static_cast<unsigned long long>(second),
                    backend, name, static_cast<unsigned long long>(p.count(op::vmentry)));
    }
};
INSTANTIATE_TEST_SUITE_P(on, guest_accesses, both_backends(), backend_name);

// The client goes on as it does after each OUT: with the general registers, all else as it was.
TEST_P(guest_accesses, of_an_out_to_the_client_and_back) {
    for (unsigned round = 0; round < 2; ++round) {
        auto& p = vm.hw(0);
        p.steps.clear();
        p.vmreads = p.vmwrites = 0;
        enter();
        vm.guest_does(0, deed::out, 0x10);
        expect_exit(HV_GUEST_IO);
        x().flags = 0;
        x().rip += x().length;
    }
    tell("guest_out");
    EXPECT_EQ(vm.hw(0).count(op::vmentry), 2u) << "one to the guest, one to Linux";
    EXPECT_LE(vm.hw(0).vmreads + vm.hw(0).vmwrites, 120u);
}

}    // namespace
