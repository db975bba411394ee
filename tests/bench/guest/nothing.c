// SPDX-License-Identifier: MIT
// The program that bench executes: a static one, so that its start is all it costs.
int main(void) { return 0; }
