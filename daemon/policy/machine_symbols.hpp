// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/symbols.hpp"

namespace hv {

/// Another's symbols, and what hv.ko and hvd can tell beside them.
class machine_symbols : public symbol_resolver {
public:
    machine_symbols(symbol_resolver& image, device& machine) : image_{image}, machine_{machine} {}

    symbol_table resolve(std::set<std::string> const& names) override {
        return image_.resolve(names);
    }
    function_table functions(std::set<std::string> const& names) override {
        return image_.functions(names);
    }
    machine_answer<place_answer> place(place_request const& wanted) override;
    machine_answer<sha256_sum> sum(std::span<hv_range const> ranges) override;
    machine_answer<std::uint32_t> vm_user(std::string const& name) override {
        return vms_ ? vms_(name) : symbol_resolver::vm_user(name);
    }
    void ask_vms(vm_user_source source) { vms_ = std::move(source); }

private:
    symbol_resolver& image_;
    device& machine_;
    vm_user_source vms_;
};

}
