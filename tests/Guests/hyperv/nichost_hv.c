// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the Hyper-V hypervisor inside a guest, as far as the kernel's own hv_vmbus and hv_netvsc
 * need it, so that these run unchanged under QEMU. Hypercalls, messages and event flags travel
 * over an ivshmem-doorbell device; see README.md. Load it before hv_vmbus.
 *
 * Made for Debian 12's kernel (6.1). It relies on the first fields of hv_context there: the
 * guest id, then the per-CPU pointer whose target begins with the message page and the event page.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/mshyperv.h>

#define SINT		2		/* the interrupt source that VMBus uses */
#define VECTORS		32
#define SLOTS		256
#define MAGIC		0x4e484856u
#define TO_HOST		0x10000		/* where the slots are in the shared page */
#define TO_GUEST	0x20000
#define DOORBELL	12		/* ivshmem register: peer in the upper half, vector below */
#define HOST_PEER	(1u << 16)

#define STATUS_BAD_CODE		2
#define STATUS_BAD_PARAMETER	5
#define STATUS_BAD_CONNECTION	0x12
#define STATUS_NO_BUFFERS	0x13	/* the only failure that VMBus tries again after */

struct shared {
	u32 magic;
	u32 to_host_head, to_host_tail;
	u32 to_guest_head, to_guest_tail;
	u32 reserved[11];
	struct {
		u32 valid, connection, relid, reserved;
	} vector[VECTORS];
};

struct slot {
	u32 length, connection;
	u8 data[248];
};

static void __iomem *registers;
static struct shared *shared;
static struct slot *to_host, *to_guest;
static int vectors;
static void (*run_vmbus)(void);
static void **context;
static unsigned long (*lookup)(const char *name);
static DEFINE_SPINLOCK(post_lock);

static void ring_doorbell(u32 vector)
{
	writel(HOST_PEER | vector, registers + DOORBELL);
}

static u64 post_message(const u32 *input)
{
	u32 length = input[3];
	unsigned long flags;
	u32 head;

	if (length > 240)
		return STATUS_BAD_PARAMETER;
	spin_lock_irqsave(&post_lock, flags);
	head = shared->to_host_head;
	if (head - READ_ONCE(shared->to_host_tail) >= SLOTS) {
		spin_unlock_irqrestore(&post_lock, flags);
		return STATUS_NO_BUFFERS;
	}
	to_host[head % SLOTS].connection = input[0];
	to_host[head % SLOTS].length = length;
	memcpy(to_host[head % SLOTS].data, input + 4, length);
	smp_wmb();
	WRITE_ONCE(shared->to_host_head, head + 1);
	spin_unlock_irqrestore(&post_lock, flags);
	ring_doorbell(0);
	return 0;
}

static u64 signal_event(u32 connection)
{
	int i;

	for (i = 1; i < vectors; i++) {
		if (READ_ONCE(shared->vector[i].valid) && shared->vector[i].connection == connection) {
			ring_doorbell(i);
			return 0;
		}
	}
	return STATUS_BAD_CONNECTION;
}

u64 nichost_hypercall(u64 control, u64 input, u64 output);
u64 nichost_hypercall(u64 control, u64 input, u64 output)
{
	switch (control & 0xffff) {
	case HVCALL_POST_MESSAGE:
		return post_message(phys_to_virt(input));
	case HVCALL_SIGNAL_EVENT:
		return signal_event((u32)input);	/* the fast form: the value itself */
	default:
		return STATUS_BAD_CODE;
	}
}

/* What the kernel calls in the hypercall page: rcx, rdx, r8 in, rax out, the rest as the ABI's callee has it and rdi, rsi too. */
asm(".text\n"
    ".globl nichost_hypercall_page\n"
    ".type nichost_hypercall_page, @function\n"
    "nichost_hypercall_page:\n"
    "	push %rdi\n"
    "	push %rsi\n"
    "	push %rbp\n"
    "	mov %rsp, %rbp\n"
    "	and $-16, %rsp\n"
    "	mov %rcx, %rdi\n"
    "	mov %rdx, %rsi\n"
    "	mov %r8, %rdx\n"
    "	call nichost_hypercall\n"
    "	mov %rbp, %rsp\n"
    "	pop %rbp\n"
    "	pop %rsi\n"
    "	pop %rdi\n"
    "	jmp __x86_return_thunk\n"
    ".size nichost_hypercall_page, . - nichost_hypercall_page\n");
extern char nichost_hypercall_page[];

