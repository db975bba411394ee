/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The core's ELF file, as it was built: what hv_image_parse() reads and measures. */
#include <linux/linkage.h>

	.section .rodata, "a"
	.balign 4096
SYM_DATA_START(hv_core_image)
	.incbin HV_CORE_PATH
SYM_DATA_END_LABEL(hv_core_image, SYM_L_GLOBAL, hv_core_image_end)
