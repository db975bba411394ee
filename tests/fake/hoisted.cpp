// SPDX-License-Identifier: MIT
#include "hoisted.hpp"
#include "vmx/entry.hpp"

extern "C" {
bool hv_vmx_exit(hv::vmx::cpu& c);
bool hv_vmx_exit_rare(hv::vmx::cpu& c, bool exited);
void hv_vmx_work(hv::vmx::cpu& c);
void hv_vmx_resume_failed(hv::vmx::cpu& c);
bool hv_vmx_guest_exit(hv::vmx::cpu& c);
void hv_vmx_guest_interrupted(hv::vmx::cpu& c);
void hv_vmx_guest_refused(hv::vmx::cpu& c);
void hv_vmx_trap(hv::trap_frame& f);
}

namespace fake {

namespace {

/// Copies the five registers that C++ functions keep.
void copy_kept(hv::general_registers& to, hv::general_registers const& from) {
    to.r15 = from.r15;
    to.r14 = from.r14;
    to.r13 = from.r13;
    to.r12 = from.r12;
    to.rbp = from.rbp;
}

/// Work is done before any entry; where there is some, the root VM's comes before a guest's.
void way_in(hv::vmx::cpu& c, bool to_guest, hv::general_registers& registers) {
    if (to_guest && c.base.pending_work.load() != 0) {
        hv_vmx_guest_interrupted(c);
        to_guest = false;
    }
    while (!to_guest && c.base.pending_work.load() != 0) hv_vmx_work(c);
    registers = to_guest ? c.guest->gpr : c.base.gpr;
}

/// As vmx/entry.S: a frequent exit leaves the kept registers where they are and saves none of them.
void way_out(hv::vmx::cpu& c, hv::general_registers& guest) {
    constexpr std::uint64_t junk = 0xbadbadbadbad0bad;
    c.base.gpr = guest;
    copy_kept(c.base.gpr, {.r15 = junk, .r14 = junk, .r13 = junk, .r12 = junk, .rbp = junk});
    bool const rare = hv_vmx_exit(c);
    copy_kept(c.base.gpr, guest);
    bool const to_guest = (rare || c.base.pending_work.load() != 0) && hv_vmx_exit_rare(c, rare);
    way_in(c, to_guest, guest);
}

void guest_way_out(hv::vmx::cpu& c, hv::general_registers& registers) {
    c.guest->gpr = registers;
    way_in(c, hv_vmx_guest_exit(c), registers);
}

/// The CPU that pages with EFER.LME set is in IA-32e mode; the exit that follows saves this.
void follow_paging(cpu& c) {
    auto& v = c.current();
    bool const paging = (v[field::cr0] >> 31 & 1) != 0;
    auto& efer = c.msrs.value[0xc0000080];
    efer = (efer & ~0x400ull) | (paging && (efer & 0x100) != 0 ? 0x400 : 0);
    v.clear_bits(field::entry, 1u << 9);
    if ((efer & 0x400) != 0) v.set_bits(field::entry, 1u << 9);
}

/// An EPT violation of a read of memory that no leaf maps.
exit_info no_memory_at(std::uint64_t at) {
    return {.reason = 48, .qualification = 0x181, .guest_physical = at};
}

}    // namespace

hoisted::hoisted(std::uint32_t cpus) : hoisted{cpus, not_launched} { launch_all(); }

hv::vmx::cpu& hoisted::core(std::uint32_t n) const {
    auto const area = machine.layout().cpu_first() + n * hv::vmx::area::pages;
    return *reinterpret_cast<hv::vmx::cpu*>(hv::vmx::area{machine.hva_of_page(area)}.cpu_at().raw);
}

outcome hoisted::exit(std::uint32_t n, exit_info const& info) {
    if (!hw(n).in_guest) {
        problems.emplace_back("an exit of a CPU that runs no guest");
        return outcome::parked;
    }
    nothing_delivered(n);
    hw(n).leave_guest(info);
    return run_core(n);
}

outcome hoisted::run_core(std::uint32_t n) {
    return on_core(n, [&] {
        auto& c = core(n);
        bool const guest = in_guest_vm(n);
        // entry.S pushes where HOST_RSP points, and hands that over.
        auto const& pushed = guest ? c.guest->gpr : c.base.gpr;
        if (v(n)[field::host_rsp] != reinterpret_cast<std::uint64_t>(&pushed + 1))
            problems.emplace_back("HOST_RSP is not behind the registers");
        if (hw(n).rip !=
            reinterpret_cast<std::uint64_t>(guest ? hv_vmx_guest_exit_entry : hv_vmx_exit_entry))
            problems.emplace_back("HOST_RIP is not the exit entry");
        guest ? guest_way_out(c, gpr(n)) : way_out(c, gpr(n));
        return enter(n);
    });
}

outcome hoisted::enter(std::uint32_t n) {
    auto& c = core(n);
    bool const guest = in_guest_vm(n);
    auto const how = hw(n).enter(guest && c.guest->launched == 0);
    if (how == entry::entered) return outcome::resumed;
    // What a guest VM's owner asks for may be what no CPU enters.
    if (guest && how == entry::failed) return run_core(n);
    if (guest) {
        hv_vmx_guest_refused(c);
        way_in(c, false, gpr(n));
        return enter(n);
    }
    bool const leaves = core(n).base.state.load() == hv::cpu_state::unhoisted;
    if (how == entry::failed && leaves) return outcome::left;
    for (auto const& rule : hw(n).broken_rules) problems.push_back("entry: " + rule);
    if (how == entry::failed) return run_core(n);
    problems.emplace_back("VMRESUME failed");
    hv_vmx_resume_failed(core(n));
    return outcome::parked;
}

void hoisted::nmi(std::uint32_t n) {
    if (hw(n).in_guest && v(n)[field::activity] == 3) return;    // held back until a SIPI
    if (hw(n).in_guest)
        exit(n, {.reason = 0, .event = 0x80000202});
    else
        trap(n, 2);
}

hv::trap_frame hoisted::trap(std::uint32_t n, std::uint64_t vector, std::uint64_t rip) {
    on_cpu const scope{hw(n)};
    hv::trap_frame frame{};
    frame.vector = vector;
    frame.rip = rip;
    hv_vmx_trap(frame);
    return frame;
}

outcome hoisted::rdmsr(std::uint32_t n, std::uint32_t index) {
    gpr(n).rcx = index;
    return exit(n, {.reason = 31, .length = 2});
}

outcome hoisted::wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value) {
    gpr(n).rcx = index;
    gpr(n).rax = value & 0xffffffff;
    gpr(n).rdx = value >> 32;
    return exit(n, {.reason = 32, .length = 2});
}

