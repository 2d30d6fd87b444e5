/* How fast the machine is just now: what decisions are to be compared with when runs are. */
#ifndef ADUANA_BENCH_YARDSTICK_H
#define ADUANA_BENCH_YARDSTICK_H

/* ns of a hundred multiplications, each of the last one's result. */
double bench_arithmetic_ns(void);

/* ns of one load from 64 MB, each from where the last one says: in no cache, as a rule. */
double bench_memory_ns(void);

#endif
