// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include "base/assert.hpp"
#include "vmx/field.hpp"

namespace hv::vmx {

template <typename T> constexpr std::uint64_t to_raw(T v) {
    if constexpr (requires { v.raw; })
        return v.raw;
    else
        return static_cast<std::uint64_t>(v);
}
template <typename T> constexpr T from_raw(std::uint64_t raw) {
    if constexpr (requires(T t) { t.raw; }) {
        T v{};
        v.raw = raw;
        return v;
    } else {
        return static_cast<T>(raw);
    }
}

// Of the eight segments, es cs ss ds fs gs ldtr tr.
inline constexpr unsigned cs_segment = 1, ldtr_segment = 6, tr_segment = 7, segments = 8;

/// The VMCS that is current on this CPU. A core whose VMREAD fails has lost its VMCS: it is broken.
class current_vmcs {
public:
    template <typename F> [[gnu::always_inline]] [[nodiscard]] typename F::value_type read() const {
        std::uint64_t raw;
        HV_ASSERT(insn::vmread(F::encoding, raw));
        return from_raw<typename F::value_type>(raw);
    }
    template <typename F> [[gnu::always_inline]] void write(typename F::value_type v) const {
        static_assert(!F::read_only);
        HV_ASSERT(insn::vmwrite(F::encoding, to_raw(v)));
    }
    /// Fields in a row, such as the eight segments: `step` places after F.
    template <typename F> [[nodiscard]] std::uint64_t read_at(unsigned step) const {
        std::uint64_t raw;
        HV_ASSERT(insn::vmread(F::encoding + 2 * step, raw));
        return raw;
    }
    template <typename F> void write_at(unsigned step, std::uint64_t v) const {
        HV_ASSERT(insn::vmwrite(F::encoding + 2 * step, v));
    }
    /// The root VM's or guest's segment `i`.
    [[nodiscard]] segment read_segment(unsigned i) const {
        return {static_cast<std::uint16_t>(read_at<guest_es_selector>(i)),
                static_cast<std::uint32_t>(read_at<guest_es_limit>(i)),
                static_cast<std::uint32_t>(read_at<guest_es_access>(i)),
                gva{read_at<guest_es_base>(i)}};
    }
    void write_segment(unsigned i, segment const& s) const {
        write_at<guest_es_selector>(i, s.selector);
        write_at<guest_es_base>(i, s.base.raw);
        write_at<guest_es_limit>(i, s.limit);
        write_at<guest_es_access>(i, s.access);
    }
};

}    // namespace hv::vmx
