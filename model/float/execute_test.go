package float

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// randomWindow fits an image of h rows and w columns.
func randomWindow(rng *rand.Rand, h, w int) Window {
	for {
		var win Window
		for a := range 2 {
			win.Kernel[a], win.Stride[a], win.Dilation[a] = 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(2)
			win.PadBefore[a], win.PadAfter[a] = rng.IntN(win.Kernel[a]), rng.IntN(win.Kernel[a])
		}
		if _, err := win.inferPool([]int{1, 1, h, w}); err == nil {
			return win
		}
	}
}

// at is element (c, y, x) of an image, and whether it is on it.
func at(image []float32, shape []int, c, y, x int) (float64, bool) {
	if y < 0 || x < 0 || y >= shape[2] || x >= shape[3] {
		return 0, false
	}
	return float64(image[(c*shape[2]+y)*shape[3]+x]), true
}

// TestWindows compares convolution and pooling with their definitions, element by element.
func TestWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		groups, per, outPer := 1+rng.IntN(3), 1+rng.IntN(2), 1+rng.IntN(2)
		in := []int{1, groups * per, 2 + rng.IntN(5), 2 + rng.IntN(5)}
		w := randomWindow(rng, in[2], in[3])
		x := random(rng, volume(in))
		weights := Tensor{Shape: []int{groups * outPer, per, w.Kernel[0], w.Kernel[1]}}
		weights.Const = random(rng, weights.Len())
		bias := Tensor{Shape: []int{groups * outPer}, Const: random(rng, groups*outPer)}
		image := Tensor{Shape: in, Const: x}
		oh, ow := w.OutSize(in[2], in[3])
		conv := mustEval(t, Conv{Window: w, Groups: groups}, []int{1, groups * outPer, oh, ow}, image, weights, bias)
		pooled := []int{1, in[1], oh, ow}
		greatest := mustEval(t, MaxPool{w}, pooled, image)
		valid := mustEval(t, AvgPool{w, false}, pooled, image)
		padded := mustEval(t, AvgPool{w, true}, pooled, image)
		for oy := range oh {
			for ox := range ow {
				top, left := oy*w.Stride[0]-w.PadBefore[0], ox*w.Stride[1]-w.PadBefore[1]
				for o := range groups * outPer {
					want := float64(bias.Const[o])
					for i := range volume(weights.Shape[1:]) {
						c, ky, kx := i/(w.Kernel[0]*w.Kernel[1]), i/w.Kernel[1]%w.Kernel[0], i%w.Kernel[1]
						v, _ := at(x, in, o/outPer*per+c, top+ky*w.Dilation[0], left+kx*w.Dilation[1])
						want += v * float64(weights.Const[o*volume(weights.Shape[1:])+i])
					}
					near32(t, "conv", conv[(o*oh+oy)*ow+ox], want)
				}
				for c := range in[1] {
					most, sum, taps := math.Inf(-1), 0.0, 0
					for k := range w.Kernel[0] * w.Kernel[1] {
						v, ok := at(x, in, c, top+k/w.Kernel[1]*w.Dilation[0], left+k%w.Kernel[1]*w.Dilation[1])
						if ok {
							most, sum, taps = max(most, v), sum+v, taps+1
						}
					}
					i := (c*oh+oy)*ow + ox
					near32(t, "maxpool", greatest[i], most)
					near32(t, "avgpool", valid[i], sum/float64(taps))
					near32(t, "avgpool with padding", padded[i], sum/float64(w.Kernel[0]*w.Kernel[1]))
				}
			}
		}
	}
}

func mustEval(t *testing.T, op Op, out []int, in ...Tensor) []float32 {
	t.Helper()
	y, err := Eval(op, in, out)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func near32(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-6*max(1, math.Abs(want))) {
		t.Fatalf("%s: %v, expected %v", what, got, want)
	}
}

