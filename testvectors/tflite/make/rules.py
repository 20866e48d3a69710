"""Integer rules of TensorFlow Lite Micro's reference kernels (default, double rounding), in numpy.

Written from the kernel sources, independent of zkinfer; RULES.md states the rules in words and what they were
checked against. run(model_bytes, samples) executes a whole model: samples is a list of lists of arrays, one list a sample;
the result has the same form. All arithmetic is on int64 (no value here needs more); `f32` marks every place where
the kernels compute in float32, a plain Python float is a double.
"""
import math
import numpy as np
from ai_edge_litert import schema_py_generated as S

f32 = np.float32
I64 = np.int64
BO, TT, ACT = S.BuiltinOperator, S.TensorType, S.ActivationFunctionType
OPNAME = {v: k for k, v in vars(BO).items() if not k.startswith("_")}
DTYPE = {TT.INT8: np.int8, TT.UINT8: np.uint8, TT.INT32: np.int32, TT.FLOAT32: np.float32, TT.INT64: np.int64}
LIMITS = {TT.INT8: (-128, 127), TT.UINT8: (0, 255)}
INT_MAX = 2 ** 31 - 1

# TFLM computed the multipliers of FULLY_CONNECTED (per tensor), SUB, RELU, LEAKY_RELU and HARD_SWISH in float32 until
# October 2026 (0.dev20261009205824, 230c9d9), and computes them in doubles since 0.dev20261017155528 (64b3de8).
DOUBLES = False


def wide(*xs):
    """Operands of such a multiplier: float32, or doubles in the newer version."""
    return [float(x) for x in xs] if DOUBLES else [f32(x) for x in xs]

# One rounding in MultiplyByQuantizedMultiplier (the "single" variant; LiteRT's builtin FULLY_CONNECTED does so).
SINGLE = False


class Refused(Exception):
    pass


def need(ok, why):
    if not ok:
        raise Refused(why)


# ---------------------------------------------------------------- primitives

