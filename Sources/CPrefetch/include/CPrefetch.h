// A hint to the processor that Swift has no word for.

#ifndef CPREFETCH_H
#define CPREFETCH_H

// Begins to fetch the cache line of an address; never fails, whatever the address is.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }

#endif
