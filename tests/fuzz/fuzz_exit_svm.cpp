// SPDX-License-Identifier: MIT
// As fuzz_exit, under SVM: exits, instructions of the root VM between them, exceptions and NMIs, in
// any order that a processor can bring about. Never an entry that is invalid, never a parked CPU,
// never a trap of the core's that the root VM gets, never an NMI that is lost.
#include "fuzz_registers.hpp"
#include "hoisted_svm.hpp"

namespace {

using namespace fake;

class session {
public:
    explicit session(fuzz_bytes& in) : in_{in} { load_rules(in, vm); }
    /// One thing that happens. False: the machine is reset.
    bool happens() {
        n_ = in_.take<std::uint8_t>() & 1;
        fill_registers(in_, vm, n_);
        auto const how = one();
        if (how != outcome::resumed && how != outcome::reset)
            vm.problems.emplace_back("the CPU does not run on");
        if (!vm.native.empty()) vm.problems.emplace_back("a trap of a step reaches the root VM");
        return how == outcome::resumed;
    }
    /// All that waits is delivered once the root VM has done what it is doing.
    void settle() {
        for (std::uint32_t n : {0u, 1u}) {
            for (unsigned i = 0; i < 4; ++i) {
                vm.run(n);
                vm.iret(n, 2);
            }
            if (vm.common(n).nmi_waits) vm.problems.emplace_back("an NMI waits for ever");
        }
    }
    hoisted_svm vm;

private:
    hv::svm::control_area& control() { return vm.v(n_).control; }
    hv::svm::save_area& save() { return vm.v(n_).save; }
    bool steps() { return vm.core(n_).step.reasons != 0; }
    outcome one() {
        switch (in_.take<std::uint8_t>() % 10) {
        case 0:  return run();
        case 1:  return exception();
        case 2:  vm.nmi(n_); return outcome::resumed;
        case 3:  return vm.iret(n_, in_.take<std::uint8_t>() % 2 == 0 ? 2 : 0x202);
        case 4:  return page_fault();
        case 5:  return move();
        case 6:  return vm.exit(n_, {.code = 0x7c, .info_1 = in_.take<std::uint8_t>() & 1u});
        case 7:  return vm.init(n_);
        case 8:  return vm.hypercall(n_);
        default: return any_code();
        }
    }
    /// Between two steps the root VM may change its flags, and be in a shadow.
    outcome run() {
        if (!steps()) {
            save().rflags = in_.take<std::uint8_t>() % 2 == 0 ? 2 : 0x202;
            control().interrupt_shadow = in_.take<std::uint8_t>() & 1;
        }
        return vm.run(n_, [](auto& s) { s.rip = 0xffffffff81000000; });
    }
    /// Only bits that the CPU takes: VMRUN would refuse what no CPU can have.
    outcome move() {
        unsigned const number = in_.take<std::uint8_t>() % 2 * 4;
        auto const bits = in_.take<std::uint32_t>() & (number == 0 ? 0x5000eu : 0x370e00u);
        return vm.move_to_cr(n_, number, vm.seen(n_, number) ^ bits);
    }
    outcome exception() {
        auto const vector = in_.take<std::uint8_t>() % 22u;
        if ((control().exception_intercepts >> vector & 1) == 0) return outcome::resumed;
        if (vector == 2 || vector == 9 || vector == 15) return outcome::resumed;
        auto const address = in_.take<std::uint64_t>();
        return vm.exception(n_, vector, in_.take<std::uint16_t>(), address);
    }
    /// An event that the processor may have been delivering; in a step there is none but the
    /// instruction's own.
    std::uint64_t event() {
        std::uint64_t const vector = in_.take<std::uint8_t>();
        switch (in_.take<std::uint8_t>() % 8) {
        case 0:  return steps() || (save().rflags & 0x200) == 0 ? 0 : 0x80000000 | vector;
        case 1:  return 0x80000400 | vector;
        case 2:  return 0x80000303;
        case 3:  return steps() ? 0 : 0x80000b0e | vector << 32;
        case 4:  return steps() ? 0 : 0x80000b0d;
        case 5:  return steps() ? 0 : 0x80000306;
        default: return 0;
        }
    }
    outcome page_fault() {
        auto at = in_.take<std::uint64_t>() & 0xffffffffff;
        auto const where = in_.take<std::uint8_t>() % 4;
        if (where == 0) at = vm.machine.hpa_of_page(at % vm.machine.core_pages()).raw;
        if (where == 1) at = 0x100000 + at % 0x100000;
        auto const info = 1ull << 32 | (in_.take<std::uint8_t>() & 0x17u);
        return vm.exit(n_, {.code = 0x400, .info_1 = info, .info_2 = at, .event = event()});
    }
    /// Whatever code, asked for or not, but those that end the CPU.
    outcome any_code() {
        auto const code = in_.take<std::uint16_t>() % 0x410u;
        bool const own = (code >= 0x40 && code <= 0x63) || code == 0x74 || code == 0x7f ||
                         code == 0x400 || code == 0x10 || code == 0x14;
        return own ? outcome::resumed : vm.exit(n_, {.code = code, .length = 3});
    }

    fuzz_bytes& in_;
    std::uint32_t n_{};
};

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    session s{in};
    for (unsigned i = 0; i < 64 && !in.empty(); ++i) {
        bool const on = s.happens();
        fuzz_expect_none(s.vm.problems);
        if (!on) return 0;
    }
    s.settle();
    fuzz_expect_none(s.vm.problems);
    return 0;
}
