// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Compiled to assembly only: the offsets that launch_asm.S needs. */
#include <linux/kbuild.h>

#include "abi/call.h"
#include "abi/launch.h"

static void __used launch_offsets(void)
{
	DEFINE(HV_LAUNCH_GUEST_RIP, offsetof(struct hv_launch, guest_rip));
	DEFINE(HV_LAUNCH_GUEST_RSP, offsetof(struct hv_launch, guest_rsp));
	DEFINE(HV_LAUNCH_GUEST_CR3, offsetof(struct hv_launch, guest_cr3));
	DEFINE(HV_CALL_UNHOIST_NUMBER, HV_CALL_UNHOIST);
}
