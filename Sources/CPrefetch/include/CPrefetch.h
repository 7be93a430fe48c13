// A prefetch hint, which Swift cannot express.

#ifndef CPREFETCH_H
#define CPREFETCH_H

// Prefetches the cache line of an address; any address is safe.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }

#endif
