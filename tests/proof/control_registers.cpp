// SPDX-License-Identifier: MIT
// What a write to CR0 or CR4 comes to, for every value, every state and every rule in force.
#include "prove.hpp"
#include "vcpu/control_register.hpp"

// The rules say anything; that they say what was loaded is for unit tests.
// any decide in write_cr0 write_cr4

namespace {
using namespace hv;

constinit policy::rule_set rules{};

/// SDM 2B "MOV—Move to/from Control Registers" and SDM 3A 2.5, said again bit by bit.
constexpr std::uint64_t bit(std::uint64_t value, unsigned number) { return value >> number & 1; }

bool real_cpu_takes_cr0(std::uint64_t v, std::uint64_t cr0_now, std::uint64_t cr4_now,
                        std::uint64_t efer_now, bool code_64) {
    if (v > 0xffffffff) return false;
    if (bit(v, 29) && !bit(v, 30)) return false;          // NW without CD
    if (bit(v, 31) && !bit(v, 0)) return false;           // PG without PE
    if (!bit(v, 16) && bit(cr4_now, 23)) return false;    // WP off under CET
    bool const starts = bit(v, 31) && !bit(cr0_now, 31);
    bool const ends = !bit(v, 31) && bit(cr0_now, 31);
    if (starts && bit(efer_now, 8) && (!bit(cr4_now, 5) || code_64))
        return false;                              // LME: PAE, CS.L
    if (ends && bit(cr4_now, 17)) return false;    // PCIDE
    return !(ends && bit(efer_now, 10) && code_64);
}

bool real_cpu_takes_cr4(std::uint64_t v, std::uint64_t cr0_now, std::uint64_t cr4_now,
                        std::uint64_t efer_now, std::uint64_t cr3, std::uint64_t has) {
    if ((v & ~has) != 0) return false;
    bool const long_mode = bit(efer_now, 10);
    if (long_mode && !bit(v, 5)) return false;                        // PAE
    if (long_mode && bit(v, 12) != bit(cr4_now, 12)) return false;    // LA57
    if (bit(v, 23) && !bit(cr0_now, 16)) return false;                // CET without WP
    bool const starts = bit(v, 17) && !bit(cr4_now, 17);              // PCIDE
    return !starts || (long_mode && (cr3 & 0xfff) == 0);
}

paging_mode any_mode() {
    return {.now0 = make<cr0>(HV_INPUT("cr0")),
            .now4 = make<cr4>(HV_INPUT("cr4")),
            .now_efer = make<efer>(HV_INPUT("efer")),
            .code_64 = prove_any_bool(),
            .cr3 = HV_INPUT("cr3"),
            .cr4_bits = HV_INPUT("cr4_bits")};
}

void write(unsigned number) {
    masked_register const now{.real = HV_INPUT("real"),
                              .shadow = HV_INPUT("shadow"),
                              .mask = HV_INPUT("mask"),
                              .pinned = HV_INPUT("pinned")};
    reserved_bits const bits{.never = HV_INPUT("never"), .virtually = HV_INPUT("virtually")};
    rules.bit_mask_.items[number == 4] = HV_INPUT("watched");
    auto const watched = rules.bit_mask_.items[number == 4];
    auto const wanted = HV_INPUT("wanted");
    auto const d = decide_write(number, now, wanted, bits, rules);

    if ((wanted & bits.never) != 0) prove_check(d.fault, "a bit that this CPU does not have");
    if (d.by.action == action::deny) prove_check(d.fault, "a rule that denies and no fault");
    prove_check(((d.value ^ wanted) & ~d.by.kept) == 0, "a bit that no rule keeps");
    // Where they are watched, and so, by vmx/cpu.cpp, as the root VM sees them.
    auto const kept = d.by.kept & (d.value ^ wanted);
    if (kept != 0) prove_reach("bits that are kept");
    prove_check(((d.value ^ now.seen()) & kept) == 0, "a bit that is kept and changes");
    prove_check(d.fault || ((d.next.real ^ now.real) & kept) == 0, "a bit is kept for show only");
    if (d.fault) {
        prove_reach("a write that faults");
        prove_check(d.next.real == now.real && d.next.shadow == now.shadow,
                    "a write that faults and changes something");
        return;
    }
    prove_reach("a write that is taken");
    prove_check(((d.next.real ^ now.real) & (bits.never | bits.virtually | ~watched)) == 0,
                "a write reaches a bit that is the core's, or that nobody watches");
    prove_check(((d.next.seen() ^ wanted) & now.mask) == 0, "the root VM sees what it wrote");
    prove_check(d.next.mask == now.mask, "a write changes what belongs to the core");
}

}    // namespace

extern "C" void write_cr0() { write(0); }
extern "C" void write_cr4() { write(4); }

extern "C" void cr0_taken() {
    auto const m = any_mode();
    auto const wanted = HV_INPUT("wanted");
    bool const takes = takes_cr0(make<cr0>(wanted), m);
    bool const real = real_cpu_takes_cr0(wanted, m.now0.raw, m.now4.raw, m.now_efer.raw, m.code_64);
    prove_check(takes == real, "CR0 is taken exactly as a CPU takes it");
    takes ? prove_reach("a CR0 that is taken") : prove_reach("a CR0 that faults");
}

extern "C" void cr4_taken() {
    auto const m = any_mode();
    auto const wanted = HV_INPUT("wanted");
    bool const takes = takes_cr4(make<cr4>(wanted), m);
    bool const real = real_cpu_takes_cr4(wanted, m.now0.raw, m.now4.raw, m.now_efer.raw, m.cr3,
                                         m.cr4_bits);
    prove_check(takes == real, "CR4 is taken exactly as a CPU takes it");
    takes ? prove_reach("a CR4 that is taken") : prove_reach("a CR4 that faults");
}

#include "policy/rule_set.cpp"
