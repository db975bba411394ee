// SPDX-License-Identifier: MIT
// The core image as a loader sees it: a static ELF64 linked at HV_CORE_BASE, whose first bytes are
// struct hv_image_header. The loader donates frames, maps them, and calls `entry` on each CPU.
//
// The loader maps the donated frames virtually contiguous from HV_CORE_BASE, in this order of areas
// (sizes in pages from the header, `cpus` is the number of CPUs that will be launched):
//
//   image            image_pages           rights of each ELF segment (W^X)
//   pool             pool_pages            struct machine, second-stage tables     private
//   cpu 0..n-1       cpu_pages each        stacks, GDT, TSS, VMXON region, VMCS    private
//   tables           as many as it needs   the page tables of this very mapping    private
//   shared           1 + HV_MAILBOX_PAGES  zero page, mailbox                      shared
//   shared cpu 0..   shared_cpu_pages each struct hv_cpu_shared, the record ring   shared
//
// Private frames are out of the root VM's reach, shared ones it sees (the mailbox: and writes).
//
// All data pages but the image's are RW, never executable, supervisor, 4 KiB leaves; all frames are
// zeroed before the image is copied. Tables cover HV_SPARE_PAGES further pages, not present, for
// the core's own use. The first table page is the PML4 (the core's CR3), whose only entry is number
// 0.
#ifndef HV_ABI_IMAGE_H
#define HV_ABI_IMAGE_H

#include "fixed.h"

#define HV_CORE_BASE 0x40000000u
#define HV_IMAGE_MAGIC 0x52435648u    // "HVCR"
#define HV_MAILBOX_PAGES 16u
#define HV_SPARE_PAGES 8192u

struct hv_image_header {
    uint32_t magic;
    uint32_t version;    // HV_ABI_VERSION
    uint32_t size;       // of this struct
    uint32_t image_pages;
    uint32_t pool_pages;
    uint32_t cpu_pages;
    uint32_t shared_cpu_pages;
    uint32_t max_cpus;
    uint64_t entry;    // int64_t entry(struct hv_launch *), SysV ABI, interrupts off
};
HV_STATIC_ASSERT(sizeof(struct hv_image_header) == 40, "hv_image_header");

#endif
