"""The list of cases; helpers are in generate.py."""
import sys
import numpy as np
G = sys.modules.get("generate") or sys.modules["__main__"]
globals().update({k: v for k, v in vars(G).items() if not k.startswith("__")})

# CONV_2D
conv("conv_1x1_pc", 4, 4, 3, 5, 1, 1)
conv("conv_3x3_same_pc", 7, 6, 3, 4, 3, 3)
conv("conv_3x3_same_s2_relu", 9, 8, 2, 4, 3, 3, 2, 2, act="RELU", zi=-128, zo=-128)
conv("conv_3x3_same_s2_relu6", 8, 8, 3, 5, 3, 3, 2, 2, act="RELU6", zi=-1)
conv("conv_3x3_valid_relun1", 6, 7, 3, 3, 3, 3, pad="VALID", act="RELU_N1_TO_1")
conv("conv_5x3_valid_s3x2", 11, 9, 2, 3, 5, 3, 3, 2, pad="VALID")
conv("conv_dil2_same", 9, 7, 2, 3, 3, 3, dh=2, dw=2)
conv("conv_dil3x2_valid", 9, 8, 2, 3, 3, 2, dh=3, dw=2, pad="VALID", act="RELU")
conv("conv_per_tensor", 5, 5, 3, 4, 3, 3, per_channel=False)
conv("conv_per_tensor_nobias", 5, 4, 3, 4, 2, 3, per_channel=False, bias=False)
conv("conv_zp_hi", 5, 5, 2, 3, 3, 3, zi=127, zo=127)
conv("conv_zp_lo", 5, 5, 2, 3, 3, 3, zi=-128, zo=127)
conv("conv_batch3", 4, 5, 2, 3, 3, 3, 2, 1, batch=3)
conv("conv_many_binades", 4, 4, 4, 12, 3, 3, tiny=True, notes="channel scales over 20 binades; the last channel has zero weights")
conv("conv_up_scale", 4, 4, 1, 4, 1, 1, spread=0.002, notes="multiplier above 1: MBQM shifts left first")
conv("conv_deep", 3, 3, 64, 8, 3, 3)
conv("conv_1xn", 1, 24, 3, 4, 1, 5, 1, 2, zo=0)
conv("conv_kernel_larger", 3, 2, 2, 3, 5, 5)

# DEPTHWISE_CONV_2D
dwconv("dw_3x3_same", 6, 7, 4, 1, 3, 3)
dwconv("dw_3x3_same_s2_relu6", 8, 9, 5, 1, 3, 3, 2, 2, act="RELU6", zi=-128)
dwconv("dw_3x3_valid_relu", 7, 7, 3, 1, 3, 3, pad="VALID", act="RELU", zo=-128)
dwconv("dw_mult2_same", 5, 6, 3, 2, 3, 3)
dwconv("dw_mult2_valid_s2", 7, 8, 2, 2, 2, 3, 2, 2, pad="VALID", act="RELU_N1_TO_1")
dwconv("dw_mult4_c1", 6, 6, 1, 4, 3, 3, 2, 2, act="RELU")
dwconv("dw_dil2", 8, 7, 3, 1, 3, 3, dh=2, dw=2)
dwconv("dw_dil2x3_mult2_valid", 8, 9, 2, 2, 2, 3, dh=2, dw=3, pad="VALID")
dwconv("dw_per_tensor", 5, 5, 4, 1, 3, 3, per_channel=False)
dwconv("dw_per_tensor_qdim3", 5, 5, 4, 1, 3, 3, per_channel=False, qdim=3, notes="one scale, quantized_dimension 3")
dwconv("dw_10x4", 12, 6, 3, 1, 10, 4, 2, 2)
dwconv("dw_nobias_batch2", 5, 4, 3, 1, 3, 3, batch=2, bias=False)
dwconv("dw_global", 5, 4, 6, 1, 5, 4, pad="VALID", zi=127)

# FULLY_CONNECTED
fc("fc_basic", (1, 16), 10)
fc("fc_relu", (1, 32), 7, act="RELU", zo=-128)
fc("fc_relu6_batch3", (3, 12), 6, act="RELU6")
fc("fc_relun1", (1, 20), 6, act="RELU_N1_TO_1")
fc("fc_nobias", (2, 16), 5, bias=False)
fc("fc_per_channel", (1, 24), 9, per_channel=True)
fc("fc_per_channel_relu_nobias", (2, 10), 6, per_channel=True, act="RELU", bias=False)
fc("fc_rank4", (2, 2, 3, 4), 5)
fc("fc_rank3_flat", (2, 3, 4), 5)
fc("fc_rank3_keep", (2, 3, 8), 4, keep=True)
fc("fc_rank4_keep_pc", (1, 2, 3, 6), 4, keep=True, per_channel=True)
fc("fc_zp_extremes", (1, 16), 8, zi=127, zo=-128)
fc("fc_up_scale", (1, 2), 6, spread=0.003, notes="multiplier above 1")
fc("fc_deep", (1, 300), 4)

# ADD
binary("add_same_shape", "ADD", (1, 4, 4, 3), (1, 4, 4, 3))
binary("add_relu", "ADD", (1, 3, 5, 2), (1, 3, 5, 2), act="RELU")
binary("add_relu6", "ADD", (1, 3, 5, 2), (1, 3, 5, 2), act="RELU6", z=(-128, -128, -128))
binary("add_relun1", "ADD", (2, 24), (2, 24), act="RELU_N1_TO_1", z=(127, -128, 0))
binary("add_equal_scales", "ADD", (1, 40), (1, 40), same=True)
binary("add_far_scales", "ADD", (1, 64), (1, 64), s1=0.2, s2=0.0021)
binary("add_channel_const", "ADD", (1, 4, 3, 5), (5,), const=1)
binary("add_scalar_const", "ADD", (1, 4, 3, 5), (), const=1)
binary("add_broadcast_hw", "ADD", (1, 4, 3, 5), (1, 1, 1, 5))
binary("add_first_const", "ADD", (4, 6), (4, 6), const=0)
binary("add_broadcast_both", "ADD", (1, 4, 1, 5), (1, 1, 3, 5))
binary("add_wide", "ADD", (1, 16, 16, 2), (1, 16, 16, 2))

# AVERAGE_POOL_2D, MAX_POOL_2D
for _op, _n in (("AVERAGE_POOL_2D", "avgpool"), ("MAX_POOL_2D", "maxpool")):
    pool(_n + "_2x2_s2_valid", _op, 6, 6, 3, 2, 2, 2, 2, "VALID")
    pool(_n + "_3x3_same_partial", _op, 7, 5, 2, 3, 3, 2, 2)
    pool(_n + "_5x4_same_s1", _op, 6, 7, 2, 5, 4)
    pool(_n + "_global", _op, 5, 7, 3, 5, 7, 1, 1, "VALID")
    pool(_n + "_relu", _op, 6, 6, 2, 3, 2, 1, 2, act="RELU", zi=-7)
    pool(_n + "_relu6", _op, 6, 6, 2, 2, 3, 2, 1, "VALID", act="RELU6", zi=-100, scale=0.05)
    pool(_n + "_relun1", _op, 5, 6, 2, 3, 3, 2, 2, act="RELU_N1_TO_1", zi=20, scale=0.03)
    pool(_n + "_batch2", _op, 4, 6, 3, 2, 3, 2, 3, batch=2)

# MEAN
mean("mean_hw_keep", (1, 4, 5, 3), (1, 2))
mean("mean_hw_drop", (1, 4, 5, 3), (1, 2), keep=False)
mean("mean_hw_same_scale", (1, 7, 7, 4), (1, 2), same=True)
mean("mean_hw_batch2", (2, 3, 4, 3), (1, 2), keep=False)
mean("mean_axis3", (1, 3, 4, 6), (3,), keep=True)
mean("mean_axis3_same", (1, 3, 4, 6), (3,), keep=False, same=True)
mean("mean_neg_axes", (1, 4, 3, 5), (-2, -3), keep=False)
mean("mean_all", (2, 3, 4), (0, 1, 2), keep=True)
mean("mean_rank2_axis1", (3, 10), (1,), keep=False)
mean("mean_rank2_same", (3, 10), (1,), keep=True, same=True)
mean("mean_rank3_axis1", (2, 9, 4), (1,), keep=False)
mean("mean_axis0", (5, 6), (0,), keep=False)
mean("mean_ratio_big", (1, 3, 3, 4), (1, 2), ratio=4.0)
mean("mean_16x16", (1, 16, 16, 2), (1, 2))

