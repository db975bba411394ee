// SPDX-License-Identifier: MIT
// Any sequence of hypercalls on either backend, with whatever is in the mailbox and few pages in
// the pool: each returns, no entry breaks the manual's rules, no leaf leads into the core.
#include "fuzz_bytes.hpp"
#include "fuzz_count.hpp"
#include "fuzz_rule.hpp"
#include "root_vm.hpp"

namespace {

using fake::root_vm;

fuzz_count calls{"hypercalls"};

/// A number that means something here: an address in or near the core, a small count, or anything.
std::uint64_t number(fuzz_bytes& in, root_vm& vm) {
    auto const how = in.take<std::uint8_t>();
    auto const n = in.take<std::uint16_t>();
    switch (how % 6) {
    case 0:  return n;
    case 1:  return vm.machine.hpa_of_page(n % vm.machine.core_pages()).raw + (how >> 6) * 0x1000;
    case 2:  return std::uint64_t{n} << 12;
    case 3:  return std::uint64_t{n} << 21;
    case 4:  return 0xffffffff80000000 + n;
    default: return in.take<std::uint64_t>();
    }
}

void fill_mailbox(fuzz_bytes& in, root_vm& vm) {
    auto const words = in.take<std::uint8_t>() % 64u;
    for (unsigned i = 0; i < words; ++i) (&vm.mailbox<std::uint64_t>())[i] = number(in, vm);
}

/// Rules of every kind, which are sound as far as that goes.
void fill_rules(fuzz_bytes& in, root_vm& vm) {
    for (std::uint32_t i = 0; i < 8; ++i) {
        auto const how = in.take<std::uint16_t>(), first = in.take<std::uint16_t>();
        auto& rule = (&vm.mailbox<hv_rule>())[i];
        rule = fuzz_rule(i + 1, how, first, in.take<std::uint8_t>());
        fuzz_scope(rule, in.take<std::uint8_t>());
    }
}

void drain_pool(fuzz_bytes& in, root_vm& vm) {
    auto& pool = vm.pool();
    auto const left = in.take<std::uint8_t>() % 8u;
    while (pool.available() > left) static_cast<void>(pool.take());
}

bool one_call(fuzz_bytes& in, root_vm& vm) {
    auto const flags = in.take<std::uint8_t>();
    std::uint32_t const n = flags & 1;
    if ((flags & 2) != 0) fill_mailbox(in, vm);
    if ((flags & 4) != 0) fill_rules(in, vm);
    if (flags >> 3 == 31) drain_pool(in, vm);
    auto& r = vm.gpr(n);
    r.rax = (flags & 8) != 0 ? in.take<std::uint64_t>() : in.take<std::uint8_t>() % HV_CALL_COUNT;
    // Those hooks break the core on purpose.
    if (r.rax == HV_CALL_TEST) r.rax = HV_CALL_AUDIT;
    // Looks at every entry of the tables, which takes as long as a thousand refusals.
    if (r.rax == HV_CALL_AUDIT && in.take<std::uint8_t>() % 64 != 0) r.rax = HV_CALL_DUMP;
    // The end, so not too soon.
    if (r.rax == HV_CALL_UNHOIST && in.take<std::uint8_t>() % 64 != 0) r.rax = HV_CALL_DUMP;
    r.rdi = (flags & 0x70) == 0x70 ? in.take<std::uint64_t>() : fake::board::secret;
    r.rsi = number(in, vm);
    if (r.rax == HV_CALL_POLICY_LOAD && (flags & 4) != 0) r.rsi %= 9;
    r.rdx = number(in, vm);
    r.r10 = number(in, vm);
    r.r8 = number(in, vm);
    calls.one_more();
    return vm.hypercall(n) == fake::outcome::resumed;
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    auto const hoisted = root_vm::hoisted_on(
        in.take<std::uint8_t>() % 2 != 0 ? fake::vendor::amd : fake::vendor::intel);
    auto& vm = *hoisted;
    for (unsigned i = 0; i < 8192 && !in.empty(); ++i)
        if (!one_call(in, vm)) break;
    if (vm.hw(0).in_guest && vm.findings() != 0)
        vm.problems.emplace_back("the auditor found something");
    fuzz_expect_none(vm.problems);
    return 0;
}
