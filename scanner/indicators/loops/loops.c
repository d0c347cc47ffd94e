/* The loops of recursions.py and windows.py, compiled: the same operations in the same order, so
the same bits.

Arrays are (bars, symbols) in C order: the numbers of one bar lie side by side, and each loop over
LANES symbols keeps its state in the cache. What is not a number stands before a symbol's first
value, in mean_over_gaps also between its values. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>

#define LANES 64
#define WORD (Size)sizeof(double)

/* glibc chooses the wider registers where the processor has them; neither fuses operations. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define LOOP __attribute__((target_clones("avx2", "default"))) static
#else
#define LOOP static
#endif

typedef Py_ssize_t Size;

static Size strip(Size symbols, Size at)
{
    return symbols - at < LANES ? symbols - at : LANES;
}

static void fill(double *lanes, double value)
{
    for (Size lane = 0; lane < LANES; lane++)
        lanes[lane] = value;
}

LOOP void level_mean(const double *x, double *out, Size bars, Size symbols,
                     double weight, double least)
{
    const double decay = 1.0 - weight;
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double before[LANES], lead[LANES], seen[LANES];
        fill(before, NAN);
        fill(lead, 0.0);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                double moved = value - before[lane];
                moved = moved == moved ? moved : 0.0;
                lead[lane] = (lead[lane] + moved) * decay;
                before[lane] = value;
                seen[lane] += value == value ? 1.0 : 0.0;
                made[lane] = seen[lane] >= least ? value - lead[lane] : NAN;
            }
        }
    }
}

LOOP void flow_mean(const double *x, double *out, Size bars, Size symbols,
                    double weight, double least)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double mean[LANES], seen[LANES];
        fill(mean, NAN);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                double moved = (value - mean[lane]) * weight + mean[lane];
                mean[lane] = mean[lane] == mean[lane] ? moved : value;
                seen[lane] += value == value ? 1.0 : 0.0;
                made[lane] = seen[lane] >= least ? mean[lane] : NAN;
            }
        }
    }
}

/* Until `window` values are seen, `mean` holds their sum. */
LOOP void wilder_mean(const double *x, double *out, Size bars, Size symbols,
                      double weight, double window)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double mean[LANES], seen[LANES];
        fill(mean, 0.0);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                double sum = mean[lane] + (value == value ? value : 0.0);
                double moved = (value - mean[lane]) * weight + mean[lane];
                seen[lane] += value == value ? 1.0 : 0.0;
                double seed = seen[lane] == window ? sum * weight : sum;
                mean[lane] = seen[lane] > window ? moved : seed;
                made[lane] = seen[lane] >= window ? mean[lane] : NAN;
            }
        }
    }
}

LOOP void adaptive_mean(const double *x, const double *weights, double *out,
                        Size bars, Size symbols, double least)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double mean[LANES], seen[LANES];
        fill(mean, NAN);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            const double *weight = weights + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                double moved = (value - mean[lane]) * weight[lane] + mean[lane];
                mean[lane] = weight[lane] == weight[lane] ? moved : value;
                seen[lane] += value == value ? 1.0 : 0.0;
                made[lane] = seen[lane] >= least ? mean[lane] : NAN;
            }
        }
    }
}

LOOP void mean_over_gaps(const double *x, double *out, Size bars, Size symbols,
                         double weight, double least, int irregular)
{
    const double usual = 1.0 - weight;
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double mean[LANES], age[LANES], seen[LANES];
        fill(mean, NAN);
        fill(age, 1.0);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                double before = mean[lane];
                double held = age[lane] * usual;
                double fresh = irregular ? 1.0 - held : weight;
                double moved = (before * held + value * fresh) / (held + fresh);
                moved = before == value ? value : moved;
                moved = before == before ? moved : value;
                mean[lane] = value == value ? moved : before;
                age[lane] = value == value ? 1.0 : held;
                seen[lane] += value == value ? 1.0 : 0.0;
                made[lane] = seen[lane] >= least ? mean[lane] : NAN;
            }
        }
    }
}

LOOP void running_total(const double *x, double *out, Size bars, Size symbols)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double total[LANES];
        fill(total, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                double value = now[lane];
                total[lane] += value == value ? value : 0.0;
                made[lane] = value == value ? total[lane] : NAN;
            }
        }
    }
}

