// A sign of life from long work, and a way to abandon it.
#pragma once

// Calls the function that ct_set_pulse has set on this thread, if any; throws when it answers false.
//
// The large operators call it before they begin, forward and backward, so that a step of minutes can be watched and
// abandoned at a fraction of a second's notice.
void pulse();
