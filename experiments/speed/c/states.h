/* The states' part of the day: the patron and the mediators begin it, the target and the ladder end it. */

#ifndef STATES_H
#define STATES_H

#include "block.h"

/* The patron and the mediators ----------------------------------------------------------------------------------- */

ALWAYS double standing_order(double stance, double unordered) {
    return unordered + stance * (1.0 - unordered);
}

NEVER_INLINE void weigh_risk(struct block *restrict b, const struct moment *now) {
    const struct numbers *is = &b->is;
    const double acts_today = now->today->acts, talks = now->today->talks;
    uint64_t some = 0;
    EACH_LANE(i) {
        const double acts = acts_today + b->acts[i];
        const double risk = b->war_risk[i] * is->war_risk_keep[i] + is->alarm_per_strike[i] * b->strikes[i]
            + is->alarm_per_death[i] * b->shock[i] + is->alarm_of_threat[i] * (b->pending[i] > 0.0 ? 1.0 : 0.0)
            + is->alarm_per_act[i] * acts;
        const double pressed = b->pressure[i] * is->pressure_keep[i] + is->pressure_per_strike[i] * b->strikes_home[i]
            + is->pressure_per_death[i] * b->killed[i] + is->pressure_of_talks[i] * talks;
        b->war_risk[i] = risk;
        b->pressure_before[i] = b->pressure[i];
        b->pressure[i] = pressed < 1.0 ? pressed : 1.0;
        /* who may look at one of the patron's draws today: to release, to answer, for war */
        const int may_release = b->phase[i] == 2 && b->phase_days[i] + 1.0 >= is->minimum_days[i];
        const int may_answer = acts > 0.0 && is->open_answer[i] > 0.0;
        some |= may_release | may_answer | (risk > is->war_threshold[i]);
    }
    b->patron_drawn = some != 0;
    if (some) draw_all(b, now, (uint64_t)now->table->patron, b->patron_draw);
}

/* `drawn`: some history may release its order, so the patron's draws are there. */
ALWAYS void next_phase(struct block *restrict b, double day, const int drawn) {
    const struct numbers *is = &b->is;
    const double *restrict draw = b->patron_draw[DRAW_RELEASE];
    double *restrict ordered = b->row[DIRECTIVE_DAY], *restrict left = b->row[RELEASE_DAY];
    EACH_LANE(i) {
        const uint64_t phase = b->phase[i];
        const double days = b->phase_days[i] + 1.0, risk = b->war_risk[i], threshold = is->alarm_threshold[i];
        int released = 0;
        if (drawn) {
            const double likely = chance(is->release_rate[i] * (1.0 - risk / threshold));
            released = phase == 2 && days >= is->minimum_days[i] && draw[i] < likely;
        }
        const int decided = (phase == 1 || phase == 4) && days >= is->deliberation_days[i];
        const int alarmed = (phase == 0 || phase == 3) && risk >= threshold;
        const uint64_t next = released ? 3 : decided ? 2 : alarmed ? phase + 1 : phase;
        b->phase[i] = next;
        b->phase_days[i] = phase == next ? days : 0.0;
        ordered[i] = next == 2 && ordered[i] < 0.0 ? day : ordered[i];
        left[i] = next == 3 && left[i] < 0.0 ? day : left[i];
    }
}

NEVER_INLINE void next_phase_quiet(struct block *restrict b, double day) {
    next_phase(b, day, 0);
}

NEVER_INLINE void next_phase_drawn(struct block *restrict b, double day) {
    next_phase(b, day, 1);
}

static void answer_acts(struct block *b, const struct moment *now) {
    b->some_answered = 0;
    for (int i = 0; i < LANES; i++) {
        const double acts = now->today->acts + b->acts[i];
        const double likely = acts > 0.0 ? b->is.open_answer[i] : 0.0;
        b->answered[i] = b->patron_drawn && b->patron_draw[DRAW_ANSWER][i] < likely;
        b->some_answered |= b->answered[i] > 0.0;
    }
}

