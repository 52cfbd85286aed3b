/* The day of the model in C: the yardstick for the compiled lane kernel, and equal to it in every outcome.

   LANES histories are lived side by side; every number is an array over them, so that each loop over a wing or over
   the run's own state is one stream of vectors. What most histories do not do on most days (a hit, a response, a
   strike felt) is put on a list and done one by one. table.h holds the layout of the table's records, written from
   the records themselves; rules and order of the day are those of sim/rules. */

#include "militias.h"
#include "states.h"

/* The record ----------------------------------------------------------------------------------------------------- */

NEVER_INLINE void note_resumption(struct block *restrict b, const struct moment *now) {
    const int64_t fortnight = now->day - RESUMED_DAYS + 1, first_after = now->table->strikes_day + 1;
    const double day = (double)now->day, began = (double)(fortnight > first_after ? fortnight : first_after);
    const int later = now->window == LATER;
    lanes *oldest = &b->lull[now->day % RESUMED_DAYS];
    EACH_LANE(i) {
        const double acknowledged = b->acknowledged[i], sum = b->lull_sum[i] + acknowledged - (*oldest)[i];
        double *first = b->row[FIRST_ATTACK_DAY], *resumed = b->row[RESUMPTION_DAY];
        b->lull_sum[i] = sum;
        (*oldest)[i] = acknowledged;
        first[i] = first[i] < 0.0 && later && acknowledged > 0.0 ? day : first[i];
        resumed[i] = resumed[i] < 0.0 && sum >= RESUMED_ATTACKS ? began : resumed[i];
    }
}

static void note_week(struct block *b, const struct moment *now, const struct output *out) {
    const int64_t weeks = now->table->n_days / WEEK, week = now->day / WEEK;
    for (int k = 0; k < now->table->n_theatres; k++) {
        int64_t *histogram = out->weekly + (k * weeks + week) * BINS;
        double *attacks = b->theatres[k].week;
        for (int i = 0; i < LANES; i++) {
            if (b->alive[i]) histogram[attacks[i] < BINS - 1 ? (int)attacks[i] : BINS - 1]++;
            attacks[i] = 0.0;
        }
    }
}

/* What one history did in the window that ends goes to its place, and the next window starts from zero. */
static void note_window(struct block *b, const struct moment *now, const struct output *out, int64_t history, int i) {
    const int64_t wings = now->table->n_wings;
    for (int w = 0; w < wings; w++) {
        double attacks, acknowledged;
        unpack(b->wings[w].seen[i], &attacks, &acknowledged);
        b->wings[w].seen[i] = 0.0;
        if (now->window < 0) continue;
        int32_t *counts = out->counts + ((history * wings + w) * WINDOWS + now->window) * 2;
        counts[0] = (int32_t)attacks, counts[1] = (int32_t)acknowledged;
    }
}

/* A history ends: with the calendar, or in war. */
static void close_history(struct block *b, const struct moment *now, const struct output *out, int64_t history, int i) {
    const int64_t wings = now->table->n_wings;
    note_window(b, now, out, history, i);
    b->row[PEAK_WAR_RISK][i] = b->row[PEAK_WAR_RISK][i] * 1000.0 + 0.5; /* cut: the nearest thousandth */
    for (int f = 0; f < OUTCOMES; f++) out->rows[history * OUTCOMES + f] = (int32_t)b->row[f][i];
    for (int w = 0; w < wings; w++) out->lags[history * wings + w] = (int32_t)b->wings[w].lag[i];
    b->alive[i] = 0;
}

static int window_of(const struct table *table, int64_t day) {
    if (day <= table->strikes_day) return day < table->strikes_day ? CAMPAIGN : -1;
    return day <= table->report_day ? LULL : LATER;
}

/* A block --------------------------------------------------------------------------------------------------------- */

static void gather(lanes *to, const double *from, int fields, int i) {
    for (int f = 0; f < fields; f++) to[f][i] = from[f];
}

