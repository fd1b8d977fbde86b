// The instructions, as the PTX ISA defines them. Each is a loop over the threads that execute it.
#include "driver.h"
#include <math.h>

#define REGISTER(k) (g->registers + (size_t)i->slot[k] * g->stride)

// t: a thread.
#define EACH(...)                                                   \
    if (!s->list) {                                                 \
        _Pragma("GCC ivdep") for (int t = s->first; t < s->end; t++) { __VA_ARGS__; } \
    } else {                                                        \
        for (int k_ = 0; k_ < s->count; k_++) {                     \
            int t = s->list[k_];                                    \
            __VA_ARGS__;                                            \
        }                                                           \
    }

// ---- arithmetic ----

static _Noreturn void byZero(Group *g, const Instruction *i, int t) { fail(g, LAUNCH_FAILED, i, t, "divides by zero"); }

// The other if one is NaN; -0 is less than 0.
#define MINIMUM(a, b) ((a) != (a) ? (b) : (b) != (b) ? (a) : (a) == (b) ? (signbit(a) ? (a) : (b)) : (a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) != (a) ? (b) : (b) != (b) ? (a) : (a) == (b) ? (signbit(a) ? (b) : (a)) : (a) > (b) ? (a) : (b))

// Toward zero, to the nearest that is representable; 0 for NaN.
#define TO_INTEGER(x, T, low, high, below, above) ((x) != (x) ? 0 : (x) <= (low) ? (T)(below) : (x) >= (high) ? (T)(above) : (T)(x))
#define TO_S32(x) TO_INTEGER(x, int32_t, -2147483648.0, 2147483648.0, INT32_MIN, INT32_MAX)
#define TO_U32(x) TO_INTEGER(x, uint32_t, 0.0, 4294967296.0, 0, UINT32_MAX)
#define TO_S64(x) TO_INTEGER(x, int64_t, -9223372036854775808.0, 9223372036854775808.0, INT64_MIN, INT64_MAX)
#define TO_U64(x) TO_INTEGER(x, uint64_t, 0.0, 18446744073709551616.0, 0, UINT64_MAX)

// Ten fraction bits, ties away from zero.
static inline uint32_t toTf32(uint32_t x) { return (x & 0x7F800000) == 0x7F800000 ? x : (x + 0x1000) & ~0x1FFFu; }

