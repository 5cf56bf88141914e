/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's primitives in userspace: the tools and the simulator.
 *
 * RCU is compiled away, since the tools are single-threaded, unless RMETA_URCU is defined:
 * then the concurrency tests of the index run the same code on liburcu.
 */
#ifndef RMETA_HOST_USER_H
#define RMETA_HOST_USER_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef int8_t s8;
typedef int64_t s64;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef u64 sector_t;

#ifdef __CHECKER__
#define __force __attribute__((force))
#else
#define __force
#endif
#define cpu_to_le16(x) ((__force __le16)htole16(x))
#define cpu_to_le32(x) ((__force __le32)htole32(x))
#define cpu_to_le64(x) ((__force __le64)htole64(x))
#define le16_to_cpu(x) le16toh((__force u16)(x))
#define le32_to_cpu(x) le32toh((__force u32)(x))
#define le64_to_cpu(x) le64toh((__force u64)(x))

#ifndef BIT
#define BIT(n) (1UL << (n))
#endif
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define sizeof_field(type, field) sizeof(((type *)0)->field)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef min
#ifdef CPPCHECK	/* which cannot read the others in an initializer */
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#else			/* as the kernel's: each argument is evaluated once */
#define min(a, b) ({					\
	__typeof__(a) min_a_ = (a);			\
	__typeof__(b) min_b_ = (b);			\
	min_a_ < min_b_ ? min_a_ : min_b_; })
#define max(a, b) ({					\
	__typeof__(a) max_a_ = (a);			\
	__typeof__(b) max_b_ = (b);			\
	max_a_ > max_b_ ? max_a_ : max_b_; })
#endif
#endif
#define div_u64(n, d) ((u64)(n) / (u32)(d))
#define hweight8(x) ((unsigned int)__builtin_popcount((u8)(x)))
#define hweight16(x) ((unsigned int)__builtin_popcount((u16)(x)))
#define hweight32(x) ((unsigned int)__builtin_popcount((u32)(x)))

static inline u32 rmeta_crc32(u32 crc, const void *data, size_t bytes)
{
	return (u32)crc32(crc, data, (uInt)bytes);
}

static inline void *rmeta_zalloc(size_t bytes)
{
	return calloc(1, bytes);
}

static inline void rmeta_free(const void *p)
{
	free((void *)p);
}

/*
 * In liburcu's library a sanitizer cannot see these two, so they are C's own in either case.
 * Whoever defines RMETA_URCU supplies the grace period, which lets a test count them, or
 * leave them out to see what breaks.
 */
#ifdef RMETA_URCU
#include <urcu.h>
#undef rcu_assign_pointer
#undef rcu_dereference
void rmeta_synchronize_rcu(void);
#else
#define rcu_read_lock() do { } while (0)
#define rcu_read_unlock() do { } while (0)
#define rmeta_synchronize_rcu() do { } while (0)
#endif
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_dereference_raw(p) rcu_dereference(p)

#define rmeta_cond_resched() do { } while (0)

/* As in the kernel, a load that depends on what READ_ONCE() returned comes after it. */
#define __rcu
#ifndef READ_ONCE
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_CONSUME)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#endif
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define rcu_dereference_protected(p, c) (p)

#endif