NEVER_INLINE int issue_orders(struct block *restrict b, struct theatre *restrict t, double stance, double day) {
    uint64_t some = 0;
    EACH_LANE(i) {
        const double directive = t->order[i];
        const double standing = standing_order(stance, b->is.directive_free[i]);
        const double asked = b->phase[i] == 2 ? t->is.restraint[i] : b->phase[i] > 2 ? t->is.release[i] : 1.0;
        t->directive[i] = directive;
        t->order[i] = asked < standing ? asked : standing;
        t->held_since[i] = directive < 1.0 && t->held_since[i] < 0.0 ? day : t->held_since[i];
        some |= directive < 1.0;
    }
    return some != 0;
}

NEVER_INLINE void count_gains(struct block *restrict b) {
    EACH_LANE(i) b->gains[i] = 1.0 - exponential(-(b->ordered[i] / b->is.gains_scale[i]));
}

static void patron_assesses(struct block *b, const struct moment *now) {
    int some_ordered = 0;
    weigh_risk(b, now);
    (b->patron_drawn ? next_phase_drawn : next_phase_quiet)(b, (double)now->day);
    if (b->some_answered || b->patron_drawn) answer_acts(b, now);
    for (int k = 0; k < now->table->n_theatres; k++) {
        struct theatre *t = &b->theatres[k];
        t->some_ordered = issue_orders(b, t, now->fronts[k].stance, (double)now->day);
        some_ordered |= t->some_ordered;
    }
    if (some_ordered) count_gains(b); /* nothing else asks for them */
}

/* The target ----------------------------------------------------------------------------------------------------- */

NEVER_INLINE void sum_theatre(struct block *restrict b, struct theatre *restrict t, double on_target) {
    EACH_LANE(i) {
        double attacks, acknowledged;
        unpack(t->today[i], &attacks, &acknowledged);
        t->week[i] += attacks;
        t->today[i] = 0.0;
        b->ordered[i] += t->directive[i] >= 1.0 ? attacks * on_target : 0.0;
        b->attacks[i] += attacks * on_target;
        b->acknowledged[i] += acknowledged * on_target;
    }
}

NEVER_INLINE void answer_attacks(struct block *restrict b, const struct moment *now) {
    const struct numbers *is = &b->is;
    const int forced_major = now->today->major > 0, held_major = now->today->major < 0;
    const int forced = now->today->limited > 0, held = now->today->limited < 0, no_leader = now->today->leader < 0;
    const double *restrict of_limited = b->target_draw[DRAW_LIMITED], *restrict of_leader = b->target_draw[DRAW_LEADER];
    EACH_LANE(i) {
        double provocation = b->provocation[i] * is->provocation_keep[i] + b->attacks[i]
            + is->injured_weight[i] * b->injured[i] + is->killed_weight[i] * b->killed[i]
            + is->answer_provocation[i] * b->answered[i];
        const double quiet = b->acknowledged[i] > 0.0 ? 0.0 : b->quiet[i] + 1.0;
        const double before = b->pending[i];
        const int able = is->major_able[i] > 0.0;
        const int major = (able & forced_major) | ((before > 0.0) & (before <= 1.0) & (held_major == 0));
        const double started = (b->killed[i] > 0.0) & able ? is->major_days[i] : 0.0;
        const double waited = before > 1.0 ? before - 1.0 : before;
        const double pending = major ? 0.0 : before > 0.0 ? waited : started;
        const int busy = major | (pending > 0.0);
        const double likely = chance(is->response_rate[i] * (provocation - is->provocation_threshold[i]));
        const int limited = ((busy | held) == 0) & (forced | (of_limited[i] < likely));
        const int came = ((busy | limited | no_leader) == 0) & (of_leader[i] < is->leader_chance[i]);
        const int declined = came & (quiet >= is->quiet_days[i]);
        const int struck = came & (declined == 0);
        provocation = (major | limited | struck) ? provocation * is->response_relief[i] : provocation;
        b->provocation[i] = provocation, b->quiet[i] = quiet, b->pending[i] = pending;
        b->answer[i] = (uint8_t)(major * MAJOR | limited * LIMITED | struck * LEADER | declined * SPARED);
    }
}