static inline _Float16 toHalf(uint32_t bits)
{
    uint16_t low = bits;
    _Float16 value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static inline uint32_t fromHalf(_Float16 value)
{
    uint16_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// Rows: identifier, opcode, operands, types of the result and of the sources a, b, c, and the result.
// Operands: w, x, h of 32, 64 and 16 bits, p a predicate.
#define INTEGERS(O1, O2, O3, n, w, S, U)                                                                          \
    O2(add_s##n, "add.s" #n, w w w, U, U, U, a + b) O2(add_u##n, "add.u" #n, w w w, U, U, U, a + b)               \
    O2(sub_s##n, "sub.s" #n, w w w, U, U, U, a - b) O2(sub_u##n, "sub.u" #n, w w w, U, U, U, a - b)               \
    O2(mul_s##n, "mul.lo.s" #n, w w w, U, U, U, a * b) O2(mul_u##n, "mul.lo.u" #n, w w w, U, U, U, a * b)         \
    O3(mad_s##n, "mad.lo.s" #n, w w w w, U, U, U, U, a * b + c)                                                   \
    O2(div_s##n, "div.s" #n, w w w, S, S, S, b == 0 ? (byZero(g, i, t), 0) : b == -1 ? (S)(0 - (U)a) : a / b)     \
    O2(div_u##n, "div.u" #n, w w w, U, U, U, b == 0 ? (byZero(g, i, t), 0) : a / b)                               \
    O2(rem_s##n, "rem.s" #n, w w w, S, S, S, b == 0 ? (byZero(g, i, t), 0) : b == -1 ? 0 : a % b)                 \
    O2(rem_u##n, "rem.u" #n, w w w, U, U, U, b == 0 ? (byZero(g, i, t), 0) : a % b)                               \
    O2(min_s##n, "min.s" #n, w w w, S, S, S, a < b ? a : b) O2(min_u##n, "min.u" #n, w w w, U, U, U, a < b ? a : b) \
    O2(max_s##n, "max.s" #n, w w w, S, S, S, a > b ? a : b) O2(max_u##n, "max.u" #n, w w w, U, U, U, a > b ? a : b) \
    O1(neg_s##n, "neg.s" #n, w w, U, U, 0 - a) O1(abs_s##n, "abs.s" #n, w w, U, S, a < 0 ? 0 - (U)a : (U)a)       \
    O2(and_b##n, "and.b" #n, w w w, U, U, U, a & b) O2(or_b##n, "or.b" #n, w w w, U, U, U, a | b)                 \
    O2(xor_b##n, "xor.b" #n, w w w, U, U, U, a ^ b) O1(not_b##n, "not.b" #n, w w, U, U, ~a)                       \
    O2(shl_b##n, "shl.b" #n, w w "w", U, U, uint32_t, b >= n ? 0 : a << b)                                        \
    O2(shr_u##n, "shr.u" #n, w w "w", U, U, uint32_t, b >= n ? 0 : a >> b)                                        \
    O2(shr_b##n, "shr.b" #n, w w "w", U, U, uint32_t, b >= n ? 0 : a >> b)                                        \
    O2(shr_s##n, "shr.s" #n, w w "w", S, S, uint32_t, a >> (b >= n ? n - 1 : b))                                  \
    O1(mov_b##n, "mov.b" #n, w w, U, U, a) O1(mov_u##n, "mov.u" #n, w w, U, U, a) O1(mov_s##n, "mov.s" #n, w w, U, U, a) \
    O3(selp_b##n, "selp.b" #n, w w w "p", U, U, U, uint32_t, c ? a : b)                                           \
    O3(selp_u##n, "selp.u" #n, w w w "p", U, U, U, uint32_t, c ? a : b)                                           \
    O3(selp_s##n, "selp.s" #n, w w w "p", U, U, U, uint32_t, c ? a : b)                                           \
    COMPARISONS(O2, s##n, w, S) COMPARISONS(O2, u##n, w, U)                                                       \
    O2(setp_lo_u##n, "setp.lo.u" #n, "p" w w, uint32_t, U, U, a < b) O2(setp_ls_u##n, "setp.ls.u" #n, "p" w w, uint32_t, U, U, a <= b) \
    O2(setp_hi_u##n, "setp.hi.u" #n, "p" w w, uint32_t, U, U, a > b) O2(setp_hs_u##n, "setp.hs.u" #n, "p" w w, uint32_t, U, U, a >= b) \
    O2(setp_eq_b##n, "setp.eq.b" #n, "p" w w, uint32_t, U, U, a == b) O2(setp_ne_b##n, "setp.ne.b" #n, "p" w w, uint32_t, U, U, a != b)

#define COMPARISONS(O2, n, w, T)                                                                                   \
    O2(setp_eq_##n, "setp.eq." #n, "p" w w, uint32_t, T, T, a == b) O2(setp_ne_##n, "setp.ne." #n, "p" w w, uint32_t, T, T, a != b && a == a && b == b) \
    O2(setp_lt_##n, "setp.lt." #n, "p" w w, uint32_t, T, T, a < b) O2(setp_le_##n, "setp.le." #n, "p" w w, uint32_t, T, T, a <= b) \
    O2(setp_gt_##n, "setp.gt." #n, "p" w w, uint32_t, T, T, a > b) O2(setp_ge_##n, "setp.ge." #n, "p" w w, uint32_t, T, T, a >= b)

#define FLOATS(O1, O2, O3, n, w, T, U, square_root, multiply_add)                                                  \
    O2(add_f##n, "add.f" #n, w w w, T, T, T, a + b) O2(add_rn_f##n, "add.rn.f" #n, w w w, T, T, T, a + b)          \
    O2(sub_f##n, "sub.f" #n, w w w, T, T, T, a - b) O2(sub_rn_f##n, "sub.rn.f" #n, w w w, T, T, T, a - b)          \
    O2(mul_f##n, "mul.f" #n, w w w, T, T, T, a * b) O2(mul_rn_f##n, "mul.rn.f" #n, w w w, T, T, T, a * b)          \
    O2(div_f##n, "div.rn.f" #n, w w w, T, T, T, a / b) O1(rcp_f##n, "rcp.rn.f" #n, w w, T, T, 1 / a)               \
    O3(fma_f##n, "fma.rn.f" #n, w w w w, T, T, T, T, multiply_add(a, b, c)) O1(sqrt_f##n, "sqrt.rn.f" #n, w w, T, T, square_root(a)) \
    O2(min_f##n, "min.f" #n, w w w, T, T, T, MINIMUM(a, b)) O2(max_f##n, "max.f" #n, w w w, T, T, T, MAXIMUM(a, b)) \
    O1(neg_f##n, "neg.f" #n, w w, U, U, a ^ (U)1 << (n - 1)) O1(abs_f##n, "abs.f" #n, w w, U, U, a & ~((U)1 << (n - 1))) \
    O1(mov_f##n, "mov.f" #n, w w, U, U, a) O3(selp_f##n, "selp.f" #n, w w w "p", U, U, U, uint32_t, c ? a : b)     \
    COMPARISONS(O2, f##n, w, T)                                                                                    \
    O2(setp_equ_f##n, "setp.equ.f" #n, "p" w w, uint32_t, T, T, !(a < b || a > b)) O2(setp_neu_f##n, "setp.neu.f" #n, "p" w w, uint32_t, T, T, a != b) \
    O2(setp_ltu_f##n, "setp.ltu.f" #n, "p" w w, uint32_t, T, T, !(a >= b)) O2(setp_leu_f##n, "setp.leu.f" #n, "p" w w, uint32_t, T, T, !(a > b)) \
    O2(setp_gtu_f##n, "setp.gtu.f" #n, "p" w w, uint32_t, T, T, !(a <= b)) O2(setp_geu_f##n, "setp.geu.f" #n, "p" w w, uint32_t, T, T, !(a < b)) \
    O2(setp_num_f##n, "setp.num.f" #n, "p" w w, uint32_t, T, T, a == a && b == b)                                  \
    O2(setp_nan_f##n, "setp.nan.f" #n, "p" w w, uint32_t, T, T, a != a || b != b)                                  \
    O1(cvt_s32_f##n, "cvt.rzi.s32.f" #n, "w" w, int32_t, T, TO_S32(a)) O1(cvt_u32_f##n, "cvt.rzi.u32.f" #n, "w" w, uint32_t, T, TO_U32(a)) \
    O1(cvt_s64_f##n, "cvt.rzi.s64.f" #n, "x" w, int64_t, T, TO_S64(a)) O1(cvt_u64_f##n, "cvt.rzi.u64.f" #n, "x" w, uint64_t, T, TO_U64(a)) \
    O1(cvt_f##n##_s32, "cvt.rn.f" #n ".s32", w "w", T, int32_t, a) O1(cvt_f##n##_u32, "cvt.rn.f" #n ".u32", w "w", T, uint32_t, a) \
    O1(cvt_f##n##_s64, "cvt.rn.f" #n ".s64", w "x", T, int64_t, a) O1(cvt_f##n##_u64, "cvt.rn.f" #n ".u64", w "x", T, uint64_t, a)

#define INSTRUCTIONS(O1, O2, O3)                                                                                   \
    INTEGERS(O1, O2, O3, 32, "w", int32_t, uint32_t) INTEGERS(O1, O2, O3, 64, "x", int64_t, uint64_t)              \
    FLOATS(O1, O2, O3, 32, "w", float, uint32_t, sqrtf, __builtin_fmaf) FLOATS(O1, O2, O3, 64, "x", double, uint64_t, sqrt, __builtin_fma) \
    O2(mul_wide_s32, "mul.wide.s32", "xww", int64_t, int32_t, int32_t, (int64_t)a * b)                             \
    O2(mul_wide_u32, "mul.wide.u32", "xww", uint64_t, uint32_t, uint32_t, (uint64_t)a * b)                         \
    O2(mul_hi_s32, "mul.hi.s32", "www", int32_t, int32_t, int32_t, (int64_t)a * b >> 32)                           \
    O2(mul_hi_u32, "mul.hi.u32", "www", uint32_t, uint32_t, uint32_t, (uint64_t)a * b >> 32)                       \
    O2(mul_hi_s64, "mul.hi.s64", "xxx", int64_t, int64_t, int64_t, (__int128)a * b >> 64)                          \
    O2(mul_hi_u64, "mul.hi.u64", "xxx", uint64_t, uint64_t, uint64_t, (unsigned __int128)a * b >> 64)              \
    O1(popc_b32, "popc.b32", "ww", uint32_t, uint32_t, __builtin_popcount(a))                                      \
    O1(popc_b64, "popc.b64", "wx", uint32_t, uint64_t, __builtin_popcountll(a))                                    \
    O1(clz_b32, "clz.b32", "ww", uint32_t, uint32_t, a ? __builtin_clz(a) : 32)                                    \
    O1(clz_b64, "clz.b64", "wx", uint32_t, uint64_t, a ? __builtin_clzll(a) : 64)                                  \
    O1(mov_pred, "mov.pred", "pp", uint32_t, uint32_t, a) O1(not_pred, "not.pred", "pp", uint32_t, uint32_t, !a)   \
    O2(and_pred, "and.pred", "ppp", uint32_t, uint32_t, uint32_t, a & b) O2(or_pred, "or.pred", "ppp", uint32_t, uint32_t, uint32_t, a | b) \
    O2(xor_pred, "xor.pred", "ppp", uint32_t, uint32_t, uint32_t, a ^ b)                                           \
    O1(cvt_s64_s32, "cvt.s64.s32", "xw", int64_t, int32_t, a) O1(cvt_u64_u32, "cvt.u64.u32", "xw", uint64_t, uint32_t, a) \
    O1(cvt_u64_s32, "cvt.u64.s32", "xw", int64_t, int32_t, a) O1(cvt_s64_u32, "cvt.s64.u32", "xw", uint64_t, uint32_t, a) \
    O1(cvt_s32_s64, "cvt.s32.s64", "wx", uint32_t, uint64_t, a) O1(cvt_u32_u64, "cvt.u32.u64", "wx", uint32_t, uint64_t, a) \
    O1(cvt_s32_u64, "cvt.s32.u64", "wx", uint32_t, uint64_t, a) O1(cvt_u32_s64, "cvt.u32.s64", "wx", uint32_t, uint64_t, a) \
    O1(mov_b16, "mov.b16", "hh", uint32_t, uint32_t, a) O1(cvt_u32_u16, "cvt.u32.u16", "wh", uint32_t, uint32_t, (uint16_t)a) \
    O1(cvt_s32_s16, "cvt.s32.s16", "wh", int32_t, uint32_t, (int16_t)a) O1(cvt_u16_u32, "cvt.u16.u32", "hw", uint32_t, uint32_t, (uint16_t)a) \
    O1(cvt_u32_u8, "cvt.u32.u8", "wh", uint32_t, uint32_t, (uint8_t)a) O1(cvt_s32_s8, "cvt.s32.s8", "wh", int32_t, uint32_t, (int8_t)a) \
    O1(cvt_f16_f32, "cvt.rn.f16.f32", "hw", uint32_t, float, fromHalf((_Float16)a)) O1(cvt_f32_f16, "cvt.f32.f16", "wh", float, uint32_t, toHalf(a)) \
    O1(cvt_f32_f64, "cvt.rn.f32.f64", "wx", float, double, a) O1(cvt_f64_f32, "cvt.f64.f32", "xw", double, float, a) \
    O1(cvt_rni, "cvt.rni.f32.f32", "ww", float, float, rintf(a)) O1(cvt_rzi, "cvt.rzi.f32.f32", "ww", float, float, truncf(a)) \
    O1(cvt_rmi, "cvt.rmi.f32.f32", "ww", float, float, floorf(a)) O1(cvt_rpi, "cvt.rpi.f32.f32", "ww", float, float, ceilf(a)) \
    O1(cvt_tf32, "cvt.rna.tf32.f32", "ww", uint32_t, uint32_t, toTf32(a))                                          \
    O1(to_global, "cvta.to.global.u64", "xx", uint64_t, uint64_t, a) O1(of_global, "cvta.global.u64", "xx", uint64_t, uint64_t, a) \
    O1(to_shared, "cvta.to.shared.u64", "xx", uint64_t, uint64_t, a - SHARED_WINDOW)                               \
    O1(of_shared, "cvta.shared.u64", "xx", uint64_t, uint64_t, a + SHARED_WINDOW)

#define DEFINE1(id, name, operands, D, A, result)                                  \
    static void run_##id(const Instruction *i, Group *g, const Threads *s)         \
    {                                                                              \
        D *d_ = (D *)REGISTER(0);                                                  \
        const A *a_ = (const A *)REGISTER(1);                                      \
        EACH(A a = a_[t]; d_[t] = (D)(result))                                     \
    }
#define DEFINE2(id, name, operands, D, A, B, result)                               \
    static void run_##id(const Instruction *i, Group *g, const Threads *s)         \
    {                                                                              \
        D *d_ = (D *)REGISTER(0);                                                  \
        const A *a_ = (const A *)REGISTER(1);                                      \
        const B *b_ = (const B *)REGISTER(2);                                      \
        EACH(A a = a_[t]; B b = b_[t]; d_[t] = (D)(result))                        \
    }
#define DEFINE3(id, name, operands, D, A, B, C, result)                            \
    static void run_##id(const Instruction *i, Group *g, const Threads *s)         \
    {                                                                              \
        D *d_ = (D *)REGISTER(0);                                                  \
        const A *a_ = (const A *)REGISTER(1);                                      \
        const B *b_ = (const B *)REGISTER(2);                                      \
        const C *c_ = (const C *)REGISTER(3);                                      \
        EACH(A a = a_[t]; B b = b_[t]; C c = c_[t]; d_[t] = (D)(result))           \
    }
INSTRUCTIONS(DEFINE1, DEFINE2, DEFINE3)

// ---- memory ----

enum { GENERIC, GLOBAL, SHARED, PARAMETER };

static inline __attribute__((always_inline)) uint8_t *at(Group *g, const Instruction *i, int t, uint64_t address, int size, int space, const void *value)
{
    if (space == GENERIC) {
        bool isShared = address - SHARED_WINDOW < MAX_SHARED + MAX_DYNAMIC_SHARED;
        return checkAccess(g, i, t, isShared ? address - SHARED_WINDOW : address, size, isShared, value);
    }
    return checkAccess(g, i, t, address, size, space == SHARED, value);
}

static uint64_t extend(uint64_t value, const Instruction *i)
{
    int shift = 64 - 8 * i->size;
    return i->isSigned ? (uint64_t)((int64_t)(value << shift) >> shift) : value << shift >> shift;
}

static inline __attribute__((always_inline)) void load(const Instruction *i, Group *g, const Threads *s, int space)
{
    const uint64_t *address = (const uint64_t *)REGISTER(0);
    int bytes = i->size * i->lanes;
    EACH({
        const uint8_t *from = space == PARAMETER ? g->parameters + i->offset : at(g, i, t, address[t] + i->offset, bytes, space, NULL);
        for (int k = 0; k < i->lanes; k++) {
            uint64_t value = 0;
            memcpy(&value, from + k * i->size, i->size);
            value = extend(value, i);
            if (i->wide) {
                ((uint64_t *)REGISTER(1 + k))[t] = value;
            } else {
                REGISTER(1 + k)[t] = value;
            }
        }
    })
}

static inline __attribute__((always_inline)) void store(const Instruction *i, Group *g, const Threads *s, int space)
{
    const uint64_t *address = (const uint64_t *)REGISTER(0);
    int bytes = i->size * i->lanes;
    EACH({
        uint8_t values[32];
        for (int k = 0; k < i->lanes; k++) {
            uint64_t value = i->wide ? ((const uint64_t *)REGISTER(1 + k))[t] : REGISTER(1 + k)[t];
            memcpy(values + k * i->size, &value, i->size);
        }
        memcpy(at(g, i, t, address[t] + i->offset, bytes, space, values), values, bytes);
    })
}

static void loadGeneric(const Instruction *i, Group *g, const Threads *s) { load(i, g, s, GENERIC); }
static void loadGlobal(const Instruction *i, Group *g, const Threads *s) { load(i, g, s, GLOBAL); }
static void loadShared(const Instruction *i, Group *g, const Threads *s) { load(i, g, s, SHARED); }
static void loadParameter(const Instruction *i, Group *g, const Threads *s) { load(i, g, s, PARAMETER); }
static void storeGeneric(const Instruction *i, Group *g, const Threads *s) { store(i, g, s, GENERIC); }
static void storeGlobal(const Instruction *i, Group *g, const Threads *s) { store(i, g, s, GLOBAL); }
static void storeShared(const Instruction *i, Group *g, const Threads *s) { store(i, g, s, SHARED); }
const Run loads[4] = { loadGeneric, loadGlobal, loadShared, loadParameter }, stores[4] = { storeGeneric, storeGlobal, storeShared, NULL };

// ---- groups and warps ----

static int thread(const Threads *s, int k) { return s->list ? s->list[k] : s->first + k; }

static void meet(const Instruction *i, Group *g, const Threads *s, const uint32_t *number)
{
    if (number[thread(s, 0)] != 0) {
        fail(g, INVALID_PTX, i, thread(s, 0), "barriers other than 0 are not supported");
    }
    if (s->count != g->threads) {
        fail(g, LAUNCH_FAILED, i, thread(s, 0), "barrier reached by %d of %d threads; %d exited", s->count, g->threads, g->threads - g->alive);
    }
    g->phase++;
}

static void barrier(const Instruction *i, Group *g, const Threads *s) { meet(i, g, s, REGISTER(0)); }

// The number of threads of a group for which a predicate holds, told to all of them.
static inline __attribute__((always_inline)) void count(const Instruction *i, Group *g, const Threads *s, char how)
{
    uint32_t *d = REGISTER(0), *p = REGISTER(2);
    int set = 0;
    meet(i, g, s, REGISTER(1));
    for (int k = 0; k < s->count; k++) {
        set += p[thread(s, k)] != 0;
    }
    for (int k = 0; k < s->count; k++) {
        d[thread(s, k)] = how == 'c' ? set : how == 'a' ? set == s->count : set > 0;
    }
}

static void barrierCount(const Instruction *i, Group *g, const Threads *s) { count(i, g, s, 'c'); }
static void barrierAll(const Instruction *i, Group *g, const Threads *s) { count(i, g, s, 'a'); }
static void barrierAny(const Instruction *i, Group *g, const Threads *s) { count(i, g, s, 'o'); }

// The first thread of warp w of those that execute: all of its lanes must do so.
static int warp(Group *g, const Instruction *i, const Threads *s, int w)
{
    int first = thread(s, w * WARP);
    if (first % WARP != 0 || w * WARP + WARP > s->count || thread(s, w * WARP + WARP - 1) != first + WARP - 1) {
        fail(g, LAUNCH_FAILED, i, first, "not all lanes of a warp are there");
    }
    return first;
}

static int warps(const Threads *s) { return (s->count + WARP - 1) / WARP; }

static void wholeWarp(Group *g, const Instruction *i, int t, const uint32_t *members)
{
    if (members[t] != 0xFFFFFFFF) {
        fail(g, LAUNCH_FAILED, i, t, "an exchange of a part of a warp is not supported");
    }
}

static inline __attribute__((always_inline)) void shuffle(const Instruction *i, Group *g, const Threads *s, char how)
{
    uint32_t *d = REGISTER(0), *p = REGISTER(1), *a = REGISTER(2), *b = REGISTER(3), *c = REGISTER(4), *members = REGISTER(5);
    for (int w = 0; w < warps(s); w++) {
        uint32_t values[WARP];
        int first = warp(g, i, s, w);
        memcpy(values, a + first, sizeof values);
        for (int lane = 0; lane < WARP; lane++) {
            int t = first + lane, by = b[t] & 31, segment = c[t] >> 8 & 31, last = (lane & segment) | (c[t] & 31 & ~segment);
            wholeWarp(g, i, t, members);
            int from = how == 'u' ? lane - by : how == 'd' ? lane + by : how == 'x' ? lane ^ by : (lane & segment) | (by & ~segment);
            p[t] = how == 'u' ? from >= last : from <= last;
            d[t] = values[p[t] ? from : lane];
        }
    }
}

static void shuffleUp(const Instruction *i, Group *g, const Threads *s) { shuffle(i, g, s, 'u'); }
static void shuffleDown(const Instruction *i, Group *g, const Threads *s) { shuffle(i, g, s, 'd'); }
static void shuffleXor(const Instruction *i, Group *g, const Threads *s) { shuffle(i, g, s, 'x'); }
static void shuffleIndex(const Instruction *i, Group *g, const Threads *s) { shuffle(i, g, s, 'i'); }

// What the lanes of a warp vote, told to all of them.
static inline __attribute__((always_inline)) void vote(const Instruction *i, Group *g, const Threads *s, char how)
{
    uint32_t *d = REGISTER(0), *p = REGISTER(1), *members = REGISTER(2);
    for (int w = 0; w < warps(s); w++) {
        int first = warp(g, i, s, w);
        uint32_t votes = 0;
        for (int lane = 0; lane < WARP; lane++) {
            wholeWarp(g, i, first + lane, members);
            votes |= (uint32_t)(p[first + lane] != 0) << lane;
        }
        for (int lane = 0; lane < WARP; lane++) {
            d[first + lane] = how == 'b' ? votes : how == 'a' ? votes == 0xFFFFFFFF : how == 'u' ? votes == 0 || votes == 0xFFFFFFFF : votes != 0;
        }
    }
}

static void voteBallot(const Instruction *i, Group *g, const Threads *s) { vote(i, g, s, 'b'); }
static void voteAll(const Instruction *i, Group *g, const Threads *s) { vote(i, g, s, 'a'); }
static void voteAny(const Instruction *i, Group *g, const Threads *s) { vote(i, g, s, 'o'); }
static void voteUniform(const Instruction *i, Group *g, const Threads *s) { vote(i, g, s, 'u'); }

static float tf32(uint32_t bits)
{
    // The hardware ignores the low bits.
    float value;
    bits &= ~0x1FFFu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// d = a b + c of a warp, for a [16, 8], b [8, 8], c [16, 8]: PTX ISA, "Matrix Fragments for mma.m16n8k8". Products are exact. The order of the sums is not
// specified; here k = 0, 4, 1, 5, ...
static void multiply(const Instruction *i, Group *g, const Threads *s)
{
    for (int w = 0; w < warps(s); w++) {
        float a[16][8], b[8][8], c[16][8];
        int first = warp(g, i, s, w);
        for (int lane = 0; lane < WARP; lane++) {
            int t = first + lane, row = lane / 4, column = lane % 4;
            for (int k = 0; k < 4; k++) {
                a[row + k % 2 * 8][column + k / 2 * 4] = tf32(REGISTER(4 + k)[t]);
                c[row + k / 2 * 8][2 * column + k % 2] = ((float *)REGISTER(10 + k))[t];
            }
            b[column][row] = tf32(REGISTER(8)[t]);
            b[column + 4][row] = tf32(REGISTER(9)[t]);
        }
        for (int lane = 0; lane < WARP; lane++) {
            for (int k = 0; k < 4; k++) {
                int row = lane / 4 + k / 2 * 8, column = 2 * (lane % 4) + k % 2;
                float sum = c[row][column];
                for (int j = 0; j < 8; j++) {
                    int depth = j / 2 + j % 2 * 4;
                    sum += a[row][depth] * b[depth][column];
                }
                ((float *)REGISTER(k))[first + lane] = sum;
            }
        }
    }
}

// ---- the table ----

#define ROW1(id, name, operands, ...) { name, operands, run_##id },
static const Opcode opcodes[] = {
    INSTRUCTIONS(ROW1, ROW1, ROW1)
    { "bar.sync", "w", barrier }, { "barrier.sync", "w", barrier },
    { "bar.red.popc.u32", "wwp", barrierCount }, { "bar.red.and.pred", "pwp", barrierAll }, { "bar.red.or.pred", "pwp", barrierAny },
    { "vote.sync.ballot.b32", "wpw", voteBallot }, { "vote.sync.all.pred", "ppw", voteAll },
    { "vote.sync.any.pred", "ppw", voteAny }, { "vote.sync.uni.pred", "ppw", voteUniform },
    { "shfl.sync.up.b32", "wqwwww", shuffleUp }, { "shfl.sync.down.b32", "wqwwww", shuffleDown }, { "shfl.sync.bfly.b32", "wqwwww", shuffleXor },
    { "shfl.sync.idx.b32", "wqwwww", shuffleIndex },
    { "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", "{wwww}{wwww}{ww}{wwww}", multiply },
};

const Opcode *findOpcode(const char *name)
{
    for (size_t k = 0; k < sizeof opcodes / sizeof *opcodes; k++) {
        if (strcmp(opcodes[k].name, name) == 0) {
            return &opcodes[k];
        }
    }
    return NULL;
}
