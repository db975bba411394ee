// SPDX-License-Identifier: MIT
// on_tty [WORD KEYS]… -- COMMAND…: runs COMMAND on a terminal of its own and passes on what it
// prints. Each time WORD came, KEYS are typed (escapes: \r, \ooo). Ends as COMMAND does.
#define _GNU_SOURCE
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_bytes = 1 << 16, octal_digits = 3 };

static char seen[most_bytes];
static size_t seen_bytes;

static void type(int terminal, char const* keys) {
    while (*keys) {
        char key = *keys++;
        if (key == '\\' && *keys == 'r') {
            key = '\r';
            ++keys;
        } else if (key == '\\') {
            char digits[octal_digits + 1] = {0};
            strncpy(digits, keys, octal_digits);
            key = (char)strtoul(digits, NULL, 8);
            keys += strlen(digits);
        }
        if (write(terminal, &key, 1) != 1) exit(EXIT_FAILURE);
    }
}

// What came before it, and itself, counts for the next word no more.
static int found(char const* word) {
    char* const at = memmem(seen, seen_bytes, word, strlen(word));
    if (!at) return 0;
    size_t const used = (size_t)(at - seen) + strlen(word);
    memmove(seen, seen + used, seen_bytes - used);
    seen_bytes -= used;
    return 1;
}

// False at the end of it.
static int pass_on(int terminal) {
    if (seen_bytes == most_bytes - 1) seen_bytes = 0;
    ssize_t const got = read(terminal, seen + seen_bytes, most_bytes - 1 - seen_bytes);
    if (got <= 0) return got < 0 && errno == EINTR;
    if (write(STDOUT_FILENO, seen + seen_bytes, (size_t)got) != got) return 0;
    seen_bytes += (size_t)got;
    return 1;
}

int main(int count, char** argument) {
    int terminal, status = 0, at = 1, end = 1;

    while (end < count && strcmp(argument[end], "--")) ++end;
    if (end + 1 >= count || end % 2 == 0) return EXIT_FAILURE;
    pid_t const child = forkpty(&terminal, NULL, NULL, NULL);
    if (child < 0) return EXIT_FAILURE;
    if (child == 0) {
        execvp(argument[end + 1], argument + end + 1);
        _exit(127);
    }
    do {
        while (at < end && found(argument[at])) {
            type(terminal, argument[at + 1]);
            at += 2;
        }
    } while (pass_on(terminal));
    if (waitpid(child, &status, 0) != child || at != end) return EXIT_FAILURE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
