// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <linux/kvm.h>

#include "daemon/vmm/descriptor.hpp"
#include "daemon/vmm/guest_memory.hpp"

namespace hv::vmm {

/// One ioctl. Errors: failure, which names it.
int kvm_call(int file, unsigned long request, char const* name, unsigned long argument = 0);
template <typename T> int kvm_call(int file, unsigned long request, char const* name, T* argument) {
    return kvm_call(file, request, name, reinterpret_cast<unsigned long>(argument));
}

// In C++ linux/kvm.h's structures with a list at their end are larger than the 8 bytes that the
// kernel takes them for, and so are the numbers made from their size.
constexpr unsigned long read_supported_cpuid = _IOWR(KVMIO, 0x05, std::uint64_t);
constexpr unsigned long write_cpuid = _IOW(KVMIO, 0x90, std::uint64_t);
constexpr unsigned long write_msrs = _IOW(KVMIO, 0x89, std::uint64_t);

/// What those ioctls take: a count, and as many entries behind it.
template <typename Entry> class kvm_list {
public:
    explicit kvm_list(std::size_t count) : entries_(count + 1) {
        static_assert(sizeof(Entry) >= sizeof(head));
        set_count(count);
    }
    explicit kvm_list(std::vector<Entry> const& from) : kvm_list{from.size()} {
        std::copy(from.begin(), from.end(), entries_.begin() + 1);
    }
    /// What the ioctl is given: the head lies right before the first entry.
    std::byte* argument() {
        return reinterpret_cast<std::byte*>(entries_.data() + 1) - sizeof(head);
    }
    std::vector<Entry> entries() {
        head now{};
        std::memcpy(&now, argument(), sizeof(now));
        return {entries_.begin() + 1, entries_.begin() + 1 + now.count};
    }

private:
    struct head {
        std::uint32_t count;
        std::uint32_t padding;
    };
    void set_count(std::size_t count) {
        head const now{static_cast<std::uint32_t>(count), 0};
        std::memcpy(argument(), &now, sizeof(now));
    }

    std::vector<Entry> entries_;    // the first only makes room for the head
};

/// The device that runs guests.
class kvm_node {
public:
    /// Errors: failure: not there, not permitted, not a KVM of version 12, something it lacks.
    explicit kvm_node(std::string const& name);

    int get() const { return file_.get(); }
    /// Of CHECK_EXTENSION: 0 where it has none of it.
    int offers(int capability) const;
    void require_cpus(unsigned count) const;
    std::vector<kvm_cpuid_entry2> supported_cpuid() const;

private:
    std::string name_;
    descriptor file_;
};

/// A VM with its memory, its interrupt controllers and its timer in the kernel.
class kvm_machine {
public:
    kvm_machine(kvm_node const& node, guest_memory const& memory);

    int get() const { return file_.get(); }
    void set_line(unsigned irq, bool raised) const;

private:
    descriptor file_;
};

}
