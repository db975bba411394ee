// SPDX-License-Identifier: MIT
#include "hoisted_svm.hpp"
#include "entry_svm.hpp"

extern "C" void hv_svm_trap(hv::trap_frame& f);

namespace fake {

namespace {

enum code : std::uint64_t {    // APM 2 C "SVM Intercept Exit Codes"
    cr0_write = 0x10,
    exception_0 = 0x40,
    nmi_code = 0x61,
    gdtr_write = 0x6b,
    init_code = 0x63,
    iret_code = 0x74,
    msr = 0x7c,
    nested_page_fault = 0x400,
};

bool bit(std::uint64_t value, unsigned n) { return (value >> n & 1) != 0; }

}    // namespace

hoisted_svm::hoisted_svm(std::uint32_t cpus) : hoisted_svm{cpus, not_launched} { launch_all(); }

hv::svm::cpu& hoisted_svm::core(std::uint32_t n) const {
    auto const area = machine.layout().cpu_first() + n * hv::svm::area::pages;
    return *reinterpret_cast<hv::svm::cpu*>(hv::svm::area{machine.hva_of_page(area)}.cpu_at().raw);
}

outcome hoisted_svm::exit(std::uint32_t n, svm_exit const& info) {
    if (!hw(n).in_guest) {
        problems.emplace_back("an exit of a CPU that runs no guest");
        return outcome::parked;
    }
    nothing_delivered(n);
    hw(n).leave_guest(info);
    auto const how = run_core(n);
    return how == outcome::resumed ? take_nmi(n) : how;
}

/// An NMI that waits makes the guest exit, again and again until somebody takes it.
outcome hoisted_svm::take_nmi(std::uint32_t n) {
    for (unsigned i = 0; i < 8; ++i) {
        if (!hw(n).in_guest || !hw(n).svm.nmi.load()) return outcome::resumed;
        hw(n).leave_guest({.code = nmi_code});
        auto const how = run_core(n);
        if (how != outcome::resumed) return how;
    }
    problems.emplace_back("an NMI exits for ever");
    return outcome::resumed;
}

outcome hoisted_svm::run_core(std::uint32_t n) {
    return on_core(n, [&] {
        for (;;) {    // the core parks the CPU at the second entry that fails
            auto const how = in_guest_vm(n) ? svm_guest_way_out(hw(n), core(n))
                                            : svm_way_out(hw(n), core(n));
            if (!how) return outcome::left;
            if (*how == entry::entered) break;
            // What a guest VM's owner asks for may be what no CPU enters.
            if (in_guest_vm(n)) continue;
            for (auto const& rule : hw(n).broken_rules) problems.push_back("entry: " + rule);
        }
        if (!in_guest_vm(n)) look_at_entry(n);
        return outcome::resumed;
    });
}

/// What the manual does not forbid, but the root VM would notice.
void hoisted_svm::look_at_entry(std::uint32_t n) {
    auto const& c = core(n);
    bool const steps = c.step.reasons != 0;
    auto const& v = *c.block;
    bool const traps = v.control.exception_intercepts != 0;
    if (traps && !(steps && bit(v.save.rflags, 8)))
        problems.emplace_back("exceptions are intercepted without a step");
    if (traps && bit(v.control.event, 31))
        problems.emplace_back("an event pushes the trap flag of a step");
}

outcome hoisted_svm::run(std::uint32_t n, std::function<void(hv::svm::save_area&)> const& effect) {
    auto& block = v(n);
    nothing_delivered(n);
    bool const traps = bit(block.save.rflags, 8);
    block.save.rip += 3;
    block.control.interrupt_shadow = 0;
    effect(block.save);
    if (!traps) return outcome::resumed;
    block.save.dr6 |= 1u << 14;
    return exception(n, 1);
}

outcome hoisted_svm::exception(std::uint32_t n, unsigned vector, std::uint64_t error,
                               std::uint64_t address) {
    if (bit(v(n).control.exception_intercepts, vector))
        return exit(n, {.code = exception_0 + vector, .info_1 = error, .info_2 = address});
    nothing_delivered(n);
    native.push_back(vector);
    return outcome::resumed;
}

outcome hoisted_svm::iret(std::uint32_t n, std::uint64_t flags) {
    if (bit(v(n).control.intercepts_1, 20)) {
        auto const how = exit(n, {.code = iret_code});
        if (how != outcome::resumed || delivered(n)) return how;
    }
    return run(n, [&](hv::svm::save_area& s) { s.rflags = flags; });
}

void hoisted_svm::nmi(std::uint32_t n) {
    hw(n).svm.nmi = true;
    if (hw(n).in_guest) nothing_delivered(n);
    take_nmi(n);
}

outcome hoisted_svm::init(std::uint32_t n) {
    hw(n).svm.init = true;
    return hw(n).in_guest ? exit(n, {.code = init_code}) : outcome::resumed;
}

hv::trap_frame hoisted_svm::trap(std::uint32_t n, std::uint64_t vector, std::uint64_t rip) {
    on_cpu const scope{hw(n)};
    hv::trap_frame frame{};
    frame.vector = vector;
    frame.rip = rip;
    hv_svm_trap(frame);
    return frame;
}

outcome hoisted_svm::touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) {
    // The walk of the root VM's own tables has ended, ring 3 asks as always at this level.
    auto info = 1ull << 32 | 4;
    if ((access & HV_ACCESS_WRITE) != 0) info |= 2;
    if ((access & HV_ACCESS_EXECUTE) != 0) info |= 16;
    auto const there = leaf(at);
    if (there && there->allowed != hv::rights::none) info |= 1;
    return exit(n, {.code = nested_page_fault, .info_1 = info, .info_2 = at});
}

