#!/usr/bin/env python3
"""Writes the op-by-op TFLite fixtures: tiny models, inputs, golden outputs.

    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy flatbuffers pyyaml
    venv/bin/pip install --no-deps tflite-micro==0.dev20261009205824      # Python 3.11, Linux x86-64
    venv/bin/pip install --no-deps --target=tflm_new tflite-micro==0.dev20261023182759
    TFLM_NEW=tflm_new venv/bin/python generate.py      # writes cases/ beside this file
    venv/bin/python generate.py conv add   # only cases whose name starts so (index.json is not written)

TFLite Micro changed two rules between those two versions (see RULES.md): tflm.out is the first, tflm_new.out, where it
differs, the second. Models are built with the official schema (the object API of ai_edge_litert.schema_py_generated); every case has its own
seed, derived from its name, so cases do not depend on each other. Every oracle runs in a forked child, because a failed
check inside a kernel aborts the process. rules.py (numpy, independent) is run over every case as well.
"""
import json, os, pickle, re, shutil, sys, zlib
import numpy as np
import flatbuffers
from ai_edge_litert import schema_py_generated as S

import rules

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "cases")
TMP = OUT + ".new"
BO, BOpt, TT, ACT, PADDING = (S.BuiltinOperator, S.BuiltinOptions, S.TensorType, S.ActivationFunctionType, S.Padding)
ACTS = {"NONE": ACT.NONE, "RELU": ACT.RELU, "RELU6": ACT.RELU6, "RELU_N1_TO_1": ACT.RELU_N1_TO_1}
NP = {TT.INT8: np.int8, TT.UINT8: np.uint8, TT.INT32: np.int32, TT.FLOAT32: np.float32, TT.INT16: np.int16,
      TT.INT64: np.int64, TT.BOOL: np.bool_}
TYPE = {"int8": TT.INT8, "uint8": TT.UINT8, "int32": TT.INT32, "float32": TT.FLOAT32, "int16": TT.INT16,
        "int64": TT.INT64}
NAME = {v: k for k, v in TYPE.items()}


# ---------------------------------------------------------------- model building

class AlignedBuffer(S.BufferT):
    """The object API aligns buffers to one byte; the schema asks for 16."""

    def Pack(self, builder):
        vec = None
        if self.data is not None and len(self.data):
            raw = bytes(self.data)
            builder.StartVector(1, len(raw), 16)
            builder.head -= len(raw)
            builder.Bytes[builder.head:builder.head + len(raw)] = raw
            vec = builder.EndVector()
        S.BufferStart(builder)
        if vec is not None:
            S.BufferAddData(builder, vec)
        return S.BufferEnd(builder)


class Q:
    """Quantization of a tensor: scale and zero point, or lists of them along dim."""

    def __init__(self, scale, zp=0, dim=None):
        self.scale, self.zp, self.dim = scale, zp, dim


class Model:
    def __init__(self):
        self.tensors, self.ops, self.codes, self.buffers = [], [], [], [AlignedBuffer()]

    def tensor(self, name, shape, type_="int8", q=None, data=None, variable=False):
        t = S.TensorT()
        t.name, t.shape, t.type = name, [int(d) for d in shape], TYPE[type_] if isinstance(type_, str) else type_
        t.hasRank, t.isVariable, t.buffer = True, variable, 0
        if data is not None:
            b = AlignedBuffer()
            b.data = np.ascontiguousarray(data).tobytes() if not isinstance(data, bytes) else data
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        if q is not None:
            p = S.QuantizationParametersT()
            p.scale = np.atleast_1d(np.asarray(q.scale, dtype=np.float32))
            p.zeroPoint = np.atleast_1d(np.asarray(q.zp, dtype=np.int64))
            if len(p.zeroPoint) < len(p.scale):
                p.zeroPoint = np.repeat(p.zeroPoint, len(p.scale))
            p.quantizedDimension = q.dim or 0
            t.quantization = p
        self.tensors.append(t)
        return len(self.tensors) - 1

    def op(self, code, ins, outs, opt_type=None, version=1, custom=None, **fields):
        key = (code, version, custom)
        if key not in self.codes:
            self.codes.append(key)
        o = S.OperatorT()
        o.opcodeIndex = self.codes.index(key)
        o.inputs, o.outputs = [int(i) for i in ins], [int(i) for i in outs]
        if opt_type:
            o.builtinOptionsType = getattr(BOpt, opt_type)
            o.builtinOptions = getattr(S, opt_type + "T")()
            for k, v in fields.items():
                assert hasattr(o.builtinOptions, k), (opt_type, k)
                setattr(o.builtinOptions, k, v)
        self.ops.append(o)

    def finish(self, ins, outs):
        m = S.ModelT()
        m.version, m.description = 3, "zkinfer op fixture"
        m.operatorCodes = []
        for code, version, custom in self.codes:
            c = S.OperatorCodeT()
            c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), version
            if custom:
                c.customCode = custom
            m.operatorCodes.append(c)
        g = S.SubGraphT()
        g.name, g.tensors, g.operators = "main", self.tensors, self.ops
        g.inputs, g.outputs = list(ins), list(outs)
        m.subgraphs, m.buffers = [g], self.buffers
        self.io = (list(ins), list(outs))
        b = flatbuffers.Builder(4096)
        b.Finish(m.Pack(b), file_identifier=b"TFL3")
        return bytes(b.Output())


