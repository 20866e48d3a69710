"""What LiteRT's default path (XNNPACK delegate on x86-64, ai-edge-litert 2.3.0) computes, in numpy.

The same interface as rules.py, whose operators are used where LiteRT's builtin kernels or plain copies do the work.
Every float here is a float32 unless it says otherwise; `fl` rounds to float32, np.rint is half to even.
"""
import math
import types
import numpy as np
import rules
from rules import f32, I64, ACT, BO, TT, need

fl = f32


def bounds(act, y):
    lo, hi = y.lim

    def b(v):
        return int(np.rint(np.clip(fl(fl(fl(v) / y.scale) + fl(y.zp)), fl(lo), fl(hi))))
    if act == ACT.RELU:
        return b(0), hi
    if act == ACT.RELU6:
        return b(0), b(6)
    if act == ACT.RELU_N1_TO_1:
        return b(-1), b(1)
    need(act == ACT.NONE, "fused activation")
    return lo, hi


def requant(acc, s, y, act):
    lo, hi = bounds(act, y)
    v = (acc.astype(I64).astype(f32) * s).astype(f32)
    return np.clip(np.rint(v).astype(I64) + y.zp, lo, hi)


def weighted(f):
    """Takes the accumulators from rules.py and requantizes them here."""
    def g(o, ts, vs, ys):
        got = {}
        old_finish, old_mult = rules.finish, rules.conv_multipliers
        rules.conv_multipliers = lambda *a: None
        rules.finish = lambda acc, ms, y, act: got.update(acc=acc) or acc
        try:
            f(o, ts, vs, ys)
        finally:
            rules.finish, rules.conv_multipliers = old_finish, old_mult
        x, w, y = ts[0], ts[1], ys[0]
        if x.type == TT.UINT8 and w.qdim != 0:
            return f(o, ts, vs, ys)                  # XNNPACK does not take it
        s = ((x.scale * w.scales).astype(f32) / y.scale).astype(f32)
        return [requant(got["acc"], s, y, o.fusedActivationFunction)]
    return g


def add_sub(sign):
    def f(o, ts, vs, ys):
        a, b, y = ts[0], ts[1], ys[0]
        ra, rb = float(fl(a.scale / y.scale)), float(fl(b.scale / y.scale))
        need(2 ** -10 <= min(ra, rb) and max(ra, rb) < 256, "XNNPACK does not take it: builtin kernel")
        t = 20 - (math.frexp(max(ra, rb))[1] - 1)
        ma, mb = int(np.rint(math.ldexp(ra, t))), sign * int(np.rint(math.ldexp(rb, t)))
        lo, hi = bounds(o.fusedActivationFunction, y)
        acc = ma * (vs[0].astype(I64) - a.zp) + mb * (vs[1].astype(I64) - b.zp) + (1 << (t - 1))
        return [np.clip((acc >> t) + y.zp, lo, hi)]
    return f


def mul(o, ts, vs, ys):
    a, b, y = ts[0], ts[1], ys[0]
    s = fl(fl(a.scale * b.scale) / y.scale)
    need(2 ** -16 <= s < 256, "XNNPACK does not take it: builtin kernel")
    return [requant((vs[0].astype(I64) - a.zp) * (vs[1].astype(I64) - b.zp), s, y, o.fusedActivationFunction)]


