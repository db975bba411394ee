// SPDX-License-Identifier: MIT
#include "daemon/vmm/acpi_tables.hpp"

#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace hv::vmm {
namespace {

// gate: list
// Layouts: ACPI 6.4, chapter 5.2 "ACPI System Description Tables".
struct [[gnu::packed]] table_header {
    char signature[4];
    std::uint32_t length;
    std::uint8_t revision;
    std::uint8_t checksum;
    char oem[6];
    char oem_table[8];
    std::uint32_t oem_revision;
    char creator[4];
    std::uint32_t creator_revision;
};
static_assert(sizeof(table_header) == 36);

struct [[gnu::packed]] register_address {
    std::uint8_t space;    // 1: ports
    std::uint8_t bits;
    std::uint8_t bit_offset;
    std::uint8_t access;    // 1: byte, 2: word, 3: double word
    std::uint64_t address;
};

struct [[gnu::packed]] root_pointer {
    char signature[8];
    std::uint8_t checksum;
    char oem[6];
    std::uint8_t revision;
    std::uint32_t rsdt;
    std::uint32_t length;
    std::uint64_t xsdt;
    std::uint8_t extended_checksum;
    std::uint8_t reserved[3];
};
static_assert(sizeof(root_pointer) == 36);

struct [[gnu::packed]] fixed_description {
    table_header header;
    std::uint32_t facs;
    std::uint32_t dsdt;
    std::uint8_t reserved;
    std::uint8_t profile;
    std::uint16_t sci;
    std::uint32_t smi_port;    // 0: ACPI is on from the start
    std::uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    std::uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    std::uint32_t gpe0, gpe1;
    std::uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    std::uint8_t gpe0_length, gpe1_length, gpe1_base, cst;
    std::uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    std::uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    std::uint16_t pc_flags;
    std::uint8_t reserved2;
    std::uint32_t flags;
    register_address reset;
    std::uint8_t reset_with;
    std::uint16_t arm_flags;
    std::uint8_t minor;
    std::uint64_t x_facs, x_dsdt;
    register_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
    std::uint64_t hypervisor;
};
static_assert(sizeof(fixed_description) == 276);

struct [[gnu::packed]] firmware_control {
    char signature[4];
    std::uint32_t length;
    std::uint32_t hardware, waking, lock, flags;
    std::uint64_t x_waking;
    std::uint8_t version;
    std::uint8_t reserved[31];
};
static_assert(sizeof(firmware_control) == 64);

struct [[gnu::packed]] madt_local {
    std::uint8_t type, length, processor, apic;
    std::uint32_t flags;
};
struct [[gnu::packed]] madt_io {
    std::uint8_t type, length, id, reserved;
    std::uint32_t address, first_gsi;
};
struct [[gnu::packed]] madt_override {
    std::uint8_t type, length, bus, irq;
    std::uint32_t gsi;
    std::uint16_t flags;
};
struct [[gnu::packed]] madt_nmi {
    std::uint8_t type, length, processor;
    std::uint16_t flags;
    std::uint8_t pin;
};

enum fadt_flags : std::uint32_t { wbinvd = 1u << 0, timer_32 = 1u << 8, has_reset = 1u << 10 };
enum pc_flags : std::uint16_t { legacy_devices = 1u << 0, no_vga = 1u << 2, no_msi = 1u << 3 };
constexpr std::uint32_t has_pic = 1;
constexpr std::uint16_t level_active_high = 0xd;
constexpr std::uint8_t every_processor = 0xff;

// Name (\_S5, Package () { 5, 0, 0, 0 })
constexpr std::array<std::uint8_t, 13> sleep_package{
    0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, power_off_type, 0x00, 0x00, 0x00};

class table_writer {
public:
    explicit table_writer(std::uint64_t gpa) : gpa_{gpa} {}