LOOP void mean_deviation(const double *x, const double *means, double *out,
                         Size bars, Size symbols, Size window)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        for (Size bar = 0; bar < bars; bar++) {
            const double *mean = means + bar * symbols + at;
            double *made = out + bar * symbols + at;
            double total[LANES];
            fill(total, bar < window - 1 ? NAN : 0.0);
            for (Size lag = 0; lag < window && bar >= window - 1; lag++) {
                const double *then = x + (bar - lag) * symbols + at;
                for (Size lane = 0; lane < width; lane++)
                    total[lane] += fabs(then[lane] - mean[lane]);
            }
            for (Size lane = 0; lane < width; lane++)
                made[lane] = total[lane] * (1.0 / (double)window);
        }
    }
}

/* Returns the larger one; what is not a number is larger than all. */
static inline double larger(double x, double y)
{
    return x > y || x != x ? x : y;
}

/* Van Herk's way: the largest from a bar to the end of its stretch of `window` bars, and from the
start of a stretch to a bar, make the largest of any window. A `sign` of -1 asks for the smallest. */
LOOP void rolling_extreme(const double *x, double *out, double *scratch, Size bars, Size symbols,
                          Size window, double sign)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double best[LANES];
        for (Size bar = bars - 1; bar >= 0; bar--) {
            const double *now = x + bar * symbols + at;
            const int ends = bar == bars - 1 || (bar + 1) % window == 0;
            double *rest = scratch + bar * LANES;
            for (Size lane = 0; lane < width; lane++)
                rest[lane] = ends ? sign * now[lane] : larger(rest[LANES + lane], sign * now[lane]);
        }
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            const int starts = bar % window == 0, whole = bar >= window - 1;
            const double *rest = whole ? scratch + (bar - window + 1) * LANES : scratch;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++)
                best[lane] = starts ? sign * now[lane] : larger(best[lane], sign * now[lane]);
            for (Size lane = 0; lane < width; lane++)
                made[lane] = whole ? sign * larger(rest[lane], best[lane]) : NAN;
        }
    }
}

/* The sum of 2n bars is the sum of n and that of the n before: `part` holds sums of 1, 2, 4...
bars, and those that `window` consists of are joined in `whole`, as sums or as means. */
LOOP void rolling_sum(const double *x, double *out, double *scratch, Size bars, Size symbols,
                      Size window, double as_mean)
{
    double *part = scratch, *whole = scratch + bars * LANES;
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        Size covered = 0;
        for (Size bar = 0; bar < bars; bar++)
            for (Size lane = 0; lane < width; lane++)
                part[bar * LANES + lane] = x[bar * symbols + at + lane];
        for (Size size = 1; size <= window; size *= 2) {
            const double share = as_mean != 0.0 ? 1.0 / (double)size : 1.0;
            const double weight = as_mean != 0.0 ? -(double)size / (double)(covered + size) : 1.0;
            for (Size bar = covered; window & size && bar < bars; bar++) {
                const double *older = part + (bar - covered) * LANES;
                double *recent = whole + bar * LANES;
                for (Size lane = 0; lane < width; lane++) {
                    const double value = older[lane] * share;
                    const double gap = as_mean != 0.0 ? recent[lane] - value : value;
                    recent[lane] = covered ? gap * weight + recent[lane] : value;
                }
            }
            covered += window & size;
            for (Size bar = bars - 1; bar >= size && 2 * size <= window; bar--)
                for (Size lane = 0; lane < width; lane++)
                    part[bar * LANES + lane] += part[(bar - size) * LANES + lane];
        }
        for (Size bar = 0; bar < bars; bar++)
            for (Size lane = 0; lane < width; lane++)
                out[bar * symbols + at + lane] = bar >= window - 1 ? whole[bar * LANES + lane] : NAN;
    }
}

