#!/usr/bin/env python3
"""Compares rules.py with TFLite Micro on random one-op models beyond the fixtures: stress.py [models an op] [seed] [litert | new]

With "litert": rules_litert.py with LiteRT's default path. With "new": the TFLite Micro wheel in $TFLM_NEW."""
import os, sys, time
os.environ["FIXTURE_CASES"] = "none"
import numpy as np
import generate as G
import rules
import rules_litert
from generate import *  # noqa: F401,F403

N = int(sys.argv[1]) if len(sys.argv) > 1 else 20
LITERT = "litert" in sys.argv
rules.DOUBLES = "new" in sys.argv
r = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
ri = lambda a, b: int(r.integers(a, b + 1))
pick = lambda *a: a[ri(0, len(a) - 1)]
ANY = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def q(lo=0.001, hi=0.5):
    return Q(rscale(r, lo, hi), rzp(r))


def draw(kind, name):
    pad = pick("SAME", "VALID")
    if kind == "CONV_2D":
        conv(name, ri(9, 14), ri(9, 14), ri(1, 9), ri(1, 8), ri(1, 4), ri(1, 4), ri(1, 3), ri(1, 3), ri(1, 2), ri(1, 2), pad, pick(*ANY),
             per_channel=bool(ri(0, 3)), bias=LITERT or bool(ri(0, 3)), spread=float(np.exp(r.uniform(-6, 2))))
    elif kind == "DEPTHWISE_CONV_2D":
        dwconv(name, ri(9, 14), ri(9, 14), ri(1, 9), ri(1, 3), ri(1, 4), ri(1, 4), (s := ri(1, 3)), s, ri(1, 2), ri(1, 2), pad, pick(*ANY),
               per_channel=bool(ri(0, 3)))
    elif kind == "FULLY_CONNECTED":
        fc(name, (ri(1, 40), ri(1, 200)), ri(1, 30), pick(*ANY), per_channel=bool(ri(0, 1)), bias=bool(ri(0, 3)), spread=float(np.exp(r.uniform(-5, 1))))
    elif kind in ("ADD", "SUB", "MUL"):
        sa = (1, ri(8, 16), ri(8, 16), ri(2, 8))
        sb = pick(sa, sa, (sa[3],), (), (1, 1, 1, sa[3]))
        a, b = rscale(r, 0.0005, 2), rscale(r, 0.0005, 2)
        so = a * b * 40 * np.exp(r.uniform(-2, 2)) if kind == "MUL" else max(a, b) * np.exp(r.uniform(-3, 3))
        binary(name, kind, sa, sb, pick(*ANY), s1=a, s2=b, so=fl(so), const=pick(None, None, 0, 1))
    elif kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        pool(name, kind, ri(6, 14), ri(6, 14), ri(1, 6), ri(1, 6), ri(1, 6), ri(1, 3), ri(1, 3), pad, pick(*ANY))
    elif kind == "MEAN":
        shape = tuple(ri(1, 11) for _ in range(ri(2, 4)))
        n = ri(1, len(shape))
        mean(name, shape, [int(v) for v in r.permutation(len(shape))[:n]], keep=bool(ri(0, 1)), same=not ri(0, 3), ratio=float(np.exp(r.uniform(-3, 2))))
    elif kind == "SOFTMAX":
        softmax(name, (ri(1, 20), int(np.exp(r.uniform(0.7, 6.2)))), beta=pick(1.0, 1.0, 0.1, 0.7, 3.0), scale=rscale(r, 0.0005, 3))
    elif kind == "LOGISTIC":
        unary(name, kind, q(0.0005, 3), Q(1 / 256, -128))
    elif kind == "TANH":
        unary(name, kind, q(0.0005, 3), Q(1 / 128, 0))
    elif kind in ("RELU", "RELU6", "HARD_SWISH"):
        a = q()
        lo = a.scale / 100 if kind == "HARD_SWISH" else a.scale / 20
        unary(name, kind, a, Q(rscale(r, lo, a.scale * 10), rzp(r)), "HardSwishOptions" if kind == "HARD_SWISH" else None, 1 if kind == "HARD_SWISH" else 2)
    elif kind == "LEAKY_RELU":
        a = q()
        unary(name, kind, a, Q(rscale(r, a.scale / 20, a.scale * 10), rzp(r)), "LeakyReluOptions", alpha=fl(pick(0.01, 0.1, 0.2, 0.3, float(r.uniform(-2, 2)))))
    elif kind == "QUANTIZE":
        a = pick("int8", "uint8")
        b = "int8" if a == "uint8" else pick("int8", "uint8")
        s = rscale(r, 0.001, 0.5)
        unary(name, kind, Q(s, rzp(r, a)), Q(rscale(r, s / 50, s * 50), rzp(r, b)), "QuantizeOptions", dt=a, dto=b)


KINDS = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SOFTMAX", "LOGISTIC",
         "TANH", "RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE"]
if __name__ == "__main__":
    for kind in KINDS:
        total = wrong = models = skipped = 0
        t = time.time()
        for i in range(N):
            G.CASES.clear()
            draw(kind, "stress")
            m, data, samples = G.CASES[0]["make"](r)
            want, why = isolated(run_litert if LITERT else run_tflm_new if rules.DOUBLES else run_tflm, data, samples)
            try:
                got = (rules_litert if LITERT else rules).run(data, samples)
            except rules.Refused as x:
                got, why_nu = None, str(x)
            if want is None or got is None:
                skipped += 1
                print("   %s: oracle %s, numpy %s" % (kind, why or "ran", "ran" if got is not None else "refused: " + why_nu))
                continue
            a, b = blob(want), blob(got)
            models, total, wrong = models + 1, total + len(a), wrong + sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))
        print("%-20s %5d models %9d bytes %6d wrong %3d skipped %5.1f s" % (kind, models, total, wrong, skipped, time.time() - t), flush=True)
