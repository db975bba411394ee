// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "abi/record.h"
#include "daemon/policy/rule_book.hpp"
#include "kmod/abi/netlink.h"

namespace hv {

struct record_context {
    std::string time;
    std::string backend;
    std::uint64_t session{};
    std::uint32_t ring{};
    rule_name const* rule{};    // of the record's rule, where it is known
    std::string symbol{};       // of its RIP, "" where Linux has none
    hv_process process{};       // no name: not known
    std::string called{};    // the VM of a guest's record, or the marker, by hvd's name; "": none
};

/// A guest's own access, and the user that its VM belongs to.
bool is_of_guest(hv_record const& record);
inline std::uint32_t user_of(hv_record const& record) {
    return static_cast<std::uint32_t>(record.old_value >> 32);
}
/// Whose doing it was: "root", or "user 1000 (web)".
std::string record_vm(hv_record const& record, std::string const& called);

/// A record as one JSON object; docs/rpc.md documents its fields.
nlohmann::ordered_json record_json(hv_record const& record, record_context const& context);
/// What happened, as a person would say it.
std::string record_message(hv_record const& record, rule_name const* rule, std::string_view backend,
                           std::string const& called = {});
/// msr_denied and its like; kind_N for one that this build does not know.
std::string record_kind_name(unsigned kind);

/// Now, as 2025-01-31T12:00:00.123456Z: text order is time order.
std::string now_text();

}
