/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The 8254 programmable interval timer. Intel 8254 data sheet. */
#ifndef HVK_PIT_H
#define HVK_PIT_H

#include <linux/kvm.h>

#define HVK_PIT_HZ 1193182u
#define HVK_PIT_CHANNELS 3u
#define HVK_PIT_SPEAKER_CHANNEL 2u
#define HVK_PIT_MAX_COUNT 0x10000u
#define HVK_PIT_MAX_PENDING 0x10000u /* ticks: an hour's at the BIOS's rate */
#define HVK_PIT_MODE_NONE 0xff	     /* before the first control word */

/* How a count's two bytes are accessed (control word, bits 5:4), and which is next. */
enum hvk_pit_access {
	HVK_PIT_LATCH = 0,
	HVK_PIT_LOW = 1,
	HVK_PIT_HIGH = 2,
	HVK_PIT_BOTH = 3,
	HVK_PIT_BOTH_HIGH = 4, /* the low byte was the last */
};

#endif
