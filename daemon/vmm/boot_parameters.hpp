// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/vmm/boot.hpp"
#include "daemon/vmm/bzimage.hpp"

namespace hv::vmm {

/// Writes the "zero page" of Linux's own boot protocol.
/// header   of the bzImage; for a vmlinux, which has none, what it would say.
void write_boot_parameters(guest_memory const& memory, setup_header header,
                           loaded_initrd const& initrd, boot_request const& what);
setup_header header_of_vmlinux();
/// Writes hvm_start_info and what it points to.
/// Source   Xen, include/public/arch-x86/hvm/start_info.h.
void write_start_info(guest_memory const& memory, loaded_initrd const& initrd,
                      boot_request const& what);

}
