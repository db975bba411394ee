// SPDX-License-Identifier: MIT
// ram_readers STEP < RUNS: reads frames ("run FIRST PAGES" a line) through /proc/kcore and
// /dev/mem, and then each STEPth page of what /proc/kcore has. Prints how many pages held anything
// but zeroes.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { page = 4096, segments_most = 64 };

static Elf64_Phdr segment[segments_most];
static unsigned segments;
static unsigned char buffer[page];

static bool read_headers(int core) {
    Elf64_Ehdr head;

    if (pread(core, &head, sizeof head, 0) != sizeof head) return false;
    segments = head.e_phnum < segments_most ? head.e_phnum : segments_most;
    return pread(core, segment, segments * sizeof segment[0], (off_t)head.e_phoff) > 0;
}

static off_t offset_of(uint64_t physical) {
    for (unsigned i = 0; i < segments; ++i)
        if (segment[i].p_type == PT_LOAD && segment[i].p_paddr <= physical &&
            physical - segment[i].p_paddr < segment[i].p_filesz)
            return (off_t)(segment[i].p_offset + (physical - segment[i].p_paddr));
    return -1;
}

static bool is_zero(unsigned char const* from, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i)
        if (from[i]) return false;
    return true;
}

struct tally {
    unsigned long pages, readable, zero, refused, written;
};

static void read_frame(struct tally* tally, int file, off_t at) {
    ++tally->pages;
    if (at < 0 || pread(file, buffer, page, at) != page) {
        ++tally->refused;
        return;
    }
    ++tally->readable;
    tally->zero += is_zero(buffer, page);
}

// Mapping /dev/mem meets other checks than reading it.
static void map_frame(struct tally* tally, int memory, uint64_t at) {
    unsigned char* const mapped = mmap(NULL, page, PROT_READ, MAP_SHARED, memory, (off_t)at);

    ++tally->pages;
    if (mapped == MAP_FAILED) {
        ++tally->refused;
        return;
    }
    ++tally->readable;
    tally->zero += is_zero(mapped, page);
    munmap(mapped, page);
}

static void tell(char const* name, struct tally const* tally) {
    printf("%s pages %lu readable %lu zero %lu refused %lu written %lu\n", name, tally->pages,
           tally->readable, tally->zero, tally->refused, tally->written);
}

static void read_runs(int core, int memory) {
    struct tally by_core = {0}, by_memory = {0}, by_map = {0};
    unsigned long long first;
    unsigned pages;

    while (scanf(" run %llx %u", &first, &pages) == 2) {
        for (uint64_t at = first; at < first + (uint64_t)pages * page; at += page) {
            read_frame(&by_core, core, offset_of(at));
            read_frame(&by_memory, memory, (off_t)at);
            map_frame(&by_map, memory, at);
            by_memory.written += pwrite(memory, "x", 1, (off_t)at) == 1;
        }
    }
    tell("kcore", &by_core);
    tell("mem", &by_memory);
    tell("mem_map", &by_map);
}

static void read_all(int core, uint64_t step) {
    unsigned long long bytes = 0;

    for (unsigned i = 0; i < segments; ++i) {
        if (segment[i].p_type != PT_LOAD || segment[i].p_paddr + 1 <= 1) continue;
        for (uint64_t at = 0; at < segment[i].p_filesz; at += step * page)
            if (pread(core, buffer, page, (off_t)(segment[i].p_offset + at)) == page) bytes += page;
    }
    printf("all bytes %llu\n", bytes);
}

int main(int count, char** argument) {
    uint64_t const step = count > 1 ? strtoull(argument[1], NULL, 0) : 1;
    int const core = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
    int const memory = open("/dev/mem", O_RDWR | O_CLOEXEC);

    if (core < 0 || memory < 0 || !read_headers(core)) {
        printf("cannot read: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    read_runs(core, memory);
    read_all(core, step ? step : 1);
    return EXIT_SUCCESS;
}
