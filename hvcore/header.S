// SPDX-License-Identifier: MIT
// struct hv_image_header (abi/image.h), and the entry that it names. Sizes come from the types
// (asm_offsets.cpp) and from the linker (core.ld).
#include "asm_offsets.h"

	.section .hv_header, "a"
	.long HV_HEADER_MAGIC, HV_HEADER_VERSION, HV_HEADER_BYTES
	.long hv_image_pages
	.long HV_POOL_PAGES, HV_CPU_PAGES, HV_SHARED_CPU_PAGES, HV_MAX_CPUS
	.quad hv_core_entry

	.text
	.globl hv_core_entry
	.balign 16
hv_core_entry:				// called by the loader through a pointer
	endbr64
	cld
	jmp hv_core_launch

	.section .note.GNU-stack, "", @progbits
