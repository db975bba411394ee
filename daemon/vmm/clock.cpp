// SPDX-License-Identifier: MIT
#include "daemon/vmm/clock.hpp"

#include <chrono>
#include <concepts>

namespace hv::vmm {
namespace {

// Source: Motorola's data sheet of the MC146818A; the century is where PCs have it.
enum registers : std::uint8_t {
    at_seconds = 0,
    at_minutes = 2,
    at_hours = 4,
    at_weekday = 6,
    at_day = 7,
    at_month = 8,
    at_year = 9,
    status_a = 10,
    status_b = 11,
    status_d = 13,
    at_century = 0x32,
};
constexpr std::uint8_t divider = 0x26;
constexpr std::uint8_t hours_24 = 0x02;
constexpr std::uint8_t battery_good = 0x80;

std::uint8_t bcd(std::integral auto value) {
    return static_cast<std::uint8_t>(value / 10 % 10 << 4 | value % 10);
}

}

std::uint32_t clock_registers::in(unsigned offset, unsigned) {
    return 0xffffff00u | (offset == 0 ? index_ : read());
}

void clock_registers::out(unsigned offset, unsigned, std::uint32_t value) {
    if (offset == 0) index_ = value & 0x7f;
}

// Not gmtime_r: it opens /etc/localtime, which this process must not.
std::uint8_t clock_registers::read() const {
    using namespace std::chrono;
    sys_seconds const now{seconds{now_()}};
    auto const today = floor<days>(now);
    hh_mm_ss const time{now - today};
    year_month_day const date{today};
    auto const year_now = static_cast<int>(date.year());
    switch (index_) {
    case at_seconds: return bcd(time.seconds().count());
    case at_minutes: return bcd(time.minutes().count());
    case at_hours:   return bcd(time.hours().count());
    case at_weekday: return bcd(weekday{today}.c_encoding() + 1);
    case at_day:     return bcd(static_cast<unsigned>(date.day()));
    case at_month:   return bcd(static_cast<unsigned>(date.month()));
    case at_year:    return bcd(year_now % 100);
    case at_century: return bcd(year_now / 100);
    case status_a:   return divider;
    case status_b:   return hours_24;
    case status_d:   return battery_good;
    default:         return 0;
    }
}

}
