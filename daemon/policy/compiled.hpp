// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/device/device.hpp"

namespace hv {

/// A policy that cannot be enforced as it is written; the text is one clear line.
class policy_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// How many records of a rule are written; 0 records: as many as the configuration lets through.
struct rule_rate {
    std::uint64_t records{};
    std::uint64_t seconds{};
    bool operator==(rule_rate const&) const = default;
};

/// What of a rule is hvd's alone: the core knows nothing of it.
struct rule_terms {
    bool report_only{};    // logged by the core, told as what `deny` or `keep` would have stopped
    rule_rate rate{};
    bool operator==(rule_terms const&) const = default;
};

struct compiled_rule {
    std::string name;
    hv_rule rule{};        // id is 0 until a rule book takes it in
    std::string object;    // what it watches, as a person would write it
    std::string place;     // FILE:LINE:COLUMN
    rule_terms terms{};
    std::string marker{};    // that it waits for; its number is in the flags once a book took it in
    std::string vm{};        // hvd's VM whose user the rule names
};

/// Memory whose sum hvd compares; no rule of the core's.
struct compiled_hash {
    std::string name;
    std::vector<hv_range> ranges;
    std::string sha256;    // what stood there when the policy was applied
    std::string object;
    std::string place;
};

struct compiled_policy {
    std::string name;
    std::string description;
    std::string path;
    // Those of one name are one rule of the file, whose memory lies in several pieces.
    std::vector<compiled_rule> rules;
    std::vector<compiled_hash> hashes;
    std::vector<hv_module_stamp> modules;    // whose memory the rules are about
    std::vector<std::string> notes;    // what the reader should know: ranges that were rounded
    bool resolved = true;              // false: symbols are not known here, their ranges are 0
};

/// How many rules its file has.
std::size_t rule_count(compiled_policy const& policy);
/// What the rule watches, as far as its numbers tell.
std::string object_text(hv_rule const& rule);
/// "log", "deny", "keep", "pause", "kill" or "report-only".
std::string action_text(compiled_rule const& rule);
/// "read", "write", "execute" joined by commas; "msr", "cr", "memory" …
/// " on CPU 2", " on CPUs 0, 2"; "" where it is for all.
std::string cpus_text(hv_rule const& rule);
/// From when on, and how long, in the words of policy files.
std::string when_text(compiled_rule const& rule);
std::string lifetime_text(hv_rule const& rule);
std::string access_text(unsigned access);
std::string kind_text(unsigned kind);

/// Users whose VMs a rule of kind vm, or one about guests, is about: both inclusive.
struct user_range {
    std::uint32_t first{};
    std::uint32_t last{};
};
constexpr std::uint32_t last_user = 0xffffffff;
user_range users_of(hv_rule const& rule);
void set_users(hv_rule& rule, user_range users);
/// "user 1000", "users 1..9", "" for all.
std::string users_text(user_range users);
/// What a rule of kind vm lets these VMs be: "2 VMs, 4 vcpus, 1 GiB".
std::string limits_text(hv_rule const& rule);

inline bool is_about_guests(hv_rule const& rule) { return (rule.flags & HV_RULE_GUEST) != 0; }
/// The marker that it waits for; 0: none.
inline std::uint32_t marker_of(hv_rule const& rule) {
    return (rule.flags & HV_RULE_MARKER_MASK) >> HV_RULE_MARKER_SHIFT;
}
/// Names of these markers, but for the seal; "marker 5" where there is none.
std::vector<std::string> marker_texts(std::uint64_t markers,
                                      std::map<std::uint32_t, std::string> const& names);

/// What a rule costs Linux, as far as that can be said beforehand: which of its instructions leave
/// it for the core.
std::string cost_text(hv_rule const& rule);

}