outcome hoisted::move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value) {
    auto const real = number == 0 ? field::cr0 : field::cr4;
    auto const mask = number == 0 ? field::cr0_mask : field::cr4_mask;
    auto const shadow = number == 0 ? field::cr0_shadow : field::cr4_shadow;
    nothing_delivered(n);
    for (unsigned attempt = 0; attempt < 2; ++attempt) {
        auto const kept = v(n)[mask];
        if (((value ^ v(n)[shadow]) & kept) == 0) {
            v(n).set(real, (v(n)[real] & kept) | (value & ~kept));
            if (number == 0) follow_paging(hw(n));
            return steps(n) ? end_step(n) : outcome::resumed;
        }
        gpr(n).rbx = value;
        auto const how = exit(n, {.reason = 28, .qualification = number | 3u << 8});
        if (how != outcome::resumed || delivered(n)) return how;
    }
    problems.emplace_back("MOV to CR exits for ever");
    return outcome::resumed;
}

namespace {
struct table_fields {
    std::uint32_t base, limit;
};
// In the order of enum hv_table.
constexpr table_fields fields_of[] = {{field::gdtr_base, field::gdtr_limit},
                                      {field::idtr_base, field::idtr_limit},
                                      {field::ldtr_base, field::tr_limit - 2},
                                      {field::tr_base, field::tr_limit}};
}    // namespace

outcome hoisted::load_table(std::uint32_t n, unsigned table, hv::table_register to) {
    nothing_delivered(n);
    if (tables_exit(n)) {
        auto const how = exit(n, {.reason = table < HV_TABLE_LDT ? 46u : 47u, .length = 3});
        if (how != outcome::resumed || delivered(n)) return how;
        if (tables_exit(n)) problems.emplace_back("a table's load exits for ever");
    }
    v(n).set(fields_of[table].base, to.base);
    v(n).set(fields_of[table].limit, to.limit);
    v(n).set(field::rip, v(n)[field::rip] + 3);
    return steps(n) ? end_step(n) : outcome::resumed;
}