# SOFTMAX
softmax("softmax_10", (1, 10))
softmax("softmax_2", (4, 2))
softmax("softmax_1000", (1, 1000), n=2, extremes=False)
softmax("softmax_1000_flat", (1, 1000), n=1, notes="the sum of exponentials reaches 1000: TFLM aborts (a shift by more than 31); litert.out only")
softmax("softmax_511_flat", (1, 511), n=1, notes="with all inputs equal the sum is just below 512")
softmax("softmax_rank4", (1, 3, 2, 5))
softmax("softmax_rank3", (2, 3, 6))
softmax("softmax_beta2", (2, 12), beta=2.0)
softmax("softmax_beta_half", (2, 12), beta=0.5)
softmax("softmax_coarse", (2, 12), scale=1.5)
softmax("softmax_fine", (2, 40), scale=0.004)
softmax("softmax_huge_scale", (2, 8), scale=40.0, notes="the multiplier is capped")

# LOGISTIC, TANH
for _i, (_s, _z) in enumerate([(0.05, 0), (0.0235, -128), (0.0938, 17), (0.3, -40), (0.008, 127), (1.0, 3)]):
    unary("logistic_%d" % _i, "LOGISTIC", Q(fl(_s), _z), Q(1 / 256, -128))
    unary("tanh_%d" % _i, "TANH", Q(fl(_s), _z), Q(1 / 128, 0))

binary("add_itself", "ADD", (1, 6, 8), (1, 6, 8), twice=True, s2=None)
binary("add_ratio_beyond_litert", "ADD", (1, 48), (1, 48), s1=0.5, s2=0.0004, so=0.5,
       notes="s2/so is below 2^-10: XNNPACK does not take it, LiteRT's builtin kernel does")

# SUB
binary("sub_same_shape", "SUB", (1, 4, 4, 3), (1, 4, 4, 3))
binary("sub_relu", "SUB", (1, 3, 5, 2), (1, 3, 5, 2), act="RELU")
binary("sub_relu6", "SUB", (2, 20), (2, 20), act="RELU6")
binary("sub_channel_const", "SUB", (1, 4, 3, 5), (5,), const=1)
binary("sub_const_minus", "SUB", (1, 4, 3, 5), (1, 4, 3, 5), const=0)
binary("sub_scalar_const", "SUB", (1, 4, 3, 5), (), const=1)
binary("sub_broadcast", "SUB", (1, 4, 3, 5), (1, 1, 1, 5))
binary("sub_far_scales", "SUB", (1, 64), (1, 64), s1=0.004, s2=0.11)
binary("sub_wide", "SUB", (1, 16, 16, 2), (1, 16, 16, 2))

# MUL
binary("mul_same_shape", "MUL", (1, 4, 4, 3), (1, 4, 4, 3))
binary("mul_relu", "MUL", (1, 3, 5, 2), (1, 3, 5, 2), act="RELU")
binary("mul_relu6", "MUL", (1, 3, 5, 2), (1, 3, 5, 2), act="RELU6", z=(-128, 127, -128))
binary("mul_relun1", "MUL", (2, 24), (2, 24), act="RELU_N1_TO_1")
binary("mul_channel_const", "MUL", (1, 4, 3, 5), (5,), const=1)
binary("mul_scalar_const", "MUL", (1, 4, 3, 5), (), const=1)
binary("mul_const_first", "MUL", (4, 6), (4, 6), const=0)
binary("mul_se_block", "MUL", (1, 4, 3, 5), (1, 1, 1, 5))
binary("mul_broadcast_both", "MUL", (1, 4, 1, 5), (1, 1, 3, 5))
binary("mul_square", "MUL", (1, 6, 8), (1, 6, 8), twice=True)
binary("mul_up_scale", "MUL", (1, 64), (1, 64), s1=0.9, s2=0.8, so=0.31, notes="multiplier above 1")
binary("mul_wide", "MUL", (1, 16, 16, 2), (1, 16, 16, 2))

# MINIMUM, MAXIMUM
for _op, _n in (("MINIMUM", "minimum"), ("MAXIMUM", "maximum")):
    binary(_n + "_same_q", _op, (1, 4, 3, 5), (1, 4, 3, 5), same=True)
    binary(_n + "_scalar_const", _op, (1, 4, 3, 5), (), const=1, same=True)
    binary(_n + "_channel", _op, (1, 4, 3, 5), (5,), const=1, same=True)
    binary(_n + "_different_q", _op, (1, 4, 3, 5), (1, 4, 3, 5),
           notes="tflm compares raw bytes, whatever the quantizations; refusing it is right too")


def simple(name, op, shape, oshape, opt=None, consts=(), version=1, dt="int8", q=None, qo=None, first=False, notes=None, refused=None,
           odt=None, **fields):
    """One op with one input, constants, one output of the same quantization."""

    @case(name, op, notes=notes, refused=refused)
    def _(r):
        o = One(r)
        qq = q or (Q(rscale(r), rzp(r, dt)) if dt in LIM else None)
        x = o.input(shape, dt, qq)
        cs = [o.const("const%d" % i, c[0], Q(*c[1]) if c[1] else None) if isinstance(c, tuple) else o.i32("const%d" % i, c) for i, c in enumerate(consts)]
        y = o.mid(oshape, odt or dt, None if odt else (qo or qq), "output")
        o.m.op(getattr(BO, op), cs + [x] if first else [x] + cs, [y], opt, version, **fields)
        return o.done(y)


# RESHAPE and its kin
simple("reshape_const", "RESHAPE", (1, 4, 3, 2), (1, 24), "ReshapeOptions", [[1, 24]], newShape=[1, 24])
simple("reshape_minus1", "RESHAPE", (2, 3, 4), (2, 12), "ReshapeOptions", [[2, -1]], newShape=[2, -1])
simple("reshape_options_only", "RESHAPE", (1, 24), (1, 2, 3, 4), "ReshapeOptions", [], newShape=[1, 2, 3, 4])
simple("reshape_shape_tensor_only", "RESHAPE", (1, 24), (2, 3, 4), None, [[2, 3, 4]])
simple("squeeze_all", "SQUEEZE", (1, 1, 1, 6), (6,), "SqueezeOptions", squeezeDims=[])
simple("squeeze_12", "SQUEEZE", (2, 1, 1, 6), (2, 6), "SqueezeOptions", squeezeDims=[1, 2])
simple("squeeze_neg", "SQUEEZE", (1, 5, 1), (1, 5), "SqueezeOptions", squeezeDims=[-1])
simple("expand_dims_1", "EXPAND_DIMS", (2, 6), (2, 1, 6), "ExpandDimsOptions", [[1]])
simple("expand_dims_neg", "EXPAND_DIMS", (2, 6), (2, 6, 1), "ExpandDimsOptions", [[-1]])

# PAD
simple("pad_hw", "PAD", (1, 3, 4, 2), (1, 6, 7, 2), "PadOptions", [[[0, 0], [1, 2], [0, 3], [0, 0]]], 2)
simple("pad_channels", "PAD", (1, 3, 2, 3), (1, 3, 2, 8), "PadOptions", [[[0, 0], [0, 0], [0, 0], [2, 3]]], 2)
simple("pad_rank2", "PAD", (2, 5), (4, 6), "PadOptions", [[[1, 1], [0, 1]]], 2)
simple("pad_rank3", "PAD", (2, 3, 4), (2, 5, 5), "PadOptions", [[[0, 0], [1, 1], [1, 0]]], 2)
simple("pad_none", "PAD", (1, 2, 3, 2), (1, 2, 3, 2), "PadOptions", [[[0, 0]] * 4], 2)
simple("pad_different_q", "PAD", (1, 3, 4, 2), (1, 5, 6, 2), "PadOptions", [[[0, 0], [1, 1], [1, 1], [0, 0]]], 2, q=Q(fl(0.05), 3),
       qo=Q(fl(0.07), -20), notes="tflm copies the bytes and pads with the output's zero point; refusing it is right too")
simple("padv2_const", "PADV2", (1, 3, 4, 2), (1, 5, 6, 2), "PadV2Options", [[[0, 0], [1, 1], [1, 1], [0, 0]], (np.array([-77], np.int8), (fl(0.05), 3))],
       2, q=Q(fl(0.05), 3))
simple("padv2_min", "PADV2", (1, 3, 4, 2), (1, 6, 4, 2), "PadV2Options", [[[0, 0], [2, 1], [0, 0], [0, 0]], (np.array(-128, np.int8), (fl(0.02), -9))],
       2, q=Q(fl(0.02), -9), notes="the constant is a scalar of rank 0")

# TRANSPOSE
for _i, (_s, _p) in enumerate([((1, 3, 4, 2), (0, 3, 1, 2)), ((1, 3, 4, 2), (0, 2, 1, 3)), ((3, 5), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 3, 2, 4), (3, 2, 1, 0))]):
    simple("transpose_%d" % _i, "TRANSPOSE", _s, tuple(_s[p] for p in _p), "TransposeOptions", [list(_p)], 2)

