// SPDX-License-Identifier: MIT
// renamed FROM TO OLD NEW: a copy of a module whose every name OLD, or OLD_ and more, begins with
// NEW, of as many letters: its own, that of its netlink family, and of its symbols. So it can be
// loaded beside the first.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_bytes = 4 << 20 };

static char bytes[most_bytes];

static int stop_at(char const* name) {
    perror(name);
    return EXIT_FAILURE;
}

static bool name_at(char const* at, char const* old, size_t length) {
    char const after = at[1 + length];

    return !at[0] && !memcmp(at + 1, old, length) && (!after || after == '_');
}

static void rename_all(size_t size, char const* old, char const* new) {
    size_t const length = strlen(old);

    for (size_t i = 0; i + length + 2 <= size; ++i)
        if (name_at(bytes + i, old, length)) memcpy(bytes + i + 1, new, length);
}

int main(int count, char** argument) {
    if (count != 5 || strlen(argument[3]) != strlen(argument[4])) return 2;
    FILE* const from = fopen(argument[1], "rb");
    if (!from) return stop_at(argument[1]);
    size_t const size = fread(bytes, 1, sizeof bytes, from);
    FILE* const to = fopen(argument[2], "wb");
    if (!to) return stop_at(argument[2]);
    rename_all(size, argument[3], argument[4]);
    bool const written = fwrite(bytes, 1, size, to) == size;
    if (fclose(to) || !written) return stop_at(argument[2]);
    return EXIT_SUCCESS;
}
