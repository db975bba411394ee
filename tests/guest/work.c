// SPDX-License-Identifier: MIT
// work TICKS: keeps every CPU busy for so many ticks with what Linux does all day, and counts it:
// fork, exec, pipes between CPUs, files, signals, timers, unmapping under a second thread (IPIs).
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

enum { page = 4096, pages = 64, rounds = 32 };

struct counts {
    unsigned long forks, execs, pipes, files, signals, timers, unmaps;
};

static volatile sig_atomic_t signals_seen, timers_seen;

static void on_signal(int number) {
    if (number == SIGALRM)
        ++timers_seen;
    else
        ++signals_seen;
}

static void stay_on(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static bool fork_once(bool exec) {
    int status = 0;
    pid_t const child = fork();

    if (!child) {
        if (exec) execl("/proc/self/exe", "work", NULL);
        _exit(exec ? 1 : 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

// A word to a process on another CPU and back.
static bool ping_pong(int other) {
    int there[2], back[2];
    char word = 0;
    bool good = true;

    if (pipe(there) || pipe(back)) return false;
    pid_t const child = fork();
    if (!child) {
        stay_on(other);
        for (int i = 0; i < rounds; ++i)
            if (read(there[0], &word, 1) != 1 || write(back[1], &word, 1) != 1) _exit(1);
        _exit(0);
    }
    for (int i = 0; i < rounds && good; ++i)
        good = write(there[1], &word, 1) == 1 && read(back[0], &word, 1) == 1;
    for (int i = 0; i < 2; ++i) close(there[i]), close(back[i]);
    waitpid(child, NULL, 0);
    return good;
}

static bool file_once(void) {
    char name[64], text[page], read_back[page];
    int file;
    bool good;

    snprintf(name, sizeof name, "/tmp/work.%d", getpid());
    memset(text, getpid() & 0xff, sizeof text);
    file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 8; ++i)
        if (write(file, text, sizeof text) != page) return false;
    good = pread(file, read_back, sizeof read_back, 4 * page) == page &&
           memcmp(text, read_back, sizeof text) == 0;
    close(file);
    unlink(name);
    return good;
}

struct shared {
    volatile bool stop;
    int cpu;
};

static void* keep_mm_there(void* argument) {
    struct shared* shared = argument;

    stay_on(shared->cpu);
    while (!shared->stop) usleep(1000);
    return NULL;
}

static bool unmap_once(void) {
    char* const at = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);

    if (at == MAP_FAILED) return false;
    for (int i = 0; i < pages; ++i) at[i * page] = (char)i;
    mprotect(at, pages * page, PROT_READ);
    return munmap(at, pages * page) == 0;
}

static bool one_round(struct counts* count, int other) {
    count->forks++;
    count->execs++;
    count->pipes += rounds;
    count->files++;
    count->signals++;
    count->unmaps++;
    return fork_once(false) && fork_once(true) && ping_pong(other) && file_once() &&
           kill(getpid(), SIGUSR1) == 0 && unmap_once();
}

static int work(int cpu, int other, unsigned long long until) {
    struct itimerval const every = {{0, 4000}, {0, 4000}};
    struct shared shared = {false, other};
    struct counts count = {0};
    pthread_t thread;
    bool good = true;

    stay_on(cpu);
    signal(SIGUSR1, on_signal);
    signal(SIGALRM, on_signal);
    pthread_create(&thread, NULL, keep_mm_there, &shared);
    setitimer(ITIMER_REAL, &every, NULL);
    while (good && __rdtsc() < until) good = one_round(&count, other);
    shared.stop = true;
    pthread_join(thread, NULL);
    good = good && timers_seen > 0 && (unsigned long)signals_seen == count.signals;
    printf("cpu%d forks %lu execs %lu pipes %lu files %lu signals %lu timers %d unmaps %lu%s\n",
           cpu, count.forks, count.execs, count.pipes, count.files, count.signals, (int)timers_seen,
           count.unmaps, good ? "" : " FAILED");
    return good ? 0 : 1;
}

int main(int arguments, char** argument) {
    if (arguments < 2) return 0;    // what the forked children execute
    int const cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    unsigned long long const until = __rdtsc() + strtoull(argument[1], NULL, 0);
    int failed = 0;

    for (int cpu = 0; cpu < cpus; ++cpu)
        if (!fork()) return work(cpu, (cpu + 1) % cpus, until);
    for (int status = 0; wait(&status) > 0;) failed |= status != 0;
    return failed;
}