# STRIDED_SLICE, SLICE
_ss = dict(ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0, beginMask=0, endMask=0, offset=False)
simple("strided_slice_plain", "STRIDED_SLICE", (1, 5, 6, 3), (1, 3, 2, 2), "StridedSliceOptions", [[0, 1, 2, 0], [1, 4, 6, 2], [1, 1, 2, 1]], 2, **_ss)
simple("strided_slice_masks", "STRIDED_SLICE", (1, 5, 6, 3), (1, 3, 6, 2), "StridedSliceOptions", [[0, 0, 3, 1], [0, 4, 4, 0], [1, 2, 1, 1]], 2,
       **dict(_ss, beginMask=0b0101, endMask=0b1111))
simple("strided_slice_shrink", "STRIDED_SLICE", (1, 5, 6, 3), (1, 6, 3), "StridedSliceOptions", [[0, 2, 0, 0], [0, 3, 0, 0], [1, 1, 1, 1]], 2,
       **dict(_ss, beginMask=0b1101, endMask=0b1101, shrinkAxisMask=0b0010))
simple("strided_slice_negative", "STRIDED_SLICE", (2, 7, 3), (2, 3, 3), "StridedSliceOptions", [[0, -4, 0], [2, -1, 3], [1, 1, 1]], 2, **_ss)
simple("strided_slice_reverse", "STRIDED_SLICE", (1, 7, 3), (1, 3, 3), "StridedSliceOptions", [[0, 6, 0], [1, 0, 3], [1, -2, 1]], 2, **_ss)
simple("strided_slice_last_shrink", "STRIDED_SLICE", (2, 4, 3), (2, 4), "StridedSliceOptions", [[0, 0, -1], [0, 0, 0], [1, 1, 1]], 2,
       **dict(_ss, beginMask=0b011, endMask=0b011, shrinkAxisMask=0b100))
simple("slice_4d", "SLICE", (1, 5, 6, 3), (1, 3, 4, 2), "SliceOptions", [[0, 1, 2, 1], [1, 3, 4, 2]], 2)
simple("slice_minus1", "SLICE", (2, 5, 4), (2, 3, 3), "SliceOptions", [[0, 2, 1], [-1, 3, -1]], 2)
simple("slice_rank2", "SLICE", (3, 9), (2, 4), "SliceOptions", [[1, 3], [2, 4]], 2)


def split(name, shape, axis, n, notes=None):
    @case(name, "SPLIT", notes=notes)
    def _(r):
        o = One(r)
        q = Q(rscale(r), rzp(r))
        x = o.input(shape, "int8", q)
        a = o.const("axis", np.array(axis, np.int32))
        s = list(shape)
        s[axis] //= n
        ys = [o.mid(s, "int8", q, "output%d" % i) for i in range(n)]
        o.m.op(BO.SPLIT, [a, x], ys, "SplitOptions", 2, numSplits=n)
        return o.done(*ys)


split("split_channels_2", (1, 3, 4, 6), 3, 2)
split("split_h_3", (1, 6, 2, 2), 1, 3)
split("split_last_axis_neg", (2, 8), -1, 4)


def concat(name, shapes, axis, qs=None, qo=None, const=None, dt="int8", notes=None, refused=None):
    @case(name, "CONCATENATION", notes=notes, refused=refused)
    def _(r):
        o = One(r)
        q = Q(rscale(r), rzp(r, dt))
        ids = []
        for i, s in enumerate(shapes):
            qi = qs[i] if qs else q
            ids.append(o.const("constant", r.integers(*LIM[dt], s).astype(dt), qi) if i == const else o.input(s, dt, qi))
        s = list(shapes[0])
        s[axis] = sum(t[axis] for t in shapes)
        y = o.mid(s, dt, qo or q, "output")
        o.m.op(BO.CONCATENATION, ids, [y], "ConcatenationOptions", 2, axis=axis, **act_of("NONE"))
        return o.done(y)


concat("concat_channels", [(1, 3, 4, 2), (1, 3, 4, 5)], 3)
concat("concat_three_h", [(1, 2, 3, 2), (1, 1, 3, 2), (1, 4, 3, 2)], 1)
concat("concat_neg_axis", [(2, 5), (2, 3)], -1)
concat("concat_batch", [(1, 6), (2, 6)], 0)
concat("concat_with_const", [(1, 3, 4, 2), (1, 3, 4, 2)], 3, const=1)
concat("concat_unequal", [(1, 3, 4, 2), (1, 3, 4, 3)], 3, qs=[Q(fl(0.05), 3), Q(fl(0.021), -30)], qo=Q(fl(0.06), 5),
       refused="inputs of different scales: TFLM and LiteRT refuse it")

# RELU family
for _i, (_qi, _qo) in enumerate([((0.05, 0), (0.05, 0)), ((0.05, -20), (0.031, -128)), ((0.02, 64), (0.09, 10)), ((0.1, -128), (0.1, -128)),
                                 ((0.0471, 13), (0.0237, -77))]):
    _same = _qi == _qo
    unary("relu_%d" % _i, "RELU", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]))
    unary("relu6_%d" % _i, "RELU6", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]),
          notes=None if _same else "tflm clamps the bytes in the input's quantization and ignores the output's: refusing it is right too")
    unary("relun1_%d" % _i, "RELU_N1_TO_1", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]), version=1, notes="TFLM has no such kernel")
for _i, (_a, _qi, _qo) in enumerate([(0.1, (0.05, 0), (0.05, 0)), (0.3, (0.0471, 13), (0.0237, -77)), (0.01, (0.02, -128), (0.02, -100)),
                                     (1.5, (0.03, 10), (0.05, 0)), (-0.2, (0.05, 30), (0.04, -20)), (0.0, (0.05, 0), (0.05, -128)),
                                     (0.2, (0.5, 5), (0.003, 5)), (0.25, (0.06, -3), (0.06, -3))]):
    unary("leaky_relu_%d" % _i, "LEAKY_RELU", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]), "LeakyReluOptions", alpha=_a)
for _i, (_qi, _qo) in enumerate([((0.05, 0), (0.04, -118)), ((0.003, 17), (0.0021, -90)), ((0.011, -128), (0.011, -128)), ((0.1, -3), (0.06, -122)),
                                 ((1.5, 40), (0.9, -100)), ((0.0057, 100), (0.004, 0)), ((0.03125, -10), (0.03125, -116))]):
    unary("hard_swish_%d" % _i, "HARD_SWISH", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]), "HardSwishOptions", 1)

# QUANTIZE, DEQUANTIZE
for _i, (_di, _do, _qi, _qo) in enumerate([
        ("int8", "int8", (0.05, 3), (0.031, -20)), ("int8", "int8", (0.02, -128), (0.09, 127)), ("int8", "int8", (0.05, 3), (0.05, -20)),
        ("int8", "int8", (0.3, 0), (0.004, 0)), ("uint8", "int8", (0.0078125, 128), (0.0078125, 0)), ("uint8", "int8", (1 / 255, 0), (1 / 255, -128)),
        ("uint8", "int8", (0.05, 100), (0.043, 11)), ("int8", "uint8", (1 / 256, -128), (1 / 256, 0)), ("int8", "uint8", (0.05, -7), (0.077, 140)),
        ("uint8", "uint8", (0.05, 100), (0.043, 30))]):
    unary("quantize_%d_%s_%s" % (_i, _di, _do), "QUANTIZE", Q(fl(_qi[0]), _qi[1]), Q(fl(_qo[0]), _qo[1]), "QuantizeOptions", dt=_di, dto=_do)


@case("quantize_uint8_int8_tail", "QUANTIZE", notes="37 elements a sample: LiteRT's vector body (32 elements) and tail round ties differently")
def _(r):
    o = One(r)
    x = o.input((1, 37), "uint8", Q(fl(0.05), 100))
    y = o.mid((1, 37), "int8", Q(fl(0.1), -3), "output")
    o.m.op(BO.QUANTIZE, [x], [y], "QuantizeOptions", 1)
    return o.done(y)


@case("quantize_int8_uint8_tail", "QUANTIZE", notes="see quantize_uint8_int8_tail")
def _(r):
    o = One(r)
    x = o.input((3, 7), "int8", Q(fl(0.03), -5))
    y = o.mid((3, 7), "uint8", Q(fl(0.12), 131), "output")
    o.m.op(BO.QUANTIZE, [x], [y], "QuantizeOptions", 1)
    return o.done(y)


def quantize_float(name, dt, s, z):
    @case(name, "QUANTIZE", notes="input float32; ties are exact multiples of half a step when the scale is a power of two")
    def _(r):
        o = One(r)
        lo, hi = LIM[dt]
        ties = ((np.arange(-40, 40) + 0.5) * np.float32(s)).astype(np.float32)
        wild = (r.normal(0, 1, 80) * s * 120).astype(np.float32)
        ends = np.array([0, -0.0, 1e4, -1e4, (hi - z) * s, (lo - z) * s, (hi - z + 0.5) * s, (lo - z - 0.5) * s], np.float32)
        v = np.concatenate([ties, wild, ends, r.uniform(-1, 1, 24).astype(np.float32)]).astype(np.float32)
        x = o.input((1, len(v)), "float32", None, values=[v.reshape(1, -1)])
        y = o.mid((1, len(v)), dt, Q(fl(s), z), "output")
        o.m.op(BO.QUANTIZE, [x], [y], "QuantizeOptions", 1)
        return o.done(y)


