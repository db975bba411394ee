// SPDX-License-Identifier: MIT
#include "daemon/views/views.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "daemon/log/exit_names.hpp"
#include "daemon/text/number.hpp"
#include "daemon/views/backend_notes.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::array<char const*, 7> findings{"none",         "core_frame",   "writable_shared",
                                              "not_identity", "reserved_bit", "table_outside",
                                              "memory_type"};

constexpr std::array<char const*, 16> registers{"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                "r12", "r13", "r14", "r15"};

ordered_json cpu_json(cpu_state const& cpu) {
    return {{"id", cpu.id},
            {"hoisted", cpu.hoisted},
            {"parked", cpu.parked},
            {"exits", cpu.exits},
            {"records", {{"written", cpu.written}, {"dropped", cpu.dropped}}}};
}

ordered_json reasons_json(std::string const& backend, std::vector<std::uint64_t> const& counters) {
    auto reasons = ordered_json::object();
    for (std::size_t i = 0; i < counters.size(); ++i) {
        if (counters[i] != 0) reasons[counter_name(backend, i)] = counters[i];
    }
    return reasons;
}

ordered_json or_null(std::string const& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

using named_fields = std::initializer_list<std::pair<char const*, std::uint64_t>>;

void add_hex(ordered_json& out, named_fields fields) {
    for (auto const& [name, field] : fields) {
        out[name] = hex(field);
    }
}

/// What controls guest operation, by the names of the SDM (3C 25 "VMCS").
void add_vmx_controls(ordered_json& out, hv_cpu_dump const& dump) {
    add_hex(out, {{"cr0_shadow", dump.cr0_shadow},
                  {"cr0_mask", dump.cr0_mask},
                  {"cr4_shadow", dump.cr4_shadow},
                  {"cr4_mask", dump.cr4_mask},
                  {"exit_qualification", dump.exit_qualification},
                  {"guest_physical_address", dump.guest_physical_address},
                  {"pin_controls", dump.pin_controls},
                  {"processor_controls", dump.processor_controls},
                  {"secondary_controls", dump.secondary_controls},
                  {"exit_controls", dump.exit_controls},
                  {"entry_controls", dump.entry_controls},
                  {"ept_pointer", dump.ept_pointer},
                  {"interruptibility", dump.interruptibility},
                  {"activity", dump.activity}});
}

/// The same by the names of the APM (2 B "Layout of VMCB"): SVM has words of intercepts instead.
void add_svm_controls(ordered_json& out, hv_cpu_dump const& dump) {
    add_hex(out, {{"exit_info_1", dump.exit_qualification},
                  {"exit_info_2", dump.guest_physical_address},
                  {"cr_intercepts", dump.pin_controls},
                  {"exception_intercepts", dump.exit_controls},
                  {"intercepts_1", dump.processor_controls},
                  {"intercepts_2", dump.secondary_controls},
                  {"nested_cr3", dump.ept_pointer},
                  {"interruptibility", dump.interruptibility}});
}

ordered_json one_dump_json(std::string const& backend, hv_cpu_dump const& dump) {
    ordered_json out{{"cpu", dump.cpu_id}, {"hoisted", dump.launched != 0}};
    for (std::size_t i = 0; i < registers.size(); ++i) {
        out[registers[i]] = hex(dump.gpr[i]);
    }
    add_hex(out, {{"rip", dump.rip},
                  {"rflags", dump.rflags},
                  {"cr0", dump.cr0},
                  {"cr3", dump.cr3},
                  {"cr4", dump.cr4},
                  {"efer", dump.efer},
                  {"cs", dump.cs_selector},
                  {"ss", dump.ss_selector},
                  {"tr", dump.tr_selector},
                  {"gdtr_base", dump.gdtr_base},
                  {"idtr_base", dump.idtr_base},
                  {"fs_base", dump.fs_base},
                  {"gs_base", dump.gs_base}});
    bool const svm = backend == "svm";
    if (svm) add_svm_controls(out, dump);
    if (!svm) add_vmx_controls(out, dump);
    // Bits above 15 of the reason are flags on VMX, and the sign of SVM's -1.
    bool const write = svm && dump.exit_qualification == 1;
    auto const reason = exit_name(backend, dump.exit_reason & 0xffff, write);
    out["exit_reason"] = reason;
    // A hypercall carries hv.ko's secret there, and dumps get into bug reports.
    if (reason == "vmcall" || reason == "vmmcall") out["rdi"] = "hidden";
    return out;
}

}

ordered_json audit_json(hv_audit const& audit) {
    ordered_json out{
        {"clean", audit.findings == 0},
        {"findings", audit.findings},
        {"tables", audit.tables},
        {"leaves", {{"4k", audit.leaves_4k}, {"2m", audit.leaves_2m}, {"1g", audit.leaves_1g}}},
        {"core_frames", audit.core_frames},
        {"pool", {{"total_pages", audit.pool_total}, {"free_pages", audit.pool_free}}}};
    if (audit.findings == 0) return out;
    bool const known = audit.finding_kind < findings.size();
    out["first_finding"] = {{"address", hex(audit.first_finding)},
                            {"kind", known ? findings[audit.finding_kind] : "unknown"}};
    return out;
}

ordered_json status_json(machine_state const& state, enforced_policies const& enforced,
                         std::vector<std::string> const& reached,
                         std::optional<hv_audit> const& audit) {
    ordered_json out{{"hoisted", state.hoisted},
                     {"backend", or_null(state.backend)},
                     {"backend_notes", backend_notes(state.backend)},
                     {"version", state.version},
                     {"core_sha256", hex(state.core_sha256)},
                     {"memory", {{"reserved_bytes", state.reserved_bytes}}}};
    out["cpus"] = ordered_json::array();
    for (auto const& each : state.cpus) {
        out["cpus"].push_back(cpu_json(each));
    }
    out["vms"] = state.vms;
    out["policies"] = ordered_json::array();
    for (auto const& each : enforced.policies) {
        out["policies"].push_back(each.name);
    }
    out["locked"] = state.locked;
    out["sealed"] = (state.markers >> HV_MARKER_SEAL & 1) != 0;
    out["markers"] = reached;
    out["dma"] = state.dma.empty() ? "not protected" : state.dma;
    out["session"] = state.hoisted ? ordered_json(hex(state.session)) : ordered_json(nullptr);
    if (audit) out["audit"] = audit_json(*audit);
    return out;
}

ordered_json stats_json(machine_state const& state) {
    std::vector<std::uint64_t> totals(HV_COUNTERS);
    std::uint64_t exits = 0;
    std::uint64_t written = 0;
    std::uint64_t dropped = 0;
    auto cpus = ordered_json::array();
    for (auto const& each : state.cpus) {
        auto cpu = cpu_json(each);
        cpu["reasons"] = reasons_json(state.backend, each.counters);
        cpus.push_back(std::move(cpu));
        for (std::size_t i = 0; i < each.counters.size(); ++i) {
            totals[i] += each.counters[i];
        }
        exits += each.exits;
        written += each.written;
        dropped += each.dropped;
    }
    return {{"hoisted", state.hoisted},
            {"exits", exits},
            {"reasons", reasons_json(state.backend, totals)},
            {"records", {{"written", written}, {"dropped", dropped}}},
            {"cpus", std::move(cpus)}};
}

ordered_json dump_json(std::string const& backend, std::span<hv_cpu_dump const> dumps) {
    auto cpus = ordered_json::array();
    for (auto const& each : dumps) {
        cpus.push_back(one_dump_json(backend, each));
    }
    return {{"cpus", std::move(cpus)}};
}

std::vector<hv_cpu_dump> read_dumps(device& from, machine_state const& state,
                                    std::optional<std::uint32_t> cpu_id) {
    if (cpu_id) return {from.dump(*cpu_id)};
    std::vector<hv_cpu_dump> dumps;
    for (auto const& each : state.cpus) {
        if (each.hoisted) dumps.push_back(from.dump(each.id));
    }
    return dumps;
}

}
