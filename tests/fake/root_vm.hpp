// SPDX-License-Identifier: MIT
#pragma once
// A root VM under the hosted core, and what happens to it on either vendor's CPUs: hypercalls,
// NMIs, accesses to memory and MSRs. What only one vendor has is in hoisted.hpp and in
// hoisted_svm.hpp.
#include "abi/call.h"
#include "abi/policy.h"
#include "arch/descriptor.hpp"
#include "arch/trap.hpp"
#include "board.hpp"

namespace hv {
inline bool operator==(table_register const& a, table_register const& b) {
    return a.limit == b.limit && a.base == b.base;
}
}    // namespace hv

namespace fake {

enum class outcome { resumed, left, parked, reset };

/// What a guest VM does, or what happens to it, that makes it exit.
enum class deed {
    cpuid,
    hypercall,
    halt,
    out,    // a byte to port `at`
    read_msr,
    write_msr,
    set_xcr0,
    touch,          // guest-physical memory at `at`, for reading
    vendor_call,    // an instruction of the vendor's virtualization
    interrupted,
    shut_down,
    unexpected,
};

/// One that rules may watch: how each vendor's CPU tells of its exit.
struct instruction {
    std::uint32_t reason;
    std::uint64_t code;
    std::uint64_t qualification, info_1;
    std::uint32_t length;
    std::uint16_t port, bytes;    // of IN and OUT
};
instruction io_instruction(std::uint16_t port, std::uint16_t bytes, bool in, bool string = false);
/// which   of enum hv_instruction
instruction watched_instruction(std::uint32_t which);
inline constexpr instruction cpuid_instruction{10, 0x72, 0, 0, 2, 0, 0};
inline constexpr instruction xsetbv_instruction{55, 0x8d, 0, 0, 3, 0, 0};

class root_vm {
public:
    /// Without the launch: the test does it.
    static constexpr struct not_launched_yet {
    } not_launched{};
    root_vm(std::uint32_t cpus, vendor maker);
    virtual ~root_vm() = default;
    root_vm(root_vm const&) = delete;
    root_vm& operator=(root_vm const&) = delete;
    static std::unique_ptr<root_vm> hoisted_on(vendor maker);