/* This CPU's message page and event page, once VMBus has made them. */
static void **synic_pages(void)
{
	if (!context)
		context = (void **)lookup("hv_context");
	if (!context || !context[1] || !run_vmbus)
		return NULL;
	return this_cpu_ptr((void __percpu *)context[1]);
}

static void deliver(unsigned long unused);
static DECLARE_TASKLET_OLD(deliver_again, deliver);

/* Puts the next message into the slot when VMBus has emptied it. */
static void deliver(unsigned long unused)
{
	unsigned long flags;
	void **pages;
	u32 tail;

	local_irq_save(flags);
	pages = synic_pages();
	tail = shared->to_guest_tail;
	if (pages && tail != READ_ONCE(shared->to_guest_head)) {
		struct slot *slot = &to_guest[tail % SLOTS];
		u32 *message = pages[0] + SINT * 256;

		if (READ_ONCE(message[0]) == 0) {
			smp_rmb();
			memcpy(message + 4, slot->data, min_t(u32, slot->length, 240));
			message[1] = slot->length & 0xff;
			message[2] = message[3] = 0;
			smp_wmb();
			WRITE_ONCE(message[0], 1);
			WRITE_ONCE(shared->to_guest_tail, tail + 1);
			run_vmbus();
		}
		/* After VMBus's own tasklet, which empties the slot. */
		tasklet_schedule(&deliver_again);
	}
	local_irq_restore(flags);
}

static irqreturn_t interrupt(int irq, void *data)
{
	long vector = (long)data;
	void **pages;

	if (vector == 0) {
		deliver(0);
		return IRQ_HANDLED;
	}
	pages = synic_pages();
	if (pages && READ_ONCE(shared->vector[vector].valid)) {
		set_bit(shared->vector[vector].relid, (unsigned long *)(pages[1] + SINT * 256));
		run_vmbus();
	}
	return IRQ_HANDLED;
}

static noinline notrace bool yes(void)
{
	return true;
}

/* Only the instruction pointer may be changed here: ftrace puts the stack pointer back. */
static int answer_yes(struct kprobe *probe, struct pt_regs *regs)
{
	regs->ip = (unsigned long)yes;
	return 1;
}

static void nothing(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int learn_interrupt(struct kprobe *probe, struct pt_regs *regs)
{
	run_vmbus = (void *)regs->di;
	return 0;
}

static struct kprobe is_initialized = {
	.symbol_name = "hv_is_hyperv_initialized", .pre_handler = answer_yes, .post_handler = nothing,
};
static struct kprobe set_handler = { .symbol_name = "hv_setup_vmbus_handler", .pre_handler = learn_interrupt };
static struct kprobe find_lookup = { .symbol_name = "kallsyms_lookup_name" };

static int probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	int i, error = pci_enable_device(dev);

	if (error)
		return error;
	pci_set_master(dev);
	registers = pci_iomap(dev, 0, 0);
	shared = ioremap_cache(pci_resource_start(dev, 2), pci_resource_len(dev, 2));
	if (!registers || !shared)
		return -ENOMEM;
	if (shared->magic != MAGIC)
		return dev_err_probe(&dev->dev, -ENODEV, "the shared page is not a bridge's\n");
	to_host = (void *)shared + TO_HOST;
	to_guest = (void *)shared + TO_GUEST;
	vectors = pci_alloc_irq_vectors(dev, 2, VECTORS, PCI_IRQ_MSIX);
	if (vectors < 0)
		return vectors;
	for (i = 0; i < vectors; i++) {
		error = request_irq(pci_irq_vector(dev, i), interrupt, 0, "nichost_hv", (void *)(long)i);
		if (error)
			return error;
	}
	hv_vp_index = kcalloc(num_possible_cpus(), sizeof(u32), GFP_KERNEL);
	if (!hv_vp_index)
		return -ENOMEM;
	for_each_possible_cpu(i)
		hv_vp_index[i] = i;
	hv_hypercall_pg = nichost_hypercall_page;
	return 0;
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1af4, 0x1110) }, { } };
static struct pci_driver driver = { .name = "nichost_hv", .id_table = ids, .probe = probe };

static int __init start(void)
{
	int error = register_kprobe(&find_lookup);

	if (error)
		return error;
	lookup = (void *)find_lookup.addr;
	unregister_kprobe(&find_lookup);
	error = register_kprobe(&is_initialized);
	if (!error)
		error = register_kprobe(&set_handler);
	if (!error)
		error = pci_register_driver(&driver);
	return error;
}
module_init(start);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Plays the hypervisor for hv_vmbus over ivshmem");