/* As rolling_extreme, with the bars at which the largest ones are, the oldest of equals. */
LOOP void rolling_age_of_max(const double *x, double *out, double *scratch, Size bars,
                             Size symbols, Size window, double mode)
{
    (void)mode;
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double best[LANES], found[LANES];
        for (Size bar = bars - 1; bar >= 0; bar--) {
            const double *now = x + bar * symbols + at;
            const double here = (double)bar;
            const int ends = bar == bars - 1 || (bar + 1) % window == 0;
            double *rest = scratch + bar * LANES, *place = rest + bars * LANES;
            for (Size lane = 0; lane < width && ends; lane++) {
                rest[lane] = now[lane];
                place[lane] = here;
            }
            for (Size lane = 0; lane < width && !ends; lane++) {
                const double later = rest[LANES + lane], where = place[LANES + lane];
                place[lane] = now[lane] >= later ? here : where;
                rest[lane] = larger(later, now[lane]);
            }
        }
        for (Size bar = 0; bar < bars; bar++) {
            const double *now = x + bar * symbols + at;
            const double here = (double)bar;
            const int starts = bar % window == 0, whole = bar >= window - 1;
            const double *rest = whole ? scratch + (bar - window + 1) * LANES : scratch;
            const double *place = rest + bars * LANES;
            double *made = out + bar * symbols + at;
            for (Size lane = 0; lane < width; lane++) {
                const double before = best[lane], where = found[lane];
                found[lane] = starts || now[lane] > before ? here : where;
                best[lane] = starts ? now[lane] : larger(before, now[lane]);
            }
            for (Size lane = 0; lane < width; lane++) {
                const double most = larger(rest[lane], best[lane]);
                const double older = place[lane], newer = found[lane];
                const double where = rest[lane] >= best[lane] ? older : newer;
                made[lane] = whole && most == most ? here - where : NAN;
            }
        }
    }
}

/* A fall is a rise of negated prices: `behind` is where the stop follows, `ahead` where the move
goes, `extreme` its end so far, and the latter two are negated once more. */
LOOP void parabolic_stop(const double *high, const double *low, const double *close,
                         double *stops, double *sides, Size bars, Size symbols,
                         double step, double largest)
{
    for (Size at = 0; at < symbols; at += LANES) {
        const Size width = strip(symbols, at);
        double stop[LANES], extreme[LANES], speed[LANES], side[LANES], seen[LANES];
        double behind[LANES], next[LANES], followed[LANES], furthest[LANES], faster[LANES];
        fill(stop, NAN);
        fill(extreme, NAN);
        fill(speed, step);
        fill(side, 1.0);
        fill(seen, 0.0);
        for (Size bar = 0; bar < bars; bar++) {
            const Size now = bar * symbols + at;
            const Size last = bar > 0 ? now - symbols : now;
            const Size former = bar > 1 ? last - symbols : last;
            /* Each loop chooses by one question, as only then the compiler turns it into masks. */
            for (Size lane = 0; lane < width; lane++) {
                const double top = -high[now + lane], bottom = low[now + lane];
                const double top_1 = -high[last + lane], bottom_1 = low[last + lane];
                const double top_2 = -high[former + lane], bottom_2 = low[former + lane];
                const double ahead = side[lane] > 0.0 ? top : bottom;
                const double behind_1 = side[lane] > 0.0 ? bottom_1 : top_1;
                const double behind_2 = side[lane] > 0.0 ? bottom_2 : top_2;
                const double moved = stop[lane] - (extreme[lane] + stop[lane]) * speed[lane];
                const double near = moved < behind_1 ? moved : behind_1;
                behind[lane] = side[lane] > 0.0 ? bottom : top;
                next[lane] = moved;
                followed[lane] = behind_2 < moved ? behind_2 : near;
                furthest[lane] = ahead < extreme[lane] ? ahead : extreme[lane];
            }
            for (Size lane = 0; lane < width; lane++) {
                const double before = speed[lane], grown = before + step;
                const double capped = grown < largest ? grown : largest;
                faster[lane] = furthest[lane] < extreme[lane] ? capped : before;
            }
            for (Size lane = 0; lane < width; lane++) {
                const double up = side[lane], turned = -up, to = extreme[lane];
                const double held = followed[lane], end = furthest[lane], grown = faster[lane];
                followed[lane] = behind[lane] < next[lane] ? to : held;
                furthest[lane] = behind[lane] < next[lane] ? behind[lane] : end;
                faster[lane] = behind[lane] < next[lane] ? step : grown;
                side[lane] = behind[lane] < next[lane] ? turned : up;
            }
            for (Size lane = 0; lane < width; lane++) {
                const double price = close[now + lane], top = -high[now + lane];
                const double count = seen[lane] + (price == price ? 1.0 : 0.0);
                const double first = count <= 1.0 ? top : extreme[lane];
                const double end = furthest[lane], held = followed[lane];
                const double grown = faster[lane], up = side[lane];
                seen[lane] = count;
                extreme[lane] = count <= 2.0 ? first : end;
                speed[lane] = count <= 2.0 ? step : grown;
                side[lane] = count <= 2.0 ? 1.0 : up;
                stop[lane] = count <= 2.0 ? price : held;
            }
            for (Size lane = 0; lane < width; lane++) {
                stops[now + lane] = side[lane] * stop[lane];
                sides[now + lane] = side[lane];
            }
        }
    }
}