static int can_be_struck(const struct block *b, const struct table *table, int w, int i) {
    return table->layout[w].on_target && b->wings[w].is.baseline[i] > 0.0;
}

/* The wing that the answer of one history hits: by blame, found by walking along the summed weights. */
static int chosen_wing(const struct block *b, const struct table *table, int i) {
    double recent = 0.0, total = 0.0, passed = 0.0;
    int chosen = -1;
    for (int w = 0; w < table->n_wings; w++)
        if (can_be_struck(b, table, w, i)) recent += b->wings[w].recent[i];
    const int attributed = recent > 0.0 && b->target_draw[DRAW_ATTRIBUTION][i] < b->is.attribution[i];
    for (int w = 0; w < table->n_wings; w++)
        if (can_be_struck(b, table, w, i)) total += attributed ? b->wings[w].recent[i] : 1.0;
    const double mark = b->target_draw[DRAW_WHOM][i] * total;
    for (int w = 0; w < table->n_wings && passed <= mark; w++)
        if (can_be_struck(b, table, w, i)) {
            chosen = w;
            passed += attributed ? b->wings[w].recent[i] : 1.0;
        }
    return chosen;
}

/* Strikes of one history on all wings: they are felt tomorrow. */
static void strike(struct block *b, const struct moment *now, int i) {
    const struct table *table = now->table;
    const struct numbers *is = &b->is;
    const uint8_t answer = b->answer[i];
    const int chosen = answer & (LIMITED | LEADER) ? chosen_wing(b, table, i) : -1;
    double on_collective[table->n_wings], strikes = 0.0, home = 0.0;
    memset(on_collective, 0, sizeof on_collective);
    for (int w = 0; w < table->n_wings; w++) {
        struct wing *wing = &b->wings[w];
        const struct layout *place = &table->layout[w];
        const int major = (answer & MAJOR) && can_be_struck(b, table, w, i);
        const int limited = w == chosen && (answer & LIMITED), leader = w == chosen && (answer & LEADER);
        const double struck = now->raids[w] + (major ? is->major_intensity[i] : 0.0) + (limited ? 1.0 : 0.0)
            + (leader ? is->leader_intensity[i] : 0.0);
        wing->struck[i] = struck;
        wing->jump[i] = major ? is->major_fear[i] : 0.0;
        strikes += struck;
        home += place->at_home ? struck : 0.0;
        on_collective[place->collective] += struck;
    }
    for (int w = 0; w < table->n_wings; w++) {
        struct wing *wing = &b->wings[w];
        const double others = on_collective[table->layout[w].collective] - wing->struck[i];
        wing->nearby[i] = others > 0.0 ? others : 0.0;
        const int shaken = wing->struck[i] > 0.0 || wing->nearby[i] > 0.0 || wing->jump[i] > 0.0;
        wing->had_strikes |= shaken, wing->touched |= shaken;
    }
    b->strikes[i] = strikes, b->strikes_home[i] = home;
    b->shaken[b->n_shaken++] = i;
}

static void note_answer(struct block *b, const struct moment *now, int i, uint8_t answer) {
    const double limited = (answer & LIMITED) != 0, struck = (answer & LEADER) != 0, major = answer & MAJOR;
    b->row[LIMITED_RESPONSES][i] += limited;
    b->row[LEADER_STRIKES][i] += struck;
    if (now->window == CAMPAIGN) b->row[CAMPAIGN_RESPONSES][i] += limited + struck;
    if (now->window == LULL) b->row[LEADERS_SPARED][i] += (answer & SPARED) != 0;
    b->row[MAJOR_RESPONSES][i] += major;
    if (major > 0.0 && b->row[MAJOR_DAY][i] < 0.0) b->row[MAJOR_DAY][i] = (double)now->day;
}

