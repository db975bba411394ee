// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/rule_reader.hpp"

namespace hv {

// Rules about guest VMs: what they may have, and what their accesses come to. Errors of all:
// document_error.

void read_vm_rule(value const& entry, read_rule& into);

/// "guests" of a rule about ports or MSRs, whose object is named already. True: it is given, and
/// the rule is about guests, not about Linux.
bool read_guests(value const& entry, read_rule& into);

/// Guests must leave their VM at each access to these MSRs.
void check_guest_msrs(value const& from, hv_rule const& rule);

}
