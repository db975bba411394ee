// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who ran when a record was written. The core sends the CPU an NMI behind each record that an
 * instruction of Linux brought about: what is current then is what was current at the instruction.
 */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/nmi.h>
#include <asm/tsc.h>

#include "hv.h"
#include "record_log.h"

struct hv_ring_processes {
	const struct hv_cpu_shared *shared;
	struct hv_ring_processes *next;	/* of those to free */
	u64 seen;	/* records before it have their process */
	u64 noted_at;	/* TSC */
	struct {
		u64 sequence;
		struct hv_process process;
	} noted[HV_RING_RECORDS];
};

static DEFINE_PER_CPU(struct hv_ring_processes *, processes);

static void note_current(struct hv_ring_processes *to, u64 head)
{
	if (head - to->seen > HV_RING_RECORDS)
		to->seen = head - HV_RING_RECORDS;
	for (; to->seen != head; to->seen++) {
		struct hv_process *process = &to->noted[to->seen % HV_RING_RECORDS].process;

		to->noted[to->seen % HV_RING_RECORDS].sequence = to->seen;
		process->pid = task_tgid_nr(current);
		memcpy(process->name, current->comm, sizeof(process->name));
		process->name[sizeof(process->name) - 1] = 0;
	}
	to->noted_at = rdtsc();
}

static int meet_nmi(unsigned int type, struct pt_regs *regs)
{
	struct hv_ring_processes *mine = this_cpu_read(processes);
	u64 head;

	if (!mine)
		return NMI_DONE;
	/* Pairs with the core's release: a record before head is whole. */
	head = smp_load_acquire(&mine->shared->head);
	if (head != mine->seen) {
		note_current(mine, head);
		return NMI_HANDLED;
	}
	/*
	 * A record that came up in an NMI handler has a second NMI behind it, when the first has
	 * seen it already: not a stranger's.
	 */
	if (type == NMI_UNKNOWN && rdtsc() - mine->noted_at < tsc_khz)
		return NMI_HANDLED;
	return NMI_DONE;
}

static void nothing(void *unused)
{
}

/* A CPU that answers an interrupt is in no NMI handler: none looks at what is freed. */
void hv_processes_close(void)
{
	struct hv_ring_processes *old, *all = NULL;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		old = xchg(per_cpu_ptr(&processes, cpu), NULL);
		if (old) {
			old->next = all;
			all = old;
		}
	}
	if (all)
		on_each_cpu(nothing, NULL, 1);
	for (; all; all = old) {
		old = all->next;
		kvfree(all);
	}
}

int hv_processes_open(void)
{
	unsigned int ring;

	for (ring = 0; ring < hv.cpus; ring++) {
		struct hv_ring_processes *each = kvzalloc(sizeof(*each), GFP_KERNEL);

		if (!each) {
			hv_processes_close();
			return -ENOMEM;
		}
		each->shared = hv_ring_shared(ring);
		memset(each->noted, 0xff, sizeof(each->noted));
		/* Pairs with the handler's read: what it finds is whole. */
		smp_store_release(per_cpu_ptr(&processes, hv.cpu_of_ring[ring]), each);
	}
	return 0;
}

/* With the module, not with each hoist: that a handler goes takes all CPUs long to agree on. */
int hv_processes_register(void)
{
	int error = register_nmi_handler(NMI_LOCAL, meet_nmi, 0, THIS_MODULE->name);

	if (error)
		return error;
	error = register_nmi_handler(NMI_UNKNOWN, meet_nmi, 0, THIS_MODULE->name);
	if (error)
		unregister_nmi_handler(NMI_LOCAL, THIS_MODULE->name);
	return error;
}

/* Still open where the module is forced out under a lock, and the core stays. */
void hv_processes_unregister(void)
{
	unregister_nmi_handler(NMI_UNKNOWN, THIS_MODULE->name);
	unregister_nmi_handler(NMI_LOCAL, THIS_MODULE->name);
	hv_processes_close();
}

/*
 * A CPU that answers an interrupt has met the NMIs behind the records it has written before. One
 * that the core has parked answers none.
 */
void hv_processes_settle(unsigned int ring)
{
	if (!READ_ONCE(hv_ring_shared(ring)->parked))
		smp_call_function_single(hv.cpu_of_ring[ring], nothing, NULL, 1);
}

void hv_process_of(unsigned int ring, const struct hv_record *record, struct hv_process *process)
{
	const struct hv_ring_processes *from = per_cpu(processes, hv.cpu_of_ring[ring]);
	unsigned int slot = record->sequence % HV_RING_RECORDS;

	memset(process, 0, sizeof(*process));
	if (HV_RECORD_HAS_PROCESS(record->kind) && from->noted[slot].sequence == record->sequence)
		*process = from->noted[slot].process;
}
