// SPDX-License-Identifier: MIT
#pragma once
// A root VM under the hosted core on SVM.
#include "root_vm.hpp"

namespace fake {

class hoisted_svm : public root_vm_of<hv::svm::root_machine> {
public:
    explicit hoisted_svm(std::uint32_t cpus = 2);
    hoisted_svm(std::uint32_t cpus, not_launched_yet) : root_vm_of{cpus, vendor::amd} {}

    /// One exit of CPU `n`, the core's answer, and the entry that follows; where an NMI waits, its
    /// exit too.
    outcome exit(std::uint32_t n, svm_exit const& info);
    /// The guest executes one instruction, with `effect` on its registers, and takes the trap that
    /// the trap flag asks for.
    outcome
    run(std::uint32_t n, std::function<void(hv::svm::save_area&)> const& effect = [](auto&) {});
    /// An exception in the guest, which the core may have asked for.
    outcome exception(std::uint32_t n, unsigned vector, std::uint64_t error = 0,
                      std::uint64_t address = 0);
    /// IRET, which loads these flags.
    outcome iret(std::uint32_t n, std::uint64_t flags = 2);
    outcome init(std::uint32_t n);
    /// An exception or NMI meets CPU `n` in root mode; the frame as its handler leaves it.
    hv::trap_frame trap(std::uint32_t n, std::uint64_t vector, std::uint64_t rip = 0x40002000);

    outcome hypercall(std::uint32_t n) override { return exit(n, {.code = 0x81, .length = 3}); }
    outcome unexpected(std::uint32_t n) override { return exit(n, {.code = 0x72}); }
    outcome invd(std::uint32_t n) override { return exit(n, {.code = 0x76, .length = 2}); }
    void nmi(std::uint32_t n) override;
    outcome touch(std::uint32_t n, std::uint64_t at, std::uint32_t access) override;
    outcome end_step(std::uint32_t n) override { return run(n); }
    outcome end_slice(std::uint32_t n) override { return run(n); }
    outcome rdmsr(std::uint32_t n, std::uint32_t index) override;
    outcome wrmsr(std::uint32_t n, std::uint32_t index, std::uint64_t value) override;
    outcome move_to_cr(std::uint32_t n, unsigned number, std::uint64_t value) override;
    [[nodiscard]] std::uint64_t seen(std::uint32_t n, unsigned number) override {
        return number == 0 ? v(n).save.cr0 : v(n).save.cr4;
    }
    [[nodiscard]] std::uint64_t rip(std::uint32_t n) override { return v(n).save.rip; }
    void set_rip(std::uint32_t n, std::uint64_t to) override { v(n).save.rip = to; }
    outcome load_table(std::uint32_t n, unsigned table, hv::table_register to) override;
    [[nodiscard]] hv::table_register table(std::uint32_t n, unsigned which) override;
    outcome move_to_dr(std::uint32_t n, unsigned number, std::uint64_t value) override;
    [[nodiscard]] std::uint64_t dr7(std::uint32_t n) override;
    [[nodiscard]] bool exits_on(std::uint32_t n, instruction const& i) override;
    outcome execute(std::uint32_t n, instruction const& i) override;
    void enter_ring_3(std::uint32_t n) override;
    [[nodiscard]] std::uint64_t flushes(std::uint32_t n) override { return hw(n).svm.flushes; }
    [[nodiscard]] hv::cpu& common(std::uint32_t n) const override { return core(n).base; }

    [[nodiscard]] bool in_guest_vm(std::uint32_t n) const override {
        return core(n).guest != nullptr;
    }
    outcome guest_does(std::uint32_t n, deed what, std::uint64_t at) override;
    outcome guest_is_cut_short(std::uint32_t n, std::uint32_t event) override;

    [[nodiscard]] hv::svm::vmcb& v(std::uint32_t n) { return *core(n).block; }
    [[nodiscard]] hv::svm::vmcb& v_guest(std::uint32_t n) const {
        return *reinterpret_cast<hv::svm::vmcb*>(core(n).guest->block.raw);
    }
    [[nodiscard]] hv::svm::cpu& core(std::uint32_t n) const;
    /// Vectors that the guest took without an exit.
    std::vector<unsigned> native;

private:
    outcome run_core(std::uint32_t n);
    outcome take_nmi(std::uint32_t n);
    void look_at_entry(std::uint32_t n);
};

}    // namespace fake
