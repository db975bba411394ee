# SPDX-License-Identifier: MIT
# Boot sector of the Bochs machine. Bochs has put the file made by ram_image.py into its memory,
# but hands that memory to the guest in blocks of 128 KiB, in the order in which the guest first
# touches them. So: find out how many blocks the BIOS has used, spend blocks until the kernel's
# comes next, touch the kernel's in order, and enter the kernel in long mode.
# ram_image.py writes the words at the end of the sector.

	.set	out_port, 0xe9
	.set	block, 0x20000
	.set	probe, 0x100000			# a block that no BIOS touches
	.set	image, 0x1000000
	.set	e820_raw, 0x6000		# 24 bytes apart; free between the BIOS data and us
	.set	e820_bytes, 20
	.set	boot_params_e820, 0x2d0
	.set	boot_params_e820_count, 0x1e8

	.code16
	.globl	_start
_start:	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	$booted, %si			# one per boot: the rig counts resets by it
	mov	$3, %cx
	mov	$out_port, %dx
	rep outsb

	xor	%ebx, %ebx
	xor	%bp, %bp
	mov	$e820_raw, %di
1:	mov	$0xe820, %eax
	mov	$e820_bytes, %ecx
	mov	$0x534d4150, %edx		# "SMAP"
	int	$0x15
	jc	2f
	inc	%bp
	add	$e820_bytes, %di
	test	%ebx, %ebx
	jnz	1b
2:	in	$0x92, %al			# A20 on, and not the reset bit
	or	$2, %al
	and	$0xfe, %al
	out	%al, $0x92
	lgdtl	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x08, $protected

	.code32
protected:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	probe, %ecx			# every block before the image holds its own number
	mov	%ecx, %eax
	shr	$16, %eax
	cmp	slot_tag, %ax
	jne	broken
	movzwl	%cx, %ecx
	sub	image_slot, %ecx
	neg	%ecx
	dec	%ecx				# image_slot - 1 - number of the block just used
	js	broken
	mov	$probe, %esi
	jecxz	4f
3:	add	$block, %esi
	mov	(%esi), %eax
	loop	3b
	cmp	$image, %esi
	jae	broken
4:	mov	$image, %esi
5:	mov	(%esi), %eax
	add	$block, %esi
	cmp	image_end, %esi
	jb	5b
	mov	image_end, %esi
	cmpl	$0x454e4448, -4(%esi)		# "HDNE": the blocks are where they belong
	jne	broken

	mov	boot_params, %ebx
	movzwl	%bp, %eax
	mov	%al, boot_params_e820_count(%ebx)
	lea	boot_params_e820(%ebx), %edi
	mov	$e820_raw, %esi
	imul	$e820_bytes, %eax, %ecx
	rep movsb

	mov	%cr4, %eax
	or	$0x20, %al			# PAE
	mov	%eax, %cr4
	mov	page_tables, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		# EFER.LME
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	mov	boot_params, %esi
	ljmp	*kernel_entry

broken:	mov	$failed, %esi
	mov	$(failed_end - failed), %ecx
	mov	$out_port, %edx
	rep outsb
6:	hlt
	jmp	6b

booted:	.byte	1, 'B', 4
failed:	.byte	1, 'F'
	.ascii	"the memory image does not lie as expected"
	.byte	4
failed_end:
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		# 08 code, 32 bits
	.quad	0x00cf93000000ffff		# 10 data
	.quad	0x00af9b000000ffff		# 18 code, 64 bits
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	482
slot_tag:	.word	0
image_slot:	.long	0
image_end:	.long	0
page_tables:	.long	0
boot_params:	.long	0
kernel_entry:	.long	0			# far pointer
	.word	0x18
	.org	510
	.word	0xaa55
