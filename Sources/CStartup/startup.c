// Lets threads that wait for one another sleep instead of spin.
//
// libtorch's threads meet after every operation. OpenMP makes the early ones spin, so on a machine with other work each
// meeting can last until the system takes a spinning thread off its processor: training was seen to run twenty times
// slower beside one busy process, and no slower when sleeping on an idle machine. OpenMP reads this setting when it is
// loaded, before main() and before any library's own start; hence the section, which only a program can have.
#ifdef __linux__
#include <stdlib.h>

static void let_threads_sleep(void) {
  setenv("OMP_WAIT_POLICY", "passive", 0);  // 0: what the user has set stays.
}

__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = let_threads_sleep;
#endif
