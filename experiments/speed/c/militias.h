/* The militias' part of the day: they adapt, attack, and their attacks land. */

#ifndef MILITIAS_H
#define MILITIAS_H

#include "block.h"

/* The militias --------------------------------------------------------------------------------------------------- */

/* Fear and grievance of those who were struck yesterday, or near it. The others' decay, in `adapt`. */
static void feel_strikes(struct block *restrict b, struct wing *restrict w) {
    const struct numbers *is = &b->is;
    for (int j = 0; j < b->n_shaken; j++) {
        const int i = b->shaken[j];
        const double struck = w->struck[i], nearby = w->nearby[i];
        const double room = 1.0 - w->grievance[i] / is->grievance_max[i];
        w->feared[i] = w->fear[i] * is->fear_keep[i] + is->fear_own[i] * struck + is->fear_other[i] * nearby
            + w->jump[i];
        w->felt[i] = (is->grievance_own[i] * struck + is->grievance_other[i] * nearby) * (room > 0.0 ? room : 0.0);
        w->left[i] = struck > 0.0 ? exponential(-(is->damage[i] * struck)) : 1.0;
    }
}

static void forget_strikes(struct block *restrict b, struct wing *restrict w) {
    for (int j = 0; j < b->n_shaken; j++) {
        const int i = b->shaken[j];
        w->feared[i] = -1.0, w->felt[i] = 0.0, w->left[i] = 1.0;
        w->struck[i] = w->nearby[i] = w->jump[i] = 0.0;
    }
    w->had_strikes = 0;
}

/* Compliance, fear, grievance, capacity and the rate of attacks of one wing. `ordered`: some directive is below 1;
   `touched`: fear or grievance may differ from zero; `shaken`: some history felt strikes. Where a flag is 0 the
   terms left out are exactly 0 or 1. */
ALWAYS void adapt(
    struct block *restrict b, const struct theatre *restrict t, struct wing *restrict w,
    const double *restrict pressure, double intensity, double surge, double supply, double day, const int ordered,
    const int touched, const int shaken
) {
    const struct numbers *is = &b->is;
    EACH_LANE(i) {
        const double felt = pressure[i], directive = t->directive[i];
        double c = w->compliance[i];
        const double relaxed = c - is->relax_rate[i] * c;
        if (ordered) {
            const double weight = is->mediation_weight[i], gained = is->gains_weight[i] * b->gains[i];
            const double goal = clipped(w->is.held[i] + weight * felt + gained);
            const double resistance = w->is.ideology[i] * (1.0 - is->ideology_relief[i] * felt);
            const double speed = clipped(w->is.pace[i] * (1.0 - resistance));
            c = directive < 1.0 ? c + speed * (goal - c) : relaxed;
            const int complies = directive < 1.0 && c >= COMPLIANT && w->lag[i] < 0.0;
            w->lag[i] = complies ? day - t->held_since[i] : w->lag[i];
        } else {
            c = relaxed;
        }
        w->compliance[i] = c;
        double kept = w->capacity[i] + t->is.rebuild[i] * supply * (1.0 - w->capacity[i]);
        if (shaken) kept = kept * w->left[i];
        const double capacity = clipped(kept - w->is.wear[i] * w->attacks[i]);
        w->capacity[i] = capacity;
        const double order = directive * (1.0 - is->mediator_restraint[i] * felt);
        double will = 1.0 - c * (1.0 - order);
        if (touched) {
            double fear = w->fear[i] * is->fear_keep[i], grown = w->grievance[i] * is->grievance_keep[i];
            if (shaken) {
                fear = w->feared[i] < 0.0 ? fear : w->feared[i];
                grown = grown + w->felt[i];
            }
            grown = grown < is->grievance_max[i] ? grown : is->grievance_max[i];
            w->fear[i] = fear, w->grievance[i] = grown;
            will = exponential(grown - fear) * will;
        }
        const double gate = 1.0 - t->is.gate[i] * (1.0 - intensity);
        const double rate = w->is.baseline[i] * gate * surge * capacity * will;
        b->mean[i] = rate < MAX_RATE ? rate : MAX_RATE;
    }
}

#define ADAPT(name, ordered, touched, shaken)                                                                      \
    NEVER_INLINE void name(                                                                                        \
        struct block *restrict b, const struct theatre *restrict t, struct wing *restrict w,                       \
        const double *restrict pressure, double intensity, double surge, double supply, double day                 \
    ) {                                                                                                            \
        adapt(b, t, w, pressure, intensity, surge, supply, day, ordered, touched, shaken);                         \
    }
