/* A block of LANES histories side by side: what it remembers, its lists and its chance. */

#ifndef BLOCK_H
#define BLOCK_H

#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "table.h"

typedef double lanes[LANES] __attribute__((aligned(64)));
typedef uint64_t whole[LANES] __attribute__((aligned(64)));
typedef uint8_t marks[LANES] __attribute__((aligned(64)));

/* Iterations never depend on each other: every lane is a history of its own. */
#define EACH_LANE(i) _Pragma("clang loop vectorize(assume_safety)") for (int i = 0; i < LANES; i++)
#define ALWAYS static inline __attribute__((always_inline))
#define NEVER_INLINE static __attribute__((noinline))

enum { DRAWS = 4, WINDOWS = 3 };

/* Two whole numbers in one: attacks, and the acknowledged among them, are summed in one addition. */
static const double UPPER = 0x1p24;

ALWAYS void unpack(double pair, double *upper, double *lower) {
    *upper = (double)(int64_t)(pair * 0x1p-24);
    *lower = pair - *upper * UPPER;
}

#define AS_LANES(name) lanes name;
struct numbers { NUMBERS(AS_LANES) };
struct theatre_numbers { THEATRE_NUMBERS(AS_LANES) };
struct wing_numbers { WING_NUMBERS(AS_LANES) };

struct theatre {
    struct theatre_numbers is;
    lanes directive, order, held_since;
    lanes week;  /* attacks of the running week */
    lanes today; /* attacks and acknowledged attacks, packed */
    int some_ordered;
};

struct wing {
    struct wing_numbers is;
    lanes compliance, fear, grievance, capacity, attacks, recent;
    lanes seen; /* attacks and acknowledged attacks of the running window, packed */
    lanes lag;
    lanes struck, nearby, jump;
    lanes feared, felt, left; /* what strikes of yesterday do today: see `feel_strikes` */
    int had_strikes; /* those of yesterday are not all zero */
    int touched;     /* some history was ever struck here: fear or grievance may differ from zero */
    int many;        /* yesterday the short count was not enough */
};

struct block {
    struct numbers is;
    whole phase;
    lanes war_risk, phase_days, gains, ordered, answered, pressure, pressure_before; /* patron and mediators */
    lanes provocation, pending, quiet, attacks, acknowledged, injured, killed;       /* target */
    lanes strikes, strikes_home, acts, recent_rung;
    lanes shock;        /* of today's deaths, felt tomorrow */
    lanes injured_none; /* chance that a hit injures nobody */
    lanes row[OUTCOMES], lull[RESUMED_DAYS], lull_sum;
    lanes patron_draw[DRAWS], target_draw[DRAWS], draw[DRAWS];
    lanes mean, term, reached;         /* of a Poisson count under way */
    whole second_a, second_b, first_d; /* of Philox: see `draw_words` */
    marks marked, alive;
    marks answer; /* of the target: 1 major, 2 limited, 4 a leader struck, 8 a leader spared */
    int shaken[LANES], n_shaken; /* histories in which strikes fell yesterday */
    int patron_drawn, some_answered;
    int n; /* histories recorded; the lanes beyond repeat the last one */
    uint64_t run[LANES];
    struct theatre *theatres;
    struct wing *wings;
};

struct table {
    const double *numbers, *theatres, *wings;
    const struct layout *layout;
    const struct today *days;
    const struct front_today *fronts;
    const double *raids;
    int64_t n_wings, n_theatres, n_days, patron, target, strikes_day, report_day;
};

struct output {
    int32_t *rows, *counts, *lags;
    int64_t *weekly;
};

struct moment {
    const struct table *table;
    const struct key *key;
    const struct today *today;
    const struct front_today *fronts;
    const double *raids;
    int64_t day;
    int window;
};

enum { MAJOR = 1, LIMITED = 2, LEADER = 4, SPARED = 8, STRIKES = MAJOR | LIMITED | LEADER };

static const lanes NOTHING;
static double RECIPROCAL[MAX_ATTACKS + 8];

/* Lists ---------------------------------------------------------------------------------------------------------- */

/* The histories that are marked, in order; returns how many. */
static int listed(const uint8_t *marked, int *list) {
    int n = 0;
    for (int i = 0; i < LANES; i += 8) {
        uint64_t eight;
        memcpy(&eight, marked + i, 8);
        for (; eight; eight &= eight - 1) list[n++] = i + (__builtin_ctzll(eight) >> 3);
    }
    return n;
}

/* Chance --------------------------------------------------------------------------------------------------------- */

/* The first four draws of an actor in every history. All runs of a block share the upper half of their numbers, so
   after the first round two of the four words depend on the run alone, and after the second two on the actor alone:
   ten rounds cost a little more than eight. */
ALWAYS void draw_words(
    const struct block *restrict b, const struct moment *now, uint64_t actor, int wanted,
    double *restrict first, double *restrict second, double *restrict third, double *restrict fourth
) {
    const struct key *key = now->key;
    const uint64_t upper = (uint64_t)now->day ^ WORD(b->run[0] >> 32 << 16);
    const uint64_t of_actor = MULTIPLY_C * actor;
    const uint64_t a1 = WORD(of_actor >> 32 ^ upper ^ key->low[0]), of_a1 = MULTIPLY_A * a1;
    const uint64_t a2 = WORD(of_actor) ^ key->low[1], c2 = of_a1 >> 32 ^ key->high[1], d2 = WORD(of_a1);
    EACH_LANE(i) {
        struct words w = {b->second_a[i] ^ a2, b->second_b[i], b->first_d[i] ^ c2, d2};
        w = scrambled(w, key, 2);
        first[i] = unit(w.a);
        if (wanted > 1) second[i] = unit(w.b), third[i] = unit(w.c), fourth[i] = unit(w.d);
    }
}

static void prepare_chance(struct block *b, const struct key *key) {
    EACH_LANE(i) {
        const uint64_t of_run = MULTIPLY_A * WORD(b->run[i]);
        const uint64_t c1 = of_run >> 32 ^ key->high[0], of_c1 = MULTIPLY_C * c1;
        b->second_a[i] = of_c1 >> 32, b->second_b[i] = WORD(of_c1), b->first_d[i] = WORD(of_run);
    }
}

NEVER_INLINE void draw_all(struct block *restrict b, const struct moment *now, uint64_t actor, lanes *restrict draw) {
    draw_words(b, now, actor, 4, draw[0], draw[1], draw[2], draw[3]);
}

NEVER_INLINE void draw_count(struct block *restrict b, const struct moment *now, uint64_t actor) {
    draw_words(b, now, actor, 1, b->draw[0], 0, 0, 0);
}

#endif
