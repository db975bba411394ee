// SPDX-License-Identifier: MIT
// event_log < events.jsonl: what hvd has logged, counted: "kind NAME COUNT", for each ring of each
// session "last SESSION RING SEQUENCE" and "dropped SESSION RING TOTAL", and each "gap …" in the
// numbers.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { line_bytes = 4096, rings_most = 256, kinds_most = 64, name_bytes = 40 };

static struct ring {
    char session[name_bytes];
    long number, last, dropped;
} rings[rings_most];

static struct kind {
    char name[name_bytes];
    unsigned long count;
} kinds[kinds_most];

// The value behind "name": up to a comma or brace, without quotes.
static bool member(char const* line, char const* name, char* value) {
    char quoted[name_bytes];
    size_t used = 0;

    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    char const* at = strstr(line, quoted);
    if (!at) return false;
    at += strlen(quoted);
    at += strspn(at, " \"");
    while (used + 1 < name_bytes && at[used] && !strchr("\",}", at[used])) {
        value[used] = at[used];
        ++used;
    }
    value[used] = 0;
    return true;
}

static struct ring* ring_of(char const* session, long number) {
    for (struct ring* each = rings; each < rings + rings_most; ++each) {
        if (each->session[0] && (each->number != number || strcmp(each->session, session) != 0))
            continue;
        if (!each->session[0]) {
            strcpy(each->session, session);
            each->number = number;
            each->last = -1;
        }
        return each;
    }
    exit(EXIT_FAILURE);
}

static void count_kind(char const* name) {
    for (struct kind* each = kinds; each < kinds + kinds_most; ++each) {
        if (each->name[0] && strcmp(each->name, name) != 0) continue;
        strcpy(each->name, name);
        ++each->count;
        return;
    }
}

static void read_line(char const* line) {
    char session[name_bytes], number[name_bytes], text[name_bytes] = "";

    bool const limited = member(line, "kind", text) && strcmp(text, "limited") == 0;
    if (text[0]) count_kind(text);
    if (!member(line, "session", session) || !member(line, "ring", number)) return;
    struct ring* const ring = ring_of(session, atol(number));
    if (member(line, "dropped_total", text)) ring->dropped = atol(text);
    if (!member(line, "sequence", text)) return;
    long const now = atol(text);
    if (!limited && ring->last >= 0 && now != ring->last + 1)
        printf("gap ring %ld goes from %ld to %ld\n", ring->number, ring->last, now);
    ring->last = now;
}

int main(void) {
    static char line[line_bytes];

    while (fgets(line, sizeof line, stdin)) read_line(line);
    for (struct kind* each = kinds; each < kinds + kinds_most && each->count; ++each)
        printf("kind %s %lu\n", each->name, each->count);
    for (struct ring* each = rings; each < rings + rings_most && each->session[0]; ++each) {
        printf("last %s %ld %ld\n", each->session, each->number, each->last);
        printf("dropped %s %ld %ld\n", each->session, each->number, each->dropped);
    }
    return EXIT_SUCCESS;
}