def half_away(x):
    """std::round of a double."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1) if abs(x) < 2 ** 52 else int(x)


def quantize_multiplier(r):
    """r = M * 2^(s-31), 2^30 <= |M| < 2^31."""
    r = float(r)
    if r == 0:
        return 0, 0
    q, s = math.frexp(r)
    m = half_away(q * 2 ** 31)
    if m == 2 ** 31:
        m, s = m // 2, s + 1
    if s < -31:
        return 0, 0
    return m, s


def fits(x):
    need(np.all(np.abs(x) <= 2 ** 31 - 1), "a 32-bit value overflows in the kernel")
    return x


def srdhm(a, b):
    """SaturatingRoundingDoublingHighMul: half up; (INT_MIN, INT_MIN) cannot occur after fits()."""
    return (np.asarray(a, I64) * np.asarray(b, I64) + 2 ** 30) >> 31


def rdbpot(x, e):
    """RoundingDivideByPOT: half away from zero. The kernels assert e <= 31."""
    x = np.asarray(x, I64)
    need(0 <= e <= 31, "RoundingDivideByPOT by 2^%d: undefined in the kernel" % e)
    mask = (1 << e) - 1
    return (x >> e) + ((x & mask) > ((mask >> 1) + (x < 0)))


def mbqm(x, m, s):
    """MultiplyByQuantizedMultiplier, two roundings (or one)."""
    x = np.asarray(x, I64)
    if SINGLE:
        return (x * m + (1 << (30 - s))) >> (31 - s)
    return rdbpot(srdhm(fits(x << max(s, 0)), m), max(-s, 0))


def mbqm_channels(x, ms):
    """The last dimension has one multiplier a channel (or all share one)."""
    if len(ms) == 1:
        return mbqm(x, *ms[0])
    return np.stack([mbqm(x[..., c], *ms[c]) for c in range(len(ms))], axis=-1)


def satshl(x, n):
    """SaturatingRoundingMultiplyByPOT<n>, n > 0."""
    x = np.asarray(x, I64)
    return np.clip(x << n, -2 ** 31, INT_MAX)


def exp_neg(a, ib):
    """gemmlowp exp_on_negative_values: a <= 0 in Q(ib).(31-ib), result Q0.31."""
    a = np.asarray(a, I64)
    fb = 31 - ib
    q = 1 << (fb - 2)
    am = (a & (q - 1)) - q
    x = (am << ib) + (1 << 28)
    x2 = srdhm(x, x)
    x3, x4 = srdhm(x2, x), srdhm(x2, x2)
    t = srdhm(rdbpot(x4, 2) + x3, 715827883) + x2
    e = 1895147668 + srdhm(1895147668, x + rdbpot(t, 1))
    rem = am - a
    for k, c in enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)):
        if ib > k - 2:
            e = np.where(rem & (1 << (fb + k - 2)), srdhm(e, c), e)
    return np.where(a == 0, INT_MAX, e)


def newton(half_den):
    """About 1/half_den in Q2.29 for half_den in [1/2, 1], Q0.31."""
    x = 1515870810 + srdhm(half_den, -1010580540)
    for _ in range(3):
        x = x + satshl(srdhm(x, (1 << 29) - srdhm(half_den, x)), 2)
    return x


def recip(v):
    """one_over_one_plus_x_for_x_in_0_1, Q0.31."""
    return satshl(newton((np.asarray(v, I64) + 2 ** 31) >> 1), 1)


def tanh_of_exp(v):
    """one_minus_x_over_one_plus_x_for_x_in_0_1, Q0.31."""
    return satshl(newton((np.asarray(v, I64) + 2 ** 31) >> 1) - (1 << 29), 2)


def input_radius(ib, ls, bits=31):
    return math.floor(((1 << ib) - 1) * 2.0 ** (bits - ib) / 2.0 ** ls)


def act_range(act, scale, zp, lim):
    """Fused activation: bounds rounded half away in float32."""
    lo, hi = lim
    q = lambda v: zp + int(half_away(float(f32(v) / f32(scale))))
    if act == ACT.RELU:
        return max(lo, q(0)), hi
    if act == ACT.RELU6:
        return max(lo, q(0)), min(hi, q(6))
    if act == ACT.RELU_N1_TO_1:
        return max(lo, q(-1)), min(hi, q(1))
    need(act == ACT.NONE, "fused activation")
    return lo, hi


# ---------------------------------------------------------------- tensors

class T:
    def __init__(self, t, buf):
        self.name, self.type = t.name, t.type
        self.shape = tuple(int(d) for d in t.shape) if t.shape is not None else ()
        q = t.quantization
        self.scales = None if q is None or q.scale is None else np.asarray(q.scale, f32)
        self.zps = None if self.scales is None else np.asarray(q.zeroPoint if q.zeroPoint is not None else [0] * len(self.scales), I64)
        self.qdim = q.quantizedDimension if q is not None else 0
        need(t.type in DTYPE, "tensor type")
        self.const = None
        if buf is not None and buf.data is not None and len(buf.data):
            self.const = np.frombuffer(bytes(bytearray(buf.data)), DTYPE[t.type]).reshape(self.shape)

    @property
    def scale(self):
        need(self.scales is not None and len(self.scales) == 1, "per-tensor quantization of %s" % self.name)
        need(np.isfinite(self.scales[0]) and self.scales[0] > 0, "scale of %s" % self.name)
        return self.scales[0]

    @property
    def zp(self):
        return int(self.zps[0])

    @property
    def lim(self):
        need(self.type in LIMITS, "type of %s" % self.name)
        return LIMITS[self.type]

    def same_q(self, o):
        return self.scale == o.scale and self.zp == o.zp


# ---------------------------------------------------------------- ops
# f(op options, input tensors, input values, output tensors) -> list of arrays (any integer type; clamped)

def windows(h, w, kh, kw, sh, sw, dh, dw, same):
    def one(i, k, s, d):
        e = (k - 1) * d + 1
        o = -(-i // s) if same else (i - e) // s + 1
        p = max((o - 1) * s + e - i, 0) // 2 if same else 0
        return o, p
    (oh, ph), (ow, pw) = one(h, kh, sh, dh), one(w, kw, sw, dw)
    return oh, ow, ph, pw


def taps(x, kh, kw, sh, sw, dh, dw, same):
    """(N,OH,OW,kh*kw,C) of values (already without zero point) and a mask of valid taps."""
    n, h, w, c = x.shape
    oh, ow, ph, pw = windows(h, w, kh, kw, sh, sw, dh, dw, same)
    v = np.zeros((n, oh, ow, kh * kw, c), I64)
    ok = np.zeros((oh, ow, kh * kw), bool)
    for oy in range(oh):
        for ox in range(ow):
            for ky in range(kh):
                for kx in range(kw):
                    y, z = oy * sh - ph + ky * dh, ox * sw - pw + kx * dw
                    if 0 <= y < h and 0 <= z < w:
                        v[:, oy, ox, ky * kw + kx] = x[:, y, z]
                        ok[oy, ox, ky * kw + kx] = True
    return v, ok


def conv_multipliers(x, w, b, y, channels, qdim):
    si, so = x.scale, y.scale
    if len(w.scales) > 1 or x.type == TT.INT8 and w is not None and qdim is not None:
        need(x.type == TT.INT8, "per-channel weights of an uint8 model")
        need(len(w.scales) == 1 or (w.qdim == qdim and len(w.scales) == channels), "per-channel scales")
        return [quantize_multiplier(float(si) * float(s) / float(so)) for s in w.scales]
    # per tensor, as FULLY_CONNECTED and the legacy uint8 kernels do it
    if b is not None and b.scales is not None and len(b.scales) == 1:
        need(abs(float(si) * float(w.scales[0]) - float(b.scales[0])) / float(so) <= 0.02, "bias scale")
    a, b = wide(si, w.scales[0])
    return [quantize_multiplier(float(a * b) / float(so))]


def finish(acc, ms, y, act):
    lo, hi = act_range(act, y.scale, y.zp, y.lim)
    return np.clip(mbqm_channels(fits(acc), ms) + y.zp, lo, hi)


def conv2d(o, ts, vs, ys):
    x, w = ts[0], ts[1]
    b = ts[2] if len(ts) > 2 and ts[2] is not None else None
    need(w.const is not None, "weights are not constant")
    if x.type == TT.INT8:
        need(np.all(w.zps == 0), "weights with a zero point")
    co, kh, kw, ci = w.shape
    c = x.shape[3]
    need(c % ci == 0 and co % (c // ci) == 0, "groups")
    v, _ = taps(vs[0].astype(I64) - x.zp, kh, kw, o.strideH, o.strideW, o.dilationHFactor, o.dilationWFactor,
                o.padding == S.Padding.SAME)
    wv = (w.const.astype(I64) - int(w.zps[0])).reshape(co, kh * kw, ci)
    g, per = c // ci, co // (c // ci)
    acc = np.concatenate([np.einsum("nyxkc,okc->nyxo", v[..., i * ci:(i + 1) * ci], wv[i * per:(i + 1) * per]) for i in range(g)], -1)
    if b is not None:
        acc = acc + vs[2].astype(I64)
    return [finish(acc, conv_multipliers(x, w, b, ys[0], co, 0), ys[0], o.fusedActivationFunction)]


def depthwise(o, ts, vs, ys):
    x, w = ts[0], ts[1]
    b = ts[2] if len(ts) > 2 and ts[2] is not None else None
    need(w.const is not None, "weights are not constant")
    if x.type == TT.INT8:
        need(np.all(w.zps == 0), "weights with a zero point")
    _, kh, kw, co = w.shape
    m = co // x.shape[3]
    v, _ = taps(vs[0].astype(I64) - x.zp, kh, kw, o.strideH, o.strideW, o.dilationHFactor, o.dilationWFactor,
                o.padding == S.Padding.SAME)
    acc = np.einsum("nyxkc,kc->nyxc", np.repeat(v, m, axis=-1), (w.const.astype(I64) - int(w.zps[0])).reshape(kh * kw, co))
    if b is not None:
        acc = acc + vs[2].astype(I64)
    return [finish(acc, conv_multipliers(x, w, b, ys[0], co, 3), ys[0], o.fusedActivationFunction)]


def fully_connected(o, ts, vs, ys):
    x, w = ts[0], ts[1]
    b = ts[2] if len(ts) > 2 and ts[2] is not None else None
    need(w.const is not None, "weights are not constant")
    units, k = w.shape
    per_channel = len(w.scales) > 1
    acc = (vs[0].reshape(-1, k).astype(I64) - x.zp) @ (w.const.astype(I64) - int(w.zps[0])).T
    if b is not None:
        acc = acc + vs[2].astype(I64)
    ms = conv_multipliers(x, w, b, ys[0], units, 0 if per_channel else None)
    return [finish(acc, ms, ys[0], o.fusedActivationFunction)]


def add_sub(sign):
    def f(o, ts, vs, ys):
        a, b, y = ts[0], ts[1], ys[0]
        s1, s2, so = (float(a.scale), float(b.scale), float(y.scale)) if sign > 0 else wide(a.scale, b.scale, y.scale)
        t = 2 * max(s1, s2)
        r1, r2, ro = float(s1 / t), float(s2 / t), float(t / (2 ** 20 * so))
        need(ro < 1, "output scale too small")
        A = mbqm((vs[0].astype(I64) - a.zp) << 20, *quantize_multiplier(r1))
        B = mbqm((vs[1].astype(I64) - b.zp) << 20, *quantize_multiplier(r2))
        lo, hi = act_range(o.fusedActivationFunction, y.scale, y.zp, y.lim)
        return [np.clip(mbqm(A + sign * B, *quantize_multiplier(ro)) + y.zp, lo, hi)]
    return f


def mul(o, ts, vs, ys):
    a, b, y = ts[0], ts[1], ys[0]
    m = quantize_multiplier(float(a.scale) * float(b.scale) / float(y.scale))
    lo, hi = act_range(o.fusedActivationFunction, y.scale, y.zp, y.lim)
    p = (vs[0].astype(I64) - a.zp) * (vs[1].astype(I64) - b.zp)
    return [np.clip(mbqm(p, *m) + y.zp, lo, hi)]


def pool(kind):
    def f(o, ts, vs, ys):
        x, y = ts[0], ys[0]
        need(x.same_q(y), "pooling changes the quantization")
        v, ok = taps(vs[0].astype(I64), o.filterHeight, o.filterWidth, o.strideH, o.strideW, 1, 1, o.padding == S.Padding.SAME)
        ok = ok[None, ..., None]
        if kind == "max":
            r = np.where(ok, v, -2 ** 31).max(axis=3)
        else:
            n = ok.sum(axis=3)
            acc = v.sum(axis=3)
            r = np.where(acc > 0, (acc + n // 2) // n, -((-acc + n // 2) // n))
        lo, hi = act_range(o.fusedActivationFunction, y.scale, y.zp, y.lim)
        return [np.clip(r, lo, hi)]
    return f


def mean(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    ax = tuple(sorted({int(a) % len(x.shape) for a in np.atleast_1d(vs[1])}))
    n = int(np.prod([x.shape[a] for a in ax]))
    acc = vs[0].astype(I64).sum(axis=ax)
    m, s = quantize_multiplier(float(x.scale) / float(y.scale))
    k = min(n.bit_length() - 1, 32, 31 + s)
    m, s = (m << k) // n, s - k
    lo, hi = y.lim
    return [np.clip(mbqm(acc - x.zp * n, m, s) + y.zp, lo, hi)]


def softmax(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    lo, hi = y.lim
    need(y.scale == f32(1 / 256) and y.zp == lo, "softmax output quantization")
    m, ls = quantize_multiplier(min(float(f32(o.beta)) * float(x.scale) * 2 ** 26, 2.0 ** 31 - 1))
    need(ls >= 0 and float(f32(o.beta)) * float(x.scale) * 2 ** 26 > 1, "softmax scale")
    dmin = -input_radius(5, ls)
    v = vs[0].astype(I64).reshape(-1, x.shape[-1])
    out = np.full(v.shape, lo, I64)
    for i, row in enumerate(v):
        d = row - row.max()
        on = d >= dmin
        e = exp_neg(mbqm(d[on], m, ls), 5)
        total = int(rdbpot(e, 12).sum())
        h = 32 - total.bit_length()
        r = recip((total << h) - 2 ** 31)
        out[i, on] = np.clip(rdbpot(srdhm(r, e), 12 - h + 23) + lo, lo, hi)
    return [out]


def sigmoid_like(kind):
    def f(o, ts, vs, ys):
        x, y = ts[0], ys[0]
        lo, hi = y.lim
        if kind == "logistic":
            need(y.scale == f32(1 / 256) and y.zp == lo, "logistic output quantization")
        else:
            need(y.scale == f32(1 / 128) and y.zp == (lo + hi + 1) // 2, "tanh output quantization")
        q, ls = math.frexp(float(x.scale) * 2 ** 27)
        m = half_away(q * 2 ** 31)
        rad = input_radius(4, ls)
        d = vs[0].astype(I64) - x.zp
        inside = np.abs(d) < rad
        a = mbqm(np.where(inside, d, 0), m, ls)
        if kind == "logistic":
            p = recip(exp_neg(-np.abs(a), 4))
            r = np.where(a > 0, p, INT_MAX - p)
            r = np.where(a == 0, 1 << 30, r)
            r = rdbpot(r, 23) + lo
        else:
            p = tanh_of_exp(exp_neg(-np.abs(a), 5))      # the same raw value read as Q5.26: twice the argument
            r = np.where(a < 0, -p, p)
            r = np.where(a == 0, 0, r)
            r = rdbpot(r, 24) + y.zp
        r = np.where(inside, r, np.where(d < 0, lo, hi))
        return [np.clip(r, lo, hi)]
    return f


def relu(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    lo, hi = y.lim
    si, so = wide(x.scale, y.scale)
    m = quantize_multiplier(si / so)
    return [np.clip(mbqm(vs[0].astype(I64) - x.zp, *m) + y.zp, max(lo, y.zp), hi)]


def relu6(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    # TFLM clamps in the input's quantization and copies; the output's is not looked at
    lo, hi = x.lim
    six = int(np.clip(x.zp + half_away(float(f32(6) / x.scale)), lo, hi))
    return [np.clip(vs[0].astype(I64), x.zp, six)]


def relu_n1(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    # not in TFLM: LiteRT's builtin kernel
    lo, hi = act_range(ACT.RELU_N1_TO_1, y.scale, y.zp, y.lim)
    m = quantize_multiplier(x.scale / y.scale)
    return [np.clip(mbqm(vs[0].astype(I64) - x.zp, *m) + y.zp, lo, hi)]


def leaky_relu(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    si, so, al = wide(x.scale, y.scale, f32(o.alpha))
    ident, alpha = quantize_multiplier(si / so), quantize_multiplier(si * al / so)
    d = vs[0].astype(I64) - x.zp
    return [np.clip(np.where(d >= 0, mbqm(d, *ident), mbqm(d, *alpha)) + y.zp, *y.lim)]


def mul16(a, b):
    """SaturatingRoundingDoublingHighMul on int16 (half up)."""
    return np.where((a == -2 ** 15) & (b == -2 ** 15), 2 ** 15 - 1, (a * b + 2 ** 14) >> 15)


def hard_swish(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    lo, hi = y.lim
    si, so = wide(x.scale, y.scale)
    hires = si / 128
    to16 = lambda m: 2 ** 15 - 1 if m >= INT_MAX - (1 << 15) else (m + (1 << 15)) >> 16
    mo, so = quantize_multiplier(hires / so)
    mr, sr = quantize_multiplier(hires / (3 / 32768))
    need(so <= 0, "hard swish output scale too small")
    mo, mr = to16(mo), to16(mr)
    sat = lambda v: np.clip(v, -2 ** 15, 2 ** 15 - 1)
    v = (vs[0].astype(I64) - x.zp) << 7
    pre = mul16(v, mo)
    r = v
    if sr > 0:
        r = sat(r << (sr - 1))
    r = mul16(r, mr)
    if sr > 0:
        r = sat(r << 1)
    if sr < 0:
        r = rdbpot(r, -sr)
    r = (r + 2 ** 15) >> 1
    p = r * pre
    p = np.where(p < 0, -((-p) >> 15), p >> 15)          # rounds to zero
    return [np.clip(rdbpot(p, -so) + y.zp, lo, hi)]


def quantize(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    lo, hi = y.lim
    if x.type == TT.FLOAT32:
        q = vs[0].astype(f32) / f32(y.scale)
        q = np.sign(q) * np.floor(np.abs(q).astype(np.float64) + 0.5)       # std::round
        return [np.clip(q + y.zp, lo, hi).astype(I64)]
    m = quantize_multiplier(float(x.scale) / float(y.scale))
    return [np.clip(mbqm(vs[0].astype(I64) - x.zp, *m) + y.zp, lo, hi)]


def dequantize(o, ts, vs, ys):
    x = ts[0]
    return [(float(x.scale) * (vs[0].astype(I64) - x.zp)).astype(f32)]


def reshape(o, ts, vs, ys):
    return [vs[0].reshape(ys[0].shape)]


def pad(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    if len(ts) > 2:
        need(ts[2].zp == y.zp and ts[2].scale == y.scale, "PADV2 constant's quantization")
        c = int(vs[2].ravel()[0])
    else:
        c = y.zp
    return [np.pad(vs[0], [tuple(int(v) for v in r) for r in vs[1].reshape(-1, 2)], constant_values=c)]


def concat(o, ts, vs, ys):
    need(o.fusedActivationFunction == ACT.NONE, "fused activation")
    if ys[0].type == TT.UINT8:        # the builtin reference kernel: a float32 rescale where the scale or zero point differs
        y, parts = ys[0], []
        inv = f32(1) / y.scale
        for t, v in zip(ts, vs):
            if t.same_q(y):
                parts.append(v)
                continue
            s = f32(t.scale * inv)
            bias = f32(f32(-t.zp) * s)
            r = (v.astype(f32) * s).astype(f32) + bias
            parts.append(np.clip(np.sign(r) * np.floor(np.abs(r).astype(np.float64) + 0.5) + y.zp, 0, 255).astype(I64))
        return [np.concatenate(parts, axis=o.axis)]
    return [np.concatenate(vs, axis=o.axis)]       # int8: bytes are copied, whatever the scales are


def minmax(f):
    return lambda o, ts, vs, ys: [f(vs[0], vs[1])]     # raw bytes


def argmax(o, ts, vs, ys):
    return [np.argmax(vs[0], axis=int(vs[1].ravel()[0]))]


def strided_slice(o, ts, vs, ys):
    x, begin, end, strides = vs
    sl = []
    for i, d in enumerate(x.shape):
        b, e, s = int(begin[i]), int(end[i]), int(strides[i])
        if o.shrinkAxisMask >> i & 1:
            b = d + b if b < 0 else b
            sl.append(b)
            continue
        sl.append(slice(None if o.beginMask >> i & 1 else b, None if o.endMask >> i & 1 else e, s))
    return [x[tuple(sl)]]


def slice_(o, ts, vs, ys):
    x, b, n = vs
    return [x[tuple(slice(int(i), x.shape[k] if int(j) < 0 else int(i) + int(j)) for k, (i, j) in enumerate(zip(b, n)))]]


OPS = {
    BO.CONV_2D: conv2d, BO.DEPTHWISE_CONV_2D: depthwise, BO.FULLY_CONNECTED: fully_connected, BO.ADD: add_sub(1),
    BO.SUB: add_sub(-1), BO.MUL: mul, BO.AVERAGE_POOL_2D: pool("avg"), BO.MAX_POOL_2D: pool("max"), BO.MEAN: mean,
    BO.SOFTMAX: softmax, BO.LOGISTIC: sigmoid_like("logistic"), BO.TANH: sigmoid_like("tanh"), BO.RELU: relu, BO.RELU6: relu6,
    BO.RELU_N1_TO_1: relu_n1, BO.LEAKY_RELU: leaky_relu, BO.HARD_SWISH: hard_swish, BO.QUANTIZE: quantize,
    BO.DEQUANTIZE: dequantize, BO.RESHAPE: reshape, BO.SQUEEZE: reshape, BO.EXPAND_DIMS: reshape, BO.PAD: pad, BO.PADV2: pad,
    BO.CONCATENATION: concat, BO.MINIMUM: minmax(np.minimum), BO.MAXIMUM: minmax(np.maximum), BO.ARG_MAX: argmax,
    BO.TRANSPOSE: lambda o, ts, vs, ys: [np.transpose(vs[0], [int(v) for v in vs[1]])],
    BO.STRIDED_SLICE: strided_slice, BO.SLICE: slice_,
    BO.SPLIT: lambda o, ts, vs, ys: np.split(vs[1], o.numSplits, axis=int(vs[0].ravel()[0])),
    BO.SHAPE: lambda o, ts, vs, ys: [np.array(ts[0].shape)],
    BO.PACK: lambda o, ts, vs, ys: [np.stack(vs, axis=o.axis)],
}


def run(data, samples):
    m = S.ModelT.InitFromPackedBuf(bytearray(data))
    need(len(m.subgraphs) == 1, "one subgraph")
    g = m.subgraphs[0]
    ts = [T(t, m.buffers[t.buffer] if t.buffer else None) for t in g.tensors]
    out = []
    for s in samples:
        vals = {i: t.const for i, t in enumerate(ts) if t.const is not None}
        for i, x in zip(g.inputs, s):
            vals[int(i)] = x
        for o in g.operators:
            c = m.operatorCodes[o.opcodeIndex]
            code = max(c.builtinCode, c.deprecatedBuiltinCode)
            need(code in OPS, "operator %s" % OPNAME.get(code, code))
            ins = [None if i < 0 else ts[i] for i in o.inputs]
            ys = [ts[i] for i in o.outputs]
            res = OPS[code](o.builtinOptions, ins, [None if i < 0 else vals[i] for i in o.inputs], ys)
            for i, y, r in zip(o.outputs, ys, res):
                vals[int(i)] = np.asarray(r).reshape(y.shape).astype(DTYPE[y.type])
        out.append([vals[int(i)] for i in g.outputs])
    return out
