// SPDX-License-Identifier: MIT
#include "daemon/service/privileges.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <cap-ng.h>
#include <seccomp.h>
#include <unistd.h>

namespace hv {
namespace {

// gate: list
// What hvd, Asio, libnl, glibc's name service and libsystemd call after the start.
constexpr std::array allowed{
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(access),
    SCMP_SYS(brk),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clone3),
    SCMP_SYS(close),
    SCMP_SYS(connect),
    SCMP_SYS(dup),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fcntl),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(futex),
    SCMP_SYS(getdents64),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpeername),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(ioctl),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(memfd_create),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(prlimit64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(socket),
    SCMP_SYS(bind),
    SCMP_SYS(stat),
    SCMP_SYS(statx),
    SCMP_SYS(tgkill),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(mkdir),
    SCMP_SYS(umask),
};

void require(int result, char const* what) {
    if (result >= 0) return;
    throw std::system_error{-result, std::generic_category(), what};
}

}

void drop_capabilities() {
    if (geteuid() != 0) return;
    capng_clear(CAPNG_SELECT_BOTH);
    auto const kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
    if (capng_updatev(CAPNG_ADD, kept, CAP_SYS_ADMIN, CAP_SYSLOG, -1) != 0) {
        throw std::system_error{EINVAL, std::generic_category(), "capabilities"};
    }
    // The bounding set needs CAP_SETPCAP to shrink, which a unit file may already have taken.
    if (capng_apply(CAPNG_SELECT_BOTH) != 0 && capng_apply(CAPNG_SELECT_CAPS) != 0) {
        throw std::system_error{EPERM, std::generic_category(), "cannot drop capabilities"};
    }
}

void filter_system_calls() {
    // A call outside the list fails, so that it is seen as an error and not as a vanished daemon.
    std::unique_ptr<void, void (*)(void*)> const filter{seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                        seccomp_release};
    if (!filter) throw std::system_error{ENOMEM, std::generic_category(), "seccomp"};
    for (auto const each : allowed) {
        require(seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, each, 0), "seccomp");
    }
    require(seccomp_load(filter.get()), "seccomp");
}

}