    void launch_all();
    /// A hypercall from ring 0 of CPU `n`, its number and arguments in the registers.
    virtual outcome hypercall(std::uint32_t n) = 0;
    /// An exit that the core never asked for.
    virtual outcome unexpected(std::uint32_t n) = 0;
    virtual outcome invd(std::uint32_t n) = 0;
    /// An NMI arrives at CPU `n`, in its guest or in root mode.
    virtual void nmi(std::uint32_t n) = 0;
    virtual outcome touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) = 0;
    /// What lets an access happen for one instruction comes to its end.
    virtual outcome end_step(std::uint32_t n) = 0;
    /// What lets a logged access happen comes to its end.
    virtual outcome end_slice(std::uint32_t n) = 0;
    virtual outcome rdmsr(std::uint32_t n, std::uint32_t index) = 0;
    virtual outcome wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value) = 0;
    /// MOV to CR0 or CR4 as the CPU does it, with the exits that this takes.
    virtual outcome move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value) = 0;
    /// CR0 or CR4 as the root VM sees it.
    [[nodiscard]] virtual std::uint64_t seen(std::uint32_t n, unsigned number) = 0;
    [[nodiscard]] virtual std::uint64_t rip(std::uint32_t n) = 0;
    virtual void set_rip(std::uint32_t n, std::uint64_t to) = 0;
    /// LGDT, LIDT, LLDT or LTR (enum hv_table) as the CPU does it, with the exits that this takes.
    virtual outcome load_table(std::uint32_t n, unsigned table, hv::table_register to) = 0;
    [[nodiscard]] virtual hv::table_register table(std::uint32_t n, unsigned which) = 0;
    /// MOV to a debug register, with the exits that this takes.
    virtual outcome move_to_dr(std::uint32_t n, unsigned number, std::uint64_t value) = 0;
    [[nodiscard]] virtual std::uint64_t dr7(std::uint32_t n) = 0;
    /// Whether the controls make it exit now; and it is executed, with the exits that this takes.
    [[nodiscard]] virtual bool exits_on(std::uint32_t n, instruction const& i) = 0;
    virtual outcome execute(std::uint32_t n, instruction const& i) = 0;
    virtual void enter_ring_3(std::uint32_t n) = 0;
    /// Whether CPU `n` runs a guest VM, and what that does: its exit, and the entry that follows.
    [[nodiscard]] virtual bool in_guest_vm(std::uint32_t n) const = 0;
    virtual outcome guest_does(std::uint32_t n, deed what, std::uint64_t at = 0) = 0;
    /// An exit for memory that is not there, amid the delivery of `event`.
    virtual outcome guest_is_cut_short(std::uint32_t n, std::uint32_t event) = 0;
    /// How often CPU `n` has dropped its translations.
    [[nodiscard]] virtual std::uint64_t flushes(std::uint32_t n) = 0;
    [[nodiscard]] virtual hv::cpu& common(std::uint32_t n) const = 0;

    // Of struct machine.
    [[nodiscard]] virtual std::optional<hv::translation> leaf(std::uint64_t at) const = 0;
    [[nodiscard]] virtual hv::page_pool& pool() const = 0;
    [[nodiscard]] virtual hv::frames& frames() const = 0;
    [[nodiscard]] virtual hv::policy::rule_set& rules() const = 0;
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
    [[nodiscard]] virtual bool locked() const = 0;
    /// Markers.
    [[nodiscard]] virtual std::uint64_t reached() const = 0;
    virtual void set_time_slices(bool there) = 0;
    /// What the CPUs can be made to exit on: watchable_…, and instructions.
    virtual void set_exits(std::uint32_t there) = 0;
    /// Behind the guard's back: a leaf of 4 KiB at `at`, where there is one, that leads to `to`.
    virtual void plant_leaf(std::uint64_t at, hv::hpa to) = 0;

    /// A hypercall with the right handle from ring 0 of CPU `n`; what rax holds then.
    std::int64_t call(std::uint32_t n, std::uint64_t number, std::uint64_t a = 0,
                      std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0);
    std::int64_t load(std::vector<hv_rule> const& rules, std::uint64_t generation = 1,
                      std::uint32_t n = 0);
    [[nodiscard]] cpu& hw(std::uint32_t n) { return *machine.cpus.at(n); }
    [[nodiscard]] hv::general_registers& gpr(std::uint32_t n) { return hw(n).gpr; }
    [[nodiscard]] hv_cpu_shared& shared(std::uint32_t n) const;
    /// Records of ring `n` since the last call, which then have been read.
    std::vector<hv_record> records(std::uint32_t n);
    template <typename T> [[nodiscard]] T& mailbox() const {
        return *reinterpret_cast<T*>(machine.hva_of_page(machine.layout().mailbox_first()).raw);
    }
    /// What the last exit of CPU `n` led to: the event of the entry, or nothing.
    [[nodiscard]] std::optional<std::uint64_t> delivered(std::uint32_t n);
    [[nodiscard]] std::uint64_t findings();

    board machine;
    /// What no test may cause: an entry that the manual forbids, a fault in root mode.
    std::vector<std::string> problems;
    bool deaf{};    // NMIs to other CPUs get lost

protected:
    /// Whether the map of ports at `map` names one that the instruction is about.
    [[nodiscard]] bool watches_port(std::uint64_t map, instruction const& i) const;
    /// From here on, an event counts as delivered().
    void nothing_delivered(std::uint32_t n) { injected_before_[n] = hw(n).injected.size(); }
    /// Runs the core's code on CPU `n`, and says how it ended where it did not return.
    template <typename Run> outcome on_core(std::uint32_t n, Run const& run);

private:
    std::vector<std::uint64_t> seen_records_;
    std::vector<std::size_t> injected_before_;
};

template <typename Run> outcome root_vm::on_core(std::uint32_t n, Run const& run) {
    on_cpu const scope{hw(n)};
    try {
        return run();
    } catch (halted const&) {
        return outcome::parked;
    } catch (machine_reset const&) {
        return outcome::reset;
    } catch (root_fault const& f) {
        problems.push_back("exception in root mode: vector " + std::to_string(f.vector));
        return outcome::parked;
    }
}

