// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/device/device.hpp"
#include "daemon/policy/compiled.hpp"

namespace hv {

struct rule_name {
    std::string policy;
    std::string rule;
    rule_terms terms{};
    std::string vm{};    // whose user the rule names
};

/// The policies in force and who is who among their rules. A rule keeps its id for as long as it
/// stays as it is, so that a policy can be applied again under a lock; an id is never used twice.
class rule_book {
public:
    std::vector<compiled_policy> const& policies() const { return policies_; }
    compiled_policy const* find(std::string const& name) const;

    /// The book with this policy in it, in the place of one of the same name.
    /// Errors: policy_error on contradicting rules, or too many.
    rule_book with(compiled_policy policy) const;
    rule_book without(std::string const& name) const;
    rule_book emptied() const;
    /// Errors: policy_error where a rule of `now` is missing here that is in force and stays.
    void require_lasting(rule_book const& now) const;
    /// Errors: policy_error where a rule names a CPU that is not `present`, bit by number.
    void require_cpus(std::uint64_t present) const;

    /// As hv.ko wants it.
    std::vector<named_rules> rules() const;
    /// Who a record's rule is; nullptr for one that was never in this book.
    rule_name const* name_of(std::uint32_t id) const;

    // Markers have numbers for the core, and names here: the same name the same number, in all
    // policies in force and of all markers that were reached.
    bool sealed() const { return (reached_ >> HV_MARKER_SEAL & 1) != 0; }
    /// Names of those that were reached, but for the seal.
    std::vector<std::string> reached() const { return marker_texts(reached_, markers_); }
    /// Names of those that rules in force wait for.
    std::vector<std::string> waited_for() const;
    /// Its number, where a rule in force waits for it or it was reached.
    std::optional<std::uint32_t> marker_called(std::string const& name) const;
    /// "" where it has none.
    std::string marker_name(std::uint32_t number) const;

    /// The users of hvd's VMs that rules in force name by the VM.
    std::map<std::string, std::uint32_t> vm_users() const;

    /// For /run/hv/policies.json, which lives as long as the rules can: until the next boot.
    std::string to_json() const;
    /// Nothing is believed of a text that is not sound: an empty book comes back.
    static rule_book from_json(std::string const& text);
    /// What hv.ko enforces is the truth; this book (as saved) only knows the names.
    rule_book adjusted_to(enforced_policies const& enforced) const;

private:
    void take_in(compiled_policy& policy, compiled_policy const* before);
    void number_markers(compiled_policy& policy);
    std::uint32_t number_of_marker(std::string const& name, compiled_policy const& in);
    std::uint64_t markers_in_use(compiled_policy const& more) const;
    void check() const;

    std::vector<compiled_policy> policies_;
    std::map<std::uint32_t, rule_name> names_;
    std::map<std::uint32_t, std::string> markers_;    // also of rules that are gone
    std::uint64_t reached_ = 0;
    std::uint32_t next_id_ = 1;
};

}