ADAPT(adapt_calm, 0, 0, 0)
ADAPT(adapt_calm_ordered, 1, 0, 0)
ADAPT(adapt_touched, 0, 1, 0)
ADAPT(adapt_touched_ordered, 1, 1, 0)
ADAPT(adapt_shaken, 0, 1, 1)
ADAPT(adapt_shaken_ordered, 1, 1, 1)

/* Poisson counts up to four; returns whether some history has more. */
NEVER_INLINE int count_few(struct block *restrict b, struct wing *restrict w) {
    uint64_t more = 0;
    const double *restrict draw = b->draw[0];
    EACH_LANE(i) {
        const double mean = b->mean[i], u = draw[i];
        double term = exponential(-mean), reached = term, count = u >= reached ? 1.0 : 0.0;
#pragma unroll
        for (int k = 1; k <= 4; k++) {
            term = term * (mean * RECIPROCAL[k]);
            reached = reached + term;
            if (k < 4) count += u >= reached ? 1.0 : 0.0;
        }
        w->attacks[i] = count;
        more |= u >= reached;
    }
    return more != 0;
}

/* Poisson counts of any size: each pass goes four further, until all are found. */
NEVER_INLINE int count_more(struct block *restrict b, const double *restrict draw, double *restrict attacks, int from) {
    uint64_t more = 0;
    EACH_LANE(i) {
        const double mean = b->mean[i], u = draw[i];
        double term = b->term[i], reached = b->reached[i], count = attacks[i];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            term = term * (mean * RECIPROCAL[from + k]);
            reached = reached + term;
            count += u >= reached ? 1.0 : 0.0;
        }
        b->term[i] = term, b->reached[i] = reached, attacks[i] = count;
        more |= u >= reached;
    }
    return more != 0;
}

NEVER_INLINE void count_first(struct block *restrict b, const double *restrict draw, double *restrict attacks) {
    EACH_LANE(i) {
        const double term = exponential(-b->mean[i]);
        b->term[i] = b->reached[i] = term;
        attacks[i] = draw[i] >= term ? 1.0 : 0.0;
    }
}

static void count_attacks(struct block *b, struct wing *w, int pinned) {
    if (w->many || count_few(b, w)) {
        int from = 1;
        count_first(b, b->draw[0], w->attacks);
        while (count_more(b, b->draw[0], w->attacks, from) && from + 4 <= MAX_ATTACKS) from += 4;
        w->many = from > 4;
        for (int i = 0; i < LANES && from + 4 > MAX_ATTACKS; i++)
            w->attacks[i] = w->attacks[i] < MAX_ATTACKS ? w->attacks[i] : MAX_ATTACKS;
    }
    for (int i = 0; i < LANES && pinned; i++) w->attacks[i] = w->attacks[i] < 1.0 ? 1.0 : w->attacks[i];
}

/* Attacks land --------------------------------------------------------------------------------------------------- */

ALWAYS double dampened(double probability, double small, double factor) {
    return probability * (1.0 - small * (1.0 - factor));
}

/* Elsewhere than on the target: all are seen. */
NEVER_INLINE void land_elsewhere(struct theatre *restrict t, struct wing *restrict w) {
    EACH_LANE(i) {
        const double pair = w->attacks[i] * (UPPER + 1.0);
        w->seen[i] += pair;
        t->today[i] += pair;
    }
}

/* On the target: acknowledged attacks among the first three; marks histories in which one of these got through, or
   that have a fourth. */
ALWAYS void land_on_target(
    struct block *restrict b, struct theatre *restrict t, struct wing *restrict w, const int ordered
) {
    const struct numbers *is = &b->is;
    EACH_LANE(i) {
        const double small = ordered && t->directive[i] < 1.0 ? w->compliance[i] : 0.0;
        double through = is->penetration[i], seen = is->observed[i];
        if (ordered) {
            through = dampened(through, small, is->small_penetration[i]);
            seen = dampened(seen, small, is->small_observed[i]);
        }
        seen = seen > through ? seen : through;
        const double n = w->attacks[i], u = b->draw[1][i], v = b->draw[2][i], x = b->draw[3][i];
        double acknowledged = n > 0.0 && u < seen ? 1.0 : 0.0;
        acknowledged += n > 1.0 && v < seen ? 1.0 : 0.0;
        acknowledged += n > 2.0 && x < seen ? 1.0 : 0.0;
        b->marked[i] = (n > 0.0 && u < through) | (n > 1.0 && v < through) | (n > 2.0 && x < through) | (n > 3.0);
        const double pair = n * UPPER + acknowledged;
        w->seen[i] += pair;
        t->today[i] += pair;
        w->recent[i] = w->recent[i] * is->attribution_keep[i] + n;
    }
}

NEVER_INLINE void land_plain(struct block *restrict b, struct theatre *restrict t, struct wing *restrict w) {
    land_on_target(b, t, w, 0);
}