/* The histories start; where a block is not full its last one fills it up, and is not recorded twice. */
static void open_block(
    struct block *b, const struct table *table, const struct key *key, const int64_t *runs, const int64_t *points, int n
) {
    struct theatre *theatres = b->theatres;
    struct wing *wings = b->wings;
    memset(b, 0, sizeof *b);
    memset(theatres, 0, (size_t)table->n_theatres * sizeof *theatres);
    memset(wings, 0, (size_t)table->n_wings * sizeof *wings);
    b->theatres = theatres, b->wings = wings, b->n = n;
    memset(b->alive, 1, (size_t)n);
    for (int i = 0; i < LANES; i++) {
        const int from = i < n ? i : n - 1;
        const int64_t point = points[from];
        b->run[i] = (uint64_t)runs[from];
        gather((lanes *)&b->is, table->numbers + point * NUMBERS_N, NUMBERS_N, i);
        const double *of_theatres = table->theatres + point * table->n_theatres * THEATRE_NUMBERS_N;
        for (int k = 0; k < table->n_theatres; k++)
            gather((lanes *)&theatres[k].is, of_theatres + k * THEATRE_NUMBERS_N, THEATRE_NUMBERS_N, i);
        const double *of_wings = table->wings + point * table->n_wings * WING_NUMBERS_N;
        for (int w = 0; w < table->n_wings; w++)
            gather((lanes *)&wings[w].is, of_wings + w * WING_NUMBERS_N, WING_NUMBERS_N, i);
        for (int f = 0; f < OUTCOMES; f++) b->row[f][i] = IS_FIRST_DAY[f] ? -1.0 : 0.0;
        b->injured_none[i] = exponential(-b->is.injured_mean[i]);
        for (int k = 0; k < table->n_theatres; k++) {
            theatres[k].order[i] = standing_order(table->fronts[k].stance, b->is.directive_free[i]);
            theatres[k].held_since[i] = -1.0;
        }
        for (int w = 0; w < table->n_wings; w++) {
            const double order = theatres[table->layout[w].theatre].order[i];
            wings[w].compliance[i] = order < 1.0 ? wings[w].is.held[i] : 0.0;
            wings[w].capacity[i] = wings[w].left[i] = 1.0;
            wings[w].lag[i] = wings[w].feared[i] = -1.0;
        }
    }
    prepare_chance(b, key);
}

static void live_block(
    struct block *b, const struct table *table, const struct key *key, const struct output *out, int64_t start
) {
    int list[LANES], alive = b->n;
    for (int64_t day = 0; day < table->n_days && alive > 0; day++) {
        const struct moment now = {
            table, key, table->days + day, table->fronts + day * table->n_theatres, table->raids + day * table->n_wings,
            day, window_of(table, day),
        };
        patron_assesses(b, &now);
        militias_act(b, &now);
        target_responds(b, &now);
        const int wars = ladder_moves(b, list);
        if (now.window >= LULL) note_resumption(b, &now);
        if ((day + 1) % WEEK == 0) note_week(b, &now, out);
        for (int j = 0; j < wars; j++) {
            const int i = list[j];
            if (!b->alive[i]) continue;
            b->row[WAR_DAY][i] = (double)day;
            close_history(b, &now, out, start + i, i);
            alive--;
        }
        const int last = day + 1 == table->n_days;
        for (int i = 0; i < b->n && (last || window_of(table, day + 1) != now.window); i++) {
            if (!b->alive[i]) continue;
            if (last)
                close_history(b, &now, out, start + i, i);
            else
                note_window(b, &now, out, start + i, i);
        }
    }
}

static void *room(size_t count, size_t size) {
    return aligned_alloc(64, (count * size + 63) / 64 * 64);
}

/* Live `n` histories: `runs` (n,) at the design points `points` (n,). rows, counts and lags are written for every
   history, weekly is added to. Returns 0, or -1 where memory is short. */
int lull_run(
    const struct table *table, uint64_t seed, int64_t n, const int64_t *runs, const int64_t *points,
    const struct output *out
) {
    const struct key key = key_of(seed);
    struct block *b = room(1, sizeof *b);
    struct theatre *theatres = room((size_t)table->n_theatres, sizeof *theatres);
    struct wing *wings = room((size_t)table->n_wings, sizeof *wings);
    const int enough = b && theatres && wings;
    for (int64_t start = 0, end = 0; enough && start < n; start = end) {
        while (end < n && end - start < LANES && runs[end] >> 32 == runs[start] >> 32) end++;
        b->theatres = theatres, b->wings = wings;
        open_block(b, table, &key, runs + start, points + start, (int)(end - start));
        live_block(b, table, &key, out, start);
    }
    free(b), free(theatres), free(wings);
    return enough ? 0 : -1;
}

/* So that every caller finds the table ready, whatever thread it runs in. */
__attribute__((constructor)) static void prepare(void) {
    for (int k = 1; k < MAX_ATTACKS + 8; k++) RECIPROCAL[k] = 1.0 / k;
}