/* Returns 1, or 0 with ValueError set if one of `count` buffers does not hold bars x symbols. */
static int fits(Py_buffer **buffers, int count, Size bars, Size symbols)
{
    for (int place = 0; place < count; place++) {
        if (bars < 0 || symbols < 0 || buffers[place]->itemsize != WORD ||
            (symbols && bars > PY_SSIZE_T_MAX / WORD / symbols) ||
            buffers[place]->len != bars * symbols * WORD) {
            PyErr_Format(PyExc_ValueError,
                         "array %d: expected %zd bars x %zd symbols of doubles, got %zd bytes",
                         place, bars, symbols, buffers[place]->len);
            return 0;
        }
    }
    return 1;
}

static int positive(Size window)
{
    if (window < 1)
        PyErr_Format(PyExc_ValueError, "window: expected at least 1, got %zd", window);
    return window >= 1;
}

static PyObject *done(Py_buffer **buffers, int count, int succeeded)
{
    for (int place = 0; place < count; place++)
        PyBuffer_Release(buffers[place]);
    if (!succeeded)
        return NULL;
    Py_RETURN_NONE;
}


typedef void SpanLoop(const double *, double *, Size, Size, double, double);

static PyObject *call_span(PyObject *args, SpanLoop *loop)
{
    Py_buffer x, out;
    Size bars, symbols;
    double weight, least;
    if (!PyArg_ParseTuple(args, "y*w*nndd", &x, &out, &bars, &symbols, &weight, &least))
        return NULL;
    Py_buffer *all[] = {&x, &out};
    int ok = fits(all, 2, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        loop(x.buf, out.buf, bars, symbols, weight, least);
        Py_END_ALLOW_THREADS
    }
    return done(all, 2, ok);
}

static PyObject *call_level_mean(PyObject *self, PyObject *args)
{
    return call_span(args, level_mean);
}

static PyObject *call_flow_mean(PyObject *self, PyObject *args)
{
    return call_span(args, flow_mean);
}

static PyObject *call_wilder_mean(PyObject *self, PyObject *args)
{
    return call_span(args, wilder_mean);
}

static PyObject *call_adaptive_mean(PyObject *self, PyObject *args)
{
    Py_buffer x, weights, out;
    Size bars, symbols;
    double least;
    if (!PyArg_ParseTuple(args, "y*y*w*nnd", &x, &weights, &out, &bars, &symbols, &least))
        return NULL;
    Py_buffer *all[] = {&x, &weights, &out};
    int ok = fits(all, 3, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        adaptive_mean(x.buf, weights.buf, out.buf, bars, symbols, least);
        Py_END_ALLOW_THREADS
    }
    return done(all, 3, ok);
}

static PyObject *call_mean_over_gaps(PyObject *self, PyObject *args)
{
    Py_buffer x, out;
    Size bars, symbols;
    double weight, least;
    int irregular;
    if (!PyArg_ParseTuple(args, "y*w*nnddp", &x, &out, &bars, &symbols, &weight, &least,
                          &irregular))
        return NULL;
    Py_buffer *all[] = {&x, &out};
    int ok = fits(all, 2, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        mean_over_gaps(x.buf, out.buf, bars, symbols, weight, least, irregular);
        Py_END_ALLOW_THREADS
    }
    return done(all, 2, ok);
}

static PyObject *call_running_total(PyObject *self, PyObject *args)
{
    Py_buffer x, out;
    Size bars, symbols;
    if (!PyArg_ParseTuple(args, "y*w*nn", &x, &out, &bars, &symbols))
        return NULL;
    Py_buffer *all[] = {&x, &out};
    int ok = fits(all, 2, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        running_total(x.buf, out.buf, bars, symbols);
        Py_END_ALLOW_THREADS
    }
    return done(all, 2, ok);
}

