package quantize

import (
	"context"
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// checker follows one sample through both graphs and bounds the error of every integer tensor from
// first principles: what rounding of inputs, parameters and quotients, steps of tables and saturation
// can do, never what happened to be observed.
type checker struct {
	e      *emitter
	ints   [][]int64   // by integer tensor
	values [][]float32 // by float tensor of the emitter's graph
	bound  [][]float64 // by float tensor
}

// rounding is what float32 does to the reference, relative to the sum of magnitudes.
const rounding = 1e-6

// check runs a sample and errs where an element of any tensor differs by more than its bound. It
// returns the outputs' bounds.
func check(e *emitter, sample [][]float32) ([][]float64, error) {
	values, err := e.g.Execute(sample)
	if err != nil {
		return nil, err
	}
	trace, err := e.result.Execute(context.Background(), Inputs(e.result, sample))
	if err != nil {
		return nil, err
	}
	c := checker{e: e, ints: trace.Values, values: values, bound: make([][]float64, len(e.g.Tensors))}
	for _, id := range e.g.Inputs {
		c.bound[id] = make([]float64, len(values[id]))
		for i, x := range values[id] {
			c.bound[id][i] = math.Abs(float64(x) - c.real(id, i))
		}
	}
	for i, n := range e.g.Nodes {
		if e.merged[i] {
			continue
		}
		out := e.out[i]
		if c.bound[out], err = c.node(i, n); err != nil {
			return nil, fmt.Errorf("node %q: %w", n.Name, err)
		}
		for k, b := range c.bound[out] {
			if d := math.Abs(float64(values[out][k]) - c.real(out, k)); !(d <= b) {
				return nil, fmt.Errorf("node %q (%s), element %d: %v, expected %v within %v", n.Name, n.Op.Kind(), k, c.real(out, k), values[out][k], b)
			}
		}
	}
	var bounds [][]float64
	for _, id := range e.g.Outputs {
		bounds = append(bounds, c.bound[id])
	}
	return bounds, nil
}

func (c *checker) tensor(id int) model.Tensor { return c.e.result.Tensors[c.e.ids[id]] }

func (c *checker) real(id, k int) float64 { return c.tensor(id).Real(c.ints[c.e.ids[id]][k]) }

// apply computes op on other elements than the graph's.
func (c *checker) apply(op float.Op, n float.Node, operands ...[]float64) ([]float64, error) {
	in := make([]float.Tensor, len(operands))
	for k, v := range operands {
		in[k] = float.Tensor{Shape: c.e.g.Tensors[n.In[k]].Shape, Const: make([]float32, len(v))}
		for i, x := range v {
			in[k].Const[i] = math.Nextafter32(float32(x), float32(math.Inf(1)))
			if x == 0 {
				in[k].Const[i] = 0
			}
		}
	}
	y, err := float.Eval(op, in, c.e.g.Tensors[n.Out].Shape)
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = float64(v) * (1 + rounding)
	}
	return out, err
}

func (c *checker) magnitudes(id int) []float64 {
	out := make([]float64, len(c.values[id]))
	for i, v := range c.values[id] {
		out[i] = math.Abs(float64(v))
	}
	return out
}

// integers are the magnitudes of a tensor's integers.
func (c *checker) integers(id int) []float64 {
	out := make([]float64, len(c.values[id]))
	for i := range out {
		out[i] = math.Abs(float64(c.ints[c.e.ids[id]][i]))
	}
	return out
}