quantize_float("quantize_float_pow2", "int8", 0.03125, -3)
quantize_float("quantize_float_odd", "int8", 0.0372, 11)
quantize_float("quantize_float_uint8", "uint8", 0.0372, 120)
for _i, (_d, _q) in enumerate([("int8", (0.05, 3)), ("int8", (1 / 256, -128)), ("uint8", (0.0371, 121)), ("int8", (0.1171, 127))]):
    unary("dequantize_%d_%s" % (_i, _d), "DEQUANTIZE", Q(fl(_q[0]), _q[1]), None, "DequantizeOptions", dt=_d, dto="float32")


def argmax(name, shape, axis, odt="int32"):
    @case(name, "ARG_MAX")
    def _(r):
        o = One(r)
        x = o.input(shape, "int8", Q(rscale(r), rzp(r)))
        a = o.const("axis", np.array(axis, np.int32))
        s = [d for i, d in enumerate(shape) if i != axis % len(shape)]
        y = o.mid(s, odt, None, "output")
        o.m.op(BO.ARG_MAX, [x, a], [y], "ArgMaxOptions", 2, outputType=TYPE[odt])
        return o.done(y)


argmax("argmax_rank2", (2, 10), 1)
argmax("argmax_neg_axis", (1, 3, 2, 5), -1)
argmax("argmax_axis1", (2, 6, 4), 1)


