// SPDX-License-Identifier: MIT
// Any sequence of exits, with any registers, qualification and event in delivery, in any state that
// a processor can be in when it exits: never an entry failure, never a parked CPU.
#include "fuzz_registers.hpp"
#include "hoisted.hpp"

namespace {

using namespace fake;

/// What the root VM may have done since the last exit, within what the processor lets it do.
void change_state(fuzz_bytes& in, vmcs& v) {
    auto const how = in.take<std::uint8_t>();
    std::uint64_t flags = 2;
    if ((how & 1) != 0) flags |= 0x200;
    v.set(field::rflags, flags);
    v.set(field::activity, v[field::activity] == 3 ? 3 : 0);
    v.clear_bits(field::interruptibility, 3);
    if (v[field::activity] == 3) return;
    if ((how & 6) == 2 && (how & 1) != 0) v.set_bits(field::interruptibility, 1);
    if ((how & 6) == 4) v.set_bits(field::interruptibility, 2);
    if ((how & 6) == 6) v.set(field::activity, 1);
    if ((how & 8) != 0) v.clear_bits(field::interruptibility, 8);
}

/// An event that the processor may have been delivering.
std::uint32_t event(fuzz_bytes& in, vmcs const& v) {
    bool const real = (v[field::cr0] & 1) == 0;
    bool const halted = v[field::activity] != 0;
    bool const interrupts = (v[field::rflags] & 0x200) != 0;
    auto const vector = in.take<std::uint8_t>();
    switch (in.take<std::uint8_t>() % 8) {
    case 0:  return interrupts ? 0x80000000u | vector : 0;
    case 1:  return 0x80000202;
    case 2:  return halted ? 0 : 0x80000400u | vector;
    case 3:  return halted ? 0 : 0x80000603;
    case 4:  return halted ? 0 : real ? 0x8000030d : 0x80000b0e;
    case 5:  return halted ? 0 : real ? 0x8000030d : 0x80000b0d;
    default: return 0;
    }
}

/// Reasons that the controls of the core let a processor give, at the state it is in.
bool possible(std::uint32_t reason, vmcs const& v) {
    auto const activity = v[field::activity];
    if (activity == 3) return reason == 4 || reason == 3;
    if (reason == 4 || reason == 2 || reason == 49)
        return false;    // SIPI here; those that end a CPU
    if (activity == 1) return reason == 0 || reason == 3 || reason == 8 || reason == 52;
    return true;
}

exit_info any_exit(fuzz_bytes& in, hoisted& vm, std::uint32_t n) {
    auto const& v = vm.v(n);
    exit_info info{.reason = in.take<std::uint8_t>() % 65u};
    if (!possible(info.reason, v)) info.reason = v[field::activity] == 3 ? 4 : 3;
    if (info.reason == 33 || info.reason == 34 || info.reason == 41) info.reason = 10;
    if (info.reason == 0) info.event = 0x80000202;
    info.qualification = in.take<std::uint64_t>();
    info.length = 1 + in.take<std::uint8_t>() % 15u;
    info.guest_physical = in.take<std::uint64_t>() & 0xffffffffff;
    if (info.reason == 28) info.qualification &= 0xffff0f3f;
    if (info.reason == 48 || info.reason == 9) info.vectoring = event(in, v);
    // A processor that delivers an interrupt or an NMI is in nobody's shadow.
    if ((info.vectoring & 0x80000500) == 0x80000000) vm.v(n).clear_bits(field::interruptibility, 3);
    if (in.take<std::uint8_t>() % 4 == 0)
        info.guest_physical = vm.machine.hpa_of_page(info.qualification % vm.machine.core_pages())
                                  .raw;
    return info;
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    hoisted vm;
    load_rules(in, vm);
    for (unsigned i = 0; i < 64 && !in.empty(); ++i) {
        std::uint32_t const n = in.take<std::uint8_t>() & 1;
        change_state(in, vm.v(n));
        fill_registers(in, vm, n);
        auto const info = any_exit(in, vm, n);
        auto const how = vm.exit(n, info);
        if (how == outcome::reset) break;    // a third fault
        if (how != outcome::resumed) vm.problems.emplace_back("the CPU does not run on");
        fuzz_expect_none(vm.problems);
    }
    return 0;
}
