// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The instructions of both vendors' virtualization in ring 0, and whether a core answers. */
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/smp.h>

#include "abi/call.h"
#include "hv_test.h"

int hv_test_vmx(const u64 *argument, unsigned int arguments)
{
	u64 memory[2] = {};

	hv_tell("vmxon %d\n", HV_FAULT_OF("vmxon %1", "m" (memory[0])));
	hv_tell("vmclear %d\n", HV_FAULT_OF("vmclear %1", "m" (memory[0])));
	hv_tell("vmptrld %d\n", HV_FAULT_OF("vmptrld %1", "m" (memory[0])));
	hv_tell("vmptrst %d\n", HV_FAULT_OF("vmptrst %1", "m" (memory[0])));
	hv_tell("vmlaunch %d\n", HV_FAULT_OF("vmlaunch", "i" (0)));
	hv_tell("vmresume %d\n", HV_FAULT_OF("vmresume", "i" (0)));
	hv_tell("vmread %d\n", HV_FAULT_OF("vmread %1, %2", "r" (0x4402ul), "m" (memory[0])));
	hv_tell("vmwrite %d\n", HV_FAULT_OF("vmwrite %1, %2", "m" (memory[0]), "r" (0x6800ul)));
	hv_tell("vmxoff %d\n", HV_FAULT_OF("vmxoff", "i" (0)));
	hv_tell("invept %d\n", HV_FAULT_OF("invept %1, %2", "m" (memory), "r" (2ul)));
	hv_tell("invvpid %d\n", HV_FAULT_OF("invvpid %1, %2", "m" (memory), "r" (2ul)));
	hv_tell("vmfunc %d\n", HV_FAULT_OF(".byte 0x0f, 0x01, 0xd4", "c" (0)));
	hv_tell("getsec %d\n", HV_FAULT_OF(".byte 0x0f, 0x37", "b" (0)));
	return 0;
}

static int call_nop(u64 *result)
{
	static const u64 nothing[5];

	return hv_call(HV_CALL_NOP, nothing, result);
}

static void try_svm(void)
{
	hv_tell("vmrun %d\n", HV_FAULT_OF("vmrun", "0" (0ul)));
	hv_tell("vmload %d\n", HV_FAULT_OF("vmload", "0" (0ul)));
	hv_tell("vmsave %d\n", HV_FAULT_OF("vmsave", "0" (0ul)));
	hv_tell("stgi %d\n", HV_FAULT_OF("stgi", "i" (0)));
	hv_tell("clgi %d\n", HV_FAULT_OF("clgi", "i" (0)));
	hv_tell("skinit %d\n", HV_FAULT_OF("skinit", "0" (0ul)));
	hv_tell("invlpga %d\n", HV_FAULT_OF("invlpga", "0" (0ul), "c" (0)));
}

/* Only where a core refuses them: CLGI or VMRUN that works would be the end of this kernel. */
int hv_test_svm(const u64 *argument, unsigned int count)
{
	unsigned long flags;
	u64 result;
	int error = -EPERM;

	local_irq_save(flags);
	if (!call_nop(&result)) {
		try_svm();
		error = 0;
	}
	local_irq_restore(flags);
	return error;
}

struct answer {
	int fault;
	u64 result;
};

static void ask(void *data)
{
	struct answer *answer = data;

	answer->fault = call_nop(&answer->result);
}

/* Each CPU's "FAULT RESULT" of the hypercall that does nothing: "0 0" under the core. */
int hv_test_nops(const u64 *argument, unsigned int count)
{
	unsigned int cpu;
	int error = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct answer answer = {};

		error = smp_call_function_single(cpu, ask, &answer, 1);
		if (error)
			break;
		hv_tell("cpu%u %d %llu\n", cpu, answer.fault, answer.fault ? 0 : answer.result);
	}
	cpus_read_unlock();
	return error;
}
