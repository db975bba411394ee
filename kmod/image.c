// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The embedded core: an ELF file that is checked once, measured once, and copied at each start. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/elf.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hv.h"

#define HV_MAX_SEGMENTS 16
#define HV_MAX_AREA_PAGES 16384

static int bad(const char *what)
{
	pr_err("the embedded core is not usable: %s: build hv.ko again\n", what);
	return -ENOEXEC;
}

static bool inside(u64 offset, u64 bytes, u64 size)
{
	return offset <= size && bytes <= size - offset;
}

static bool segment_at(const struct hv_image *image, const Elf64_Ehdr *elf, unsigned int i,
		       Elf64_Phdr *segment)
{
	u64 at = elf->e_phoff + (u64)i * sizeof(*segment);

	if (elf->e_phoff > image->size || !inside(at, sizeof(*segment), image->size))
		return false;
	memcpy(segment, image->bytes + at, sizeof(*segment));
	return true;
}

static int check_elf(const struct hv_image *image, Elf64_Ehdr *elf)
{
	if (image->size < sizeof(*elf))
		return bad("shorter than an ELF header");
	memcpy(elf, image->bytes, sizeof(*elf));
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf->e_ident[EI_DATA] != ELFDATA2LSB || elf->e_machine != EM_X86_64)
		return bad("not an ELF file for x86-64");
	if (elf->e_type != ET_EXEC)
		return bad("not a static executable at a fixed address");
	if (elf->e_phentsize != sizeof(Elf64_Phdr) || !elf->e_phnum ||
	    elf->e_phnum > HV_MAX_SEGMENTS)
		return bad("an odd table of segments");
	return 0;
}

/* The image's first bytes at its first address are struct hv_image_header. */
static int find_header(struct hv_image *image, const Elf64_Ehdr *elf)
{
	Elf64_Phdr segment;
	unsigned int i;

	for (i = 0; i < elf->e_phnum; i++) {
		if (!segment_at(image, elf, i, &segment))
			return bad("the table of segments lies outside the file");
		if (segment.p_type != PT_LOAD || segment.p_vaddr != HV_CORE_BASE)
			continue;
		if (segment.p_filesz < sizeof(image->header) ||
		    !inside(segment.p_offset, segment.p_filesz, image->size))
			return bad("its first segment lies outside the file");
		memcpy(&image->header, image->bytes + segment.p_offset, sizeof(image->header));
		return 0;
	}
	return bad("no segment at its base address");
}

static int check_header(const struct hv_image_header *header)
{
	if (header->magic != HV_IMAGE_MAGIC || header->size != sizeof(*header))
		return bad("no image header at its base address");
	if (header->version != HV_ABI_VERSION) {
		pr_err("the embedded core speaks ABI %u, hv.ko %u: build both again\n",
		       header->version, HV_ABI_VERSION);
		return -ENOEXEC;
	}
	if (!header->image_pages || header->image_pages > HV_MAX_AREA_PAGES ||
	    header->pool_pages > HV_MAX_AREA_PAGES || !header->cpu_pages ||
	    header->cpu_pages > HV_MAX_AREA_PAGES)
		return bad("odd sizes in the image header");
	if (header->shared_cpu_pages != 1 + HV_RING_PAGES || !header->max_cpus)
		return bad("odd shared area in the image header");
	return 0;
}

static int claim_segment(struct hv_image *image, const Elf64_Phdr *segment)
{
	u64 bytes = (u64)image->header.image_pages * PAGE_SIZE;
	u64 start = segment->p_vaddr - HV_CORE_BASE;
	u64 page;

	if (segment->p_filesz > segment->p_memsz ||
	    !inside(segment->p_offset, segment->p_filesz, image->size))
		return bad("a segment lies outside the file");
	if (segment->p_vaddr < HV_CORE_BASE || !inside(start, segment->p_memsz, bytes))
		return bad("a segment lies outside the image");
	if ((segment->p_flags & PF_W) && (segment->p_flags & PF_X))
		return bad("a segment is writable and executable");
	if (!segment->p_memsz)
		return 0;
	for (page = start >> PAGE_SHIFT; page <= (start + segment->p_memsz - 1) >> PAGE_SHIFT;
	     page++) {
		if (image->rights[page])
			return bad("two segments share a page");
		image->rights[page] = (segment->p_flags & (PF_W | PF_X)) | PF_R;
	}
	return 0;
}

static int claim_segments(struct hv_image *image, const Elf64_Ehdr *elf)
{
	Elf64_Phdr segment;
	unsigned int i;
	int error;

	for (i = 0; i < elf->e_phnum; i++) {
		segment_at(image, elf, i, &segment);
		if (segment.p_type == PT_DYNAMIC || segment.p_type == PT_INTERP)
			return bad("dynamically linked");
		if (segment.p_type != PT_LOAD)
			continue;
		error = claim_segment(image, &segment);
		if (error)
			return error;
	}
	return 0;
}

static int check_entry(const struct hv_image *image)
{
	u64 offset = image->header.entry - HV_CORE_BASE;

	if (image->header.entry < HV_CORE_BASE ||
	    offset >> PAGE_SHIFT >= image->header.image_pages ||
	    !(image->rights[offset >> PAGE_SHIFT] & PF_X))
		return bad("its entry is not in executable code");
	return 0;
}

int hv_image_parse(struct hv_image *image)
{
	Elf64_Ehdr elf;
	int error;

	image->bytes = hv_core_image;
	image->size = hv_core_image_end - hv_core_image;
	error = check_elf(image, &elf);
	if (!error)
		error = find_header(image, &elf);
	if (!error)
		error = check_header(&image->header);
	if (error)
		return error;

	image->rights = kcalloc(image->header.image_pages, 1, GFP_KERNEL);
	if (!image->rights)
		return -ENOMEM;
	error = claim_segments(image, &elf);
	if (!error)
		error = check_entry(image);
	if (error) {
		hv_image_forget(image);
		return error;
	}
	sha256(image->bytes, image->size, image->sha256);
	return 0;
}

void hv_image_forget(struct hv_image *image)
{
	kfree(image->rights);
	image->rights = NULL;
}

static void load_segment(const struct hv_image *image, const struct hv_frames *frames,
			 const Elf64_Phdr *segment)
{
	const u8 *from = image->bytes + segment->p_offset;
	u64 at = segment->p_vaddr - HV_CORE_BASE;
	u64 left = segment->p_filesz;

	while (left) {
		size_t bytes = min_t(u64, left, PAGE_SIZE - offset_in_page(at));

		memcpy(hv_frame(frames, at >> PAGE_SHIFT) + offset_in_page(at), from, bytes);
		from += bytes;
		at += bytes;
		left -= bytes;
	}
}

/* The frames are zero, so what a segment has beyond its bytes in the file is done. */
void hv_image_load(const struct hv_image *image, const struct hv_frames *frames)
{
	Elf64_Phdr segment;
	Elf64_Ehdr elf;
	unsigned int i;

	memcpy(&elf, image->bytes, sizeof(elf));
	for (i = 0; i < elf.e_phnum; i++) {
		segment_at(image, &elf, i, &segment);
		if (segment.p_type == PT_LOAD)
			load_segment(image, frames, &segment);
	}
}