# ---------------------------------------------------------------- cases

CASES = []


def case(name, op, float_=False, refused=None, notes=None, run=True):
    """Registers f(rng) -> (Model, inputs, outputs[, samples]) as a case."""

    def deco(f):
        assert name not in [c["name"] for c in CASES], name
        CASES.append(dict(name=name, op=op, make=f, float=float_, refused=refused, notes=notes, run=run))
        return f

    return deco


def rng_of(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


LIM = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def fl(x):
    return float(np.float32(x))


def rscale(r, lo=0.003, hi=0.2):
    return fl(np.exp(r.uniform(np.log(lo), np.log(hi))))


def rzp(r, dt="int8"):
    lo, hi = LIM[dt]
    return int(r.choice([lo, hi, (lo + hi + 1) // 2, *r.integers(lo, hi + 1, 4)]))


def samples_for(r, shape, dt, zp=0, extremes=True, n=3):
    """n uniform samples, one bell-shaped, and the extremes."""
    shape, zp = tuple(shape), zp[0] if isinstance(zp, list) else zp
    if dt == "float32":
        out = [r.normal(0, 1.5, shape).astype(np.float32) for _ in range(n)]
        if extremes:
            out += [np.zeros(shape, np.float32), r.normal(0, 20, shape).astype(np.float32)]
        return out
    if dt in ("int32", "int64"):
        return [r.integers(-100, 100, shape).astype(dt) for _ in range(n)]
    lo, hi = LIM[dt]
    out = [r.integers(lo, hi + 1, shape).astype(dt) for _ in range(n)]
    out.append(np.clip(np.round(r.normal(zp, 25, shape)), lo, hi).astype(dt))
    if extremes:
        out += [np.full(shape, lo, dt), np.full(shape, hi, dt), np.full(shape, min(max(zp, lo), hi), dt),
                r.choice(np.array([lo, hi], dt), shape)]
    return out


class One:
    """A model with one op, and helpers for its tensors."""

    def __init__(self, r):
        self.r, self.m, self.ins, self.gen = r, Model(), [], []

    def input(self, shape, dt="int8", q=None, **kw):
        i = self.m.tensor("input%d" % len(self.ins), shape, dt, q)
        self.ins.append(i)
        self.gen.append((shape, dt, q, kw))
        return i

    def const(self, name, data, q=None):
        return self.m.tensor(name, data.shape, data.dtype.name, q, data)

    def i32(self, name, values):
        return self.const(name, np.asarray(values, np.int32))

    def mid(self, shape, dt="int8", q=None, name=None):
        return self.m.tensor(name or "t%d" % len(self.m.tensors), shape, dt, q)

    def done(self, *outs, **kw):
        per_input = []
        for shape, dt, q, g in self.gen:
            g = dict(kw, **g)
            if "values" in g:
                per_input.append(g["values"])
            else:
                per_input.append(samples_for(self.r, shape, dt, q.zp if q else 0, **g))
        if len(per_input) > 1:
            # extremes meet extremes in every pairing
            first = per_input[0]
            n = len(first)
            k = n - 4 if n >= 8 else n
            for j in range(1, len(per_input)):
                s = per_input[j]
                if n >= 8 and len(s) == n:
                    per_input[j] = s[:k] + [s[k + 1], s[k], s[k + 2], s[k + 3]] if j == 1 else s
            if n >= 8:
                for j, s in enumerate(per_input):
                    shape, dt, q, _ = self.gen[j]
                    lo, hi = LIM[dt]
                    s.extend([np.full(shape, lo, dt), np.full(shape, hi, dt)])
        data = self.m.finish(self.ins, outs)
        samples = [list(x) for x in zip(*per_input)] if per_input else [[]]
        return self.m, data, samples


def act_of(a):
    return dict(fusedActivationFunction=ACTS[a])


def out_size(i, k, s, d, pad):
    e = (k - 1) * d + 1
    return -(-i // s) if pad == "SAME" else (i - e) // s + 1


def pads(pad):
    return PADDING.SAME if pad == "SAME" else PADDING.VALID


def conv_scales(r, taps, si, sw, spread):
    """An output scale at which a random accumulator about fills the range."""
    return fl(si * float(np.mean(sw)) * 74 * 60 * np.sqrt(taps) * spread * 6 / 255)


def conv(name, h, w, ci, co, kh, kw, sh=1, sw_=1, dh=1, dw=1, pad="SAME", act="NONE", per_channel=True, zi=None, zo=None,
         batch=1, dt="int8", bias=True, spread=None, groups=1, wzp=0, tiny=False, so_=None, notes=None, refused=None):
    @case(name, "CONV_2D", notes=notes, refused=refused)
    def _(r):
        o = One(r)
        si = rscale(r)
        z = rzp(r, dt) if zi is None else zi
        c_in = ci // groups
        if dt == "int8":
            wq = r.integers(-127, 128, (co, kh, kw, c_in)).astype(np.int8)
            wz = 0
        else:
            wz = wzp
            wq = r.integers(0, 256, (co, kh, kw, c_in)).astype(np.uint8)
        if tiny:                       # channels of very different size: multipliers over many binades, one all zero
            sw = np.array([fl(2.0 ** -e * r.uniform(1, 2)) for e in np.linspace(2, 22, co)], np.float32)
            wq[-1] = 0
        else:
            sw = np.array([rscale(r, 0.002, 0.02) for _ in range(co if per_channel else 1)], np.float32)
        so = so_ or conv_scales(r, kh * kw * c_in, si, np.max(sw), spread or r.uniform(0.4, 1.2))
        zz = rzp(r, dt) if zo is None else zo
        x = o.input((batch, h, w, ci), dt, Q(si, z))
        wt = o.const("weights", wq, Q(sw, [wz] * len(sw), 0))
        ins = [x, wt]
        if bias:
            bs = (np.float32(si) * sw).astype(np.float32)
            lim = np.clip(so * 40 / bs.astype(np.float64), 1, 2 ** 30)
            b = np.array([r.integers(-int(l) - 1, int(l) + 1) for l in np.broadcast_to(lim, co)], np.int32)
            ins.append(o.const("bias", b, Q(bs, [0] * len(bs), 0)))
        y = o.mid((batch, out_size(h, kh, sh, dh, pad), out_size(w, kw, sw_, dw, pad), co), dt, Q(so, zz), "output")
        o.m.op(BO.CONV_2D, ins, [y], "Conv2DOptions", 3 if dt == "int8" else 1, padding=pads(pad), strideH=sh, strideW=sw_,
               dilationHFactor=dh, dilationWFactor=dw, **act_of(act))
        return o.done(y)


def dwconv(name, h, w, ci, mult, kh, kw, sh=1, sw_=1, dh=1, dw=1, pad="SAME", act="NONE", per_channel=True, zi=None, zo=None,
           batch=1, dt="int8", wzp=0, bias=True, qdim=None, notes=None, refused=None):
    @case(name, "DEPTHWISE_CONV_2D", notes=notes, refused=refused)
    def _(r):
        o = One(r)
        co = ci * mult
        si, z = rscale(r), rzp(r, dt) if zi is None else zi
        wq = r.integers(-127, 128, (1, kh, kw, co)).astype(np.int8) if dt == "int8" else r.integers(0, 256, (1, kh, kw, co)).astype(np.uint8)
        sw = np.array([rscale(r, 0.002, 0.05) for _ in range(co if per_channel else 1)], np.float32)
        so = conv_scales(r, kh * kw, si, np.max(sw), r.uniform(0.4, 1.2))
        x = o.input((batch, h, w, ci), dt, Q(si, z))
        wt = o.const("weights", wq, Q(sw, [wzp if dt == "uint8" else 0] * len(sw), qdim if qdim is not None else 3 if per_channel else 0))
        ins = [x, wt]
        if bias:
            bs = (np.float32(si) * sw).astype(np.float32)
            lim = np.clip(so * 40 / bs.astype(np.float64), 1, 2 ** 30)
            b = np.array([r.integers(-int(l) - 1, int(l) + 1) for l in np.broadcast_to(lim, co)], np.int32)
            ins.append(o.const("bias", b, Q(bs, [0] * len(bs), 0)))
        y = o.mid((batch, out_size(h, kh, sh, dh, pad), out_size(w, kw, sw_, dw, pad), co), dt,
                  Q(so, rzp(r, dt) if zo is None else zo), "output")
        o.m.op(BO.DEPTHWISE_CONV_2D, ins, [y], "DepthwiseConv2DOptions", 3 if dt == "int8" else 1, padding=pads(pad), strideH=sh,
               strideW=sw_, dilationHFactor=dh, dilationWFactor=dw, depthMultiplier=mult, **act_of(act))
        return o.done(y)


def fc(name, shape, units, act="NONE", per_channel=False, bias=True, keep=False, zi=None, zo=None, dt="int8", wzp=0,
       spread=None, so_=None, notes=None, refused=None):
    @case(name, "FULLY_CONNECTED", notes=notes, refused=refused)
    def _(r):
        o = One(r)
        k = shape[-1] if keep else int(np.prod(shape[1:]))
        rows = int(np.prod(shape)) // k
        si, z = rscale(r), rzp(r, dt) if zi is None else zi
        wq = r.integers(-127, 128, (units, k)).astype(np.int8) if dt == "int8" else r.integers(0, 256, (units, k)).astype(np.uint8)
        sw = np.array([rscale(r, 0.002, 0.02) for _ in range(units if per_channel else 1)], np.float32)
        so = so_ or conv_scales(r, k, si, np.max(sw), spread or r.uniform(0.4, 1.2))
        x = o.input(shape, dt, Q(si, z))
        wt = o.const("weights", wq, Q(sw, [wzp if dt == "uint8" else 0] * len(sw), 0))
        ins = [x, wt]
        if bias:
            bs = (np.float32(si) * sw).astype(np.float32)
            lim = np.clip(so * 40 / bs.astype(np.float64), 1, 2 ** 30)
            b = np.array([r.integers(-int(l) - 1, int(l) + 1) for l in np.broadcast_to(lim, units)], np.int32)
            ins.append(o.const("bias", b, Q(bs, [0] * len(bs), 0)))
        else:
            ins.append(-1)
        oshape = tuple(shape[:-1]) + (units,) if keep else (rows, units)
        y = o.mid(oshape, dt, Q(so, rzp(r, dt) if zo is None else zo), "output")
        o.m.op(BO.FULLY_CONNECTED, ins, [y], "FullyConnectedOptions", 5 if keep else 4, keepNumDims=keep, **act_of(act))
        return o.done(y)


OPT = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "MINIMUM": "MaximumMinimumOptions",
       "MAXIMUM": "MaximumMinimumOptions"}


def binary(name, op, sa, sb, act="NONE", s1=None, s2=None, so=None, z=(None, None, None), const=None, dt="int8", same=False,
           oshape=None, twice=False, notes=None, refused=None):
    """const: None, 0 or 1: which operand is a constant."""

    @case(name, op, notes=notes, refused=refused)
    def _(r):
        o = One(r)
        a, b = s1 or rscale(r, 0.01, 0.1), s2 or rscale(r, 0.01, 0.1)
        za, zb, zo = [rzp(r, dt) if v is None else v for v in z]
        if op == "MUL":
            c = so or fl(a * b * 74 * 74 * 6 / 255 * r.uniform(0.5, 1.2))
        else:
            c = so or fl((a + b) * r.uniform(0.5, 1.1))
        if same:
            b, c, zb, zo = a, a, za, za
        ids = []
        for j, (shape, q) in enumerate(((sa, Q(a, za)), (sb, Q(b, zb)))):
            if const == j:
                lo, hi = LIM[dt]
                ids.append(o.const("constant", r.integers(lo, hi + 1, shape).astype(dt), q))
            elif twice and j == 1:
                ids.append(ids[0])
            else:
                ids.append(o.input(shape, dt, q))
        y = o.mid(oshape or np.broadcast_shapes(sa, sb), dt, Q(c, zo), "output")
        kw = act_of(act) if op in ("ADD", "SUB", "MUL") else {}
        if op in ("ADD", "SUB"):
            kw["potScaleInt16"] = False
        o.m.op(getattr(BO, op), ids, [y], OPT[op], 2, **kw)
        return o.done(y)


def pool(name, op, h, w, c, kh, kw, sh=1, sw_=1, pad="SAME", act="NONE", zi=None, scale=None, batch=1, dt="int8", notes=None):
    @case(name, op, notes=notes)
    def _(r):
        o = One(r)
        q = Q(scale or rscale(r), rzp(r, dt) if zi is None else zi)
        x = o.input((batch, h, w, c), dt, q)
        y = o.mid((batch, out_size(h, kh, sh, 1, pad), out_size(w, kw, sw_, 1, pad), c), dt, q, "output")
        o.m.op(getattr(BO, op), [x], [y], "Pool2DOptions", 2, padding=pads(pad), strideH=sh, strideW=sw_, filterHeight=kh,
               filterWidth=kw, **act_of(act))
        return o.done(y)


def mean(name, shape, axes, keep=True, same=False, ratio=None, dt="int8", zi=None, zo=None, op="MEAN", notes=None):
    @case(name, op, notes=notes)
    def _(r):
        o = One(r)
        q = Q(rscale(r), rzp(r, dt) if zi is None else zi)
        qo = q if same else Q(fl(q.scale * (ratio or r.uniform(0.15, 0.9))), rzp(r, dt) if zo is None else zo)
        x = o.input(shape, dt, q)
        a = o.i32("axes", axes)
        ax = {i % len(shape) for i in axes}
        oshape = [1 if i in ax else d for i, d in enumerate(shape) if keep or i not in ax]
        y = o.mid(oshape, dt, qo, "output")
        o.m.op(getattr(BO, op), [x, a], [y], "ReducerOptions", 2, keepDims=keep)
        return o.done(y)


def softmax(name, shape, beta=1.0, scale=None, zi=None, dt="int8", n=3, so=1 / 256, zo=None, extremes=True, notes=None, refused=None):
    @case(name, "SOFTMAX", notes=notes, refused=refused)
    def _(r):
        o = One(r)
        x = o.input(shape, dt, Q(scale or rscale(r, 0.01, 0.3), rzp(r, dt) if zi is None else zi))
        y = o.mid(shape, dt, Q(fl(so), (-128 if dt == "int8" else 0) if zo is None else zo), "output")
        o.m.op(BO.SOFTMAX, [x], [y], "SoftmaxOptions", 2 if dt == "int8" else 1, beta=beta)
        return o.done(y, n=n, extremes=extremes)


def unary(name, op, qi, qo, opt=None, version=2, dt="int8", notes=None, refused=None, dto=None, custom_in=None, **fields):
    """All 256 input values in one sample, and then shuffled in another shape-independent order."""

    @case(name, op, notes=notes, refused=refused)
    def _(r):
        o = One(r)
        lo, hi = LIM[dt]
        allv = np.arange(lo, hi + 1).astype(dt).reshape(1, 16, 16)
        x = o.input((1, 16, 16), dt, qi, values=[allv, r.permutation(allv.ravel()).reshape(1, 16, 16)])
        y = o.mid((1, 16, 16), dto or dt, qo, "output")
        o.m.op(getattr(BO, op), [x], [y], opt, version, **fields)
        return o.done(y)


def near_tie(name, op, opt=None, alpha=False, version=2, dt="int8", dto=None, notes=None):
    """so = fl(si*d/(k + 1/2)) or fl(si*alpha*d/(k + 1/2)): d lands on a tie up to the precision of the multiplier."""
    r = rng_of(name + "/scales")
    si, d, k, a = rscale(r, 0.01, 0.3), int(r.integers(20, 128)), int(r.integers(10, 100)) + 0.5, fl(r.uniform(0.1, 0.9))
    so = fl((fl(np.float32(si) * np.float32(a)) if alpha else si) * d / k)
    mid = {"int8": 0, "uint8": 128}
    unary(name, op, Q(si, mid[dt]), Q(so, mid[dto or dt] + int(r.integers(-10, 10))), opt, version, dt=dt, dto=dto, notes=notes,
          **(dict(alpha=a) if op == "LEAKY_RELU" else {}))


def hard_swish_random(name, notes=None):
    r = rng_of(name + "/scales")
    a = Q(rscale(r, 0.003, 0.3), rzp(r))
    unary(name, "HARD_SWISH", a, Q(rscale(r, a.scale / 3, a.scale * 1.2), rzp(r)), "HardSwishOptions", 1, notes=notes)


if os.environ.get("FIXTURE_CASES") != "none":
    import caselist  # noqa: E402,F401  (registers the cases)


# ---------------------------------------------------------------- oracles

def run_tflm(data, samples):
    from tflite_micro import runtime
    it = runtime.Interpreter.from_bytes(data, arena_size=1 << 20)
    m = S.Model.GetRootAs(data)
    n = m.Subgraphs(0).OutputsLength()
    res = []
    for s in samples:
        for i, x in enumerate(s):
            it.set_input(x, i)
        it.invoke()
        res.append([np.array(it.get_output(i)) for i in range(n)])
    return res


def run_tflm_new(data, samples):
    """The same by the wheel in $TFLM_NEW, whose extension module is loaded by itself."""
    import importlib.util
    spec = importlib.util.spec_from_file_location("_runtime", os.path.join(os.environ["TFLM_NEW"], "tflite_micro/python/tflite_micro/_runtime.so"))
    rt = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rt)
    it = rt.InterpreterWrapper(data, [], 1 << 20, 0, rt.PythonInterpreterConfig.kAllocationRecording, 0)
    n = S.Model.GetRootAs(data).Subgraphs(0).OutputsLength()
    res = []
    for s in samples:
        for i, x in enumerate(s):
            it.SetInputTensor(x, i)
        it.Invoke()
        res.append([np.array(it.GetOutputTensor(i)) for i in range(n)])
    return res


def run_litert(data, samples, ref=False):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    kw = dict(experimental_op_resolver_type=OpResolverType.BUILTIN_REF) if ref else {}
    it = Interpreter(model_content=data, **kw)
    it.allocate_tensors()
    ind, outd = it.get_input_details(), it.get_output_details()
    res = []
    for s in samples:
        for d, x in zip(ind, s):
            it.set_tensor(d["index"], x)
        it.invoke()
        res.append([it.get_tensor(d["index"]).copy() for d in outd])
    return res


def isolated(f, *args):
    """f(*args) in a forked child: (result, None) or (None, why)."""
    r, w = os.pipe()
    e, ew = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r), os.close(e)
        os.dup2(ew, 2), os.dup2(ew, 1)
        try:
            out = (f(*args), None)
        except BaseException as x:  # noqa: BLE001
            out = (None, "%s: %s" % (type(x).__name__, x))
        with os.fdopen(w, "wb") as fh:
            pickle.dump(out, fh)
        os._exit(0)
    os.close(w), os.close(ew)
    with os.fdopen(r, "rb") as fh:
        raw = fh.read()
    with os.fdopen(e, "rb") as fh:
        err = fh.read().decode(errors="replace")
    _, status = os.waitpid(pid, 0)
    lines = [l.strip() for l in err.splitlines() if l.strip() and not l.startswith("INFO:") and "site-packages" not in l
             and "Traceback" not in l]
    if not raw:
        return None, "process died with signal %d%s" % (status & 127, "; " + " | ".join(lines[:3]) if lines else "")
    res, why = pickle.loads(raw)
    if why and lines:
        why += "; " + " | ".join(lines[:3])
    return res, re.sub(r" \(-?\d{6,} != -?\d{6,}\)| \(2 != 2\)", "", why) if why else why     # kernels print floats with %d


def blob(res):
    return b"".join(np.ascontiguousarray(o).tobytes() for s in res for o in s)


def describe(m, which):
    out = []
    for i in m.io[which]:
        t = m.tensors[i]
        d = dict(dtype=NAME[t.type], shape=[int(v) for v in t.shape])
        if t.quantization is not None and len(t.quantization.scale) == 1:
            d["scale"], d["zero_point"] = float(t.quantization.scale[0]), int(t.quantization.zeroPoint[0])
        out.append(d)
    return out


def write(d, files):
    for f, b in files.items():
        with open(os.path.join(d, f), "wb") as fh:
            fh.write(b)


def versions():
    from importlib.metadata import version
    return "tflite-micro " + version("tflite-micro"), "ai-edge-litert " + version("ai-edge-litert")


def main():
    only = sys.argv[1:]
    tflm_name, litert_name = versions()
    new_name = None
    if os.environ.get("TFLM_NEW"):
        new_name = next(d for d in os.listdir(os.environ["TFLM_NEW"]) if d.endswith(".dist-info"))[:-10].replace("tflite_micro-", "tflite-micro ")
    index, bad, stats = [], [], {}
    dest = OUT if only else TMP
    shutil.rmtree(TMP, ignore_errors=True)
    total = 0
    for c in CASES:
        if only and not any(c["name"].startswith(o) for o in only):
            continue
        m, data, samples = c["make"](rng_of(c["name"]))
        d = os.path.join(dest, c["name"])
        os.makedirs(d, exist_ok=True)
        files = {"model.tflite": data}
        entry = dict(name=c["name"], op=c["op"])
        if c["refused"]:
            entry["refused"] = c["refused"]
        entry["samples"] = len(samples)
        entry["inputs"], entry["outputs"] = describe(m, 0), describe(m, 1)
        for i in range(len(m.io[0])):
            files["input%d.bin" % i] = b"".join(np.ascontiguousarray(s[i]).tobytes() for s in samples)
        notes = [c["notes"]] if c["notes"] else []
        oracles = {}
        if not c["run"]:
            files = {"model.tflite": data}
            entry = dict(name=c["name"], op=c["op"], refused=c["refused"], samples=0, inputs=[], outputs=[], oracles={},
                         **({"notes": c["notes"]} if c["notes"] else {}))
            write(d, files)
            total += len(data)
            index.append(entry)
            print("%-46s %-18s REFUSED" % (c["name"], c["op"]))
            continue
        tf, why_tf = isolated(run_tflm, data, samples)
        lt, why_lt = isolated(run_litert, data, samples)
        rf, why_rf = isolated(run_litert, data, samples, True)
        why_nu, nn = None, None
        if new_name and tf is not None:
            nn, why_nn = isolated(run_tflm_new, data, samples)
        try:
            nu = rules.run(data, samples)
        except rules.Refused as x:
            nu, why_nu = None, "%s" % x
        except Exception as x:  # noqa: BLE001
            if not c["refused"] and not c["float"]:
                raise
            nu, why_nu = None, repr(x)
        if c["float"]:
            if lt is not None:
                files["float.out"] = blob(lt)
                oracles["float"] = litert_name
            notes += ["litert: " + why_lt] if why_lt else []
        else:
            if tf is not None:
                files["tflm.out"] = blob(tf)
                oracles["tflm"] = tflm_name
            else:
                entry["tflm_error"] = why_tf
                if nu is not None and rf is not None and not c["refused"]:
                    if blob(rf) == blob(nu):
                        files["tflm.out"] = blob(nu)
                        oracles["tflm"] = "numpy = " + litert_name + " ref"
                    else:
                        notes.append("no tflm.out: numpy and the ref resolver differ")
            if nn is not None and blob(nn) != blob(tf):
                files["tflm_new.out"] = blob(nn)
                oracles["tflm_new"] = new_name
                rules.DOUBLES = True
                if blob(rules.run(data, samples)) != blob(nn):
                    bad.append((c["name"], "rules with DOUBLES differ from tflm_new.out"))
                rules.DOUBLES = False
            elif new_name and tf is not None and nn is None:
                entry["tflm_new_error"] = why_nn
            if rf is not None and not c["refused"] and (c["op"] == "FULLY_CONNECTED" or c["name"] == "net_autoencoder"):
                files["single.out"] = blob(rf)          # its FULLY_CONNECTED rounds once
                oracles["single"] = litert_name + " ref"
                rules.SINGLE = True
                if blob(rules.run(data, samples)) != blob(rf):
                    bad.append((c["name"], "rules with SINGLE differ from single.out"))
                rules.SINGLE = False
            if lt is not None:
                files["litert.out"] = blob(lt)
                oracles["litert"] = litert_name
            else:
                entry["litert_error"] = why_lt
            want = files.get("tflm.out")
            if want is not None:
                st = stats.setdefault(c["op"], [0, 0, 0])
                if nu is None:
                    entry["numpy"] = "not run: " + (why_nu or "")
                    st[2] += 1
                else:
                    wrong = sum(x != y for x, y in zip(blob(nu), want)) + abs(len(blob(nu)) - len(want))
                    if oracles["tflm"] == tflm_name:
                        st[0] += len(want)
                        st[1] += wrong
                    entry["numpy"] = "equal" if wrong == 0 else "%d of %d bytes differ" % (wrong, len(want))
                    if wrong and not c["refused"]:
                        bad.append((c["name"], entry["numpy"]))
                if rf is not None:
                    b = blob(rf)
                    wrong = sum(x != y for x, y in zip(b, want)) if len(b) == len(want) else max(len(b), len(want))
                    entry["litert_ref"] = "equal" if wrong == 0 else "%d of %d bytes differ from tflm.out" % (wrong, len(want))
                else:
                    entry["litert_ref"] = "not run: " + why_rf
                if "litert.out" in files:
                    l = files["litert.out"]
                    entry["litert_differs"] = sum(x != y for x, y in zip(l, want)) if len(l) == len(want) else -1
        entry["oracles"] = oracles
        if c["refused"]:
            entry["accepted_by"] = sorted(oracles.values())
            entry["oracles"] = {}
            for k in ("numpy", "litert_ref", "litert_differs"):
                entry.pop(k, None)
            files = {k: v for k, v in files.items() if not k.endswith(".out")}
        if notes:
            entry["notes"] = "; ".join(notes)
        write(d, files)
        total += sum(map(len, files.values()))
        index.append(entry)
        print("%-46s %-18s tflm=%s litert=%s numpy=%s ref=%s %s" % (
            c["name"], c["op"], "ok" if tf is not None else "-", entry.get("litert_differs", "ok" if lt is not None else "-"),
            entry.get("numpy", "-"), entry.get("litert_ref", "-"), "REFUSED" if c["refused"] else ""), flush=True)
        for k in ("tflm_error", "tflm_new_error", "litert_error"):
            if k in entry:
                print("      ", k, entry[k][:300])
    if not only:
        with open(os.path.join(TMP, "index.json"), "w") as fh:
            json.dump(index, fh, indent=1)
            fh.write("\n")
        shutil.rmtree(OUT, ignore_errors=True)
        os.rename(TMP, OUT)
    print(len(index), "cases,", total, "bytes")
    for k, v in stats.items():
        print("%-20s %8d bytes compared with %s, %d wrong, %d cases without numpy" % (k, v[0], tflm_name, v[1], v[2]))
    for b in bad:
        print("MISMATCH", *b)


if __name__ == "__main__":
    main()