/// The part of struct machine that both backends have.
template <typename Machine> class root_vm_of : public root_vm {
public:
    using root_vm::root_vm;
    [[nodiscard]] Machine& core_machine() const { return machine.machine<Machine>(); }
    [[nodiscard]] std::optional<hv::translation> leaf(std::uint64_t at) const override {
        return core_machine().stage.translate(hv::gpa{at});
    }
    [[nodiscard]] hv::page_pool& pool() const override { return core_machine().pool; }
    [[nodiscard]] hv::frames& frames() const override { return core_machine().all; }
    [[nodiscard]] hv::policy::rule_set& rules() const override { return core_machine().rules(); }
    [[nodiscard]] std::uint64_t generation() const override { return core_machine().generation; }
    [[nodiscard]] bool locked() const override { return core_machine().locked.load() != 0; }
    [[nodiscard]] std::uint64_t reached() const override { return core_machine().reached; }
    void set_time_slices(bool there) override { core_machine().time_slices = there; }
    void set_exits(std::uint32_t there) override { core_machine().exits = there; }
    void plant_leaf(std::uint64_t at, hv::hpa to) override {
        using format = std::conditional_t<Machine::stage_has_types, hv::ept_format, hv::npt_format>;
        auto& m = core_machine();
        auto table = m.stage.root();
        for (unsigned level = 4; level > 1; --level)
            table = format::table_of(m.tables.read(table, hv::entry_index(hv::gpa{at}, level)));
        m.tables.write(
            table, hv::entry_index(hv::gpa{at}, 1),
            format::leaf({to, hv::rights::read, hv::memory_type::wb, hv::guest_pat::ignored}, 1));
    }
};

hv_rule memory_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                    std::uint16_t action = HV_ACTION_DENY, std::uint32_t access = HV_ACCESS_WRITE);
hv_rule msr_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                 std::uint16_t action = HV_ACTION_DENY, std::uint32_t access = HV_ACCESS_WRITE);
hv_rule cr_rule(std::uint32_t id, unsigned number, std::uint64_t mask,
                std::uint16_t action = HV_ACTION_DENY);
/// mask   as of HV_RULE_DR
hv_rule debug_rule(std::uint32_t id, std::uint64_t mask, std::uint16_t action = HV_ACTION_DENY);
/// Users that VMs belong to, and what all their VMs may have.
struct users {
    std::uint32_t first{}, last{~0u};
};
struct limits {
    std::uint64_t vms{~0ull}, pages{~0ull}, vcpus{~0ull};
};
hv_rule limit_rule(std::uint32_t id, users of, limits most, std::uint16_t action = HV_ACTION_DENY);
/// The same rule about the guest VMs of these users.
hv_rule of_guests(hv_rule r, users of = {});
/// first, last   of enum hv_table
hv_rule table_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                   std::uint16_t action = HV_ACTION_DENY);
hv_rule passing(hv_rule r, std::uint64_t first, std::uint64_t last);
/// On the CPUs `n` alone, in launch order.
hv_rule on_cpus(hv_rule r, std::initializer_list<std::uint32_t> n);
/// With these flags too.
hv_rule lasting(hv_rule r, std::uint32_t flags);
hv_rule io_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                std::uint16_t action = HV_ACTION_DENY,
                std::uint32_t access = HV_ACCESS_READ | HV_ACCESS_WRITE);
/// mask   bits of XCR0
hv_rule xcr_rule(std::uint32_t id, std::uint64_t mask, std::uint16_t action = HV_ACTION_DENY);
/// eax_ebx, ecx_edx   the bits that are hidden, the second register's from bit 32 on
hv_rule cpuid_rule(std::uint32_t id, std::uint64_t leaf, std::uint64_t eax_ebx,
                   std::uint64_t ecx_edx, std::uint16_t action = HV_ACTION_DENY);
/// mask   1 << enum hv_instruction
hv_rule instruction_rule(std::uint32_t id, std::uint64_t mask,
                         std::uint16_t action = HV_ACTION_DENY);

}    // namespace fake