static PyObject *call_mean_deviation(PyObject *self, PyObject *args)
{
    Py_buffer x, means, out;
    Size bars, symbols, window;
    if (!PyArg_ParseTuple(args, "y*y*w*nnn", &x, &means, &out, &bars, &symbols, &window))
        return NULL;
    Py_buffer *all[] = {&x, &means, &out};
    int ok = positive(window) && fits(all, 3, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        mean_deviation(x.buf, means.buf, out.buf, bars, symbols, window);
        Py_END_ALLOW_THREADS
    }
    return done(all, 3, ok);
}

typedef void WindowLoop(const double *, double *, double *, Size, Size, Size, double);

/* `scratch` has to hold two strips of all bars. */
static PyObject *call_window(PyObject *args, WindowLoop *loop)
{
    Py_buffer x, out, scratch;
    Size bars, symbols, window;
    double mode;
    if (!PyArg_ParseTuple(args, "y*w*w*nnnd", &x, &out, &scratch, &bars, &symbols, &window, &mode))
        return NULL;
    Py_buffer *all[] = {&x, &out, &scratch};
    int ok = positive(window) && fits(all, 2, bars, symbols) && fits(all + 2, 1, bars, 2 * LANES);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        loop(x.buf, out.buf, scratch.buf, bars, symbols, window, mode);
        Py_END_ALLOW_THREADS
    }
    return done(all, 3, ok);
}

static PyObject *call_rolling_extreme(PyObject *self, PyObject *args)
{
    return call_window(args, rolling_extreme);
}

static PyObject *call_rolling_sum(PyObject *self, PyObject *args)
{
    return call_window(args, rolling_sum);
}

static PyObject *call_rolling_age_of_max(PyObject *self, PyObject *args)
{
    return call_window(args, rolling_age_of_max);
}

static PyObject *call_parabolic_stop(PyObject *self, PyObject *args)
{
    Py_buffer high, low, close, stops, sides;
    Size bars, symbols;
    double step, largest;
    if (!PyArg_ParseTuple(args, "y*y*y*w*w*nndd", &high, &low, &close, &stops, &sides, &bars,
                          &symbols, &step, &largest))
        return NULL;
    Py_buffer *all[] = {&high, &low, &close, &stops, &sides};
    int ok = fits(all, 5, bars, symbols);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS
        parabolic_stop(high.buf, low.buf, close.buf, stops.buf, sides.buf, bars, symbols, step,
                       largest);
        Py_END_ALLOW_THREADS
    }
    return done(all, 5, ok);
}

static PyMethodDef METHODS[] = {
    {"level_mean", call_level_mean, METH_VARARGS, "x, out, bars, symbols, weight, least"},
    {"flow_mean", call_flow_mean, METH_VARARGS, "x, out, bars, symbols, weight, least"},
    {"wilder_mean", call_wilder_mean, METH_VARARGS, "x, out, bars, symbols, weight, window"},
    {"adaptive_mean", call_adaptive_mean, METH_VARARGS, "x, weights, out, bars, symbols, least"},
    {"mean_over_gaps", call_mean_over_gaps, METH_VARARGS,
     "x, out, bars, symbols, weight, least, irregular"},
    {"running_total", call_running_total, METH_VARARGS, "x, out, bars, symbols"},
    {"mean_deviation", call_mean_deviation, METH_VARARGS, "x, means, out, bars, symbols, window"},
    {"rolling_extreme", call_rolling_extreme, METH_VARARGS,
     "x, out, scratch, bars, symbols, window, sign"},
    {"rolling_sum", call_rolling_sum, METH_VARARGS,
     "x, out, scratch, bars, symbols, window, as_mean"},
    {"rolling_age_of_max", call_rolling_age_of_max, METH_VARARGS,
     "x, out, scratch, bars, symbols, window, mode"},
    {"parabolic_stop", call_parabolic_stop, METH_VARARGS,
     "high, low, close, stops, sides, bars, symbols, step, largest"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_loops", "Loops over bars, compiled.", -1, METHODS,
};

PyMODINIT_FUNC PyInit__loops(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (module != NULL && PyModule_AddIntConstant(module, "LANES", LANES) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
