package onnx

// lowerings lists the supported operators of the standard domain.
func lowerings() map[string]lowering {
	return map[string]lowering{
		// Convolutions and products with parameters.
		"Conv":               lowerConv,
		"Gemm":               lowerGemm,
		"MatMul":             lowerMatMul,
		"BatchNormalization": lowerBatchNormalization,

		// Functions of one value.
		"Relu":        unary("relu"),
		"Sigmoid":     unary("sigmoid"),
		"Tanh":        unary("tanh"),
		"HardSwish":   unary("hardswish"),
		"Softplus":    unary("softplus"),
		"Exp":         unary("exp"),
		"Sqrt":        unary("sqrt"),
		"Reciprocal":  unary("reciprocal"),
		"Erf":         unary("erf"),
		"Abs":         unary("abs"),
		"Neg":         unary("neg"),
		"Log":         unary("log"),
		"LeakyRelu":   lowerLeakyRelu,
		"Elu":         lowerElu,
		"HardSigmoid": lowerHardSigmoid,
		"Gelu":        lowerGelu,
		"Swish":       lowerSwish,
		"Mish":        lowerMish,
		"PRelu":       lowerPRelu,
		"Clip":        lowerClip,
		"Pow":         lowerPow,

		// Arithmetic with broadcasting.
		"Add": arithmetic("add"),
		"Sub": arithmetic("sub"),
		"Mul": arithmetic("mul"),
		"Div": arithmetic("div"),
		"Sum": lowerSum,
		"Max": extremum(true),
		"Min": extremum(false),

		// Windows and reductions.
		"MaxPool":           lowerMaxPool,
		"AveragePool":       lowerAveragePool,
		"GlobalAveragePool": lowerGlobalAveragePool,
		"GlobalMaxPool":     lowerGlobalMaxPool,
		"ReduceMean":        reduction(false, 18),
		"ReduceSum":         reduction(true, 13),
		"Softmax":           lowerSoftmax,
		"ArgMax":            lowerArgMax,

		// Rearrangements.
		"Reshape":   lowerReshape,
		"Flatten":   lowerFlatten,
		"Squeeze":   lowerSqueeze,
		"Unsqueeze": lowerUnsqueeze,
		"Transpose": lowerTranspose,
		"Concat":    lowerConcat,
		"Slice":     lowerSlice,
		"Split":     lowerSplit,
		"Pad":       lowerPad,
		"Gather":    lowerGather,
		"Expand":    lowerExpand,

		// What leaves values as they are, and what is known at import.
		"Identity":        lowerIdentity,
		"Dropout":         lowerDropout,
		"Cast":            lowerCast,
		"Constant":        lowerConstant,
		"ConstantOfShape": lowerConstantOfShape,
		"Shape":           lowerShape,
		"Size":            lowerSize,
		"Range":           lowerRange,
		"Where":           lowerWhere,
		"Floor":           lowerFloor,
		"Ceil":            lowerCeil,
		"Mod":             integersOnly("mod"),
		"Equal":           compare("equal"),
		"Less":            compare("less"),
		"LessOrEqual":     compare("less or equal"),
		"Greater":         compare("greater"),
		"GreaterOrEqual":  compare("greater or equal"),
		"Not":             lowerNot,
		"ReduceProd":      lowerReduceProd,
	}
}
