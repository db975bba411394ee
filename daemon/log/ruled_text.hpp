// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/log/wording.hpp"

namespace hv {

/// What a rule, or the core's own table, brought about; "": the record is of another kind.
/// called   as in record_context
std::string ruled_text(hv_record const& record, rule_name const* rule, std::string const& called);

/// What records of such a kind are about; null: another kind.
char const* ruled_object(unsigned kind);

}