def mean(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    ax = tuple(sorted({int(a) % len(x.shape) for a in np.atleast_1d(vs[1])}))
    n = int(np.prod([x.shape[a] for a in ax]))
    acc = vs[0].astype(I64).sum(axis=ax)
    s = fl(fl(x.scale / y.scale) * fl(fl(1) / fl(n)))
    z = fl(fl(y.zp) - fl(fl(n * x.zp) * s))
    v = ((acc.astype(f32) * s).astype(f32) + z).astype(f32)
    return [np.clip(np.rint(v), *y.lim).astype(I64)]


def max_pool(o, ts, vs, ys):
    keep = types.SimpleNamespace(**{k: getattr(o, k) for k in ("padding", "strideH", "strideW", "filterHeight", "filterWidth")},
                                 fusedActivationFunction=ACT.NONE)
    return [np.clip(rules.pool("max")(keep, ts, vs, ys)[0], *bounds(o.fusedActivationFunction, ys[0]))]


def quantize(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    if x.type == TT.FLOAT32:
        v = (vs[0].astype(f32) * fl(fl(1) / y.scale)).astype(f32)
        return [np.clip(np.rint(v) + y.zp, *y.lim).astype(I64)]
    if x.type != y.type:
        # builtin kernel: MBQM, but its vector body (the first size//16*16 elements) rounds half up where the tail rounds half away
        m, sh = rules.quantize_multiplier(float(x.scale) / float(y.scale))
        v = (vs[0].astype(I64) - x.zp).ravel()
        tail = rules.mbqm(v, m, sh)
        e = max(-sh, 0)
        body = rules.srdhm(v << max(sh, 0), m)
        body = (body + (1 << (e - 1))) >> e if e else body
        n = v.size // 16 * 16
        return [np.clip(np.concatenate([body[:n], tail[n:]]) + y.zp, *y.lim)]
    m = int(np.rint(256 * float(fl(x.scale / y.scale))))
    need(1 <= m <= 128 * 256, "XNNPACK does not take it: builtin kernel")
    return [np.clip(((m * (vs[0].astype(I64) - x.zp) + 128) >> 8) + y.zp, *y.lim)]


def leaky_relu(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    r = fl(x.scale / y.scale)
    n = fl(r * f32(o.alpha))
    if not (2 ** -8 <= r <= 128 and -127.99609375 <= n <= 128 and abs(n) >= 2 ** -8):
        return rules.leaky_relu(o, ts, vs, ys)       # builtin kernel
    d = vs[0].astype(I64) - x.zp
    m = np.where(d > 0, int(np.rint(256 * float(r))), int(np.rint(256 * float(n))))
    return [np.clip(((m * d + 128) >> 8) + y.zp, *y.lim)]


def table(fn):
    def f(o, ts, vs, ys):
        x, y = ts[0], ys[0]
        v = ((vs[0].astype(I64) - x.zp).astype(f32) * x.scale).astype(f32)
        v = fn(v)
        v = ((v * fl(fl(1) / y.scale)).astype(f32) + fl(y.zp)).astype(f32)
        return [np.rint(np.clip(v, *y.lim)).astype(I64)]
    return f


def sigmoid(v):
    return (1 / (1 + np.exp(-v.astype(np.float64)))).astype(f32)


def softmax(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    v = vs[0].astype(I64).reshape(-1, x.shape[-1])
    k = fl(-x.scale * f32(o.beta))
    t = np.exp((k * np.arange(256, dtype=f32)).astype(f32).astype(np.float64)).astype(f32)
    out = np.zeros(v.shape, I64)
    for i, row in enumerate(v):
        e = t[row.max() - row]
        s = f32(0)
        for w in e:
            s = f32(s + w)
        inv = fl(fl(1) / fl(s * y.scale))
        p = (e * inv).astype(f32).astype(np.float64)
        if y.type == TT.UINT8:
            p = (p.astype(f32) + f32(0.5)).astype(f32).astype(I64)
        else:
            p = np.floor(p + 0.5) + y.zp
        out[i] = np.clip(p, *y.lim)
    return [out]


def relu6(o, ts, vs, ys):
    x, y = ts[0], ys[0]
    m = rules.quantize_multiplier(x.scale / y.scale)          # a float32 quotient
    lo, hi = rules.act_range(ACT.RELU6, y.scale, y.zp, y.lim)
    return [np.clip(rules.mbqm(vs[0].astype(I64) - x.zp, *m) + y.zp, lo, hi)]


OPS = dict(rules.OPS)
OPS.update({
    BO.CONV_2D: weighted(rules.conv2d), BO.DEPTHWISE_CONV_2D: weighted(rules.depthwise), BO.FULLY_CONNECTED: weighted(rules.fully_connected),
    BO.ADD: add_sub(1), BO.SUB: add_sub(-1), BO.MUL: mul, BO.MEAN: mean, BO.MAX_POOL_2D: max_pool, BO.QUANTIZE: quantize,
    BO.LEAKY_RELU: leaky_relu, BO.LOGISTIC: table(sigmoid), BO.TANH: table(lambda v: np.tanh(v.astype(np.float64)).astype(f32)),
    BO.SOFTMAX: softmax, BO.RELU6: relu6,
})


def run(data, samples):
    old = rules.OPS, rules.DOUBLES, rules.SINGLE
    rules.OPS, rules.DOUBLES, rules.SINGLE = OPS, False, False
    try:
        return rules.run(data, samples)
    finally:
        rules.OPS, rules.DOUBLES, rules.SINGLE = old
