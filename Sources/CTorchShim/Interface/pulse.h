// A callback from long work, which can abandon it.
#pragma once

// Calls the function that ct_swap_pulse has set on this thread, if any; throws when it returns false.
//
// The large operators call it first, forward and backward, so that a step of minutes can be watched, and abandoned
// within a fraction of a second.
void pulse();
