// SPDX-License-Identifier: MIT
// msr INDEX          prints what the MSR holds on CPU 0
// msr INDEX VALUE    writes it, as root, through the kernel's own /dev/cpu/0/msr
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **word)
{
	uint64_t value;
	off_t index;
	int file;

	if (count < 2 || count > 3) {
		fprintf(stderr, "usage: msr INDEX [VALUE]\n");
		return 2;
	}
	index = (off_t)strtoull(word[1], NULL, 0);
	file = open("/dev/cpu/0/msr", count == 3 ? O_RDWR : O_RDONLY);
	if (file < 0) {
		fprintf(stderr, "msr: /dev/cpu/0/msr: %s: modprobe msr, as root\n", strerror(errno));
		return 1;
	}
	if (count == 3) {
		value = strtoull(word[2], NULL, 0);
		if (pwrite(file, &value, sizeof(value), index) != sizeof(value)) {
			printf("msr: writing 0x%jx: %s\n", (uintmax_t)index, strerror(errno));
			return 1;
		}
		return 0;
	}
	if (pread(file, &value, sizeof(value), index) != sizeof(value)) {
		printf("msr: reading 0x%jx: %s\n", (uintmax_t)index, strerror(errno));
		return 1;
	}
	printf("0x%016" PRIx64 "\n", value);
	return 0;
}