def shape_pattern(name, shape, tail, dt="int8"):
    @case(name, "SHAPE", notes="SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE, as Keras' Flatten is converted; the shapes are static")
    def _(r):
        o = One(r)
        q = Q(rscale(r), rzp(r, dt))
        x = o.input(shape, dt, q)
        sh = o.mid((len(shape),), "int32")
        o.m.op(BO.SHAPE, [x], [sh], "ShapeOptions", 1, outType=TT.INT32)
        b, e, s = o.i32("begin", [0]), o.i32("end", [1]), o.i32("strides", [1])
        n = o.mid((), "int32")
        o.m.op(BO.STRIDED_SLICE, [sh, b, e, s], [n], "StridedSliceOptions", 1, **dict(_ss, shrinkAxisMask=1))
        cs = [o.const("d%d" % i, np.array(v, np.int32)) for i, v in enumerate(tail)]
        p = o.mid((1 + len(tail),), "int32")
        o.m.op(BO.PACK, [n] + cs, [p], "PackOptions", 1, valuesCount=1 + len(tail), axis=0)
        y = o.mid((shape[0],) + tuple(int(np.prod(shape[1:]) // np.prod([t for t in tail if t > 0])) if t < 0 else t for t in tail), dt, q, "output")
        o.m.op(BO.RESHAPE, [x, p], [y], None)
        return o.done(y)


shape_pattern("shape_flatten", (1, 3, 4, 2), (24,))
shape_pattern("shape_flatten_minus1", (2, 3, 4), (-1,))
shape_pattern("shape_reshape4", (1, 24), (2, 3, 4))

# uint8 (legacy, asymmetric weights): TFLM has no kernels for most of these
_u = "TFLM dropped uint8 kernels: the tflm rule is the one of the builtin reference kernel"
conv("u8_conv_3x3", 6, 5, 3, 4, 3, 3, dt="uint8", per_channel=False, wzp=121, notes=_u)
conv("u8_conv_3x3_relu6_s2", 7, 8, 2, 4, 3, 3, 2, 2, act="RELU6", dt="uint8", per_channel=False, wzp=0, zi=128, notes=_u)
conv("u8_conv_1x1_relu", 4, 4, 5, 3, 1, 1, act="RELU", dt="uint8", per_channel=False, wzp=255, zi=0, zo=0, notes=_u)
dwconv("u8_dw_3x3", 6, 5, 4, 1, 3, 3, dt="uint8", per_channel=False, wzp=140, notes=_u)
dwconv("u8_dw_qdim3", 6, 5, 16, 1, 1, 1, dt="uint8", per_channel=False, wzp=140, qdim=3,
       notes=_u + "; XNNPACK does not take uint8 weights with quantized_dimension 3: litert.out is the builtin kernel's, which is tflm's rule")
dwconv("u8_dw_mult2_relu6", 6, 5, 2, 2, 3, 3, 2, 2, act="RELU6", dt="uint8", per_channel=False, wzp=90, notes=_u)
fc("u8_fc", (2, 16), 6, dt="uint8", wzp=117, notes=_u)
fc("u8_fc_relu", (1, 24), 6, act="RELU", dt="uint8", wzp=128, notes=_u)
binary("u8_add", "ADD", (1, 4, 4, 3), (1, 4, 4, 3), dt="uint8", notes=_u)
binary("u8_add_relu", "ADD", (1, 4, 4, 3), (1, 4, 4, 3), act="RELU", dt="uint8", notes=_u)
binary("u8_sub", "SUB", (1, 4, 4, 3), (1, 4, 4, 3), dt="uint8", notes=_u)
binary("u8_mul", "MUL", (1, 4, 4, 3), (1, 4, 4, 3), dt="uint8", notes=_u)
pool("u8_avgpool", "AVERAGE_POOL_2D", 7, 5, 2, 3, 3, 2, 2, dt="uint8", notes=_u)
pool("u8_maxpool", "MAX_POOL_2D", 7, 5, 2, 3, 3, 2, 2, act="RELU6", dt="uint8", notes=_u)
mean("u8_mean", (1, 4, 5, 3), (1, 2), dt="uint8", notes=_u)
mean("u8_mean_same", (1, 4, 5, 3), (1, 2), same=True, dt="uint8", notes=_u)
softmax("u8_softmax", (2, 10), dt="uint8", notes=_u)
unary("u8_logistic", "LOGISTIC", Q(fl(0.05), 120), Q(1 / 256, 0), dt="uint8", notes=_u)
unary("u8_tanh", "TANH", Q(fl(0.03), 120), Q(1 / 128, 128), dt="uint8", notes=_u)
unary("u8_relu", "RELU", Q(fl(0.05), 120), Q(fl(0.04), 0), dt="uint8", notes=_u)
unary("u8_relu6", "RELU6", Q(fl(0.05), 120), Q(fl(0.05), 120), dt="uint8", notes=_u)
concat("u8_concat", [(1, 3, 4, 2), (1, 3, 4, 3)], 3, dt="uint8", notes=_u)
concat("u8_concat_unequal", [(1, 3, 4, 2), (1, 3, 4, 3)], 3, dt="uint8", qs=[Q(fl(0.05), 130), Q(fl(0.021), 98)], qo=Q(fl(0.06), 133), notes=_u)
simple("u8_reshape", "RESHAPE", (1, 4, 3, 2), (1, 24), "ReshapeOptions", [[1, 24]], dt="uint8", newShape=[1, 24])
simple("u8_pad", "PAD", (1, 3, 4, 2), (1, 5, 6, 2), "PadOptions", [[[0, 0], [1, 1], [1, 1], [0, 0]]], 2, dt="uint8", notes=_u)

conv("conv_groups2", 5, 4, 4, 6, 3, 3, groups=2, notes="grouped: the weights have half of the input's channels")
conv("conv_groups_depthwise", 5, 4, 3, 6, 3, 3, groups=3)

# Found by search: one byte differs if a multiplier is computed with the other precision (float32 for double or the other way)
_f = "one byte tells %s"
binary("add_fine_1412", "ADD", (1, 8, 8, 8), (1, 8, 8, 8), notes=_f % "multipliers computed in doubles (right) from float32")
binary("sub_fine_216", "SUB", (1, 8, 8, 8), (1, 8, 8, 8), notes=_f % "multipliers computed in float32 (tflm.out) from doubles (tflm_new.out)")
binary("mul_fine_152", "MUL", (1, 8, 8, 8), (1, 8, 8, 8), notes=_f % "a multiplier computed in doubles (right) from float32")
fc("fc_fine_372", (16, 20), 32, notes=_f % "si*sw as a float32 product (tflm.out) from a double product (tflm_new.out)")
fc("fc_fine_pc_149", (16, 20), 32, per_channel=True, notes=_f % "si*sw as a double product (right) from a float32 product")
conv("conv_fine_pt_334", 8, 8, 3, 8, 3, 3, per_channel=False, notes=_f % "si*sw as a double product (right, per tensor too) from a float32 product")
fc("u8_fc_fine_52", (16, 20), 32, dt="uint8", wzp=117, notes="uint8 with asymmetric weights; no kernel rounds it twice: single.out and litert.out only")

_v = "some bytes tell a float32 multiplier (tflm.out) from a double one (tflm_new.out)"
near_tie("relu_fine_0", "RELU", notes=_v)
near_tie("leaky_relu_fine_8", "LEAKY_RELU", "LeakyReluOptions", notes=_v)
near_tie("leaky_relu_alpha_fine_3", "LEAKY_RELU", "LeakyReluOptions", True, notes=_v)
hard_swish_random("hard_swish_fine_5298", notes=_v)
near_tie("quantize_fine_4", "QUANTIZE", "QuantizeOptions", version=1, notes=_f % "a double quotient (right) from a float32 quotient")
near_tie("quantize_u8_fine_4", "QUANTIZE", "QuantizeOptions", version=1, dt="uint8", dto="int8", notes=_f % "a double quotient (right) from a float32 quotient")

# Activation bounds that are exactly n + 1/2: half away in tflm, half even after adding the zero point in litert
_t = "6/so or 1/so is n + 1/2 in float32: the bound is rounded half away"
conv("conv_relu6_tie", 4, 4, 2, 4, 3, 3, act="RELU6", so_=fl(6 / 190.5), zo=-128, notes=_t)
fc("fc_relu6_tie", (4, 16), 8, act="RELU6", so_=fl(6 / 100.5), zo=-2, notes=_t)
binary("add_relun1_tie", "ADD", (1, 6, 8), (1, 6, 8), act="RELU_N1_TO_1", s1=0.02, s2=0.03, so=fl(1 / 190.5), z=(3, -4, 100), notes=_t)
unary("relu6_tie", "RELU6", Q(fl(6 / 100.5), -60), Q(fl(6 / 100.5), -60), notes=_t)


# ---------------------------------------------------------------- small networks

class Net(One):
    """Layers with plausible scales; every method takes and gives tensor ids."""

    def __init__(self, r):
        super().__init__(r)
        self.info = {}

    def start(self, shape, dt="int8", q=None):
        x = self.input(shape, dt, q)
        self.info[x] = (tuple(shape), q)
        return x

    def put(self, shape, q, dt="int8", name=None):
        y = self.mid(shape, dt, q, name)
        self.info[y] = (tuple(shape), q)
        return y

    def weights(self, shape, cdim, taps, q, per_channel=True):
        r = self.r
        n = shape[cdim]
        w = np.clip(np.round(r.normal(0, 45, shape)), -127, 127).astype(np.int8)
        sw = np.array([rscale(r, 0.004, 0.012) for _ in range(n if per_channel else 1)], np.float32)
        bs = (np.float32(q.scale) * sw).astype(np.float32)
        std = 45 * 60 * np.sqrt(taps)
        b = np.round(r.normal(0, std * 0.4, n)).astype(np.int32)
        so = fl(float(np.mean(bs)) * std * 5 / 255)
        return self.const("w", w, Q(sw, [0] * len(sw), cdim)), self.const("b", b, Q(bs, [0] * len(bs), 0)), so

    def conv(self, x, co, k=3, s=1, act="NONE", pad="SAME", zo=None):
        (n, h, w, c), q = self.info[x]
        wt, b, so = self.weights((co, k, k, c), 0, k * k * c, q)
        if act != "NONE":
            so, zo = fl(min(so, 6 / 255) if act == "RELU6" else so / 2), -128
        y = self.put((n, out_size(h, k, s, 1, pad), out_size(w, k, s, 1, pad), co), Q(so, int(self.r.integers(-20, 20)) if zo is None else zo))
        self.m.op(BO.CONV_2D, [x, wt, b], [y], "Conv2DOptions", 3, padding=pads(pad), strideH=s, strideW=s, dilationHFactor=1, dilationWFactor=1, **act_of(act))
        return y

    def dw(self, x, k=3, s=1, act="RELU6", pad="SAME"):
        (n, h, w, c), q = self.info[x]
        wt, b, so = self.weights((1, k, k, c), 3, k * k, q)
        y = self.put((n, out_size(h, k, s, 1, pad), out_size(w, k, s, 1, pad), c), Q(fl(so / 2), -128 if act != "NONE" else 3))
        self.m.op(BO.DEPTHWISE_CONV_2D, [x, wt, b], [y], "DepthwiseConv2DOptions", 3, padding=pads(pad), strideH=s, strideW=s,
                  dilationHFactor=1, dilationWFactor=1, depthMultiplier=1, **act_of(act))
        return y

    def add(self, a, b, act="NONE"):
        (shape, q), (_, p) = self.info[a], self.info[b]
        y = self.put(shape, Q(fl((q.scale + p.scale) * 0.8), -128 if act == "RELU" else int(self.r.integers(-10, 10))))
        self.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of(act))
        return y

    def mul(self, a, b):
        (shape, q), (_, p) = self.info[a], self.info[b]
        y = self.put(shape, Q(fl(q.scale * p.scale * 100), -128))
        self.m.op(BO.MUL, [a, b], [y], "MulOptions", 2, **act_of("NONE"))
        return y

    def mean(self, x, keep=False):
        shape, q = self.info[x]
        y = self.put((shape[0], 1, 1, shape[3]) if keep else (shape[0], shape[3]), Q(fl(q.scale * 0.4), -128))
        self.m.op(BO.MEAN, [x, self.i32("axes", [1, 2])], [y], "ReducerOptions", 2, keepDims=keep)
        return y

    def pool(self, x, op, kh, kw, s, pad="VALID"):
        (n, h, w, c), q = self.info[x]
        y = self.put((n, out_size(h, kh, s, 1, pad), out_size(w, kw, s, 1, pad), c), q)
        self.m.op(getattr(BO, op), [x], [y], "Pool2DOptions", 2, padding=pads(pad), strideH=s, strideW=s, filterHeight=kh, filterWidth=kw, **act_of("NONE"))
        return y

    def fc(self, x, units, act="NONE", per_channel=False):
        shape, q = self.info[x]
        k = int(np.prod(shape[1:]))
        wt, b, so = self.weights((units, k), 0, k, q, per_channel)
        y = self.put((shape[0], units), Q(so, -128 if act == "RELU" else int(self.r.integers(-20, 20))))
        self.m.op(BO.FULLY_CONNECTED, [x, wt, b], [y], "FullyConnectedOptions", 4, keepNumDims=False, **act_of(act))
        return y

    def table(self, x, op, so, zo, opt=None, **kw):
        shape, q = self.info[x]
        y = self.put(shape, Q(fl(so), zo))
        self.m.op(getattr(BO, op), [x], [y], opt, 2, **kw)
        return y

    def softmax(self, x):
        return self.table(x, "SOFTMAX", 1 / 256, -128, "SoftmaxOptions", beta=1.0)

    def quantize(self, x, q, dt="int8", code="QUANTIZE"):
        shape, _ = self.info[x]
        y = self.put(shape, q, dt)
        self.m.op(getattr(BO, code), [x], [y], code.title() + "Options", 1 if code == "QUANTIZE" else 2)
        return y

    def reshape(self, x, shape):
        y = self.put(shape, self.info[x][1])
        self.m.op(BO.RESHAPE, [x, self.i32("shape", shape)], [y], "ReshapeOptions", 1, newShape=list(shape))
        return y


def net(name, notes=None, **kw):
    def deco(f):
        @case(name, "NETWORK", notes=notes)
        def _(r):
            o = Net(r)
            return o.done(*f(o), **kw)
        return f
    return deco


@net("net_residual")
def _(o):
    x = o.start((1, 12, 10, 3), q=Q(fl(0.0078), -1))
    a = o.conv(x, 6, 3, 2, "RELU6")
    b = o.conv(o.dw(o.conv(a, 10, 1, 1, "RELU6")), 6, 1)
    c = o.add(a, b)
    d = o.conv(o.dw(o.conv(c, 9, 1, 1, "RELU6"), s=2), 8, 1, act="RELU")
    return [o.softmax(o.fc(o.mean(d), 7))]


@net("net_resnet_relu_uint8_in", "uint8 at the border, QUANTIZE uint8 -> int8 at the start and int8 -> uint8 at the end")
def _(o):
    x = o.start((1, 10, 11, 2), "uint8", Q(fl(1 / 255), 0))
    x = o.quantize(x, Q(fl(1 / 255), -128))
    a = o.conv(x, 5, 3, 1, "RELU")
    b = o.conv(o.conv(a, 5, 3, 1, "RELU"), 5, 3)
    c = o.add(a, b, "RELU")
    d = o.pool(o.conv(c, 6, 3, 2, "RELU"), "AVERAGE_POOL_2D", 5, 6, 5)
    y = o.softmax(o.fc(o.reshape(d, (1, 6)), 4, per_channel=True))
    return [o.quantize(y, Q(fl(1 / 256), 0), "uint8")]


@net("net_kws", "the shape of the keyword-spotting network: reshape, 10x4 convolution, separable blocks, pooling")
def _(o):
    x = o.start((1, 80), q=Q(fl(0.58), 83))
    a = o.conv(o.reshape(x, (1, 20, 4, 1)), 6, 4, 2, "RELU")
    for _i in range(2):
        a = o.conv(o.dw(a, 3, 1, "RELU"), 6, 1, act="RELU")
    a = o.pool(a, "AVERAGE_POOL_2D", 10, 2, 2)
    return [o.softmax(o.fc(o.reshape(a, (1, 6)), 12))]


@net("net_squeeze_excite_float_border", "float32 at both borders, LOGISTIC and MUL inside, two outputs (float32 and int8)")
def _(o):
    x = o.start((1, 8, 8, 3), "float32")
    x = o.quantize(x, Q(fl(6 / 255), -3))
    a = o.conv(x, 6, 3, 2, "RELU")
    g = o.table(o.conv(o.conv(o.mean(a, True), 3, 1, act="RELU"), 6, 1), "LOGISTIC", 1 / 256, -128)
    h = o.conv(o.mul(a, g), 4, 3)
    t = o.table(h, "TANH", 1 / 128, 0)
    f = o.fc(o.reshape(t, (1, 64)), 5)
    return [o.quantize(f, None, "float32", "DEQUANTIZE"), f]


@net("net_autoencoder", "fully connected layers only")
def _(o):
    x = o.start((1, 40), q=Q(fl(0.39), 90))
    a = o.fc(o.fc(x, 24, "RELU"), 16, "RELU")
    a = o.fc(o.fc(a, 4, "RELU"), 16, "RELU")
    return [o.fc(a, 40)]


# ---------------------------------------------------------------- float32 models

def fcase(name, op, notes=None):
    def deco(f):
        @case(name, op, float_=True, notes=notes)
        def _(r):
            o = One(r)
            return o.done(*f(o, r))
        return f
    return deco


def fw(r, *shape, s=0.4):
    return (r.normal(0, s, shape)).astype(np.float32)


@fcase("float_conv", "CONV_2D")
def _(o, r):
    x = o.input((1, 7, 6, 3), "float32")
    y = o.mid((1, 4, 3, 5), "float32", None, "output")
    o.m.op(BO.CONV_2D, [x, o.const("w", fw(r, 5, 3, 3, 3)), o.const("b", fw(r, 5))], [y], "Conv2DOptions", 1, padding=pads("SAME"), strideH=2, strideW=2,
           dilationHFactor=1, dilationWFactor=1, **act_of("RELU6"))
    return [y]


@fcase("float_depthwise", "DEPTHWISE_CONV_2D")
def _(o, r):
    x = o.input((1, 6, 7, 3), "float32")
    y = o.mid((1, 4, 5, 6), "float32", None, "output")
    o.m.op(BO.DEPTHWISE_CONV_2D, [x, o.const("w", fw(r, 1, 3, 3, 6)), o.const("b", fw(r, 6))], [y], "DepthwiseConv2DOptions", 1, padding=pads("VALID"),
           strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, depthMultiplier=2, **act_of("RELU"))
    return [y]


@fcase("float_fc", "FULLY_CONNECTED")
def _(o, r):
    x = o.input((2, 12), "float32")
    y = o.mid((2, 5), "float32", None, "output")
    o.m.op(BO.FULLY_CONNECTED, [x, o.const("w", fw(r, 5, 12)), o.const("b", fw(r, 5))], [y], "FullyConnectedOptions", 1, keepNumDims=False, **act_of("NONE"))
    return [y]


@fcase("float_add", "ADD")
def _(o, r):
    a, b = o.input((1, 4, 3, 5), "float32"), o.input((1, 4, 3, 5), "float32")
    y = o.mid((1, 4, 3, 5), "float32", None, "output")
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 1, potScaleInt16=False, **act_of("RELU"))
    return [y]


@fcase("float_mul_const", "MUL")
def _(o, r):
    a = o.input((1, 4, 3, 5), "float32")
    y = o.mid((1, 4, 3, 5), "float32", None, "output")
    o.m.op(BO.MUL, [a, o.const("c", fw(r, 5))], [y], "MulOptions", 1, **act_of("NONE"))
    return [y]


@fcase("float_mean", "MEAN")
def _(o, r):
    a = o.input((1, 4, 3, 5), "float32")
    y = o.mid((1, 5), "float32", None, "output")
    o.m.op(BO.MEAN, [a, o.i32("axes", [1, 2])], [y], "ReducerOptions", 1, keepDims=False)
    return [y]


@fcase("float_avgpool", "AVERAGE_POOL_2D")
def _(o, r):
    a = o.input((1, 5, 7, 2), "float32")
    y = o.mid((1, 3, 4, 2), "float32", None, "output")
    o.m.op(BO.AVERAGE_POOL_2D, [a], [y], "Pool2DOptions", 1, padding=pads("SAME"), strideH=2, strideW=2, filterHeight=3, filterWidth=3, **act_of("NONE"))
    return [y]


for _n, _op, _o, _kw in (("relu6", "RELU6", None, {}), ("logistic", "LOGISTIC", None, {}), ("tanh", "TANH", None, {}), ("softmax", "SOFTMAX", "SoftmaxOptions", dict(beta=1.0)),
                         ("leaky_relu", "LEAKY_RELU", "LeakyReluOptions", dict(alpha=0.1)), ("hard_swish", "HARD_SWISH", "HardSwishOptions", {})):
    def _make(op=_op, opt=_o, kw=_kw):
        def f(o, r):
            a = o.input((2, 10), "float32")
            y = o.mid((2, 10), "float32", None, "output")
            o.m.op(getattr(BO, op), [a], [y], opt, 1, **kw)
            return [y]
        return f
    fcase("float_" + _n, _op)(_make())


@fcase("float_net", "NETWORK", notes="convolution, batch normalization as MUL and ADD of constants, relu6, depthwise, mean, fully connected, softmax")
def _(o, r):
    x = o.input((1, 8, 8, 3), "float32")
    a = o.mid((1, 4, 4, 6), "float32")
    o.m.op(BO.CONV_2D, [x, o.const("w", fw(r, 6, 3, 3, 3)), o.const("b", fw(r, 6))], [a], "Conv2DOptions", 1, padding=pads("SAME"), strideH=2, strideW=2,
           dilationHFactor=1, dilationWFactor=1, **act_of("NONE"))
    b = o.mid((1, 4, 4, 6), "float32")
    o.m.op(BO.MUL, [a, o.const("gamma", np.abs(fw(r, 6)) + np.float32(0.2))], [b], "MulOptions", 1, **act_of("NONE"))
    c = o.mid((1, 4, 4, 6), "float32")
    o.m.op(BO.ADD, [b, o.const("beta", fw(r, 6))], [c], "AddOptions", 1, potScaleInt16=False, **act_of("NONE"))
    d = o.mid((1, 4, 4, 6), "float32")
    o.m.op(BO.RELU6, [c], [d], None)
    e = o.mid((1, 4, 4, 6), "float32")
    o.m.op(BO.DEPTHWISE_CONV_2D, [d, o.const("w", fw(r, 1, 3, 3, 6)), o.const("b", fw(r, 6))], [e], "DepthwiseConv2DOptions", 1, padding=pads("SAME"),
           strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, depthMultiplier=1, **act_of("RELU"))
    f = o.mid((1, 6), "float32")
    o.m.op(BO.MEAN, [e, o.i32("axes", [1, 2])], [f], "ReducerOptions", 1, keepDims=False)
    g = o.mid((1, 4), "float32")
    o.m.op(BO.FULLY_CONNECTED, [f, o.const("w", fw(r, 4, 6)), o.const("b", fw(r, 4))], [g], "FullyConnectedOptions", 1, keepNumDims=False, **act_of("NONE"))
    y = o.mid((1, 4), "float32", None, "output")
    o.m.op(BO.SOFTMAX, [g], [y], "SoftmaxOptions", 1, beta=1.0)
    return [y]


# ---------------------------------------------------------------- to be refused

def bad(name, op, why, run=True, notes=None):
    """f(o, r) builds with o and returns outputs, or (outputs, bytes -> bytes)."""
    def deco(f):
        @case("refused_" + name, op, refused=why, run=run, notes=notes)
        def _(r):
            o = Net(r)
            res = f(o, r)
            outs, mangle = res if isinstance(res, tuple) else (res, None)
            m, data, samples = o.done(*outs)
            return m, mangle(data) if mangle else data, samples
        return f
    return deco


def small_fc(o, r, q=None, qw=None, qb=None, qo=None, act="NONE", shape=(1, 8), oshape=(1, 4), wshape=(4, 8), dt="int8", **kw):
    x = o.input(shape, dt, q or Q(0.05, 3))
    w = o.const("w", r.integers(-127, 128, wshape).astype(np.int8), qw or Q(0.01))
    b = o.const("b", r.integers(-99, 99, wshape[0]).astype(np.int32), qb or Q(fl(np.float32(0.05) * np.float32(0.01))))
    y = o.mid(oshape, dt, qo or Q(0.1, -4), "output")
    o.m.op(BO.FULLY_CONNECTED, [x, w, b], [y], "FullyConnectedOptions", 4, keepNumDims=False,
           **(act_of(act) if act in ACTS else dict(fusedActivationFunction=getattr(ACT, act))), **kw)
    return [y]


def small_conv(o, r, qw=None, oshape=(1, 4, 4, 3), wshape=(3, 3, 3, 2), stride=1, dil=1, wdata=None, shape=(1, 4, 4, 2), q=None, qo=None, **kw):
    x = o.input(shape, "int8", q or Q(0.05, 3))
    w = o.const("w", r.integers(-127, 128, wshape).astype(np.int8) if wdata is None else wdata, qw or Q([0.01, 0.02, 0.03], [0, 0, 0], 0))
    b = o.const("b", r.integers(-99, 99, wshape[0]).astype(np.int32), Q(np.float32(0.05) * np.array([0.01, 0.02, 0.03], np.float32), [0, 0, 0], 0))
    y = o.mid(oshape, "int8", qo or Q(0.1, -4), "output")
    o.m.op(BO.CONV_2D, [x, w, b], [y], "Conv2DOptions", 3, padding=pads("SAME"), strideH=stride, strideW=stride, dilationHFactor=dil,
           dilationWFactor=dil, **dict(act_of("NONE"), **kw))
    return [y]


@bad("dynamic_weights", "CONV_2D", "the weights are an input, not a constant")
def _(o, r):
    x, w = o.input((1, 4, 4, 2), "int8", Q(0.05, 3)), o.input((3, 3, 3, 2), "int8", Q(0.01))
    b = o.const("b", r.integers(-99, 99, 3).astype(np.int32), Q(fl(0.0005)))
    y = o.mid((1, 4, 4, 3), "int8", Q(0.1, -4))
    o.m.op(BO.CONV_2D, [x, w, b], [y], "Conv2DOptions", 3, padding=pads("SAME"), strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, **act_of("NONE"))
    return [y]


@bad("int16_activations", "ADD", "int16 activations")
def _(o, r):
    a, b = o.input((1, 12), "int16", Q(0.0005), n=6, extremes=False), o.input((1, 12), "int16", Q(0.0003), n=6, extremes=False)
    y = o.mid((1, 12), "int16", Q(0.001))
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("hybrid", "FULLY_CONNECTED", "float activations with int8 weights (hybrid)")
def _(o, r):
    x = o.input((1, 8), "float32")
    w = o.const("w", r.integers(-127, 128, (4, 8)).astype(np.int8), Q(0.01))
    y = o.mid((1, 4), "float32")
    o.m.op(BO.FULLY_CONNECTED, [x, w, -1], [y], "FullyConnectedOptions", 3, keepNumDims=False, **act_of("NONE"))
    return [y]


@bad("custom_op", "CUSTOM", "a custom operator")
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(BO.CUSTOM, [x], [y], None, 1, custom="MysteryOp")
    return [y]


@bad("unknown_op", "LSTM", "an operator that is not supported (LSTM)")
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(BO.LSTM, [x], [y], None, 1)
    return [y]


@bad("opcode_out_of_range", "NONE", "a builtin code beyond the schema", run=False)
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(30000, [x], [y], None, 1)
    return [y]


@bad("pool_requantizes", "AVERAGE_POOL_2D", "input and output of the pooling have different scales", notes="the kernels do not look: they average bytes")
def _(o, r):
    x, y = o.input((1, 4, 4, 2), "int8", Q(0.05, 3)), o.mid((1, 2, 2, 2), "int8", Q(0.04, -3))
    o.m.op(BO.AVERAGE_POOL_2D, [x], [y], "Pool2DOptions", 2, padding=pads("VALID"), strideH=2, strideW=2, filterHeight=2, filterWidth=2, **act_of("NONE"))
    return [y]


@bad("reshape_requantizes", "RESHAPE", "input and output have different quantizations", notes="the kernels do not look: they copy bytes")
def _(o, r):
    x, y = o.input((1, 4, 4, 2), "int8", Q(0.05, 3)), o.mid((1, 32), "int8", Q(0.04, -3))
    o.m.op(BO.RESHAPE, [x, o.i32("shape", [1, 32])], [y], "ReshapeOptions", 1, newShape=[1, 32])
    return [y]


@bad("softmax_output_scale", "SOFTMAX", "softmax whose output is not 1/256, -128")
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.01, 0))
    o.m.op(BO.SOFTMAX, [x], [y], "SoftmaxOptions", 2, beta=1.0)
    return [y]