    /// The address of what comes next, which begins on a 64-byte boundary.
    std::uint64_t align() {
        out_.resize((out_.size() + 63) / 64 * 64);
        return gpa_ + out_.size();
    }
    template <typename T> void add(T const& what) {
        auto const bytes = std::as_bytes(std::span{&what, 1});
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    }
    /// Completes the table that began at `start`: its length, and a sum of zero.
    void seal(std::uint64_t start) {
        auto const at = start - gpa_;
        auto const length = static_cast<std::uint32_t>(out_.size() - at);
        std::memcpy(&out_[at + offsetof(table_header, length)], &length, sizeof(length));
        set_sum(at, length, offsetof(table_header, checksum));
    }
    void set_sum(std::size_t at, std::size_t length, std::size_t checksum) {
        std::uint8_t sum = 0;
        for (std::size_t i = 0; i < length; ++i) {
            sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(out_[at + i]));
        }
        out_[at + checksum] = static_cast<std::byte>(-sum);
    }
    template <typename T> void put(std::size_t at, T const& what) {
        std::memcpy(&out_[at], &what, sizeof(what));
    }
    std::vector<std::byte> take() { return std::move(out_); }

private:
    std::uint64_t gpa_;
    std::vector<std::byte> out_;
};

table_header header(std::string_view signature, std::uint8_t revision) {
    table_header out{};
    std::memcpy(out.signature, signature.data(), sizeof(out.signature));
    std::memcpy(out.oem, "HOIST ", sizeof(out.oem));
    std::memcpy(out.oem_table, "MICROVM ", sizeof(out.oem_table));
    std::memcpy(out.creator, "HV  ", sizeof(out.creator));
    out.revision = revision;
    out.oem_revision = out.creator_revision = 1;
    return out;
}

register_address port(std::uint16_t number, std::uint8_t bits, std::uint8_t access) {
    return {1, bits, 0, access, number};
}

fixed_description fixed(std::uint64_t facs, std::uint64_t dsdt) {
    fixed_description out{};
    out.header = header("FACP", 6);
    out.facs = static_cast<std::uint32_t>(facs);
    out.dsdt = static_cast<std::uint32_t>(dsdt);
    out.x_dsdt = dsdt;
    out.sci = sci_irq;
    out.pm1a_event = pm_event_port;
    out.pm1a_control = pm_control_port;
    out.pm_timer = pm_timer_port;
    out.pm1_event_length = 4;
    out.pm1_control_length = 2;
    out.pm_timer_length = 4;
    out.x_pm1a_event = port(pm_event_port, 32, 2);
    out.x_pm1a_control = port(pm_control_port, 16, 2);
    out.x_pm_timer = port(pm_timer_port, 32, 3);
    out.c2_latency = out.c3_latency = 0xffff;
    out.pc_flags = legacy_devices | no_vga | no_msi;
    out.flags = wbinvd | timer_32 | has_reset;
    out.reset = port(reset_port, 8, 1);
    out.reset_with = reset_value;
    return out;
}

void add_madt(table_writer& to, unsigned cpus) {
    to.add(header("APIC", 5));
    to.add(lapic_gpa);
    to.add(has_pic);
    for (unsigned i = 0; i < cpus; ++i) {
        to.add(madt_local{0, sizeof(madt_local), static_cast<std::uint8_t>(i),
                          static_cast<std::uint8_t>(i), 1});
    }
    to.add(madt_io{1, sizeof(madt_io), 0, 0, ioapic_gpa, 0});
    to.add(madt_override{2, sizeof(madt_override), 0, sci_irq, sci_irq, level_active_high});
    to.add(madt_nmi{4, sizeof(madt_nmi), every_processor, 0, 1});
}

}

std::vector<std::byte> acpi_tables(std::uint64_t gpa, unsigned cpus) {
    table_writer to{gpa};
    to.add(root_pointer{});
    auto const facs = to.align();
    firmware_control control{};
    std::memcpy(control.signature, "FACS", sizeof(control.signature));
    control.length = sizeof(control);
    control.version = 2;
    to.add(control);
    auto const dsdt = to.align();
    to.add(header("DSDT", 2));
    to.add(sleep_package);
    to.seal(dsdt);
    auto const fadt = to.align();
    to.add(fixed(facs, dsdt));
    to.seal(fadt);
    auto const madt = to.align();
    add_madt(to, cpus);
    to.seal(madt);
    auto const xsdt = to.align();
    to.add(header("XSDT", 1));
    to.add(fadt);
    to.add(madt);
    to.seal(xsdt);
    root_pointer root{};
    std::memcpy(root.signature, "RSD PTR ", sizeof(root.signature));
    std::memcpy(root.oem, "HOIST ", sizeof(root.oem));
    root.revision = 2;
    root.length = sizeof(root);
    root.xsdt = xsdt;
    to.put(0, root);
    to.set_sum(0, 20, offsetof(root_pointer, checksum));
    to.set_sum(0, sizeof(root), offsetof(root_pointer, extended_checksum));
    return to.take();
}

}
