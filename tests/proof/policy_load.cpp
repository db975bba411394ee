// SPDX-License-Identifier: MIT
// Rules on their way from the mailbox, which the root VM writes all the while: what the checks said
// holds of what comes into force. Of one rule: each is looked at by itself.
#include "root/policy_load.hpp"
#include "prove.hpp"

// turns 13 in rules_loaded rules_marked
// instead acquire in rules_loaded rules_marked: it_waits
// instead record_plain in rules_loaded rules_marked: it_records

using namespace hv;
namespace model {

constexpr std::uint64_t most = 1;
/// A read that is not volatile finds what is there; all that is called writes there.
inline constinit array<std::uint64_t, most * sizeof(hv_rule) / 8> mailbox{};
inline void others_write() { prove_any_object(&mailbox); }

struct request {
    std::uint64_t count, place;                 // place: of the rule that is followed
    std::uint64_t core_first, core_last;        // frames that no rule may be about
    std::uint64_t guest_first, guest_last;      // a guest's
    std::uint64_t before;                       // rules in force, when what waits is to be so
    bool locked, included, lasting_included;    // whether those in force are among the new ones
    std::uint64_t reached;                      // what the new set is told
    bool loaded, failed;                        // what happened
};
inline constinit request r{};

/// In the place of a set of rules: what it is told to load is what will be in force.
struct rules_model {
    status load(span<hv_rule const> rules, std::uint32_t& culprit, std::uint64_t reached);
    [[nodiscard]] bool includes(rules_model const& /*other*/, bool all) const {
        return all ? r.included : r.lasting_included;
    }
    [[nodiscard]] bool in_force(hv_rule const& /*rule*/) const { return prove_any_bool(); }
    [[nodiscard]] std::size_t size() const { return r.before; }
    [[nodiscard]] hv_rule const& operator[](std::size_t i) const {
        static constinit hv_rule any{};
        prove_check(i < r.before, "a rule that is not there");
        prove_any_object(&any);
        return any;
    }
    [[nodiscard]] hv_rule const* find(std::uint32_t /*id*/) const {
        static constinit hv_rule before{};
        others_write();
        prove_any_object(&before);
        return prove_any_bool() ? &before : nullptr;
    }
    [[nodiscard]] std::uint64_t cr_mask(unsigned /*number*/) const { return prove_any_u64(); }
    /// Which nobody looks into.
    operator policy::rule_set const&() const {
        return *reinterpret_cast<policy::rule_set const*>(this);
    }
};

inline bool meets(hpa_span run, std::uint64_t first, std::uint64_t last) {
    others_write();
    return run.first.raw <= last && first <= run.first.raw + (run.bytes - 1);
}
struct frames_model {
    [[nodiscard]] bool touches(hpa_span run) const { return meets(run, r.core_first, r.core_last); }
};
struct guests_model {
    [[nodiscard]] bool reach(hpa_span run) const { return meets(run, r.guest_first, r.guest_last); }
};
struct stage_model {
    stage_limits known;
    [[nodiscard]] stage_limits limits() const { return known; }
    [[nodiscard]] result<std::uint64_t> protect_cost(gpa_span /*at*/, rights /*allowed*/) const {
        others_write();
        if (prove_any_bool()) return error{errc::invalid};
        return prove_any_u64();
    }
};
struct map_model {
    void build(rules_model const& /*rules*/) {}
};
struct machine_model {
    spin_lock lock;
    stage_model stage;
    frames_model all;
    guests_model guests;
    hva mailbox;
    array<hv_rule, most> arrived;
    array<rules_model, 2> sets;
    atomic<std::uint32_t> active_rules, locked;
    pinned_registers pinned;
    map_model* msrs;
    map_model* ports;
    std::uint64_t generation, reached;
    std::uint32_t exits;
    bool time_slices;
    rules_model& rules() { return sets[active_rules.load()]; }
    rules_model& staged_rules() { return sets[1 - active_rules.load()]; }
};
struct cpu_model {
    struct {
        bool xsave;
    } has;
    cpu* base;
    cpu& common() { return *base; }
    void synchronise() {}
    void let_nmis_in() {}
    [[nodiscard]] pinned_registers seen_registers() const { return {}; }
    bool read_msr(std::uint32_t /*index*/, std::uint64_t& value) {
        others_write();
        value = prove_any_u64();
        return prove_any_bool();
    }
};
inline constinit map_model a_map{};

/// What must hold of each rule in force.
inline void must_hold(machine_model const& m, cpu_model const& c, hv_rule const& rule) {
    prove_check(bool{policy::check(rule, m.stage.known.top())}, "a rule that is not sound");
    prove_check((exits_for(rule) & ~m.exits) == 0, "a rule that no CPU can keep");
    prove_check(!misses_guest_msr(rule), "a rule about an MSR that guests have without an exit");
    prove_check(rule.kind != HV_RULE_XCR || c.has.xsave, "a rule about what is not there");
    if (rule.kind != HV_RULE_MEMORY) return;
    prove_reach("a rule about memory");
    prove_check(rule.first > r.core_last || rule.last < r.core_first, "a rule about the core");
    prove_check(rule.first > r.guest_last || rule.last < r.guest_first, "one about a guest");
    prove_check(rule.action == HV_ACTION_DENY && (rule.flags & HV_RULE_PASSES) == 0 ||
                    m.time_slices,
                "a page that is opened, and nothing closes it");
}

}    // namespace model
using namespace model;

