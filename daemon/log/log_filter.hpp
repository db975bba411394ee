// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/schema.hpp"

namespace hv {

/// Which lines of the log somebody wants to see; all of them at first.
class log_filter {
public:
    /// Only lines whose time is not before it, or not after it: times as text, or the beginning of
    /// one; empty: no bound.
    std::string since;
    std::string until;

    /// Only lines of this policy, or after a '/' of this rule of it.
    void only_rule(std::string const& name);
    /// name   as in the field, or hvd's VM whose user is there
    void only_vm(std::string const& name);
    void only_level(log_level least);

    bool matches(std::string_view line) const;

private:
    /// Texts as hvd writes a line's fields: of each group one must be in it. Quotes within a
    /// field's value are escaped, so that none can pass for a field.
    std::vector<std::vector<std::string>> wanted_;
};

/// The time that a line of hvd's starts with.
std::string_view time_of(std::string_view line);

}