@bad("logistic_output_scale", "LOGISTIC", "logistic whose output is not 1/256, -128", notes="TFLM looks at the zero point only")
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.01, -128))
    o.m.op(BO.LOGISTIC, [x], [y], None, 2)
    return [y]


@bad("tanh_output_scale", "TANH", "tanh whose output is not 1/128, 0", notes="TFLM does not look")
def _(o, r):
    x, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.01, 5))
    o.m.op(BO.TANH, [x], [y], None, 2)
    return [y]


bad("fc_bias_scale", "FULLY_CONNECTED", "the bias' scale is far from input scale times weight scale")(lambda o, r: small_fc(o, r, qb=Q(0.05)))
bad("fc_shape", "FULLY_CONNECTED", "the output's shape is not the one computed", run=False)(lambda o, r: small_fc(o, r, oshape=(1, 5)))
bad("conv_shape", "CONV_2D", "the output's shape is not the one computed", run=False)(lambda o, r: small_conv(o, r, oshape=(1, 5, 4, 3)))
bad("conv_channels", "CONV_2D", "the weights' input channels do not divide the input's", run=False)(lambda o, r: small_conv(o, r, wshape=(3, 3, 3, 5)))
bad("stride_zero", "CONV_2D", "stride 0", run=False)(lambda o, r: small_conv(o, r, stride=0))
bad("dilation_zero", "CONV_2D", "dilation 0", run=False)(lambda o, r: small_conv(o, r, dil=0))
bad("stride_negative", "CONV_2D", "stride -1", run=False)(lambda o, r: small_conv(o, r, stride=-1))
bad("weights_zero_point", "CONV_2D", "int8 weights with a zero point")(lambda o, r: small_conv(o, r, qw=Q([0.01, 0.02, 0.03], [0, 5, 0], 0)))
bad("per_channel_dim", "CONV_2D", "per-channel scales along the wrong dimension")(lambda o, r: small_conv(o, r, qw=Q([0.01, 0.02, 0.03], [0, 0, 0], 1)))
bad("per_channel_count", "CONV_2D", "two scales for three channels")(lambda o, r: small_conv(o, r, qw=Q([0.01, 0.02], [0, 0], 0)))
bad("fused_tanh", "CONV_2D", "fused activation TANH")(lambda o, r: small_conv(o, r, fusedActivationFunction=ACT.TANH))
bad("fused_sign_bit", "FULLY_CONNECTED", "fused activation SIGN_BIT")(lambda o, r: small_fc(o, r, act="SIGN_BIT"))
bad("per_channel_activation", "FULLY_CONNECTED", "an activation with per-channel scales", run=False)(
    lambda o, r: small_fc(o, r, q=Q([0.05] * 8, [3] * 8, 1)))