// What others prove or test, on this machine.
template <> void hv::close_pages(machine_model& /*m*/, cpu_model& /*c*/, bool /*all*/) {
    others_write();
}
/// It fails once: what was changed has its tables by then.
template <>
status hv::apply_memory(machine_model& /*m*/, policy::rule_set const& /*rules*/,
                        policy::rule_set const& /*where*/) {
    if (r.failed || prove_any_bool()) return done;
    r.failed = true;
    return error{errc::no_memory};
}
template <> void hv::merge_memory(machine_model& /*m*/, policy::rule_set const& /*where*/) {}
template <> status hv::shoot_down(machine_model& /*m*/, cpu_model& /*self*/) { return done; }

extern machine_model any_machine;
extern cpu_model any_cpu;
extern cpu any_common;

status model::rules_model::load(span<hv_rule const> rules, std::uint32_t& /*culprit*/,
                                std::uint64_t reached) {
    r.reached = reached;
    prove_check(rules.size() == r.count && !r.loaded, "other rules than those that arrived");
    r.loaded = true;
    if (r.place < r.count) must_hold(any_machine, any_cpu, rules[r.place]);
    if (prove_any_bool()) return error{errc::invalid};
    return done;
}

extern "C" {
void* prove_at(std::uint64_t /*address*/) { return &mailbox; }
void it_waits(void* /*lock*/, void* /*meanwhile*/) { others_write(); }
void it_records(void* /*cpu*/, std::uint16_t /*kind*/, std::uint64_t /*address*/,
                std::uint64_t /*value*/) {}
}

namespace {

/// A machine and a request of which nothing else is known.
machine_model& any_request() {
    auto& m = any_machine;
    any_cpu.base = &any_common;
    m.msrs = m.ports = &a_map;
    r.place = HV_INPUT("place");
    r.core_first = HV_INPUT("core_first");
    r.core_last = HV_INPUT("core_last");
    r.guest_first = HV_INPUT("guest_first");
    r.guest_last = HV_INPUT("guest_last");
    prove_assume(m.stage.known.address_bits >= 32 && m.stage.known.address_bits <= 52);
    prove_assume(m.active_rules.load() <= 1);
    r.included = prove_any_bool();
    r.lasting_included = r.included || prove_any_bool();
    return m;
}

/// What holds of rules that come into force, however they do.
void taken(bool locked) {
    prove_check(r.loaded, "rules that nobody has looked at");
    prove_check(!locked || r.included, "a rule that is lost after the lock");
    prove_check(r.lasting_included, "a rule that stays is lost");
}

}    // namespace

/// What is refused changes nothing; what is taken was checked, and lacks nothing that must stay.
extern "C" void rules_loaded() {
    auto& m = any_request();
    r.count = HV_INPUT("count");
    prove_assume(r.count <= most || r.count > HV_MAX_RULES);
    auto const active = m.active_rules.load();
    auto const generation = m.generation, next = HV_INPUT("generation");
    bool const locked = m.locked.load() != 0;
    auto const reached = m.reached;
    std::uint32_t culprit = 0;
    if (load_policy(m, any_cpu, r.count, next, culprit)) {
        prove_reach("rules that come into force");
        taken(locked);
        prove_check(r.count <= most && r.reached == reached, "rules that nobody has looked at");
        prove_check(m.active_rules.load() == 1 - active && m.generation == next, "the old rules");
    } else {
        prove_reach("rules that are refused");
        prove_check(m.active_rules.load() == active && m.generation == generation,
                    "rules that are refused, and come into force");
    }
    prove_check(m.reached == reached, "a marker is reached, and nobody asked");
}

/// A marker, too: what waited is in force, or nothing has changed.
extern "C" void rules_marked() {
    auto& m = any_request();
    r.count = r.before = HV_INPUT("count");
    prove_assume(r.count <= most);
    auto const active = m.active_rules.load();
    bool const locked = m.locked.load() != 0;
    auto const before = m.reached, marker = HV_INPUT("marker");
    std::uint32_t culprit = 0;
    bool const marked{mark_policy(m, any_cpu, marker, culprit)};
    bool const sound = marker >= 1 && marker < HV_MARKERS;
    auto const bit = sound ? 1ull << marker : 0;
    prove_check(sound || !marked, "a marker that is none");
    prove_check(m.reached == (marked ? before | bit : before), "another answer than what is so");
    if ((before & bit) != 0)
        return prove_check(marked && m.active_rules.load() == active, "reached twice");
    if (marked) {
        prove_reach("rules that waited");
        taken(locked);
        prove_check(r.reached == (before | bit) && m.active_rules.load() == 1 - active,
                    "rules that go on waiting");
    } else {
        prove_reach("a marker that is refused");
        prove_check(m.active_rules.load() == active, "a marker that is refused, and changes rules");
    }
}
