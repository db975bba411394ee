// SPDX-License-Identifier: MIT
// flat < JSON: each value of one JSON document on a line of its own, as path=value: cpus.0.id=0.
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { text_bytes = 4 << 20, path_bytes = 512, depth_most = 32 };

static char text[text_bytes];
static char path[path_bytes];
static char const* at = text;

static void value(size_t path_used, unsigned depth);

static void fail(char const* what) {
    fprintf(stderr, "flat: %s at byte %zu: %.20s\n", what, (size_t)(at - text), at);
    exit(EXIT_FAILURE);
}

static void skip(void) {
    while (isspace((unsigned char)*at)) ++at;
}

static bool take(char expected) {
    skip();
    if (*at != expected) return false;
    ++at;
    return true;
}

// Escapes stay as they are written.
static size_t string(char const** from) {
    if (!take('"')) fail("no string");
    *from = at;
    while (*at && *at != '"') at += *at == '\\' && at[1] ? 2 : 1;
    if (!*at) fail("open string");
    return (size_t)(at++ - *from);
}

static size_t step(size_t used, char const* name, size_t bytes) {
    int const more = snprintf(path + used, path_bytes - used, "%s%.*s", used ? "." : "", (int)bytes,
                              name);
    if (more < 0 || (size_t)more >= path_bytes - used) fail("path too long");
    return used + (size_t)more;
}

static void members(size_t used, unsigned depth) {
    char const* name;

    if (take('}')) return;
    do {
        skip();
        size_t const bytes = string(&name);
        if (!take(':')) fail("no colon");
        value(step(used, name, bytes), depth);
    } while (take(','));
    if (!take('}')) fail("open object");
}

static void items(size_t used, unsigned depth) {
    char number[16];
    unsigned index = 0;

    if (take(']')) return;
    do {
        snprintf(number, sizeof number, "%u", index++);
        value(step(used, number, strlen(number)), depth);
    } while (take(','));
    if (!take(']')) fail("open array");
}

static void value(size_t used, unsigned depth) {
    char const* from;

    if (depth == depth_most) fail("too deep");
    if (take('{')) {
        members(used, depth + 1);
    } else if (take('[')) {
        items(used, depth + 1);
    } else if (*at == '"') {
        size_t const bytes = string(&from);
        printf("%.*s=%.*s\n", (int)used, path, (int)bytes, from);
    } else {
        from = at;
        while (isalnum((unsigned char)*at) || strchr("+-.", *at) != NULL) {
            if (!*at) break;
            ++at;
        }
        if (at == from) fail("no value");
        printf("%.*s=%.*s\n", (int)used, path, (int)(at - from), from);
    }
}

int main(void) {
    text[fread(text, 1, sizeof text - 1, stdin)] = 0;
    value(0, 0);
    skip();
    if (*at) fail("more than one document");
    return EXIT_SUCCESS;
}
