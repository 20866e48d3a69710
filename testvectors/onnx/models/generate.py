"""Writes the small models in this folder and what ONNX Runtime makes of a random input.

Written with onnx 1.23.2, onnxruntime 1.31.1, numpy 2; run as: python generate.py
They cover what the node tests of ONNX do not: parameters as initializers, older opsets, constant
folding, patterns of several nodes, constants on either side.
"""
import os
import shutil

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
RNG = np.random.default_rng(7)


def rand(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def positive(*shape):
    return (np.abs(rand(*shape)) + 0.1).astype(np.float32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def case(name, opset, nodes, inputs, consts=None, outputs=("y",), declared=None):
    """inputs: name -> array; consts: name -> array; declared: name -> shape in the model if not the array's."""
    declared = declared or {}
    infos = [
        helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), declared.get(k, v.shape))
        for k, v in inputs.items()
    ]
    outs = [onnx.ValueInfoProto(name=o) for o in outputs]
    graph = helper.make_graph(
        nodes, name, infos, outs, [numpy_helper.from_array(v, k) for k, v in (consts or {}).items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    runtime = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = runtime.run(list(outputs), inputs)
    directory = os.path.join(HERE, name)
    shutil.rmtree(directory, ignore_errors=True)
    data = os.path.join(directory, "test_data_set_0")
    os.makedirs(data)
    with open(os.path.join(directory, "model.onnx"), "wb") as f:
        f.write(model.SerializeToString())
    for prefix, arrays in (("input", inputs.values()), ("output", results)):
        for i, a in enumerate(arrays):
            with open(os.path.join(data, f"{prefix}_{i}.pb"), "wb") as f:
                f.write(numpy_helper.from_array(np.asarray(a)).SerializeToString())


N = helper.make_node


def convolutions():
    x1, x2 = rand(1, 4, 11), rand(1, 4, 9, 7)
    case("conv1d", 11, [N("Conv", ["x", "w", "b"], ["c"], pads=[2, 1], strides=[2], dilations=[2]), N("Relu", ["c"], ["y"])],
         {"x": x1}, {"w": rand(6, 4, 3), "b": rand(6)})
    case("conv1d_batchnorm", 15,
         [N("Conv", ["x", "w"], ["c"], group=2, auto_pad="SAME_LOWER", strides=[3]),
          N("BatchNormalization", ["c", "s", "t", "m", "v"], ["y"], epsilon=1e-3)],
         {"x": x1}, {"w": rand(6, 2, 4), "s": rand(6), "t": rand(6), "m": rand(6), "v": positive(6)})
    case("conv_depthwise_batchnorm", 9,
         [N("Conv", ["x", "w", "b"], ["c"], group=4, pads=[1, 0, 2, 1], strides=[2, 1]),
          N("BatchNormalization", ["c", "s", "t", "m", "v"], ["n"]), N("Clip", ["n"], ["y"], min=0.0, max=6.0)],
         {"x": x2}, {"w": rand(8, 1, 3, 2), "b": rand(8), "s": rand(8), "t": rand(8), "m": rand(8), "v": positive(8)})
    case("conv_add_mul", 13,
         [N("Conv", ["x", "w"], ["c"], auto_pad="VALID", dilations=[2, 1]), N("Add", ["t", "c"], ["a"]), N("Mul", ["a", "s"], ["y"])],
         {"x": x2}, {"w": rand(3, 4, 3, 3), "t": rand(3, 1, 1), "s": rand(1, 3, 1, 1)})
    case("conv_add_position", 13, [N("Conv", ["x", "w"], ["c"]), N("Add", ["c", "t"], ["y"])],
         {"x": x2}, {"w": rand(3, 4, 3, 3), "t": rand(1, 1, 7, 5)})
    case("batchnorm_shared", 13,
         [N("Conv", ["x", "w"], ["c"]), N("Mul", ["c", "s"], ["m"]), N("Add", ["m", "c"], ["y"])],
         {"x": x2}, {"w": rand(3, 4, 1, 1), "s": rand(1, 3, 1, 1)})
    for mode in ("SAME_UPPER", "SAME_LOWER"):
        case(f"pools_{mode.lower()}", 12,
             [N("MaxPool", ["x"], ["a"], kernel_shape=[3, 2], strides=[2, 2], auto_pad=mode),
              N("AveragePool", ["x"], ["b"], kernel_shape=[3, 2], strides=[2, 2], auto_pad=mode),
              N("Concat", ["a", "b"], ["y"], axis=1)], {"x": x2})
    case("pools_1d", 12,
         [N("MaxPool", ["x"], ["a"], kernel_shape=[3], strides=[2], ceil_mode=1),
          N("AveragePool", ["x"], ["b"], kernel_shape=[3], strides=[2], ceil_mode=1, pads=[1, 1]),
          N("GlobalAveragePool", ["a"], ["c"]), N("GlobalMaxPool", ["b"], ["d"]), N("Sub", ["c", "d"], ["y"])], {"x": x1})
    case("averagepool_ceil_countpad", 19,
         [N("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=1, count_include_pad=1)],
         {"x": rand(1, 2, 8, 7)})


def products():
    x = rand(1, 5)
    case("gemm_relu_gemm", 13,
         [N("Gemm", ["x", "w", "b"], ["h"], transB=1, alpha=0.5, beta=2.0), N("Relu", ["h"], ["r"]), N("Gemm", ["r", "v", "c"], ["y"])],
         {"x": x}, {"w": rand(7, 5), "b": rand(7), "v": rand(7, 3), "c": rand(1)}, declared={"x": ("batch", 5)})
    case("gemm_transa_matrix", 11, [N("Gemm", ["x", "w", "c"], ["y"], transA=1)], {"x": rand(5, 3)}, {"w": rand(5, 4), "c": rand(3, 4)})
    case("gemm_constant_left", 13, [N("Gemm", ["w", "x", "c"], ["y"], transB=1, alpha=1.5)], {"x": rand(4, 5)}, {"w": rand(3, 5), "c": rand(3, 1)})
    case("gemm_computed_c", 13, [N("Gemm", ["x", "w", "c"], ["y"], beta=0.25)], {"x": rand(2, 5), "c": rand(4)}, {"w": rand(5, 4)})
    case("matmul_constant_left", 13, [N("MatMul", ["w", "x"], ["m"]), N("Add", ["m", "t"], ["y"])], {"x": rand(2, 5, 3)}, {"w": rand(4, 5), "t": rand(4, 1)})
    case("matmul_vector_left", 13, [N("MatMul", ["w", "x"], ["y"])], {"x": rand(2, 5, 3)}, {"w": rand(5)})
    case("matmul_batches", 13, [N("MatMul", ["x", "w"], ["y"])], {"x": rand(2, 1, 3, 4)}, {"w": rand(5, 4, 2)})
    case("matmul_larger_rank", 13, [N("MatMul", ["x", "w"], ["y"])], {"x": rand(3, 4)}, {"w": rand(1, 1, 4, 2)})
    case("mnist_like", 8,
         [N("Conv", ["x", "w"], ["c"], auto_pad="SAME_UPPER", kernel_shape=[3, 3]), N("Add", ["c", "t"], ["a"]), N("Relu", ["a"], ["r"]),
          N("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2], auto_pad="NOTSET"), N("Reshape", ["p", "s1"], ["f"]),
          N("Reshape", ["v", "s2"], ["u"]), N("MatMul", ["f", "u"], ["z"]), N("Add", ["z", "q"], ["y"])],
         {"x": rand(1, 1, 6, 6)}, {"w": rand(2, 1, 3, 3), "t": rand(2, 1, 1), "v": rand(2, 3, 3, 4), "s1": ints(1, 18), "s2": ints(18, 4), "q": rand(1, 4)})


def elementwise():
    x = rand(2, 3, 4)
    case("broadcast_arithmetic", 13,
         [N("Sub", ["c", "x"], ["a"]), N("Div", ["a", "s"], ["b"]), N("Div", ["s", "p"], ["d"]), N("Mul", ["b", "d"], ["e"]),
          N("Sum", ["e", "x", "c"], ["y"])], {"x": x, "p": positive(3, 1)}, {"c": rand(5, 1, 3, 1), "s": np.float32(1.7).reshape(())})
    case("silu_hardswish_mish", 14,
         [N("Sigmoid", ["x"], ["s"]), N("Mul", ["s", "x"], ["a"]), N("HardSigmoid", ["x"], ["h"], alpha=1 / 6, beta=0.5), N("Mul", ["x", "h"], ["b"]),
          N("Softplus", ["x"], ["p"]), N("Tanh", ["p"], ["t"]), N("Mul", ["x", "t"], ["c"]), N("Sum", ["a", "b", "c"], ["y"])], {"x": x})
    gelu = [N("Div", ["x", "r"], ["d"]), N("Erf", ["d"], ["e"]), N("Add", ["e", "one"], ["a"])]
    numbers = {"r": np.float32(np.sqrt(2)).reshape(()), "one": np.float32(1).reshape(()), "half": np.float32(0.5).reshape(())}
    case("gelu_pattern", 13, gelu + [N("Mul", ["x", "a"], ["m"]), N("Mul", ["m", "half"], ["y"])], {"x": x}, numbers)
    case("gelu_pattern_half_first", 13, gelu + [N("Mul", ["x", "half"], ["m"]), N("Mul", ["m", "a"], ["y"])], {"x": x}, numbers)
    case("prelu_channels", 9, [N("PRelu", ["x", "s"], ["y"])], {"x": x}, {"s": rand(3, 1)})
    case("extrema_pow", 13,
         [N("Max", ["x", "lo"], ["a"]), N("Min", ["hi", "a"], ["b"]), N("Pow", ["b", "two"], ["c"]), N("Pow", ["c", "half"], ["y"])],
         {"x": x}, {"lo": np.float32(-0.5).reshape(()), "hi": np.float32(0.8).reshape(()), "two": np.float32(2).reshape(()), "half": np.float32(0.5).reshape(())})
    case("functions", 13,
         [N("Exp", ["x"], ["a"]), N("Log", ["p"], ["b"]), N("Sqrt", ["p"], ["c"]), N("Reciprocal", ["p"], ["d"]), N("Abs", ["x"], ["e"]), N("Neg", ["x"], ["f"]),
          N("Elu", ["x"], ["g"], alpha=0.7), N("LeakyRelu", ["x"], ["h"], alpha=0.2), N("Sum", ["a", "b", "c", "d", "e", "f", "g", "h"], ["y"])],
         {"x": x, "p": positive(2, 3, 4)})
    case("double_precision", 13, [N("Cast", ["x"], ["d"], to=TensorProto.DOUBLE), N("Mul", ["d", "s"], ["m"]), N("Cast", ["m"], ["y"], to=TensorProto.FLOAT)],
         {"x": x}, {"s": rand(4, dtype=np.float64)})
    case("half_parameters", 13, [N("Cast", ["s"], ["f"], to=TensorProto.FLOAT), N("Add", ["x", "f"], ["y"])], {"x": x}, {"s": rand(4, dtype=np.float16)})
    case("uint8_image", 13, [N("Cast", ["x"], ["f"], to=TensorProto.FLOAT), N("Mul", ["f", "s"], ["y"])],
         {"x": RNG.integers(0, 256, (1, 3, 2, 2), dtype=np.uint8)}, {"s": np.float32(1 / 255).reshape(())})


def shapes():
    x = rand(1, 3, 4, 5)
    case("flatten_by_shape", 13,
         [N("Shape", ["x"], ["s"]), N("Gather", ["s", "zero"], ["n"], axis=0), N("Unsqueeze", ["n", "axis"], ["u"]), N("Concat", ["u", "minus"], ["t"], axis=0),
          N("Reshape", ["x", "t"], ["f"]), N("MatMul", ["f", "w"], ["y"])],
         {"x": x}, {"zero": np.array(0, dtype=np.int64), "axis": ints(0), "minus": ints(-1), "w": rand(60, 2)}, declared={"x": ("N", 3, 4, 5)})
    case("shape_arithmetic", 11,
         [N("Shape", ["x"], ["s"]), N("Slice", ["s", "one", "far"], ["t"]), N("Cast", ["t"], ["f"], to=TensorProto.FLOAT), N("Mul", ["f", "half"], ["h"]),
          N("Floor", ["h"], ["g"]), N("Cast", ["g"], ["i"], to=TensorProto.INT64), N("Slice", ["x", "zeros", "i", "axes"], ["y"])],
         {"x": x}, {"one": ints(1), "far": ints(2**62), "half": np.array([0.5], dtype=np.float32), "zeros": ints(0, 0, 0), "axes": ints(1, 2, 3)})
    case("expand_by_constants", 13,
         [N("ConstantOfShape", ["three"], ["ones"], value=numpy_helper.from_array(ints(1))), N("Mul", ["ones", "minus"], ["m"]), N("Equal", ["target", "m"], ["e"]),
          N("Where", ["e", "ones", "target"], ["w"]), N("Expand", ["x", "w"], ["y"])],
         {"x": rand(3, 1)}, {"three": ints(3), "minus": ints(-1), "target": ints(2, -1, 4)})
    case("range_gather", 11,
         [N("Range", ["a", "b", "c"], ["r"]), N("Gather", ["x", "r"], ["g"], axis=3), N("ReduceProd", ["dims"], ["p"], keepdims=1), N("Reshape", ["g", "p"], ["y"])],
         {"x": x}, {"a": np.array(4, dtype=np.int64), "b": np.array(-1, dtype=np.int64), "c": np.array(-2, dtype=np.int64), "dims": ints(3, 4, 3)})
    case("concat_constants", 13, [N("Concat", ["c", "x", "d", "x", "e"], ["y"], axis=1)],
         {"x": rand(2, 3)}, {"c": rand(2, 1), "d": rand(2, 2), "e": rand(2, 2)})
    case("opset7", 7,
         [N("Squeeze", ["x"], ["q"], axes=[0]), N("Unsqueeze", ["q"], ["u"], axes=[0, 2]), N("Slice", ["u"], ["s"], axes=[1, 3], starts=[0, -3], ends=[2, 9]),
          N("Pad", ["s"], ["p"], mode="constant", pads=[0, 0, 0, 1, -1, 0, 1, 0, 2, -2], value=0.5), N("ReduceMean", ["p"], ["m"], axes=[1, 4], keepdims=0),
          N("Split", ["m"], ["a", "b"], axis=2, split=[2, 4]), N("ReduceSum", ["b"], ["c"], axes=[2]), N("Add", ["a", "c"], ["k"]),
          N("Softmax", ["k"], ["t"], axis=1), N("Dropout", ["t"], ["y"])], {"x": x})
    case("softmax_flattened", 11, [N("Softmax", ["x"], ["y"])], {"x": rand(2, 3, 4)})
    case("argmax_squeezed", 13, [N("ArgMax", ["x"], ["a"], axis=1), N("Squeeze", ["a", "one"], ["s"]), N("Cast", ["s"], ["y"], to=TensorProto.INT32)],
         {"x": rand(2, 7)}, {"one": ints(1)})
    case("two_outputs", 18,
         [N("Split", ["x"], ["a", "b"], axis=3, num_outputs=2), N("ReduceMean", ["a", "axes"], ["y"]), N("ReduceSum", ["b", "axes"], ["z"], keepdims=0)],
         {"x": x}, {"axes": ints(-1, 1)}, outputs=("y", "z"))
    case("identity", 13, [N("Identity", ["x"], ["y"])], {"x": x})
    case("pad_axes_reflect", 18, [N("Pad", ["x", "p", "", "a"], ["y"], mode="reflect")], {"x": x}, {"p": ints(1, 2, 0, 3), "a": ints(2, 3)})
    case("transpose_reshape_dense", 13,
         [N("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), N("MatMul", ["t", "w"], ["m"]), N("Transpose", ["m"], ["u"], perm=[0, 3, 1, 2]), N("Add", ["u", "b"], ["y"])],
         {"x": x}, {"w": rand(3, 6), "b": rand(6, 1, 1)})


def constants():
    x = rand(2, 3, 4)
    add = np.array([7, -7, 5, -3], dtype=np.int64)
    # Every result is a number of elements or a selection, so that a wrong one changes the output.
    case("integer_constants", 14,
         [N("Mod", ["n", "d"], ["m"]), N("Div", ["n", "d"], ["q"]), N("Mul", ["q", "d"], ["qd"]), N("Sub", ["n", "qd"], ["r"]), N("Neg", ["r"], ["g"]),
          N("Abs", ["g"], ["h"]), N("Max", ["m", "h", "q"], ["hi"]), N("Min", ["m", "g"], ["lo"]), N("Add", ["hi", "lo"], ["t"]),
          N("Concat", ["t", "m", "q"], ["all"], axis=0), N("Cast", ["all"], ["f"], to=TensorProto.FLOAT), N("MatMul", ["x", "w"], ["p"]), N("Add", ["p", "f"], ["y"])],
         {"x": x}, {"n": add, "d": np.array([3, 3, -3, -2], dtype=np.int64), "w": rand(4, 12)})
    compare = []
    for op in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"):
        compare += [N(op, ["a", "b"], [op]), N("Not", [op], [f"not{op}"]), N("Where", [f"not{op}", "u", "v"], [f"w{op}"])]
    case("comparisons_of_constants", 16,
         compare + [N("Sum", ["x", "wEqual", "wLess", "wGreater", "wLessOrEqual", "wGreaterOrEqual"], ["y"])],
         {"x": rand(3)}, {"a": np.float32([1, 2, 3]), "b": np.float32([2, 2, 2]), "u": rand(3), "v": rand(3)})
    case("constant_nodes", 13,
         [N("Constant", [], ["a"], value_float=1.5), N("Constant", [], ["b"], value_floats=[0.5, -1.0, 2.0, 4.0]), N("Constant", [], ["c"], value_int=2),
          N("Constant", [], ["d"], value_ints=[3, -1]), N("Constant", [], ["e"], value=numpy_helper.from_array(rand(4))), N("Size", ["x"], ["n"]),
          N("Div", ["n", "c"], ["half"]), N("Cast", ["half"], ["h"], to=TensorProto.FLOAT), N("Ceil", ["b"], ["up"]), N("Cast", ["b"], ["cut"], to=TensorProto.INT32),
          N("Cast", ["cut"], ["low"], to=TensorProto.FLOAT), N("Mul", ["x", "a"], ["p"]), N("Sum", ["p", "b", "e", "h", "up", "low"], ["q"]), N("Reshape", ["q", "d"], ["y"])],
         {"x": x})
    case("mish_dropout", 18, [N("Dropout", ["x", "ratio", "training"], ["d"]), N("Mish", ["d"], ["y"])],
         {"x": x}, {"ratio": np.float32(0.4).reshape(()), "training": np.array(False)})


convolutions()
products()
elementwise()
shapes()
constants()
