// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/vmm/descriptor.hpp"

namespace hv::vmm {

/// A Unix socket that others connect to, made at a path, or inherited (fd:N).
/// Errors: failure; also when somebody listens at that path already.
descriptor listen_at(std::string const& where);
/// Nothing when nobody is there any more.
descriptor accept_at(descriptor const& listener);

}
