/* Arithmetic and chance: exp, log, power, Philox and the Poisson count, with the bits of sim/numbers and
   sim/engine/samplers.py. Nothing here may be fused or reordered: compile with -ffp-contract=off, without fast math. */

#ifndef NUMBERS_H
#define NUMBERS_H

#include <stdint.h>

static const double LOG2_E = 1.4426950408889634, SQRT_2 = 1.4142135623730951;
static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
static const double ROUNDER = 0x1.8p52; /* adding it rounds to a whole number */

typedef union {
    double number;
    uint64_t bits;
} form;

static inline double two_to(double k) {
    form shifted = {k + (ROUNDER + 1023.0)};
    shifted.bits <<= 52;
    return shifted.number;
}

static inline double exponent_of(double x) {
    form biased = {x};
    biased.bits = biased.bits >> 52 | (uint64_t)0x433 << 52;
    return biased.number - (0x1p52 + 1023.0);
}

static inline double exponential(double x) {
    x = x < -708.0 ? -708.0 : x;
    x = x > 709.0 ? 709.0 : x;
    const double k = (x * LOG2_E + ROUNDER) - ROUNDER;
    const double high = x - k * LN2_HIGH, low = k * LN2_LOW;
    const double r = high - low, s = r * r;
    const double a = 1.0 / 2
        + s * (1.0 / 24 + s * (1.0 / 720 + s * (1.0 / 40320 + s * (1.0 / 3628800 + s * (1.0 / 479001600)))));
    const double b = 1.0 / 6
        + s * (1.0 / 120 + s * (1.0 / 5040 + s * (1.0 / 362880 + s * (1.0 / 39916800 + s * (1.0 / 6227020800)))));
    return (1.0 + (high - (low - s * (a + r * b)))) * two_to(k);
}

static inline double log_of_parts(double e, double m) {
    const double f = m - 1.0, half = 0.5 * f * f, s = f / (2.0 + f), z = s * s, w = z * z;
    const double odd = z * (2.0 / 3 + w * (2.0 / 7 + w * (2.0 / 11 + w * (2.0 / 15 + w * (2.0 / 19)))));
    const double even = w * (2.0 / 5 + w * (2.0 / 9 + w * (2.0 / 13 + w * (2.0 / 17 + w * (2.0 / 21)))));
    return e * LN2_HIGH - ((half - (s * (half + (odd + even)) + e * LN2_LOW)) - f);
}

/* x = m 2**e with m in about [0.71, 1.42] */
static inline void split(double x, double *e, double *m) {
    x = x < 0x1p-1022 ? 0x1p-1022 : x;
    x = x > 0x1.fffffffffffffp1022 ? 0x1.fffffffffffffp1022 : x;
    *e = exponent_of(x);
    *m = x * two_to(-*e);
    if (*m > SQRT_2) {
        *e += 1.0;
        *m *= 0.5;
    }
}

static inline double logarithm(double x) {
    double e, m;
    split(x, &e, &m);
    return log_of_parts(e, m);
}

static inline double logarithm2(double x) {
    double e, m;
    split(x, &e, &m);
    return e + log_of_parts(0.0, m) * LOG2_E;
}

static inline double power(double x, double y) {
    return x == 0.0 ? 0.0 : exponential(y * logarithm(x));
}

/* Probability that something with this daily rate happens within the day. */
static inline double chance(double rate) {
    return 1.0 - exponential(-(rate > 0.0 ? rate : 0.0));
}

static inline double clipped(double value) {
    const double above = value > 0.0 ? value : 0.0;
    return above < 1.0 ? above : 1.0;
}

/* Philox4x32. Words live in 64 bits, the upper half is rubbish where nothing reads it: then one product of the
   machine gives both halves. */
#define WORD(x) ((x) & 0xFFFFFFFFu)

enum { ROUNDS = 10 };
static const uint64_t MULTIPLY_A = 0xD2511F53, MULTIPLY_C = 0xCD9E8D57;

struct key {
    uint64_t low[ROUNDS], high[ROUNDS];
};

static inline struct key key_of(uint64_t seed) {
    struct key key;
    for (uint64_t r = 0; r < ROUNDS; r++) {
        key.low[r] = WORD(seed + r * 0x9E3779B9u);
        key.high[r] = WORD((seed >> 32) + r * 0xBB67AE85u);
    }
    return key;
}

struct words {
    uint64_t a, b, c, d;
};

static inline struct words scrambled(struct words w, const struct key *key, int from) {
    for (int r = from; r < ROUNDS; r++) {
        const uint64_t of_a = MULTIPLY_A * WORD(w.a), of_c = MULTIPLY_C * WORD(w.c);
        w = (struct words){of_c >> 32 ^ w.b ^ key->low[r], of_c, of_a >> 32 ^ w.d ^ key->high[r], of_a};
        w.b = WORD(w.b), w.d = WORD(w.d);
    }
    return w;
}

static inline double unit(uint64_t word) {
    return ((double)(int64_t)WORD(word) + 0.5) * 0x1p-32;
}

/* The four draws of one address, one history alone: for what is rare. */
struct draws {
    double of[4];
};

static inline struct draws draws_at(const struct key *key, uint64_t run, uint64_t day, uint64_t actor, uint64_t block) {
    const struct words w = scrambled((struct words){WORD(run), day ^ WORD(run >> 32 << 16), actor, block}, key, 0);
    return (struct draws){{unit(w.a), unit(w.b), unit(w.c), unit(w.d)}};
}

/* The Poisson count at probability `draw`; `none` is exp(-mean). */
static inline double poisson(double draw, double mean, double none, int most) {
    double term = none, reached = none;
    int count = 0;
    while (draw >= reached && count < most) {
        count++;
        term = term * (mean * (1.0 / count));
        reached = reached + term;
    }
    return count;
}

#endif
