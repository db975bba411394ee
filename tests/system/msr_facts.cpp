// SPDX-License-Identifier: MIT
// msr_facts vmx|svm: what that backend does with each MSR of the three ranges and some beyond, for
// the guest's shell, from the core's own headers. Where the bitmap says something else than the
// built-in table and the rules, it says so and fails.
//   without FIRST LAST READ WRITE  a run of MSRs that are alike; READ and WRITE: none, exit,
//                                  deny (an exit and #GP), skip (not to be tried)
//   policy JSON                    some rules
//   with FIRST LAST READ WRITE     as `without`, under these rules
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <type_traits>

#include "svm/msr_permissions.hpp"
#include "vmx/msr_bitmap.hpp"

void hv::broken(char const* condition, unsigned line) {
    std::fprintf(stderr, "msr_facts: line %u: %s\n", line, condition);
    std::exit(2);
}

namespace {

struct range {
    std::uint32_t first, last;
};
constexpr range all[] = {
    {0, 0x1fff},
    {0xc0000000, 0xc0001fff},
    {0xc0010000, 0xc0011fff},
    {0x2000, 0x200f},
    {0x40000000, 0x4000000f},
    {0x4b564d00, 0x4b564d07},
    {0xbffffff0, 0xbfffffff},
    {0xc0003000, 0xc000300f},
    {0xc0012000, 0xc001200f},
    {0xfffffff0, 0xffffffff},
};

struct msr_rule {
    std::uint32_t first, last;
    std::uint32_t access;
    bool deny;
};
// Of what Linux itself does with them while the test runs nothing is denied.
constexpr msr_rule rules[] = {
    {0x10, 0x17, HV_ACCESS_READ, true},
    {0x1f0, 0x2ff, HV_ACCESS_READ | HV_ACCESS_WRITE, false},
    {0x400, 0x47f, HV_ACCESS_READ, false},
    {0x1fff, 0x1fff, HV_ACCESS_READ | HV_ACCESS_WRITE, true},
    {0xc0000000, 0xc0000000, HV_ACCESS_WRITE, false},
    {0xc0000081, 0xc0000084, HV_ACCESS_WRITE, true},
    {0xc0000103, 0xc0000103, HV_ACCESS_WRITE, false},
    {0xc0001fc0, 0xc0001fff, HV_ACCESS_READ, true},
    {0xc0010000, 0xc0010007, HV_ACCESS_READ | HV_ACCESS_WRITE, false},
    {0xc0011ff0, 0xc0011fff, HV_ACCESS_READ, true},
};

hv::policy::rule_set loaded(bool with_rules) {
    hv_rule flat[std::size(rules)]{};
    for (std::size_t i = 0; i < std::size(rules); ++i) {
        flat[i].id = static_cast<std::uint32_t>(i + 1);
        flat[i].kind = HV_RULE_MSR;
        flat[i].action = rules[i].deny ? HV_ACTION_DENY : HV_ACTION_LOG;
        flat[i].access = rules[i].access;
        flat[i].first = rules[i].first;
        flat[i].last = rules[i].last;
    }
    hv::policy::rule_set set;
    std::uint32_t culprit = 0;
    if (!set.load({flat, with_rules ? std::size(rules) : 0}, culprit)) std::exit(2);
    return set;
}

void print_policy() {
    std::printf("policy {\"version\": 1, \"name\": \"msr-sweep\", \"rules\": [");
    char const* between = "";
    for (auto const& r : rules) {
        bool const reads = (r.access & HV_ACCESS_READ) != 0;
        bool const writes = (r.access & HV_ACCESS_WRITE) != 0;
        std::printf("%s{\"name\": \"m%x\", \"kind\": \"msr\", \"msr\": {\"first\": \"0x%x\", "
                    "\"last\": \"0x%x\"}, \"access\": [%s%s%s], \"action\": \"%s\"}",
                    between, r.first, r.first, r.last, reads ? "\"read\"" : "",
                    reads && writes ? ", " : "", writes ? "\"write\"" : "",
                    r.deny ? "deny" : "log");
        between = ", ";
    }
    std::printf("]}\n");
}

/// One backend under one set of rules.
template <typename Bitmap> class backend {
public:
    explicit backend(bool with_rules) : rules_{loaded(with_rules)} { bitmap_->build(rules_); }

    [[nodiscard]] bool denies(std::uint32_t index, bool write) const {
        return built_in(index, write) == hv::msr_decision::deny ||
               verdict(index, write).action == hv::action::deny;
    }
    /// What the bitmap says, which must be what was decided.
    [[nodiscard]] bool exits(std::uint32_t index, bool write) const {
        bool const decided = built_in(index, write) != hv::msr_decision::pass ||
                             verdict(index, write).rule != 0;
        bool const seen = !bit_for(index) || bit_of(index, write);
        if (seen != decided && bit_for(index)) {
            std::fprintf(stderr, "msr_facts: MSR 0x%x, %s: the bitmap differs\n", index,
                         write ? "write" : "read");
            std::exit(1);
        }
        return seen;
    }
    [[nodiscard]] char const* word(std::uint64_t number, bool write) const {
        auto const index = static_cast<std::uint32_t>(number);
        // The local APIC's, where one may send an interrupt or end one.
        if (write && index >= 0x800 && index <= 0x8ff) return "skip";
        return denies(index, write) ? "deny" : exits(index, write) ? "exit" : "none";
    }
    /// VMX has no bits for AMD's range: each access there exits.
    [[nodiscard]] static bool bit_for(std::uint32_t index) {
        auto const in = hv::policy::msr_range_of(index);
        return in < (on_vmx ? 2u : 3u);
    }

private:
    static constexpr bool on_vmx = std::is_same_v<Bitmap, hv::vmx::msr_bitmap>;

    /// As the processor looks it up. SDM 3C 25.6.9 "MSR-Bitmap Address": 1 KiB for the reads of
    /// each range, then for the writes. APM 2 15.11 "MSR Intercepts": 2 KiB a range, two bits an
    /// MSR.
    [[nodiscard]] bool bit_of(std::uint32_t index, bool write) const {
        auto const range = hv::policy::msr_range_of(index);
        auto const bit = on_vmx ? (write ? 2048u * 8 : 0) + range * 1024 * 8 + (index & 0x1fff)
                                : range * 2048 * 8 + 2 * (index & 0x1fff) + (write ? 1 : 0);
        auto const* bytes = reinterpret_cast<unsigned char const*>(bitmap_.get());
        return (bytes[bit / 8] >> bit % 8 & 1) != 0;
    }
    [[nodiscard]] hv::msr_decision built_in(std::uint32_t index, bool write) const {
        return hv::decide_msr(Bitmap::list(), index, write);
    }
    [[nodiscard]] hv::verdict verdict(std::uint32_t index, bool write) const {
        auto const access = write ? std::uint32_t{HV_ACCESS_WRITE} : std::uint32_t{HV_ACCESS_READ};
        return rules_.decide({hv::event_kind::msr, access, index, 0, 0, 0});
    }
    hv::policy::rule_set rules_;
    std::unique_ptr<Bitmap> bitmap_{std::make_unique<Bitmap>()};
};

template <typename Bitmap> void print_runs(char const* title, bool with_rules) {
    backend<Bitmap> const b{with_rules};
    auto const same = [&](std::uint64_t one, std::uint64_t other) {
        return std::string_view{b.word(one, false)} == b.word(other, false) &&
               std::string_view{b.word(one, true)} == b.word(other, true);
    };
    for (auto const& in : all)
        for (std::uint64_t at = in.first; at <= in.last;) {
            auto const first = at;
            while (at <= in.last && same(first, at)) ++at;
            std::printf("%s 0x%lx 0x%lx %s %s\n", title, first, at - 1, b.word(first, false),
                        b.word(first, true));
        }
}

template <typename Bitmap> void print_all() {
    print_runs<Bitmap>("without", false);
    print_policy();
    print_runs<Bitmap>("with", true);
}

}

int main(int count, char** argument) {
    if (count > 1 && std::string_view{argument[1]} == "svm")
        print_all<hv::svm::msr_permissions>();
    else
        print_all<hv::vmx::msr_bitmap>();
}
