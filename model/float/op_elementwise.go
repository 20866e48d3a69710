package float

import (
	"fmt"
	"math"
)

// binaries are the functions of Binary.
var binaries = map[string]func(a, b float64) float64{
	"add": func(a, b float64) float64 { return a + b },
	"sub": func(a, b float64) float64 { return a - b },
	"mul": func(a, b float64) float64 { return a * b },
	"div": func(a, b float64) float64 { return a / b },
}

func (b Binary) eval(in []array, out []int) []float32 {
	f := binaries[b.Func]
	left, right := in[0].broadcast(out), in[1].broadcast(out)
	y := make([]float32, len(left))
	for i, v := range left {
		y[i] = float32(f(float64(v), float64(right[i])))
	}
	return y
}

// Function is the real function that the op applies to every element, for executing or tabulating
// it; [ErrAttribute] for an unknown one.
func (u Unary) Function() (func(x float64) float64, error) {
	switch u.Func {
	case "clip":
		return func(x float64) float64 { return math.Min(math.Max(x, u.Alpha), u.Beta) }, nil
	case "leakyrelu":
		return func(x float64) float64 { return math.Max(x, 0) + u.Alpha*math.Min(x, 0) }, nil
	case "elu":
		return func(x float64) float64 { return math.Max(x, 0) + u.Alpha*math.Expm1(math.Min(x, 0)) }, nil
	case "hardsigmoid":
		return func(x float64) float64 { return hardSigmoid(u.Alpha*x + u.Beta) }, nil
	}
	if f, ok := unaries[u.Func]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("%w: unknown function %q", ErrAttribute, u.Func)
}

// unaries are the functions of Unary without parameters.
var unaries = map[string]func(x float64) float64{
	"relu":       func(x float64) float64 { return math.Max(x, 0) },
	"sigmoid":    sigmoid,
	"tanh":       math.Tanh,
	"hardswish":  func(x float64) float64 { return x * hardSigmoid(x/6+0.5) },
	"silu":       func(x float64) float64 { return x * sigmoid(x) },
	"gelu":       func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) },
	"gelu_tanh":  geluTanh,
	"softplus":   func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
	"exp":        math.Exp,
	"sqrt":       math.Sqrt,
	"reciprocal": func(x float64) float64 { return 1 / x },
	"erf":        math.Erf,
	"abs":        math.Abs,
	"neg":        func(x float64) float64 { return -x },
	"log":        math.Log,
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func hardSigmoid(x float64) float64 { return math.Min(math.Max(x, 0), 1) }

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func (u Unary) eval(in []array, _ []int) []float32 {
	y := make([]float32, len(in[0].data))
	if u.Func == "relu" { // the common one, without a call an element
		for i, v := range in[0].data {
			y[i] = max(v, 0)
		}
		return y
	}
	f, _ := u.Function() // InferShape has checked it
	for i, v := range in[0].data {
		y[i] = float32(f(float64(v)))
	}
	return y
}
