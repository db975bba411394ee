// SPDX-License-Identifier: MIT
#pragma once
// A root VM under the hosted core on VMX.
#include "root_vm.hpp"

namespace fake {

class hoisted : public root_vm_of<hv::vmx::root_machine> {
public:
    explicit hoisted(std::uint32_t cpus = 2);
    hoisted(std::uint32_t cpus, not_launched_yet) : root_vm_of{cpus, vendor::intel} {}

    /// One exit of CPU `n`, the core's answer, and the entry that follows.
    outcome exit(std::uint32_t n, exit_info const& info);
    /// An exception or NMI meets CPU `n` in root mode; the frame as its handler leaves it.
    hv::trap_frame trap(std::uint32_t n, std::uint64_t vector, std::uint64_t rip = 0x40002000);

    outcome hypercall(std::uint32_t n) override { return exit(n, {.reason = 18}); }
    outcome unexpected(std::uint32_t n) override { return exit(n, {.reason = 27}); }
    outcome invd(std::uint32_t n) override { return exit(n, {.reason = 13, .length = 2}); }
    void nmi(std::uint32_t n) override;
    outcome touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) override;
    outcome end_step(std::uint32_t n) override {
        return exit(n, {.reason = 0, .qualification = 0x4000, .event = 0x80000301});
    }
    outcome end_slice(std::uint32_t n) override { return exit(n, {.reason = 52}); }
    outcome rdmsr(std::uint32_t n, std::uint32_t index) override;
    outcome wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value) override;
    outcome move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value) override;
    [[nodiscard]] std::uint64_t seen(std::uint32_t n, unsigned number) override;
    [[nodiscard]] std::uint64_t rip(std::uint32_t n) override { return v(n)[field::rip]; }
    void set_rip(std::uint32_t n, std::uint64_t to) override { v(n).set(field::rip, to); }
    outcome load_table(std::uint32_t n, unsigned table, hv::table_register to) override;
    [[nodiscard]] hv::table_register table(std::uint32_t n, unsigned which) override;
    outcome move_to_dr(std::uint32_t n, unsigned number, std::uint64_t value) override;
    [[nodiscard]] std::uint64_t dr7(std::uint32_t n) override;
    /// Whether the CPU leaves the guest after its next instruction.
    [[nodiscard]] bool steps(std::uint32_t n) { return (v(n)[field::rflags] >> 8 & 1) != 0; }
    [[nodiscard]] bool tables_exit(std::uint32_t n) {
        return (v(n)[field::secondary] >> 2 & 1) != 0;
    }
    [[nodiscard]] bool exits_on(std::uint32_t n, instruction const& i) override;
    outcome execute(std::uint32_t n, instruction const& i) override;
    void enter_ring_3(std::uint32_t n) override;
    [[nodiscard]] std::uint64_t flushes(std::uint32_t n) override {
        return hw(n).count(op::invept);
    }
    [[nodiscard]] hv::cpu& common(std::uint32_t n) const override { return core(n).base; }

    [[nodiscard]] bool in_guest_vm(std::uint32_t n) const override {
        return core(n).guest != nullptr;
    }
    outcome guest_does(std::uint32_t n, deed what, std::uint64_t at) override;
    outcome guest_is_cut_short(std::uint32_t n, std::uint32_t event) override;

    [[nodiscard]] vmcs& v(std::uint32_t n) { return hw(n).current(); }
    [[nodiscard]] hv::vmx::cpu& core(std::uint32_t n) const;

private:
    outcome run_core(std::uint32_t n);
    outcome enter(std::uint32_t n);
};

}    // namespace fake
