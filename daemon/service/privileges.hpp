// SPDX-License-Identifier: MIT
#pragma once

namespace hv {

/// Gives up all that hvd needs no more once its sockets and files are open: every capability but
/// CAP_SYS_ADMIN (hv.ko and /proc/iomem ask for it) and CAP_SYSLOG (/proc/kallsyms), and every
/// system call outside a list. Errors: std::system_error.
void drop_capabilities();
void filter_system_calls();

}
