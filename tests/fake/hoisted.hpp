// SPDX-License-Identifier: MIT
#pragma once
// A root VM under the hosted core, and what happens to it: exits, NMIs, hypercalls.
#include "abi/call.h"
#include "abi/policy.h"
#include "arch/trap.hpp"
#include "board.hpp"

namespace fake {

enum class outcome { resumed, left, parked, reset };

class hoisted {
public:
    explicit hoisted(std::uint32_t cpus = 2);
    /// Without the launch: the test does it.
    static constexpr struct not_launched_yet {
    } not_launched{};
    hoisted(std::uint32_t cpus, not_launched_yet);

    void launch_all();
    /// One exit of CPU `n`, the core's answer, and the entry that follows.
    outcome exit(std::uint32_t n, exit_info const& info);
    /// An NMI arrives at CPU `n`, in its guest or in root mode.
    void nmi(std::uint32_t n);
    /// An exception or NMI meets CPU `n` in root mode; the frame as its handler leaves it.
    hv::trap_frame trap(std::uint32_t n, std::uint64_t vector, std::uint64_t rip = 0x40002000);

    /// A hypercall with the right handle from ring 0 of CPU `n`; what rax holds then.
    std::int64_t call(std::uint32_t n, std::uint64_t number, std::uint64_t a = 0,
                      std::uint64_t b = 0);
    std::int64_t load(std::vector<hv_rule> const& rules, std::uint64_t generation = 1,
                      std::uint32_t n = 0);
    outcome rdmsr(std::uint32_t n, std::uint32_t index);
    outcome wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value);
    /// MOV to CR0 or CR4 as the CPU does it: an exit if a kept bit differs, then the write itself.
    outcome move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value);
    outcome touch(std::uint32_t n, std::uint64_t at, std::uint32_t access);

    [[nodiscard]] cpu& hw(std::uint32_t n) { return *machine.cpus.at(n); }
    [[nodiscard]] vmcs& v(std::uint32_t n) { return hw(n).current(); }
    [[nodiscard]] hv::general_registers& gpr(std::uint32_t n) { return hw(n).gpr; }
    [[nodiscard]] hv::vmx::cpu& core(std::uint32_t n) const;
    [[nodiscard]] hv_cpu_shared& shared(std::uint32_t n) const;
    /// Records of ring `n` since the last call, which then have been read.
    std::vector<hv_record> records(std::uint32_t n);
    template <typename T> [[nodiscard]] T& mailbox() const {
        return *reinterpret_cast<T*>(machine.hva_of_page(machine.layout().mailbox_first()).raw);
    }
    /// What the last entry of CPU `n` delivered: vector, or nothing.
    [[nodiscard]] std::optional<std::uint64_t> delivered(std::uint32_t n);
    /// Bits of `number` that the root VM sees.
    [[nodiscard]] std::uint64_t seen(std::uint32_t n, unsigned number);
    [[nodiscard]] std::uint64_t findings();

    board machine;
    /// What no test may cause: an entry that the manual forbids, a fault in root mode.
    std::vector<std::string> problems;
    bool deaf{};    // NMIs to other CPUs get lost

private:
    outcome run_core(std::uint32_t n);
    outcome enter(std::uint32_t n);
    std::vector<std::uint64_t> seen_records_;
    std::vector<std::size_t> injected_before_;
};

hv_rule memory_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                    std::uint16_t action = HV_ACTION_DENY, std::uint32_t access = HV_ACCESS_WRITE);
hv_rule msr_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                 std::uint16_t action = HV_ACTION_DENY, std::uint32_t access = HV_ACCESS_WRITE);
hv_rule cr_rule(std::uint32_t id, unsigned number, std::uint64_t mask,
                std::uint16_t action = HV_ACTION_DENY);

}    // namespace fake