func TestUnary(t *testing.T) {
	cases := []struct {
		op      Unary
		x, want float64
	}{
		{Unary{Func: "relu"}, -2, 0},
		{Unary{Func: "relu"}, 2, 2},
		{Unary{Func: "clip", Alpha: 0, Beta: 6}, 7, 6},
		{Unary{Func: "clip", Alpha: -1, Beta: math.Inf(1)}, -7, -1},
		{Unary{Func: "clip", Alpha: 5, Beta: 3}, 4, 3},
		{Unary{Func: "leakyrelu", Alpha: 0.1}, -2, -0.2},
		{Unary{Func: "leakyrelu", Alpha: 3}, 2, 2},
		{Unary{Func: "elu", Alpha: 2}, -1, 2 * (math.Exp(-1) - 1)},
		{Unary{Func: "hardsigmoid", Alpha: 0.2, Beta: 0.5}, 1, 0.7},
		{Unary{Func: "hardswish"}, 1, 4.0 / 6},
		{Unary{Func: "hardswish"}, -4, 0},
		{Unary{Func: "sigmoid"}, 0, 0.5},
		{Unary{Func: "sigmoid"}, -1000, 0},
		{Unary{Func: "tanh"}, 1000, 1},
		{Unary{Func: "silu"}, 1, 1 / (1 + math.Exp(-1))},
		{Unary{Func: "gelu"}, 1, 0.8413447460685429},
		{Unary{Func: "gelu"}, -20, 0},
		{Unary{Func: "gelu_tanh"}, 1, 0.8411919906082768},
		{Unary{Func: "softplus"}, 0, math.Ln2},
		{Unary{Func: "softplus"}, 1000, 1000},
		{Unary{Func: "exp"}, 1, math.E},
		{Unary{Func: "sqrt"}, 9, 3},
		{Unary{Func: "reciprocal"}, 4, 0.25},
		{Unary{Func: "erf"}, 0.5, 0.5204998778130465},
		{Unary{Func: "abs"}, -3, 3},
		{Unary{Func: "neg"}, -3, 3},
		{Unary{Func: "log"}, math.E, 1},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.op.Func] = true
		y := mustEval(t, c.op, []int{1}, Tensor{Shape: []int{1}, Const: []float32{float32(c.x)}})
		near32(t, c.op.Func, y[0], c.want)
	}
	for name := range unaries {
		if !seen[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

// TestInferShapeRefuses has one entry for each way an op cannot be applied.
func TestInferShapeRefuses(t *testing.T) {
	image, unit := []int{1, 4, 5, 5}, Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	large, far, sparse := unit, unit, unit
	large.Kernel = [2]int{7, 1}
	far.PadAfter = [2]int{3, 0}
	sparse.Stride = [2]int{0, 1}
	s := func(shapes ...[]int) [][]int { return shapes }
	cases := []struct {
		name     string
		op       Op
		in       [][]int
		declared []int
		want     error
	}{
		{"no input", Dense{}, nil, nil, ErrShape},
		{"batch", MaxPool{unit}, s([]int{2, 4, 5, 5}), nil, ErrShape},
		{"large kernel", MaxPool{large}, s(image), nil, ErrShape},
		{"window on padding", AvgPool{far, true}, s(image), nil, ErrAttribute},
		{"stride 0", MaxPool{sparse}, s(image), nil, ErrAttribute},
		{"conv kernel", Conv{unit, 1}, s(image, []int{2, 4, 3, 3}), nil, ErrShape},
		{"conv channels", Conv{unit, 1}, s(image, []int{2, 3, 1, 1}), nil, ErrShape},
		{"conv groups", Conv{unit, 3}, s(image, []int{3, 1, 1, 1}), nil, ErrShape},
		{"conv no groups", Conv{unit, 0}, s(image, []int{3, 1, 1, 1}), nil, ErrShape},
		{"conv bias", Conv{unit, 1}, s(image, []int{2, 4, 1, 1}, []int{4}), nil, ErrShape},
		{"dense", Dense{}, s([]int{2, 3}, []int{2, 3}), nil, ErrShape},
		{"dense bias", Dense{}, s([]int{2, 3}, []int{3, 2}, []int{3}), nil, ErrShape},
		{"affine enlarges", Affine{}, s([]int{3}, []int{2, 3}, []int{1}), nil, ErrShape},
		{"broadcast", Binary{"add"}, s([]int{3}, []int{2}), nil, ErrShape},
		{"binary", Binary{"pow"}, s([]int{3}, []int{3}), nil, ErrAttribute},
		{"unary", Unary{Func: "sin"}, s([]int{3}), nil, ErrAttribute},
		{"mean of nothing", Mean{}, s([]int{3}), []int{3}, ErrAttribute},
		{"mean axes", Mean{Axes: []int{1, 0}}, s([]int{3, 2}), []int{}, ErrAttribute},
		{"mean output", Mean{Axes: []int{0}}, s([]int{3, 2}), []int{3}, ErrShape},
		{"softmax", Softmax{Axis: 1}, s([]int{3}), nil, ErrAttribute},
		{"argmax", ArgMax{Axis: -1}, s([]int{3}), []int{}, ErrAttribute},
		{"reshape", Reshape{}, s([]int{3}), []int{4}, ErrShape},
		{"reshape to nothing", Reshape{}, s([]int{3}), []int{3, 0}, ErrShape},
		{"reshape overflow", Reshape{}, s([]int{3}), []int{1 << 40, 1 << 40}, ErrLimit},
		{"transpose", Transpose{Perm: []int{0, 0}}, s([]int{3, 2}), nil, ErrAttribute},
		{"concat", Concat{Axis: 0}, s([]int{3, 2}, []int{3, 3}), nil, ErrShape},
		{"slice end", Slice{Start: []int{1}, Step: []int{1}}, s([]int{3}), []int{3}, ErrAttribute},
		{"slice start", Slice{Start: []int{0}, Step: []int{-1}}, s([]int{3}), []int{2}, ErrAttribute},
		{"slice step 0", Slice{Start: []int{0}, Step: []int{0}}, s([]int{3}), []int{2}, ErrAttribute},
		{"slice of nothing", Slice{Start: []int{0}, Step: []int{1}}, s([]int{3}), []int{0}, ErrShape},
		{"gather", Gather{Axis: 0, Indices: []int{3}}, s([]int{3}), nil, ErrAttribute},
		{"gather nothing", Gather{Axis: 0}, s([]int{3}), nil, ErrShape},
		{"pad mode", Pad{[]int{1}, []int{1}, "mirror", 0}, s([]int{3}), nil, ErrAttribute},
		{"pad negative", Pad{[]int{-1}, []int{1}, "edge", 0}, s([]int{3}), nil, ErrAttribute},
		{"pad reflects twice", Pad{[]int{3}, []int{0}, "reflect", 0}, s([]int{3}), nil, ErrAttribute},
		{"pad wraps twice", Pad{[]int{0}, []int{4}, "wrap", 0}, s([]int{3}), nil, ErrAttribute},
		{"pad too large", Pad{[]int{MaxElements}, []int{0}, "edge", 0}, s([]int{3}), nil, ErrLimit},
		{"rank", Unary{Func: "relu"}, s(slices.Repeat([]int{1}, 9)), nil, ErrLimit},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if out, err := InferShape(c.op, c.in, c.declared); !errors.Is(err, c.want) {
				t.Errorf("%v, %v; expected %v", out, err, c.want)
			}
		})
	}
}