static void sum_attacks(struct block *b, const struct table *table) {
    memset(b->attacks, 0, sizeof(lanes));
    memset(b->acknowledged, 0, sizeof(lanes));
    for (int k = 0; k < table->n_theatres; k++) {
        int on_target = 0;
        for (int w = 0; w < table->n_wings; w++)
            if (table->layout[w].theatre == k) on_target |= table->layout[w].on_target > 0;
        sum_theatre(b, &b->theatres[k], on_target);
    }
}

static void target_responds(struct block *b, const struct moment *now) {
    const struct table *table = now->table;
    int list[LANES], raids = 0;
    sum_attacks(b, table);
    draw_all(b, now, (uint64_t)table->target, b->target_draw);
    answer_attacks(b, now);
    for (int j = 0; j < b->n_shaken; j++) b->strikes[b->shaken[j]] = b->strikes_home[b->shaken[j]] = 0.0;
    b->n_shaken = 0;
    for (int w = 0; w < table->n_wings; w++) raids |= now->raids[w] > 0.0;
    const int n = listed(b->answer, list);
    for (int j = 0; j < n; j++) {
        note_answer(b, now, list[j], b->answer[list[j]]);
        if (!raids && (b->answer[list[j]] & STRIKES)) strike(b, now, list[j]);
    }
    for (int i = 0; i < LANES && raids; i++) strike(b, now, i);
}

/* The ladder ----------------------------------------------------------------------------------------------------- */

/* Rung and recent height of the ladder; `feared`: some history has the risk of war above its threshold. */
ALWAYS int climb(struct block *restrict b, const int feared) {
    const struct numbers *is = &b->is;
    const double *restrict draw = b->patron_draw[DRAW_WAR];
    double *restrict peak_rung = b->row[PEAK_RUNG], *restrict peak_risk = b->row[PEAK_WAR_RISK];
    uint64_t some = 0;
    EACH_LANE(i) {
        const int answer = b->answer[i], major = answer & MAJOR, struck = answer & (LIMITED | LEADER);
        const double calm = b->attacks[i] > 0.0 ? 1.0 : 0.0;
        const double hurt = struck || b->injured[i] > 0.0 ? 2.0 : calm;
        const double rung = major ? 4.0 : b->killed[i] > 0.0 ? 3.0 : hurt;
        const int on_patron = (major | struck) && rung >= is->patron_strike_rung[i];
        const double touched = on_patron || b->answered[i] > 0.0 ? 5.0 : rung;
        const double cooled = b->recent_rung[i] - is->cooling[i];
        const double recent = touched > cooled ? touched : cooled, risk = b->war_risk[i];
        double reached = touched;
        if (feared) {
            const double excess = risk - is->war_threshold[i];
            const double likely = chance(is->war_rate[i] * (excess > 0.0 ? excess : 0.0) * recent);
            const int war = draw[i] < likely;
            b->marked[i] = (uint8_t)war;
            some |= (uint64_t)war;
            reached = war ? 6.0 : touched;
        }
        b->acts[i] = on_patron ? is->patron_strike_acts[i] : 0.0;
        b->recent_rung[i] = recent;
        peak_rung[i] = reached > peak_rung[i] ? reached : peak_rung[i];
        peak_risk[i] = risk > peak_risk[i] ? risk : peak_risk[i];
    }
    return some != 0;
}

NEVER_INLINE int climb_quiet(struct block *restrict b) {
    return climb(b, 0);
}

NEVER_INLINE int climb_feared(struct block *restrict b) {
    return climb(b, 1);
}

/* Marks the histories in which war breaks out tonight and lists them; returns how many. */
static int ladder_moves(struct block *b, int *list) {
    const int some = (b->patron_drawn ? climb_feared : climb_quiet)(b);
    return some ? listed(b->marked, list) : 0;
}

#endif
