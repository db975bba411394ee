// SPDX-License-Identifier: MIT
#include "hoisted.hpp"
#include "vmx/entry.hpp"

extern "C" {
bool hv_vmx_exit(hv::vmx::cpu& c);
void hv_vmx_exit_rare(hv::vmx::cpu& c, bool exited);
void hv_vmx_work(hv::vmx::cpu& c);
void hv_vmx_resume_failed(hv::vmx::cpu& c);
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

/// As vmx/entry.S: a frequent exit leaves the kept registers where they are and saves none of them.
void way_out(hv::vmx::cpu& c, hv::general_registers& guest) {
    constexpr std::uint64_t junk = 0xbadbadbadbad0bad;
    c.base.gpr = guest;
    copy_kept(c.base.gpr, {.r15 = junk, .r14 = junk, .r13 = junk, .r12 = junk, .rbp = junk});
    bool const rare = hv_vmx_exit(c);
    copy_kept(c.base.gpr, guest);
    if (rare || c.base.pending_work.load() != 0) {
        hv_vmx_exit_rare(c, rare);
        while (c.base.pending_work.load() != 0) hv_vmx_work(c);
    }
    guest = c.base.gpr;
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

}    // namespace

hoisted::hoisted(std::uint32_t cpus, not_launched_yet)
    : machine{cpus}, seen_records_(cpus), injected_before_(cpus) {
    machine.on_nmi = [this](std::uint32_t n) {
        if (!deaf) nmi(n);
    };
}

hoisted::hoisted(std::uint32_t cpus) : hoisted{cpus, not_launched} { launch_all(); }

void hoisted::launch_all() {
    for (std::uint32_t n = 0; n < machine.cpus.size(); ++n) {
        auto args = machine.arguments(n);
        auto const error = machine.launch(n, args);
        if (error == 0) continue;
        problems.push_back("launch failed at step " + std::to_string(args.step));
        for (auto const& rule : hw(n).broken_rules) problems.push_back(rule);
        return;
    }
}

hv::vmx::cpu& hoisted::core(std::uint32_t n) const {
    auto const area = machine.layout().cpu_first() + n * hv::vmx::area::pages;
    return *reinterpret_cast<hv::vmx::cpu*>(
        hv::vmx::area{machine.hva_of_page(area)}.cpu_at().raw);
}

hv_cpu_shared& hoisted::shared(std::uint32_t n) const {
    auto const page = machine.layout().shared_cpu_first() + n * hv::shared_cpu_pages;
    return *reinterpret_cast<hv_cpu_shared*>(machine.hva_of_page(page).raw);
}

outcome hoisted::exit(std::uint32_t n, exit_info const& info) {
    if (!hw(n).in_guest) {
        problems.emplace_back("an exit of a CPU that runs no guest");
        return outcome::parked;
    }
    on_cpu const scope{hw(n)};
    injected_before_[n] = hw(n).injected.size();
    hw(n).leave_guest(info);
    return run_core(n);
}

outcome hoisted::run_core(std::uint32_t n) {
    try {
        auto& c = core(n);
        // entry.S pushes where HOST_RSP points, and hands that over.
        if (v(n)[field::host_rsp] != reinterpret_cast<std::uint64_t>(&c) + sizeof c.base.gpr)
            problems.emplace_back("HOST_RSP is not behind the registers");
        if (hw(n).rip != reinterpret_cast<std::uint64_t>(hv_vmx_exit_entry))
            problems.emplace_back("HOST_RIP is not the exit entry");
        way_out(c, gpr(n));
        return enter(n);
    } catch (halted const&) {
        return outcome::parked;
    } catch (machine_reset const&) {
        return outcome::reset;
    } catch (root_fault const& f) {
        problems.push_back("exception in root mode: vector " + std::to_string(f.vector));
        return outcome::parked;
    }
}

outcome hoisted::enter(std::uint32_t n) {
    auto const how = hw(n).enter(false);
    if (how == entry::entered) return outcome::resumed;
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

std::int64_t hoisted::call(std::uint32_t n, std::uint64_t number, std::uint64_t a,
                           std::uint64_t b) {
    gpr(n).rax = number;
    gpr(n).rdi = board::secret;
    gpr(n).rsi = a;
    gpr(n).rdx = b;
    exit(n, {.reason = 18});
    return static_cast<std::int64_t>(gpr(n).rax);
}

std::int64_t hoisted::load(std::vector<hv_rule> const& rules, std::uint64_t generation,
                           std::uint32_t n) {
    for (std::size_t i = 0; i < rules.size(); ++i) (&mailbox<hv_rule>())[i] = rules[i];
    return call(n, HV_CALL_POLICY_LOAD, rules.size(), generation);
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
    injected_before_[n] = hw(n).injected.size();
    for (unsigned attempt = 0; attempt < 2; ++attempt) {
        auto const kept = v(n)[mask];
        if (((value ^ v(n)[shadow]) & kept) == 0) {
            v(n).set(real, (v(n)[real] & kept) | (value & ~kept));
            if (number == 0) follow_paging(hw(n));
            return outcome::resumed;
        }
        gpr(n).rbx = value;
        auto const how = exit(n, {.reason = 28, .qualification = number | 3u << 8});
        if (how != outcome::resumed || delivered(n)) return how;
    }
    problems.emplace_back("MOV to CR exits for ever");
    return outcome::resumed;
}

outcome hoisted::touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) {
    return exit(n, {.reason = 48, .qualification = access | 0x180, .guest_physical = at});
}

std::vector<hv_record> hoisted::records(std::uint32_t n) {
    std::vector<hv_record> news;
    auto const* ring = reinterpret_cast<hv_record const*>(reinterpret_cast<char*>(&shared(n)) +
                                                          4096);
    for (; seen_records_[n] < shared(n).head; ++seen_records_[n])
        news.push_back(ring[seen_records_[n] % HV_RING_RECORDS]);
    if (!core(n).base.records.release(seen_records_[n])) problems.emplace_back("ring not released");
    return news;
}

std::optional<std::uint64_t> hoisted::delivered(std::uint32_t n) {
    if (hw(n).injected.size() == injected_before_[n]) return std::nullopt;
    return hw(n).injected.back();
}

std::uint64_t hoisted::seen(std::uint32_t n, unsigned number) {
    auto const real = v(n)[number == 0 ? field::cr0 : field::cr4];
    auto const mask = v(n)[number == 0 ? field::cr0_mask : field::cr4_mask];
    auto const shadow = v(n)[number == 0 ? field::cr0_shadow : field::cr4_shadow];
    return (real & ~mask) | (shadow & mask);
}

std::uint64_t hoisted::findings() {
    call(0, HV_CALL_AUDIT);
    return mailbox<hv_audit>().findings;
}

hv_rule memory_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last, std::uint16_t action,
                    std::uint32_t access) {
    return {id, HV_RULE_MEMORY, action, access, 0, first, last, 0};
}
hv_rule msr_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last, std::uint16_t action,
                 std::uint32_t access) {
    return {id, HV_RULE_MSR, action, access, 0, first, last, 0};
}
hv_rule cr_rule(std::uint32_t id, unsigned number, std::uint64_t mask, std::uint16_t action) {
    return {id, HV_RULE_CR, action, HV_ACCESS_WRITE, 0, number, number, mask};
}

}    // namespace fake
