// SPDX-License-Identifier: MIT
#include "daemon/vmm/kvm.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/input_file.hpp"

namespace hv::vmm {
namespace {

// In the hole below 4 GiB, where VMX without unrestricted guests wants four pages of its own.
constexpr std::uint64_t identity_map_gpa = 0xfffbc000;
constexpr std::uint64_t task_state_gpa = 0xfffbd000;
constexpr unsigned most_cpuid_entries = 256;

struct needed {
    int capability;
    char const* name;
};
constexpr std::array all_needed{
    needed{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
    needed{KVM_CAP_IRQCHIP, "IRQCHIP"},
    needed{KVM_CAP_PIT2, "PIT2"},
    needed{KVM_CAP_EXT_CPUID, "EXT_CPUID"},
    needed{KVM_CAP_MP_STATE, "MP_STATE"},
    needed{KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR"},
    needed{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
};

failure no_node(std::string const& name) {
    auto const what = "cannot open " + name + ": " + std::strerror(errno);
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
        return failure{what + ": hoist Linux and load hv_kvm, or name another with --node"};
    }
    if (errno == EACCES || errno == EPERM) {
        return failure{what + ": run as a member of the group kvm"};
    }
    return failure{what};
}

int create_vm(kvm_node const& node) {
    int const out = ioctl(node.get(), KVM_CREATE_VM, 0);
    // Hoist's node is there before it can run guests.
    if (out < 0 && errno == ENXIO) throw failure{"Linux is not hoisted: hvctl start"};
    if (out < 0) throw system_failure("KVM_CREATE_VM");
    return out;
}

}

int kvm_call(int file, unsigned long request, char const* name, unsigned long argument) {
    int const out = ioctl(file, request, argument);
    if (out < 0) throw system_failure(name);
    return out;
}

kvm_node::kvm_node(std::string const& name) : name_{name} {
    auto const given = read_inherited(name);
    if (given) name_ = given->shown;
    file_ = descriptor{given ? given->number : open(name.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file_) throw no_node(name_);
    int const version = ioctl(file_.get(), KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        throw failure{name_ + " runs no guests: it speaks no KVM API of version 12"};
    }
    for (auto const& each : all_needed) {
        if (offers(each.capability) > 0) continue;
        throw failure{name_ + " lacks " + each.name + ": use a newer one"};
    }
}

int kvm_node::offers(int capability) const {
    int const out = ioctl(file_.get(), KVM_CHECK_EXTENSION, capability);
    return out < 0 ? 0 : out;
}

void kvm_node::require_cpus(unsigned count) const {
    int const most = offers(KVM_CAP_MAX_VCPUS);
    if (most > 0 && count > static_cast<unsigned>(most)) {
        throw failure{name_ + " gives a VM at most " + std::to_string(most) +
                      " CPUs: ask for less with --cpus"};
    }
}

std::vector<kvm_cpuid_entry2> kvm_node::supported_cpuid() const {
    kvm_list<kvm_cpuid_entry2> table{most_cpuid_entries};
    kvm_call(get(), read_supported_cpuid, "KVM_GET_SUPPORTED_CPUID", table.argument());
    return table.entries();
}

kvm_machine::kvm_machine(kvm_node const& node, guest_memory const& memory)
    : file_{create_vm(node)} {
    if (node.offers(KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0) {
        auto at = identity_map_gpa;
        kvm_call(get(), KVM_SET_IDENTITY_MAP_ADDR, "KVM_SET_IDENTITY_MAP_ADDR", &at);
    }
    kvm_call(get(), KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", task_state_gpa);
    kvm_call(get(), KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP");
    kvm_pit_config pit{};
    pit.flags = KVM_PIT_SPEAKER_DUMMY;    // port 0x61, by which Linux times the TSC
    kvm_call(get(), KVM_CREATE_PIT2, "KVM_CREATE_PIT2", &pit);
    for (std::uint32_t slot = 0; slot < memory.regions().size(); ++slot) {
        auto const& each = memory.regions()[slot];
        kvm_userspace_memory_region region{
            .slot = slot,
            .flags = 0,
            .guest_phys_addr = each.gpa,
            .memory_size = each.bytes,
            .userspace_addr = reinterpret_cast<std::uint64_t>(each.host)};
        kvm_call(get(), KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", &region);
    }
}

void kvm_machine::set_line(unsigned irq, bool raised) const {
    kvm_irq_level level{};
    level.irq = irq;
    level.level = raised ? 1 : 0;
    kvm_call(get(), KVM_IRQ_LINE, "KVM_IRQ_LINE", &level);
}

}