func constant(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func (c *checker) node(i int, n float.Node) ([]float64, error) {
	switch op := n.Op.(type) {
	case float.Unary:
		id := n.In[0]
		q := step{f: op, in: c.tensor(id).Scale, out: c.tensor(n.Out)}
		return q.bounds(c.values[id], c.bound[id])
	case float.Softmax:
		return c.softmax(n, op)
	case float.ArgMax:
		return c.argMax(n, op)
	case float.Pad:
		g := c.e.scales.of(n.Out)
		op.Value = math.Abs(op.Value-g.scale*float64(quantizeTo(op.Value, g))) + rounding*math.Abs(op.Value)
		return c.apply(op, n, c.bound[n.In[0]])
	}
	if linear(n.Op) {
		return c.linear(i, n)
	}
	operands := make([][]float64, len(n.In))
	for k, id := range n.In {
		operands[k] = c.bound[id]
	}
	return c.apply(n.Op, n, operands...)
}

// linear bounds a quotient's error, then that of what the table makes of it.
func (c *checker) linear(i int, n float.Node) ([]float64, error) {
	carried, magnitude, places, err := c.terms(n)
	if err != nil {
		return nil, err
	}
	var r *model.Rescale
	for _, m := range c.e.result.Nodes {
		if m.Out == c.e.ids[c.e.out[i]] {
			r = m.Op.(model.Rescaled).Requantization()
		}
	}
	q, err := c.e.quotients(i)
	if err != nil {
		return nil, err
	}
	bound := make([]float64, len(carried))
	for k := range bound {
		// Every parameter is off by half a last place, the bias (of one) included; then the quotient by half.
		bound[k] = carried[k] + rounding*magnitude[k] + q.scale*(0.5+0.5*(places[k]+1)*math.Exp2(-float64(r.Shift)))
	}
	s := step{in: q.scale, out: c.tensor(c.e.out[i]), least: r.Table.Min, greatest: r.Table.Max()}
	if u := c.e.fused[i]; u != nil {
		s.f, s.fused = *u, true
	}
	return s.bounds(c.values[n.Out], bound)
}

// terms are, by element: the operands' errors carried through the layer, the sum of magnitudes of its
// terms, and how many units of its parameters' last place it sums, if all were off by one.
func (c *checker) terms(n float.Node) (carried, magnitude, places []float64, err error) {
	x := n.In[0]
	all := func(op float.Op, rest ...[]float64) {
		three := []*[]float64{&carried, &magnitude, &places}
		for k, first := range [][]float64{c.bound[x], c.magnitudes(x), c.integers(x)} {
			if err == nil {
				*three[k], err = c.apply(op, n, append([][]float64{first}, rest...)...)
			}
		}
	}
	ones := func() error {
		w := constant(c.e.g.Tensors[n.In[1]].Len(), 1)
		operands := [][]float64{c.integers(x), w}
		if _, ok := n.Op.(float.Affine); ok {
			operands = append(operands, constant(c.e.g.Tensors[n.In[2]].Len(), 0))
		}
		places, err = c.apply(n.Op, n, operands...)
		return err
	}
	switch op := n.Op.(type) {
	case float.Conv, float.Dense:
		if all(op, c.magnitudes(n.In[1])); err == nil {
			err = ones()
		}
		if err == nil && len(n.In) == 3 {
			magnitude, err = c.apply(op, n, c.magnitudes(x), c.magnitudes(n.In[1]), c.magnitudes(n.In[2]))
		}
	case float.Affine:
		zero := constant(c.e.g.Tensors[n.In[2]].Len(), 0)
		if all(op, c.magnitudes(n.In[1]), zero); err == nil {
			err = ones()
		}
		if err == nil {
			magnitude, err = c.apply(op, n, c.magnitudes(x), c.magnitudes(n.In[1]), c.magnitudes(n.In[2]))
		}
	case float.AvgPool:
		all(op)
		scale(places, float64(op.Kernel[0]*op.Kernel[1]))
	case float.Mean:
		all(op)
		scale(places, float64(averaged(c.e.g.Tensors[x].Shape, op.Axes)))
	case float.Binary:
		return c.binaryTerms(n, op)
	}
	return carried, magnitude, places, err
}

func scale(v []float64, by float64) {
	for i := range v {
		v[i] *= by
	}
}

func (c *checker) binaryTerms(n float.Node, op float.Binary) (carried, magnitude, places []float64, err error) {
	x, y := n.In[0], n.In[1]
	sum, product := float.Binary{Func: "add"}, float.Binary{Func: "mul"}
	if op.Func != "mul" {
		if carried, err = c.apply(sum, n, c.bound[x], c.bound[y]); err != nil {
			return nil, nil, nil, err
		}
		if magnitude, err = c.apply(sum, n, c.magnitudes(x), c.magnitudes(y)); err != nil {
			return nil, nil, nil, err
		}
		places, err = c.apply(sum, n, c.integers(x), c.integers(y))
		return carried, magnitude, places, err
	}
	for _, pair := range [][2][]float64{{c.bound[x], c.magnitudes(y)}, {c.magnitudes(x), c.bound[y]}, {c.bound[x], c.bound[y]}} {
		part, err := c.apply(product, n, pair[0], pair[1])
		if err != nil {
			return nil, nil, nil, err
		}
		if carried == nil {
			carried = make([]float64, len(part))
		}
		for k, v := range part {
			carried[k] += v
		}
	}
	if magnitude, err = c.apply(product, n, c.magnitudes(x), c.magnitudes(y)); err != nil {
		return nil, nil, nil, err
	}
	places, err = c.apply(product, n, c.integers(x), c.integers(y))
	return carried, magnitude, places, err
}

// softmax: logits off by at most ε change a probability p by at most p·(e^2ε − 1); exponentials are
// rounded to half of 2^−15 of the largest, and the result to half a step.
func (c *checker) softmax(n float.Node, op float.Softmax) ([]float64, error) {
	eps := 0.0
	for _, b := range c.bound[n.In[0]] {
		eps = max(eps, b)
	}
	classes := float64(c.e.g.Tensors[n.In[0]].Shape[op.Axis])
	out := c.tensor(n.Out)
	bound := make([]float64, len(c.values[n.Out]))
	for k, v := range c.values[n.Out] {
		p := float64(v)
		table := math.Exp2(-expBits) * (classes*p + 1)
		bound[k] = p*math.Expm1(2*eps) + table + out.Scale/2 + rounding
	}
	return bound, nil
}

// argMax: the index names an element that is within the errors of the greatest one. It may then be
// another than the float graph's; its error is what it is.
func (c *checker) argMax(n float.Node, op float.ArgMax) ([]float64, error) {
	x := n.In[0]
	shape := c.e.g.Tensors[x].Shape
	inner := 1
	for _, d := range shape[op.Axis+1:] {
		inner *= d
	}
	for k, index := range c.ints[c.e.ids[n.Out]] {
		start := k/inner*inner*shape[op.Axis] + k%inner
		chosen := start + int(index)*inner
		for j := range shape[op.Axis] {
			other := start + j*inner
			if float64(c.values[x][other])-c.bound[x][other] > float64(c.values[x][chosen])+c.bound[x][chosen] {
				return nil, fmt.Errorf("element %d: index %d is not of the greatest within its error", k, index)
			}
		}
	}
	bound := make([]float64, len(c.values[n.Out]))
	for k, v := range c.values[n.Out] {
		bound[k] = math.Abs(float64(v) - c.real(n.Out, k))
	}
	return bound, nil
}

// step is a function of a number known up to an error, rounded to a tensor's integers.
type step struct {
	f               float.Unary // none: the identity
	fused           bool        // arguments saturate at least and greatest steps of in
	in              float64
	out             model.Tensor
	least, greatest int64
}

// steepest are the greatest slopes of the functions that are not monotone.
var steepest = map[string]float64{"silu": 1.1, "gelu": 1.13, "gelu_tanh": 1.13, "hardswish": 1.5, "abs": 1}

func (s step) bounds(x []float32, errors []float64) ([]float64, error) {
	f, rounds := func(x float64) float64 { return x }, 0.0
	var err error
	if s.f.Func != "" {
		if f, err = s.f.Function(); err != nil {
			return nil, err
		}
		if s.f.Func != "relu" || !s.fused {
			rounds = s.out.Scale / 2 // otherwise in steps of the result
		}
	}
	out := make([]float64, len(x))
	for k, v := range x {
		z := float64(v)
		at := z
		if _, _, isClamp := clamp(&s.f); s.fused && !isClamp {
			at = min(max(z, s.in*float64(s.least)), s.in*float64(s.greatest))
		}
		y := f(z)
		beyond := max(0, y-s.out.Scale*float64(s.out.Max), s.out.Scale*float64(s.out.Min)-y)
		out[k] = math.Abs(y-f(at)) + s.variation(f, at, errors[k]) + rounds + beyond + rounding*math.Abs(y)
	}
	return out, nil
}

// variation is how far f moves when its argument does by at most eps.
func (s step) variation(f func(float64) float64, x, eps float64) float64 {
	if slope, ok := steepest[s.f.Func]; ok {
		return slope * eps
	}
	if s.f.Func == "reciprocal" && math.Abs(x) <= eps {
		return math.Inf(1)
	}
	lo := x - eps
	if s.f.Func == "sqrt" {
		lo = max(lo, 0)
	}
	if s.f.Func == "log" && lo <= 0 {
		return math.Inf(1)
	}
	return max(math.Abs(f(x+eps)-f(x)), math.Abs(f(x)-f(lo)))
}
