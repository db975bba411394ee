// SPDX-License-Identifier: MIT
#include "daemon/vmm/confine.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <linux/kvm.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/kvm.hpp"

namespace hv::vmm {
namespace {

// gate: list
constexpr std::array always{
    SCMP_SYS(accept4),
    SCMP_SYS(brk),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(close),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(lseek),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(read),
    SCMP_SYS(recvfrom),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendto),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(time),
    SCMP_SYS(write),
};
constexpr std::array while_loading{
    SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(pread64), SCMP_SYS(prctl),
    SCMP_SYS(rseq),  SCMP_SYS(seccomp),    SCMP_SYS(sysinfo), SCMP_SYS(rt_sigaction),
};
constexpr std::array<unsigned long, 9> ioctls_always{
    KVM_RUN, KVM_IRQ_LINE, KVM_GET_REGS, KVM_GET_MP_STATE, KVM_CHECK_EXTENSION,
    TCGETS,  TCSETS,       TCSETSW,      TCSETSF,
};
constexpr std::array<unsigned long, 18> ioctls_while_loading{
    KVM_GET_API_VERSION,
    KVM_CREATE_VM,
    KVM_GET_VCPU_MMAP_SIZE,
    KVM_CREATE_VCPU,
    KVM_CREATE_IRQCHIP,
    KVM_CREATE_PIT2,
    KVM_SET_TSS_ADDR,
    KVM_SET_IDENTITY_MAP_ADDR,
    KVM_SET_USER_MEMORY_REGION,
    read_supported_cpuid,
    write_cpuid,
    write_msrs,
    KVM_GET_SREGS,
    KVM_SET_SREGS,
    KVM_SET_REGS,
    KVM_SET_FPU,
    KVM_GET_LAPIC,
    KVM_SET_LAPIC,
};

class call_filter {
public:
    call_filter() : filter_{seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release} {
        if (!filter_) throw failure{"seccomp: no memory"};
        require(seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    }

    template <typename... Conditions> void allow(int call, Conditions... conditions) {
        require(seccomp_rule_add(filter_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions),
                                 conditions...));
    }
    template <std::size_t Count> void allow_all(std::array<int, Count> const& calls) {
        for (auto const each : calls) {
            allow(each);
        }
    }
    template <std::size_t Count>
    void allow_ioctls(std::array<unsigned long, Count> const& requests) {
        for (auto const each : requests) {
            allow(SCMP_SYS(ioctl), scmp_arg_cmp{1, SCMP_CMP_EQ, each, 0});
        }
    }
    void refuse(int call, int error) {
        require(
            seccomp_rule_add(filter_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0));
    }
    void load() { require(seccomp_load(filter_.get())); }

private:
    static void require(int result) {
        if (result < 0) throw failure{std::string{"seccomp: "} + std::strerror(-result)};
    }

    std::unique_ptr<void, void (*)(void*)> filter_;
};

void allow_memory(call_filter& filter) {
    for (auto const each : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
        filter.allow(each, scmp_arg_cmp{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0});
    }
}

/// glibc tries clone3, whose flags no filter can see, and then clone.
void allow_threads(call_filter& filter) {
    filter.refuse(SCMP_SYS(clone3), ENOSYS);
    filter.allow(SCMP_SYS(clone), scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
                                               CLONE_THREAD | CLONE_VM});
}

void give_up_privileges() {
    rlimit const none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw system_failure("no_new_privs");
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);    // its memory is the guest's
}

}

void confine(phase to) {
    if (to == phase::loading) give_up_privileges();
    call_filter filter;
    filter.allow_all(always);
    filter.allow_ioctls(ioctls_always);
    allow_memory(filter);
    auto const self = static_cast<scmp_datum_t>(getpid());
    filter.allow(SCMP_SYS(tgkill), scmp_arg_cmp{0, SCMP_CMP_EQ, self, 0});
    if (to == phase::loading) {
        filter.allow_all(while_loading);
        filter.allow_ioctls(ioctls_while_loading);
        allow_threads(filter);
    }
    filter.load();
}

}
