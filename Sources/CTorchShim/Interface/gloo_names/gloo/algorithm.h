// Names only: libtorch contains gloo, but its wheels lack gloo's headers, which ProcessGroupGloo.hpp includes. What that
// header needs of them is declared in these five files; the definitions are in libtorch_cpu.
#pragma once