// twoLayers is relu(x·w + b), x of shape [1, 2].
func twoLayers() *Graph {
	return &Graph{
		Inputs: []int{0}, Outputs: []int{4},
		Tensors: []Tensor{
			{Name: "x", Shape: []int{1, 2}},
			{Name: "w", Shape: []int{2, 2}, Const: []float32{1, 2, 3, 4}},
			{Name: "b", Shape: []int{2}, Const: []float32{-5, 1}},
			{Name: "h", Shape: []int{1, 2}},
			{Name: "y", Shape: []int{1, 2}},
		},
		Nodes: []Node{
			{Name: "dense", Op: Dense{}, In: []int{0, 1, 2}, Out: 3},
			{Name: "relu", Op: Unary{Func: "relu"}, In: []int{3}, Out: 4},
		},
	}
}

func TestExecute(t *testing.T) {
	g := twoLayers()
	values, err := g.Execute([][]float32{{1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values[3], []float32{-1, 7}) || !slices.Equal(values[4], []float32{0, 7}) {
		t.Errorf("values %v", values)
	}
	for _, inputs := range [][][]float32{nil, {{1}}, {{1, 2}, {1, 2}}} {
		if _, err := g.Run(inputs); !errors.Is(err, ErrInput) {
			t.Errorf("inputs %v: %v, expected ErrInput", inputs, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	cases := []struct {
		name   string
		damage func(g *Graph)
		want   error
	}{
		{"order", func(g *Graph) { slices.Reverse(g.Nodes) }, ErrGraph},
		{"made twice", func(g *Graph) { g.Nodes[1].Out = 3 }, ErrGraph},
		{"input made", func(g *Graph) { g.Nodes[1].Out = 0 }, ErrGraph},
		{"input constant", func(g *Graph) { g.Inputs[0] = 1 }, ErrGraph},
		{"operand out of range", func(g *Graph) { g.Nodes[1].In[0] = 5 }, ErrGraph},
		{"output out of range", func(g *Graph) { g.Outputs[0] = -1 }, ErrGraph},
		{"no outputs", func(g *Graph) { g.Outputs = nil }, ErrGraph},
		{"no op", func(g *Graph) { g.Nodes[0].Op = nil }, ErrGraph},
		{"constant data", func(g *Graph) { g.Nodes[1].In[0] = 2 }, ErrGraph},
		{"computed weights", func(g *Graph) { g.Nodes[0].In[1] = 0 }, ErrGraph},
		{"declared shape", func(g *Graph) { g.Tensors[4].Shape = []int{2} }, ErrShape},
		{"input of no elements", func(g *Graph) { g.Tensors[0].Shape = []int{0, 2} }, ErrShape},
		{"constant's shape", func(g *Graph) { g.Tensors[1].Shape = []int{2, 3} }, ErrGraph},
		{"constant's overflow", func(g *Graph) { g.Tensors[1].Shape = []int{4, 1 << 62, 4} }, ErrGraph},
		{"not a number", func(g *Graph) { g.Tensors[2].Const[0] = float32(math.NaN()) }, ErrGraph},
		{"infinite", func(g *Graph) { g.Tensors[1].Const[3] = float32(math.Inf(-1)) }, ErrGraph},
	}
	if err := twoLayers().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := twoLayers()
			c.damage(g)
			if err := g.Validate(); !errors.Is(err, c.want) {
				t.Errorf("%v, expected %v", err, c.want)
			}
		})
	}
}