bad("scale_zero", "FULLY_CONNECTED", "an activation's scale is 0", run=False)(lambda o, r: small_fc(o, r, q=Q(0.0, 3)))
bad("scale_negative", "FULLY_CONNECTED", "an activation's scale is negative", run=False)(lambda o, r: small_fc(o, r, qo=Q(-0.1, 3)))
bad("scale_nan", "FULLY_CONNECTED", "an activation's scale is not a number", run=False)(lambda o, r: small_fc(o, r, q=Q(np.nan, 3)))
bad("scale_inf", "FULLY_CONNECTED", "an activation's scale is infinite", run=False)(lambda o, r: small_fc(o, r, qo=Q(np.inf, 3)))
bad("weight_scale_nan", "CONV_2D", "a weight scale is not a number", run=False)(lambda o, r: small_conv(o, r, qw=Q([0.01, np.nan, 0.03], [0, 0, 0], 0)))
bad("zero_point_range", "FULLY_CONNECTED", "zero point 200 of an int8 tensor", run=False)(lambda o, r: small_fc(o, r, q=Q(0.05, 200)))
bad("multiplier_huge", "CONV_2D", "the multiplier is 2^40: MultiplyByQuantizedMultiplier overflows", run=False)(
    lambda o, r: small_conv(o, r, qo=Q(1e-15, 0)))


@bad("no_quantization", "FULLY_CONNECTED", "an int8 activation without scale", run=False)
def _(o, r):
    x = o.m.tensor("input", (1, 8), "int8", None)
    o.ins.append(x)
    o.gen.append(((1, 8), "int8", Q(1, 0), {}))
    w = o.const("w", r.integers(-127, 128, (4, 8)).astype(np.int8), Q(0.01))
    y = o.mid((1, 4), "int8", Q(0.1, 0))
    o.m.op(BO.FULLY_CONNECTED, [x, w, -1], [y], "FullyConnectedOptions", 4, keepNumDims=False, **act_of("NONE"))
    return [y]


