// SPDX-License-Identifier: MIT
// Guest VMs on either backend, with anything in the exchange area and the CPUID list of their vcpu,
// which do anything: each call returns, no CPU is lost, and nothing of the core's is reached.
#include "abi/guest.h"
#include "fuzz_bytes.hpp"
#include "fuzz_count.hpp"
#include "reset_state.hpp"
#include "root_vm.hpp"

namespace {

using namespace fake;

constexpr std::uint64_t page = 0x1000, area = 0x2000000;
fuzz_count calls{"hypercalls"};

struct guests {
    root_vm& vm;
    std::uint64_t owner{}, vcpu{};

    [[nodiscard]] hv_vcpu_exchange& exchange(unsigned place = 0) const {
        auto const window = vm.frames().donation(hv::hpa{area}).value().at;
        return *reinterpret_cast<hv_vcpu_exchange*>(window.raw + 2 * page * place);
    }
    void make() {
        vm.call(0, HV_CALL_SHARE, area, 8);
        owner = static_cast<std::uint64_t>(vm.call(0, HV_CALL_VM_CREATE));
        vcpu = static_cast<std::uint64_t>(vm.call(0, HV_CALL_VCPU_CREATE, owner, area));
        exchange().system = reset_state();
        exchange().flags = HV_RUN_SYSTEM;
        exchange().rflags = 2;
    }
};

/// Some words of the two pages get any value, or one that says something there.
void spoil(fuzz_bytes& in, guests const& g) {
    auto const how = in.take<std::uint8_t>();
    auto* const words = reinterpret_cast<std::uint64_t*>(&g.exchange());
    if ((how & 128) != 0) g.exchange().system = reset_state();
    for (unsigned i = 0; i < how % 8u; ++i) {
        auto const at = in.take<std::uint16_t>() % (how % 3 != 0 ? 72u : 1024u);
        words[at] = in.take<std::uint8_t>() % 2 != 0 ? in.take<std::uint64_t>()
                                                     : in.take<std::uint16_t>();
    }
    g.exchange().flags = in.take<std::uint8_t>();
}

std::uint64_t number(fuzz_bytes& in, guests const& g) {
    auto const how = in.take<std::uint8_t>();
    switch (how % 5) {
    case 0:  return g.owner;
    case 1:  return g.vcpu;
    case 2:  return area + (how / 5u) * page;
    case 3:  return in.take<std::uint16_t>() * page;
    default: return in.take<std::uint64_t>();
    }
}

void any_call(fuzz_bytes& in, guests& g, std::uint32_t n) {
    auto const which = HV_CALL_VM_CREATE + in.take<std::uint8_t>() % 10u;
    auto const a = number(in, g), b = number(in, g), c = number(in, g);
    auto const d = in.take<std::uint16_t>() % 520u | std::uint64_t{in.take<std::uint8_t>()} << 56;
    calls.one_more();
    auto const answer = g.vm.call(n, which, a, b, c, d);
    if (answer > 0 && which == HV_CALL_VM_CREATE) g.owner = static_cast<std::uint64_t>(answer);
    if (answer > 0 && which == HV_CALL_VCPU_CREATE) g.vcpu = static_cast<std::uint64_t>(answer);
}

outcome in_guest(fuzz_bytes& in, root_vm& vm, std::uint32_t n) {
    auto& r = vm.gpr(n);
    for (auto* to : {&r.rax, &r.rcx, &r.rdx}) *to = in.take<std::uint32_t>();
    auto const how = in.take<std::uint8_t>();
    if (how % 13 == 12) return vm.guest_is_cut_short(n, 0x80000000u | in.take<std::uint16_t>());
    return vm.guest_does(n, static_cast<deed>(how % 13), in.take<std::uint32_t>());
}

void one_step(fuzz_bytes& in, guests& g) {
    auto const how = in.take<std::uint8_t>();
    std::uint32_t const n = how & 1;
    auto end = outcome::resumed;
    if (g.vm.in_guest_vm(n))
        end = in_guest(in, g.vm, n);
    else if (how % 8 < 3)
        any_call(in, g, n);
    else if (how % 8 == 3)
        g.vm.nmi(n);
    else {
        spoil(in, g);
        calls.one_more();
        g.vm.call(n, HV_CALL_VCPU_RUN, g.vcpu);
    }
    if (end != outcome::resumed) g.vm.problems.emplace_back("a CPU is lost");
    fuzz_expect_none(g.vm.problems);
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    auto const maker = in.take<std::uint8_t>() % 2 != 0 ? vendor::amd : vendor::intel;
    auto const vm = root_vm::hoisted_on(maker);
    guests g{*vm};
    g.make();
    for (unsigned i = 0; i < 64 && !in.empty(); ++i) one_step(in, g);
    return 0;
}
