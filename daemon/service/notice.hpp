// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace hv {

/// One line on standard error: "hvd: …". systemd puts it in the journal.
void notice(std::string_view text);

}