NEVER_INLINE void land_ordered(struct block *restrict b, struct theatre *restrict t, struct wing *restrict w) {
    land_on_target(b, t, w, 1);
}

static double number_killed(const struct numbers *is, int i, double draw) {
    const double size = __builtin_floor(power(1.0 - draw * is->tail_span[i], is->tail_power[i]));
    return size < is->exposure[i] ? size : is->exposure[i];
}

/* Fates of all attacks of one wing in one history. The vector loop has counted the acknowledged among the first
   three by their draws alone; what differs is added. */
static void meet_fates(
    struct block *b, const struct moment *now, struct theatre *t, struct wing *w, uint64_t actor, int i, int pinned_wing
) {
    const struct numbers *is = &b->is;
    const double small = t->directive[i] < 1.0 ? w->compliance[i] : 0.0;
    const double through = dampened(is->penetration[i], small, is->small_penetration[i]);
    const double seen = dampened(is->observed[i], small, is->small_observed[i]);
    const uint64_t run = b->run[i], day = (uint64_t)now->day;
    struct draws fates = {{0.0, b->draw[1][i], b->draw[2][i], b->draw[3][i]}};
    double added = 0.0;
    for (int k = 0; k < (int)w->attacks[i]; k++) {
        if (((DRAW_FATE + k) & 3) == 0) fates = draws_at(now->key, run, day, actor, (uint64_t)(DRAW_FATE + k) >> 2);
        const double u = fates.of[(DRAW_FATE + k) & 3];
        const int pinned = pinned_wing && k == 0;
        const int hit = pinned || u < through, noticed = hit || u < seen;
        const int lethal = pinned || (u < through * is->lethality[i] && now->today->deaths_allowed > 0);
        const int counted = k < 3 && (u < seen || u < through);
        added += noticed - counted;
        if (hit) {
            const struct draws of = draws_at(now->key, run, day, actor, (uint64_t)(DRAW_INJURED + k) >> 2);
            const double draw = of.of[(DRAW_INJURED + k) & 3];
            const double injured = poisson(draw, is->injured_mean[i], b->injured_none[i], MAX_ATTACKS);
            b->injured[i] += injured;
            b->row[INJURED][i] += injured;
        }
        if (lethal) {
            const struct draws of = draws_at(now->key, run, day, actor, (uint64_t)(DRAW_KILLED + k) >> 2);
            const double drawn = number_killed(is, i, of.of[(DRAW_KILLED + k) & 3]);
            const double killed = pinned ? now->today->pinned_killed : drawn;
            b->killed[i] += killed;
            b->row[DEATHS][i] += killed;
            b->row[LETHAL_ATTACKS][i] += 1.0;
            b->shock[i] = 1.5 * logarithm2(1.0 + b->killed[i]);
            if (killed > 0.0 && b->row[FIRST_DEATH_DAY][i] < 0.0) b->row[FIRST_DEATH_DAY][i] = (double)day;
        }
    }
    w->seen[i] += added;
    t->today[i] += added;
}

static void militias_act(struct block *b, const struct moment *now) {
    const struct table *table = now->table;
    int list[LANES];
    memset(b->injured, 0, sizeof(lanes));
    memset(b->killed, 0, sizeof(lanes));
    memset(b->shock, 0, sizeof(lanes));
    for (int w = 0; w < table->n_wings; w++) {
        const struct layout *place = &table->layout[w];
        const struct front_today *front = &now->fronts[place->theatre];
        struct theatre *t = &b->theatres[place->theatre];
        struct wing *wing = &b->wings[w];
        const double *pressure = place->mediated ? b->pressure_before : NOTHING;
        const uint64_t actor = (uint64_t)place->actor;
        const int shaken = wing->had_strikes, touched = wing->touched, ordered = t->some_ordered;
        const int pinned = now->today->pinned_wing == w;
        if (shaken) feel_strikes(b, wing);
        (shaken ? ordered ? adapt_shaken_ordered : adapt_shaken
         : touched ? ordered ? adapt_touched_ordered : adapt_touched
         : ordered ? adapt_calm_ordered : adapt_calm)
            (b, t, wing, pressure, now->today->intensity, front->surge, front->supply, (double)now->day);
        if (shaken) forget_strikes(b, wing);
        if (place->on_target)
            draw_all(b, now, actor, b->draw);
        else
            draw_count(b, now, actor);
        count_attacks(b, wing, pinned);
        if (!place->on_target) {
            land_elsewhere(t, wing);
            continue;
        }
        (ordered ? land_ordered : land_plain)(b, t, wing);
        if (pinned) memset(b->marked, 1, LANES);
        const int n = listed(b->marked, list);
        for (int j = 0; j < n; j++) meet_fates(b, now, t, wing, actor, list[j], pinned);
    }
}

#endif
