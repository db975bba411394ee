// SPDX-License-Identifier: MIT
#include "daemon/policy/symbols.hpp"

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace hv {
namespace {

constexpr auto iomem = "00001000-0009fbff : System RAM\n"
                       "00100000-3fffffff : System RAM\n"
                       "  0c000000-0ce00e66 : Kernel code\n"
                       "  0d000000-0d400fff : Kernel rodata\n"
                       "  0d600000-0d8fffff : Kernel data\n"
                       "  0dc00000-0dffffff : Kernel bss\n";

constexpr auto kallsyms = "0000000000000000 A fixed_percpu_data\n"
                          "ffffffffa2000000 T _stext\n"
                          "ffffffffa2000000 T _text\n"
                          "ffffffffa2001000 t twice\n"
                          "ffffffffa2002000 t twice\n"
                          "ffffffffa2003000 t once\n"
                          "ffffffffa2e00e67 T _etext\n"
                          "ffffffffa3000000 R __start_rodata\n"
                          "ffffffffa3500000 T in_init\n"
                          "ffffffffc0001000 t once\t[some_module]\n"
                          "ffffffffc0001000 t hv_start\t[hv]\n";

class kernel_symbols_test : public testing::Test {
protected:
    symbol_table resolve(std::string const& name) {
        kernel_symbols symbols{folder_.write("kallsyms", kallsyms_),
                               folder_.write("iomem", iomem_)};
        return symbols.resolve({name});
    }
    std::string refusal(std::string const& name) { return resolve(name).refused[name]; }

    temporary_folder folder_;
    std::string kallsyms_ = kallsyms;
    std::string iomem_ = iomem;
};

TEST_F(kernel_symbols_test, become_physical_where_kernel_code_starts) {
    EXPECT_EQ(resolve("_etext").physical["_etext"], 0xce00e67u);
    EXPECT_EQ(resolve("__start_rodata").physical["__start_rodata"], 0xd000000u);
    EXPECT_EQ(resolve("_text").physical["_text"], 0xc000000u);
}

TEST_F(kernel_symbols_test, a_local_name_that_the_image_has_once_will_do) {
    EXPECT_EQ(resolve("once").physical["once"], 0xc003000u);
}

TEST_F(kernel_symbols_test, functions_end_where_the_next_symbol_starts) {
    kernel_symbols symbols{folder_.write("kallsyms", kallsyms_), "no such file"};
    auto const table = symbols.functions({"once", "twice", "hv_start", "nope"});
    EXPECT_EQ(table.functions.at("once").first, 0xffffffffa2003000);
    EXPECT_EQ(table.functions.at("once").last, 0xffffffffa2e00e66);
    EXPECT_EQ(table.refused.size(), 3u);
    kallsyms_ = "0000000000000000 T _text\n0000000000000000 T once\n";
    kernel_symbols hidden{folder_.write("kallsyms", kallsyms_), "no such file"};
    EXPECT_NE(hidden.functions({"once"}).unavailable.find("run as root"), std::string::npos);
}

TEST_F(kernel_symbols_test, of_modules_are_refused) {
    EXPECT_EQ(refusal("hv_start"), "symbol hv_start belongs to the module [hv]: only symbols of "
                                   "the kernel image can be protected");
}

TEST_F(kernel_symbols_test, that_are_not_unique_not_there_or_not_kept_are_refused) {
    EXPECT_EQ(refusal("twice"), "2 symbols of the kernel are called twice: give the range instead");
    EXPECT_EQ(refusal("nope"), "the kernel has no symbol nope");
    EXPECT_EQ(refusal("in_init"), "symbol in_init is not in memory that the kernel image keeps");
    EXPECT_EQ(refusal("fixed_percpu_data"),
              "symbol fixed_percpu_data is not in memory that the kernel image keeps");
}

TEST_F(kernel_symbols_test, without_rights_are_unavailable_and_not_wrong) {
    kallsyms_ = "0000000000000000 T _text\n0000000000000000 T _stext\n";
    EXPECT_NE(resolve("_stext").unavailable.find("run as root"), std::string::npos);
    kallsyms_ = kallsyms;
    iomem_ = "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n";
    EXPECT_NE(resolve("_stext").unavailable.find("iomem"), std::string::npos);
}

TEST_F(kernel_symbols_test, survive_nonsense) {
    kallsyms_ = "\n \nx\nffff\nzz T y\nffffffffa2000000 T _text\nffffffffa2000000 T\n";
    iomem_ = ": Kernel code\nx-y : Kernel code\n1 : Kernel code\n" + iomem_;
    EXPECT_EQ(resolve("_text").physical["_text"], 0xc000000u);
}

}
}
