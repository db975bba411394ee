/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Ports. */
#ifndef HVK_IO_H
#define HVK_IO_H

#include "hv_kvm.h"

/* HV_GUEST_IO: 1 go on, 0 to user space, or an error. */
int hvk_exit_io(struct hvk_vcpu *vcpu);
/* A device in the kernel; false: the client's. */
bool hvk_port_access(struct hvk_vcpu *vcpu, u16 port, void *data, unsigned int bytes, bool write);
/* Items are in vcpu->pio, or will be when complete is called. 0. */
int hvk_port_exit(struct hvk_vcpu *vcpu, u16 port, unsigned int bytes, u32 count, u8 direction,
		  int (*complete)(struct hvk_vcpu *vcpu));

#endif