@bad("u8_per_channel", "CONV_2D", "uint8 weights with per-channel scales")
def _(o, r):
    x = o.input((1, 4, 4, 2), "uint8", Q(0.05, 3))
    w = o.const("w", r.integers(0, 256, (3, 3, 3, 2)).astype(np.uint8), Q([0.01, 0.02, 0.03], [9, 8, 7], 0))
    y = o.mid((1, 4, 4, 3), "uint8", Q(0.1, 4))
    b = o.const("b", r.integers(-99, 99, 3).astype(np.int32), Q([0.0005, 0.001, 0.0015], [0] * 3, 0))
    o.m.op(BO.CONV_2D, [x, w, b], [y], "Conv2DOptions", 1, padding=pads("SAME"), strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, **act_of("NONE"))
    return [y]


@bad("mixed_types", "ADD", "int8 plus uint8", run=False)
def _(o, r):
    a, b = o.input((1, 8), "int8", Q(0.05, 3)), o.input((1, 8), "uint8", Q(0.05, 3))
    y = o.mid((1, 8), "int8", Q(0.1, 0))
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("broadcast", "ADD", "shapes that do not broadcast: (1,6) and (1,4)", run=False)
def _(o, r):
    a, b = o.input((1, 6), "int8", Q(0.05, 3)), o.input((1, 4), "int8", Q(0.05, 3))
    y = o.mid((1, 6), "int8", Q(0.1, 0))
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("variable_tensor", "ADD", "a variable tensor (state between runs)", run=False)
def _(o, r):
    a = o.input((1, 8), "int8", Q(0.05, 3))
    b = o.m.tensor("state", (1, 8), "int8", Q(0.05, 3), variable=True)
    y = o.mid((1, 8), "int8", Q(0.1, 0))
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("undefined_input", "ADD", "an operand that no operator computes", run=False)
def _(o, r):
    a, b, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.1, 0))
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("cycle", "ADD", "an operator takes its own output", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.1, 0))
    o.m.op(BO.ADD, [a, y], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("order", "RELU", "operators out of order: the second computes what the first takes", run=False)
def _(o, r):
    a, t, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(BO.RELU, [t], [y], None, 2)
    o.m.op(BO.RELU, [a], [t], None, 2)
    return [y]


@bad("computed_twice", "RELU", "two operators write one tensor", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(BO.RELU, [a], [y], None, 2)
    o.m.op(BO.RELU, [a], [y], None, 2)
    return [y]


@bad("tensor_index", "RELU", "an operator's input is tensor 77 of 2", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.op(BO.RELU, [77], [y], None, 2)
    return [y]


@bad("buffer_index", "ADD", "a tensor's buffer is number 99", run=False)
def _(o, r):
    a, b, y = o.input((1, 8), "int8", Q(0.05, 3)), o.const("c", np.zeros((1, 8), np.int8), Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.1, 0))
    o.m.tensors[b].buffer = 99
    o.m.op(BO.ADD, [a, b], [y], "AddOptions", 2, potScaleInt16=False, **act_of("NONE"))
    return [y]


@bad("buffer_short", "FULLY_CONNECTED", "the weights' buffer is shorter than their shape", run=False)
def _(o, r):
    y = small_fc(o, r)
    o.m.buffers[1].data = o.m.buffers[1].data[:-5]
    return y


@bad("buffer_long", "FULLY_CONNECTED", "the weights' buffer is longer than their shape", run=False)
def _(o, r):
    y = small_fc(o, r)
    o.m.buffers[1].data = o.m.buffers[1].data + bytes(7)
    return y


@bad("dynamic_shape", "RELU", "a dimension of -1", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.tensors[a].shape = o.m.tensors[y].shape = [-1, 8]
    o.m.op(BO.RELU, [a], [y], None, 2)
    return [y]


@bad("huge_shape", "RELU", "2^60 elements", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.tensors[a].shape = o.m.tensors[y].shape = [1 << 20, 1 << 20, 1 << 20]
    o.m.op(BO.RELU, [a], [y], None, 2)
    return [y]


@bad("zero_dimension", "RELU", "a dimension of 0", run=False)
def _(o, r):
    a, y = o.input((1, 8), "int8", Q(0.05, 3)), o.mid((1, 8), "int8", Q(0.05, 3))
    o.m.tensors[a].shape = o.m.tensors[y].shape = [0, 8]
    o.m.op(BO.RELU, [a], [y], None, 2)
    return [y]


@bad("reshape_count", "RESHAPE", "24 elements into 25", run=False)
def _(o, r):
    a, y = o.input((1, 24), "int8", Q(0.05, 3)), o.mid((5, 5), "int8", Q(0.05, 3))
    o.m.op(BO.RESHAPE, [a, o.i32("shape", [5, 5])], [y], "ReshapeOptions", 1, newShape=[5, 5])
    return [y]


@bad("transpose_perm", "TRANSPOSE", "a permutation with a repeated axis", run=False)
def _(o, r):
    a, y = o.input((2, 3), "int8", Q(0.05, 3)), o.mid((2, 2), "int8", Q(0.05, 3))
    o.m.op(BO.TRANSPOSE, [a, o.i32("perm", [0, 0])], [y], "TransposeOptions", 2)
    return [y]


@bad("mean_axis", "MEAN", "axis 7 of a rank 4 tensor", run=False)
def _(o, r):
    a, y = o.input((1, 2, 3, 4), "int8", Q(0.05, 3)), o.mid((1, 4), "int8", Q(0.05, 3))
    o.m.op(BO.MEAN, [a, o.i32("axes", [1, 7])], [y], "ReducerOptions", 2, keepDims=False)
    return [y]


@bad("slice_bounds", "SLICE", "a slice beyond the end", run=False)
def _(o, r):
    a, y = o.input((2, 5), "int8", Q(0.05, 3)), o.mid((2, 4), "int8", Q(0.05, 3))
    o.m.op(BO.SLICE, [a, o.i32("begin", [0, 3]), o.i32("size", [2, 4])], [y], "SliceOptions", 2)
    return [y]


@bad("pad_negative", "PAD", "negative padding", run=False)
def _(o, r):
    a, y = o.input((2, 5), "int8", Q(0.05, 3)), o.mid((2, 4), "int8", Q(0.05, 3))
    o.m.op(BO.PAD, [a, o.i32("paddings", [[0, 0], [0, -1]])], [y], "PadOptions", 2)
    return [y]


@bad("split_count", "SPLIT", "7 channels in 2 parts", run=False)
def _(o, r):
    a = o.input((1, 7), "int8", Q(0.05, 3))
    ys = [o.mid((1, 3), "int8", Q(0.05, 3)), o.mid((1, 4), "int8", Q(0.05, 3))]
    o.m.op(BO.SPLIT, [o.const("axis", np.array(1, np.int32)), a], ys, "SplitOptions", 2, numSplits=2)
    return ys


@bad("padv2_quantization", "PADV2", "the padding constant has another quantization than the output")
def _(o, r):
    a, y = o.input((2, 5), "int8", Q(0.05, 3)), o.mid((2, 7), "int8", Q(0.05, 3))
    o.m.op(BO.PADV2, [a, o.i32("paddings", [[0, 0], [1, 1]]), o.const("v", np.array([7], np.int8), Q(0.04, 3))], [y], "PadV2Options", 2)
    return [y]


def mangled(name, why, f):
    bad(name, "FILE", why, run=False)(lambda o, r: (small_fc(o, r), f))


mangled("truncated_half", "the file is cut in the middle", lambda d: d[:len(d) // 2])
mangled("truncated_end", "the last 3 bytes are missing", lambda d: d[:-3])
mangled("empty", "an empty file", lambda d: b"")
mangled("identifier", "the file identifier is TFL2", lambda d: d[:4] + b"TFL2" + d[8:])
mangled("root_offset", "the root offset points beyond the file", lambda d: (len(d) + 64).to_bytes(4, "little") + d[4:])
mangled("root_offset_sign", "the root offset is 2^32 - 16", lambda d: (2 ** 32 - 16).to_bytes(4, "little") + d[4:])
mangled("text", "not a flatbuffer", lambda d: b"This is a text, not a model. " * 4)


@bad("no_outputs", "FILE", "no outputs", run=False)
def _(o, r):
    small_fc(o, r)
    return []


@bad("two_subgraphs", "FILE", "two subgraphs", run=False)
def _(o, r):
    return small_fc(o, r), two_subgraphs


def two_subgraphs(data):
    m = S.ModelT.InitFromPackedBuf(bytearray(data))
    for i, b in enumerate(m.buffers):
        a = AlignedBuffer()
        a.data = bytes(bytearray(b.data)) if b.data is not None else None
        m.buffers[i] = a
    m.subgraphs = [m.subgraphs[0], m.subgraphs[0]]
    b = flatbuffers.Builder(1024)
    b.Finish(m.Pack(b), file_identifier=b"TFL3")
    return bytes(b.Output())
