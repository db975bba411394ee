// SPDX-License-Identifier: MIT
// First process of the emulated machine: runs what the rig asks for and tells the rig about it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

enum { arguments_max = 1024, arguments_bytes = 131072 };
enum { cannot_run = 126, not_found = 127, signal_base = 128 };

static const char arguments_file[] = "/etc/rig/command";
static const char hoist_script[] = "/etc/rig/hoist";
static const char shell_mark[] = "/etc/rig/shell";
static const char daemon_log[] = "/var/log/hv/hvd.log";
static const char console[] = "/dev/ttyS0";

struct job {
	pid_t pid;
	int out, err;	// what it writes, -1 where nobody listens
	char out_channel, err_channel;
	bool done;
	int status;
};

static int kernel_log = -1;
static int signals = -1;

/// Pass on one read of a descriptor. False when there is nothing (more) in it now.
static bool relay_once(int from, char channel)
{
	static char content[frame_content_max];
	ssize_t bytes = from < 0 ? 0 : read(from, content, sizeof content);

	if (bytes > 0)
		send_frame(channel, content, (size_t)bytes);
	else if (bytes < 0 && errno == EPIPE)	// the kernel log overran us; it reads on
		return true;
	return bytes > 0;
}

static void relay_all(int from, char channel)
{
	while (relay_once(from, channel))
		;
}

static void send_file(char channel, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	relay_all(file, channel);
	close(file);
}

static void reap(struct job *job)
{
	struct signalfd_siginfo signal;
	int status;
	pid_t pid;

	while (read(signals, &signal, sizeof signal) > 0)
		if (signal.ssi_signo != SIGCHLD)	// from busybox's poweroff and reboot
			reboot(signal.ssi_signo == SIGTERM ? RB_AUTOBOOT : RB_POWER_OFF);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != job->pid)
			continue;
		job->done = true;
		job->status = WIFSIGNALED(status) ? signal_base + WTERMSIG(status)
						  : WEXITSTATUS(status);
	}
}

/// Pass on what the job and the kernel say until the job has ended. Processes that it
/// leaves behind may hold its pipes open: what they write later is not waited for.
static int wait_for(struct job *job)
{
	while (!job->done) {
		struct pollfd watched[] = {
			{.fd = signals, .events = POLLIN},
			{.fd = kernel_log, .events = POLLIN},
			{.fd = job->out, .events = POLLIN},
			{.fd = job->err, .events = POLLIN},
		};

		poll(watched, sizeof watched / sizeof watched[0], -1);
		relay_all(kernel_log, 'K');
		if (watched[2].revents && !relay_once(job->out, job->out_channel))
			job->out = watched[2].revents & POLLHUP ? -1 : job->out;
		if (watched[3].revents && !relay_once(job->err, job->err_channel))
			job->err = watched[3].revents & POLLHUP ? -1 : job->err;
		if (watched[0].revents)
			reap(job);
	}
	relay_all(job->out, job->out_channel);
	relay_all(job->err, job->err_channel);
	return job->status;
}

static void become(char *const *arguments, int in, int out, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (isatty(0))
		ioctl(0, TIOCSCTTY, 1);
	execvp(arguments[0], arguments);
	dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
	_exit(errno == ENOENT ? not_found : cannot_run);
}

static void open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC)) {
		send_text('F', "the machine is out of memory");
		reboot(RB_POWER_OFF);
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int run_job(char *const *arguments, char out_channel, char err_channel)
{
	struct job job = {.out_channel = out_channel, .err_channel = err_channel};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out[2], err[2];

	open_pipe(out);
	open_pipe(err);
	job.out = out[0];
	job.err = err[0];
	job.pid = fork();
	if (!job.pid)
		become(arguments, nothing, out[1], err[1]);
	close(nothing);
	close(out[1]);
	close(err[1]);
	wait_for(&job);
	close(out[0]);
	close(err[0]);
	return job.status;
}

static int run_shell(void)
{
	char *const arguments[] = {"/bin/sh", "-l", NULL};
	struct job job = {.out = -1, .err = -1};
	int terminal = open(console, O_RDWR | O_NOCTTY | O_CLOEXEC);

	job.pid = fork();
	if (!job.pid)
		become(arguments, terminal, terminal, terminal);
	close(terminal);
	return wait_for(&job);
}

/// The command: words that end in a zero byte each, or, in a kernel started by kexec, what the
/// kernel's command line has as rig_command="...".
static int run_command(void)
{
	static char text[arguments_bytes];
	char *arguments[arguments_max + 1] = {"/bin/sh", "-c", getenv("rig_command"), NULL};
	int file = open(arguments_file, O_RDONLY | O_CLOEXEC);
	ssize_t bytes = file < 0 ? 0 : read(file, text, sizeof text - 1);
	size_t count = 0;

	close(file);
	for (char *at = text; at < text + bytes && count < arguments_max; at += strlen(at) + 1)
		arguments[count++] = at;
	if (count)
		arguments[count] = NULL;
	return arguments[0] && (count || arguments[2]) ? run_job(arguments, 'O', 'E') : not_found;
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ioctl(any, SIOCSIFFLAGS, &request);
	close(any);
}

static void set_up_machine(void)
{
	static const struct { const char *type, *at, *options; } mounts[] = {
		{"devtmpfs", "/dev", "mode=755"},	{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},			{"tmpfs", "/run", "mode=755"},
		{"tmpfs", "/tmp", "mode=1777"},		{"devpts", "/dev/pts", "ptmxmode=666"},
		{"tmpfs", "/dev/shm", "mode=1777"},	{"debugfs", "/sys/kernel/debug", ""},
		{"tracefs", "/sys/kernel/tracing", ""},	{"cgroup2", "/sys/fs/cgroup", ""},
	};
	sigset_t handled;

	for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
		mkdir(mounts[i].at, 0755);
		mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, mounts[i].options);
	}
	symlink("/proc/self/fd", "/dev/fd");
	symlink("fd/0", "/dev/stdin");
	symlink("fd/1", "/dev/stdout");
	symlink("fd/2", "/dev/stderr");
	sethostname("hoist", strlen("hoist"));
	loopback_up();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "linux", 0);
	chdir("/root");
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGUSR2);
	sigprocmask(SIG_BLOCK, &handled, NULL);
	signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/// rig-agent wait PATH SECONDS: until there is something at PATH.
static int wait_for_file(const char *path, long seconds)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	const long tries = seconds * (1000000000 / pause.tv_nsec);

	for (long i = 0; i < tries; i++) {
		if (access(path, F_OK) == 0)
			return EXIT_SUCCESS;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "%s is not there after %ld s\n", path, seconds);
	return EXIT_FAILURE;
}

int main(int count, char **arguments)
{
	char *const hoist[] = {"/bin/sh", (char *)hoist_script, NULL};
	int status = 0;

	if (count == 4 && strcmp(arguments[1], "wait") == 0)
		return wait_for_file(arguments[2], atol(arguments[3]));
	if (getpid() != 1 || iopl(3)) {
		fprintf(stderr, "usage: rig-agent wait PATH SECONDS\n");
		return 2;
	}
	set_up_machine();
	send_text('U', "");
	if (access(hoist_script, F_OK) == 0)
		status = run_job(hoist, 'H', 'H');
	if (status) {
		send_status('A', status);
	} else {
		send_text('C', "");
		status = access(shell_mark, F_OK) == 0 ? run_shell() : run_command();
	}
	relay_all(kernel_log, 'K');
	send_file('D', daemon_log);
	send_status('X', status);
	sync();
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE;
}
