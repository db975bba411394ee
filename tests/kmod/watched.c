// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What rules watch beside registers and memory: ports, instructions, CPUID. */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "hv_test.h"

static int in(u16 port, u64 *value)
{
	int fault = 0;

	asm volatile(HV_ON_FAULT("inb %w[port], %b[value]")
		     : [value] "+a" (*value), [fault] "+&r" (fault)
		     : [port] "d" (port)
		     : "memory");
	return fault;
}

static int out(u16 port, u64 value)
{
	int fault = 0;

	asm volatile(HV_ON_FAULT("outb %b[value], %w[port]")
		     : [value] "+a" (value), [fault] "+&r" (fault)
		     : [port] "d" (port)
		     : "memory");
	return fault;
}

static int in_string(u16 port, u8 *to, unsigned long bytes)
{
	int fault = 0;

	asm volatile(HV_ON_FAULT("rep insb")
		     : "+D" (to), "+c" (bytes), [fault] "+&r" (fault)
		     : "d" (port)
		     : "eax", "memory");
	return fault;
}

static int out_string(u16 port, const u8 *from, unsigned long bytes)
{
	int fault = 0;

	asm volatile(HV_ON_FAULT("rep outsb")
		     : "+S" (from), "+c" (bytes), [fault] "+&r" (fault)
		     : "d" (port)
		     : "eax", "memory");
	return fault;
}

/* KIND 0: IN; 1: OUT; 2: REP INSB and 3: REP OUTSB of four bytes, of which VALUE is the last. */
int hv_test_port(const u64 *argument, unsigned int count)
{
	u8 buffer[4] = { 0, 0, 0, argument[2] };
	u64 value = 0;
	int fault;

	switch (argument[1]) {
	case 0:
		fault = in(argument[0], &value);
		break;
	case 1:
		fault = out(argument[0], argument[2]);
		break;
	case 2:
		fault = in_string(argument[0], buffer, sizeof(buffer));
		value = buffer[3];
		break;
	case 3:
		fault = out_string(argument[0], buffer, sizeof(buffer));
		break;
	default:
		return -EINVAL;
	}
	hv_tell("fault %d\nvalue %llu\n", fault, value & 0xff);
	return 0;
}

/* WHICH as in enum hv_instruction, as far as nobody minds. */
int hv_test_instruction(const u64 *argument, unsigned int count)
{
	static u64 watched;
	int fault;

	switch (argument[0]) {
	case 3:
		fault = HV_FAULT_OF("wbinvd", "i" (0));
		break;
	case 5:
		fault = HV_FAULT_OF("monitor", "a" (&watched), "c" (0), "d" (0));
		break;
	case 6:
		fault = HV_FAULT_OF("mwait", "a" (0), "c" (0));
		break;
	default:
		return -EINVAL;
	}
	hv_tell("fault %d\n", fault);
	return 0;
}

int hv_test_cpuid(const u64 *argument, unsigned int count)
{
	u32 a, b, c, d;

	cpuid_count(argument[0], argument[1], &a, &b, &c, &d);
	hv_tell("eax %u\nebx %u\necx %u\nedx %u\n", a, b, c, d);
	return 0;
}
