// SPDX-License-Identifier: MIT
// kexec KERNEL INITRD COMMAND_LINE: loads another kernel and starts it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(char const* step) {
    printf("%s: %s\n", step, strerror(errno));
    return EXIT_FAILURE;
}

int main(int count, char** argument) {
    if (count != 4) return 2;
    int const kernel = open(argument[1], O_RDONLY | O_CLOEXEC);
    int const initrd = open(argument[2], O_RDONLY | O_CLOEXEC);
    if (kernel < 0 || initrd < 0) return fail("open");
    if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(argument[3]) + 1, argument[3], 0ul))
        return fail("kexec_file_load");
    printf("loaded\n");
    fflush(stdout);
    sync();
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
    return fail("reboot");
}
