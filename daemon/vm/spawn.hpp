// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/vm/launcher.hpp"

namespace hv {

// What the launcher's process does, each for one request. Errors: vm_error.
launcher::launched spawn_vm(launch_request const& request);
void kill_vm(process_mark const& process);
launcher::released release_vm(std::string const& folder, std::string const& group);

}
