// SPDX-License-Identifier: MIT
// cpuid LEAF eax|ebx|ecx|edx: what CPUID answers to a program, in hexadecimal.
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char** argument) {
    static char const* const names[] = {"eax", "ebx", "ecx", "edx"};
    unsigned answer[4];

    if (count != 3) return EXIT_FAILURE;
    __cpuid_count(strtoul(argument[1], NULL, 0), 0, answer[0], answer[1], answer[2], answer[3]);
    for (int i = 0; i < 4; ++i)
        if (!strcmp(names[i], argument[2])) return printf("%x\n", answer[i]) < 0;
    return EXIT_FAILURE;
}