hv::table_register hoisted::table(std::uint32_t n, unsigned which) {
    return {static_cast<std::uint16_t>(v(n)[fields_of[which].limit]), v(n)[fields_of[which].base]};
}

outcome hoisted::move_to_dr(std::uint32_t n, unsigned number, std::uint64_t value) {
    auto const exits = [&] { return (v(n)[field::processor] >> 23 & 1) != 0; };
    nothing_delivered(n);
    if (exits()) {
        auto const how = exit(n, {.reason = 29, .qualification = number, .length = 3});
        if (how != outcome::resumed || delivered(n)) return how;
        if (exits()) problems.emplace_back("MOV to DR exits for ever");
    }
    if (number == 7)
        v(n).set(field::dr7, value);
    else
        hw(n).dr[number] = value;
    v(n).set(field::rip, v(n)[field::rip] + 3);
    return steps(n) ? end_step(n) : outcome::resumed;
}

std::uint64_t hoisted::dr7(std::uint32_t n) { return v(n)[field::dr7]; }

bool hoisted::exits_on(std::uint32_t n, instruction const& i) {
    auto const primary = [&](unsigned bit) { return (v(n)[field::processor] >> bit & 1) != 0; };
    auto const secondary = [&](unsigned bit) { return (v(n)[field::secondary] >> bit & 1) != 0; };
    switch (i.reason) {
    case 14: return primary(9);
    case 15: return primary(11);
    case 16:
    case 51: return primary(12);
    case 30: return primary(25) && watches_port(v(n)[field::io_bitmap_a], i);
    case 36: return primary(10);
    case 39: return primary(29);
    case 54: return secondary(6);
    case 57: return secondary(11);
    case 61: return secondary(16);
    default: return true;    // CPUID, XSETBV
    }
}

outcome hoisted::execute(std::uint32_t n, instruction const& i) {
    auto const before = rip(n);
    nothing_delivered(n);
    if (exits_on(n, i)) {
        auto const how = exit(
            n, {.reason = i.reason, .qualification = i.qualification, .length = i.length});
        if (how != outcome::resumed || delivered(n) || rip(n) != before) return how;
        if (exits_on(n, i)) problems.emplace_back("an instruction exits for ever");
    }
    v(n).set(field::rip, before + i.length);
    return steps(n) ? end_step(n) : outcome::resumed;
}

outcome hoisted::touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) {
    return exit(n, {.reason = 48, .qualification = access | 0x180, .guest_physical = at});
}

std::uint64_t hoisted::seen(std::uint32_t n, unsigned number) {
    auto const real = v(n)[number == 0 ? field::cr0 : field::cr4];
    auto const mask = v(n)[number == 0 ? field::cr0_mask : field::cr4_mask];
    auto const shadow = v(n)[number == 0 ? field::cr0_shadow : field::cr4_shadow];
    return (real & ~mask) | (shadow & mask);
}

outcome hoisted::guest_does(std::uint32_t n, deed what, std::uint64_t at) {
    switch (what) {
    case deed::cpuid:       return exit(n, {.reason = 10, .length = 2});
    case deed::hypercall:   return exit(n, {.reason = 18});
    case deed::halt:        return exit(n, {.reason = 12, .length = 1});
    case deed::out:         return exit(n, {.reason = 30, .qualification = at << 16, .length = 1});
    case deed::read_msr:    return exit(n, {.reason = 31, .length = 2});
    case deed::write_msr:   return exit(n, {.reason = 32, .length = 2});
    case deed::set_xcr0:    return exit(n, {.reason = 55});
    case deed::touch:       return exit(n, no_memory_at(at));
    case deed::vendor_call: return exit(n, {.reason = 27});
    case deed::interrupted: return exit(n, {.reason = 1});
    case deed::shut_down:   return exit(n, {.reason = 2});
    case deed::unexpected:  return exit(n, {.reason = 9});
    }
    return outcome::parked;
}

outcome hoisted::guest_is_cut_short(std::uint32_t n, std::uint32_t event) {
    auto info = no_memory_at(0x1000);
    info.vectoring = event;
    return exit(n, info);
}

void hoisted::enter_ring_3(std::uint32_t n) {
    v(n).set(field::cs_selector, 0x33);
    v(n).set(field::cs_access, 0xa0fb);
    v(n).set(field::ss_selector, 0x2b);
    v(n).set(field::ss_access, 0xc0f3);
}

}    // namespace fake
