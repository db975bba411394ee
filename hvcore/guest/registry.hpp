// SPDX-License-Identifier: MIT
#pragma once
#include "guest/vcpu.hpp"
#include "mem/core_guard.hpp"
#include "mem/page_pool.hpp"
#include "mem/second_stage.hpp"

namespace hv {

/// A guest VM, on a page of its own: its second stage, and how many vcpus it has.
template <entry_format Format> struct guest_vm {
    second_stage<Format, core_tables, core_guard> stage;
    std::uint64_t number{};
    std::uint32_t vcpus{};
    std::uint32_t user{};     // HV_CALL_VM_CREATE
    std::uint64_t pages{};    // mapped
    bool killed{};            // by a rule
    hpa at{};
};

/// The VMs and vcpus of a machine. Numbers carry their slot, so that looking one up costs the same
/// with one guest and with all; a serial in the upper bits makes each number unique.
template <entry_format Format> struct guest_registry {
    using vm = guest_vm<Format>;
    static constexpr std::uint32_t vm_slots = HV_MAX_VMS, vcpu_slots = 256;

    struct vcpu_slot {
        atomic<std::uint64_t> number;    // 0: free
        atomic<std::uint32_t> taken;     // it runs, or somebody makes or unmakes it
        guest_vcpu* vcpu{};
        vm* owner{};
    };

    [[nodiscard]] result<vm*> find(std::uint64_t number) {
        auto* const at = vms[number % vm_slots];
        if (at == nullptr || at->number != number) return error{errc::bad_handle};
        return at;
    }
    /// The vcpu's slot, taken: nobody else runs, makes or unmakes it until give().
    /// Errors   bad_handle: no vcpu of this number. busy: taken.
    [[nodiscard]] result<vcpu_slot*> take(std::uint64_t number) {
        auto& s = vcpus[number % vcpu_slots];
        if (number == 0 || s.number.load() != number) return error{errc::bad_handle};
        if (s.taken.exchange(1) != 0) return error{errc::busy};
        if (s.number.load() == number) return &s;
        s.taken.store(0);
        return error{errc::bad_handle};
    }
    void give(guest_vcpu const& v) { vcpus[v.slot].taken.store(0); }

    /// Whether some guest has any of these frames. Walks all leaves of all guests: for the rare
    /// request that takes memory from the root VM.
    [[nodiscard]] bool reach(hpa_span run) const {
        for (auto const* each : vms)
            if (each != nullptr && reaches(*each, run)) return true;
        return false;
    }
    /// Whether a vcpu's exchange area lies in these frames.
    [[nodiscard]] bool exchange_in(hpa_span run) const {
        for (auto const& s : vcpus)
            if (s.number.load() != 0 && s.vcpu->exchange_at - run.first < run.bytes) return true;
        return false;
    }

    static bool reaches(vm const& of, hpa_span run) {
        bool found = false;
        each_part(of, {gpa{}, of.stage.limits().top()}, [&](hpa to, std::uint64_t bytes) {
            found = found || (to < run.first + run.bytes && run.first < to + bytes);
        });
        return found;
    }
    /// Call `visit` with the frames and bytes of each part of `at` that a leaf of the guest maps.
    template <typename Visit>
    static void each_part(vm const& of, gpa_span at, Visit const& visit) {
        auto const end = at.first + at.bytes;
        for (auto a = at.first; a < end;) {
            auto const found = of.stage.translate(a);
            auto const whole = found ? entry_bytes(found->level) : of.stage.hole_at(a);
            auto const next = a.down(whole) + whole < end ? a.down(whole) + whole : end;
            if (found) visit(found->to, next - a);
            a = next;
        }
    }

    array<vm*, vm_slots> vms{};
    array<vcpu_slot, vcpu_slots> vcpus{};
    std::uint64_t serial{};
};

}    // namespace hv