outcome hoisted_svm::rdmsr(std::uint32_t n, std::uint32_t index) {
    gpr(n).rcx = index;
    return exit(n, {.code = msr, .info_1 = 0, .length = 2});
}

outcome hoisted_svm::wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value) {
    gpr(n).rcx = index;
    gpr(n).rax = value & 0xffffffff;
    gpr(n).rdx = value >> 32;
    return exit(n, {.code = msr, .info_1 = 1, .length = 2});
}

outcome hoisted_svm::move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value) {
    if (bit(v(n).control.cr_intercepts, 16 + number)) {
        auto const how = exit(n, {.code = cr0_write + number, .length = 3});
        if (how != outcome::resumed || delivered(n)) return how;
    }
    if (bit(v(n).control.cr_intercepts, 16 + number))
        problems.emplace_back("MOV to CR exits for ever");
    return run(n, [&](hv::svm::save_area& s) { (number == 0 ? s.cr0 : s.cr4) = value; });
}

namespace {
// In the order of enum hv_table; codes 6AH to 6DH.
constexpr unsigned table_codes[] = {0x6b, 0x6a, 0x6c, 0x6d};
/// VMSAVE and VMLOAD carry LDTR and TR.
hv::svm::vmcb_segment& place_of(cpu& hw, hv::svm::save_area& s, unsigned table) {
    hv::svm::vmcb_segment* const all[] = {&s.gdtr, &s.idtr, &hw.svm.ldtr, &hw.svm.tr};
    return *all[table];
}
}    // namespace

outcome hoisted_svm::load_table(std::uint32_t n, unsigned table, hv::table_register to) {
    auto const code = table_codes[table];
    auto const exits = [&] { return bit(v(n).control.intercepts_1, code - 0x60); };
    if (exits()) {
        auto const how = exit(n, {.code = code, .length = 3});
        if (how != outcome::resumed || delivered(n)) return how;
        if (exits()) problems.emplace_back("a table's load exits for ever");
    }
    return run(n, [&](hv::svm::save_area& s) {
        place_of(hw(n), s, table).limit = to.limit;
        place_of(hw(n), s, table).base = to.base;
    });
}

outcome hoisted_svm::move_to_dr(std::uint32_t n, unsigned number, std::uint64_t value) {
    auto const exits = [&] { return bit(v(n).control.dr_intercepts, 16 + number); };
    if (exits()) {
        auto const how = exit(n, {.code = 0x30u + number, .length = 3});
        if (how != outcome::resumed || delivered(n)) return how;
        if (exits()) problems.emplace_back("MOV to DR exits for ever");
    }
    return run(n, [&](hv::svm::save_area& s) { (number == 7 ? s.dr7 : hw(n).dr[number]) = value; });
}

std::uint64_t hoisted_svm::dr7(std::uint32_t n) { return v(n).save.dr7; }

bool hoisted_svm::exits_on(std::uint32_t n, instruction const& i) {
    auto const& control = v(n).control;
    auto const word = i.code < 0x80 ? control.intercepts_1 : control.intercepts_2;
    bool const counts = i.code != 0x7b || watches_port(control.io_map, i);
    return i.code != 0 && bit(word, i.code % 32) && counts;
}

outcome hoisted_svm::execute(std::uint32_t n, instruction const& i) {
    auto const before = rip(n);
    nothing_delivered(n);
    if (exits_on(n, i)) {
        auto const how = exit(n, {.code = i.code, .info_1 = i.info_1, .length = i.length});
        if (how != outcome::resumed || delivered(n) || rip(n) != before) return how;
        if (exits_on(n, i)) problems.emplace_back("an instruction exits for ever");
    }
    return run(n);
}

hv::table_register hoisted_svm::table(std::uint32_t n, unsigned which) {
    auto const& t = place_of(hw(n), v(n).save, which);
    return {static_cast<std::uint16_t>(t.limit), t.base};
}

outcome hoisted_svm::guest_does(std::uint32_t n, deed what, std::uint64_t at) {
    switch (what) {
    case deed::cpuid:     return exit(n, {.code = 0x72, .length = 2});
    case deed::hypercall: return exit(n, {.code = 0x81, .length = 3});
    case deed::halt:      return exit(n, {.code = 0x78, .length = 1});
    case deed::out:
        return exit(n,
                    {.code = 0x7b, .info_1 = at << 16 | 0x10, .info_2 = v_guest(n).save.rip + 1});
    case deed::read_msr:    return exit(n, {.code = msr, .info_1 = 0, .length = 2});
    case deed::write_msr:   return exit(n, {.code = msr, .info_1 = 1, .length = 2});
    case deed::set_xcr0:    return exit(n, {.code = 0x8d, .length = 3});
    case deed::touch:       return exit(n, {.code = nested_page_fault, .info_1 = 4, .info_2 = at});
    case deed::vendor_call: return exit(n, {.code = 0x80, .length = 3});
    case deed::interrupted: return exit(n, {.code = 0x60});
    case deed::shut_down:   return exit(n, {.code = 0x7f});
    case deed::unexpected:  return exit(n, {.code = 0x9f});
    }
    return outcome::parked;
}

outcome hoisted_svm::guest_is_cut_short(std::uint32_t n, std::uint32_t event) {
    return exit(n, {.code = nested_page_fault, .info_1 = 4, .info_2 = 0x1000, .event = event});
}

void hoisted_svm::enter_ring_3(std::uint32_t n) {
    auto& s = v(n).save;
    s.cs.selector = 0x33;
    s.cs.attributes = 0xafb;
    s.ss.selector = 0x2b;
    s.ss.attributes = 0xcf3;
    s.cpl = 3;
}

}    // namespace fake
