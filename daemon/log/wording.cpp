// SPDX-License-Identifier: MIT
#include "daemon/log/wording.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "daemon/log/exit_names.hpp"
#include "daemon/log/ruled_text.hpp"
#include "daemon/log/schema.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::array kind_names{
#define HV_X(name, text) text,
    HV_RECORD_KINDS(HV_X)
#undef HV_X
};

constexpr unsigned no_exit = 0xffff;

std::string pages_text(hv_record const& record) {
    return std::to_string(record.value) + " pages at " + hex(record.address);
}

std::string core_access_text(char const* what, hv_record const& record) {
    return std::string{what} + " core memory at " + hex(record.address);
}

/// Why the CPU left its guest; nothing where it did not.
std::string exit_of(hv_record const& record, std::string_view backend) {
    // SVM's code of an entry that failed is -1, which looks like no exit.
    bool const none = record.reason == no_exit &&
                      (backend != "svm" || record.kind != HV_RECORD_ENTRY_FAILED);
    if (none) return {};
    return exit_name(backend, record.reason, record.access == HV_ACCESS_WRITE);
}

/// What it happened to; null where it was nothing in particular.
char const* object_of(unsigned kind) {
    if (kind >= HV_RECORD_CORE_READ && kind <= HV_RECORD_CORE_EXECUTE) return "core";
    if (auto const* const object = ruled_object(kind)) return object;
    switch (kind) {
    case HV_RECORD_INSTRUCTION_DENIED: return "instruction";
    case HV_RECORD_CALL_DENIED:        return "hypercall";
    case HV_RECORD_POLICY_LOADED:
    case HV_RECORD_POLICY_LOCKED:
    case HV_RECORD_POLICY_MARKED:      return "policy";
    case HV_RECORD_FRAMES_DONATED:
    case HV_RECORD_FRAMES_RETURNED:    return "frames";
    case HV_RECORD_LAUNCHED:
    case HV_RECORD_UNHOISTED:
    case HV_RECORD_INIT:
    case HV_RECORD_SIPI:
    case HV_RECORD_SHOOTDOWN_SLOW:     return "cpu";
    default:                           return nullptr;
    }
}

/// What the CPU itself said about an exit, by its manual's name.
std::string detail_text(hv_record const& record, std::string_view backend) {
    return (backend == "svm" ? ", exit information " : ", qualification ") + hex(record.address);
}

std::string marker_text(hv_record const& record, std::string const& called) {
    auto const rules = ": " + counted(record.value, "rule") + " in the set";
    if (record.address == HV_MARKER_SEAL) return "policy sealed" + rules;
    auto const name = called.empty() ? std::to_string(record.address) : called;
    return "marker " + name + " reached" + rules;
}

std::string plain_text(hv_record const& record, std::string_view backend,
                       std::string const& called) {
    auto const exit = exit_of(record, backend);
    auto const colon = exit.empty() ? std::string{} : ": " + exit;
    auto const detail = detail_text(record, backend);
    switch (record.kind) {
    case HV_RECORD_LAUNCHED:           return "CPU hoisted";
    case HV_RECORD_UNHOISTED:          return "CPU given back to Linux";
    case HV_RECORD_CORE_READ:          return core_access_text("read of", record);
    case HV_RECORD_CORE_WRITE:         return core_access_text("stopped a write to", record);
    case HV_RECORD_CORE_EXECUTE:       return core_access_text("stopped a jump into", record);
    case HV_RECORD_CALL_DENIED:        return "hypercall " + hex(record.address) + " refused";
    case HV_RECORD_INSTRUCTION_DENIED: return "virtualization instruction refused" + colon;
    case HV_RECORD_UNEXPECTED_EXIT:    return "unexpected exit" + colon + detail;
    case HV_RECORD_ENTRY_FAILED:       return "VM entry failed" + detail;
    case HV_RECORD_TRIPLE_FAULT:       return "triple fault of the root VM";
    case HV_RECORD_MACHINE_CHECK:      return "machine check in root mode";
    case HV_RECORD_INIT:               return "INIT intercepted by the core";
    case HV_RECORD_SIPI:               return "CPU started again under the core";
    case HV_RECORD_POLICY_LOADED:      return std::to_string(record.value) + " rules in force";
    case HV_RECORD_POLICY_LOCKED:      return "policy locked until the next boot";
    case HV_RECORD_POLICY_MARKED:      return marker_text(record, called);
    case HV_RECORD_FRAMES_DONATED:     return pages_text(record) + " taken from Linux";
    case HV_RECORD_FRAMES_RETURNED:    return pages_text(record) + " given back to Linux";
    case HV_RECORD_ROOT_FAULT:         return "fault in root mode, error code " + hex(record.value);
    case HV_RECORD_SHOOTDOWN_SLOW:
        return "CPU of ring " + std::to_string(record.address) + " is slow to answer a shoot-down";
    default: return record_kind_name(record.kind);
    }
}

}

std::string record_kind_name(unsigned kind) {
    if (kind < kind_names.size()) return kind_names[kind];
    return "kind_" + std::to_string(kind);
}

std::string record_message(hv_record const& record, rule_name const* rule, std::string_view backend,
                           std::string const& called) {
    auto const text = ruled_text(record, rule, called);
    return text.empty() ? plain_text(record, backend, called) : text;
}

ordered_json record_json(hv_record const& record, record_context const& context) {
    // Session, ring and sequence come first: hvd finds its place by them after a restart.
    ordered_json out{{"time", context.time},
                     {"session", hex(context.session)},
                     {"ring", context.ring},
                     {"sequence", record.sequence}};
    add_common_fields(out, record_kind_name(record.kind));
    out["cpu"] = record.cpu;
    out["vm"] = record_vm(record, context.called);
    auto const exit = exit_of(record, context.backend);
    if (!exit.empty()) out["reason"] = exit;
    if (context.rule != nullptr) {
        if (context.rule->terms.report_only) out["level"] = level_name(log_level::warning);
        out["policy"] = context.rule->policy;
        out["rule"] = context.rule->rule;
    }
    out["rule_id"] = record.rule;
    if (auto const* const object = object_of(record.kind)) out["object"] = object;
    out["rip"] = hex(record.rip);
    if (!context.symbol.empty()) out["symbol"] = context.symbol;
    if (context.process.name[0] != 0) {
        out["process"] = printable(context.process.name, sizeof(context.process.name));
        out["pid"] = context.process.pid;
    }
    out["address"] = hex(record.address);
    out["value"] = hex(record.value);
    // A guest's user has a field of its own.
    out["old"] = hex(is_of_guest(record) ? record.old_value & 0xffffffff : record.old_value);
    out["access"] = access_text(record.access);
    out["tsc"] = record.tsc;
    out["message"] = record_message(record, context.rule, context.backend, context.called);
    return out;
}

std::string now_text() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 80> out{};
    auto const length = std::snprintf(out.data(), out.size(),
                                      "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900,
                                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                      parts.tm_sec, now.tv_nsec / 1000);
    return {out.data(), static_cast<std::size_t>(length)};
}

}
