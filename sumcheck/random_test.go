package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// drawing is a random graph in the making.
type drawing struct {
	*model.Builder
	r   *rand.Rand
	ids []model.TensorID
}

// randomGraph is an input and some ops, each on tensors before it; the last tensor and another one are outputs. Sizes are odd
// on purpose. It errs where an output depends on nothing.
func randomGraph(r *rand.Rand, ops, channels int) (*model.Graph, error) {
	d := &drawing{Builder: model.NewBuilder("random"), r: r}
	shape := []int{1, 1 + r.IntN(channels), 1 + r.IntN(6), 1 + r.IntN(6)}
	id, err := d.Input([]model.Tensor{modeltest.Bytes(shape...), modeltest.Signed(shape...)}[r.IntN(2)])
	if err != nil {
		return nil, err
	}
	d.ids = append(d.ids, id)
	for tries := 0; tries < 200 && len(d.ids) <= ops; tries++ {
		d.step(tries)
	}
	d.Output(d.ids[len(d.ids)-1])
	if len(d.ids) > 2 && r.IntN(2) == 0 {
		d.Output(d.ids[len(d.ids)-2])
	}
	return d.Graph()
}

// step adds an op, if one is drawn that fits.
func (d *drawing) step(number int) {
	in := d.ids[len(d.ids)-1-d.r.IntN(min(2, len(d.ids)))]
	t := d.Tensor(in)
	if t.Len() > 3000 {
		return
	}
	makers := []func(t model.Tensor) (model.Op, []model.TensorID){
		d.conv, d.conv, d.dense, d.affine, d.add, d.mul, d.pool, d.mean, d.activation, d.maxPool, d.rearrangement, d.rearrangement, d.argMax, d.concat, d.softmax}
	op, more := makers[d.r.IntN(len(makers))](t)
	if op == nil {
		return
	}
	id, err := d.Add(fmt.Sprint("op", number), op, 1, 0, append([]model.TensorID{in}, more...)...)
	if err == nil {
		d.ids = append(d.ids, id)
	}
}

// rescale admits accumulators up to bound in absolute value.
func (d *drawing) rescale(bound int64) model.Rescale {
	shift := uint(4 + d.r.IntN(4))
	q := bound>>shift + 2
	for q > 4000 {
		shift, q = shift+1, q/2+1
	}
	t := modeltest.ReLU(-q, q)
	switch d.r.IntN(3) {
	case 0:
		t = model.ClampTable(-q, q, -128, 127)
	case 1:
		t = modeltest.SomeFunction(-q, q)
	}
	return model.Rescale{Shift: shift, QMin: -q, QMax: q, Table: t}
}

// roundings are some for channels, under which quotients may be one less.
func (d *drawing) roundings(r *model.Rescale, channels int) {
	if d.r.IntN(3) > 0 {
		return
	}
	r.QMin--
	r.Table.Min, r.Table.Values = r.Table.Min-2, append(slices.Repeat([]int64{r.Table.Values[0]}, 2), r.Table.Values...)
	for range channels {
		r.Roundings = append(r.Roundings, []model.Rounding{model.HalfUp, model.HalfAway(1), model.HalfAway(3)}[d.r.IntN(3)])
	}
}

// widest is the largest absolute value of a tensor less a zero point.
func widest(t model.Tensor, zero int64) int64 { return max(t.Max-zero, zero-t.Min, 1) }

func (d *drawing) zero(t model.Tensor) int64 { return t.Min + d.r.Int64N(t.Max-t.Min+1) }

func (d *drawing) conv(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) != 4 || t.Shape[0] != 1 {
		return nil, nil
	}
	in := t.Shape[1]
	groups := []int{1, 1, in, divisor(d.r, in)}[d.r.IntN(4)]
	out := groups * (1 + d.r.IntN(max(1, 12/groups)))
	w := model.Window{}
	for a := range 2 {
		w.Kernel[a], w.Stride[a], w.Dilation[a] = 1+d.r.IntN(4), 1+d.r.IntN(2), 1+d.r.IntN(2)
		w.PadBefore[a], w.PadAfter[a] = d.r.IntN(3), d.r.IntN(3)
	}
	c := modeltest.Conv(d.r, w, in, out, groups, d.zero(t))
	c.Rescale = d.rescale(widest(t, c.Zero)*5*int64(in/groups*w.Kernel[0]*w.Kernel[1]) + 500)
	d.roundings(&c.Rescale, out)
	return c, nil
}

func divisor(r *rand.Rand, n int) int {
	d := 1 + r.IntN(n)
	for n%d != 0 {
		d--
	}
	return d
}

func (d *drawing) dense(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) == 0 {
		return nil, nil
	}
	depth, out := t.Shape[len(t.Shape)-1], 1+d.r.IntN(9)
	c := &model.Dense{OutN: out, Zero: d.zero(t), Weights: modeltest.Noise(d.r, out*depth, 5), Bias: modeltest.Noise(d.r, out, 500)}
	c.Rescale = d.rescale(widest(t, c.Zero)*5*int64(depth) + 500)
	d.roundings(&c.Rescale, out)
	return c, nil
}

func (d *drawing) affine(t model.Tensor) (model.Op, []model.TensorID) {
	shape := slices.Clone(t.Shape[d.r.IntN(len(t.Shape)+1):])
	n := 1
	for a := range shape {
		if d.r.IntN(3) == 0 {
			shape[a] = 1
		}
		n *= shape[a]
	}
	c := &model.Affine{ParamShape: shape, Zero: d.zero(t), Scale: modeltest.Noise(d.r, n, 9), Shift: modeltest.Noise(d.r, n, 500)}
	c.Rescale = d.rescale(widest(t, c.Zero)*9 + 500)
	return c, nil
}

// other is a tensor of the same shape.
func (d *drawing) other(t model.Tensor) (id model.TensorID, ok bool) {
	at := d.r.IntN(len(d.ids))
	id = d.ids[at]
	return id, slices.Equal(d.Tensor(id).Shape, t.Shape)
}

func (d *drawing) add(t model.Tensor) (model.Op, []model.TensorID) {
	id, ok := d.other(t)
	if !ok {
		return nil, nil
	}
	c := &model.Add{Zeros: []int64{d.zero(t), d.zero(d.Tensor(id))}, Multipliers: modeltest.Noise(d.r, 2, 30), Bias: modeltest.Noise(d.r, 1, 300)}
	c.Rescale = d.rescale(30*(widest(t, c.Zeros[0])+widest(d.Tensor(id), c.Zeros[1])) + 300)
	return c, []model.TensorID{id}
}

func (d *drawing) mul(t model.Tensor) (model.Op, []model.TensorID) {
	id, ok := d.other(t)
	if !ok {
		return nil, nil
	}
	c := &model.Mul{Zeros: [2]int64{d.zero(t), d.zero(d.Tensor(id))}, Multiplier: []int64{1 + d.r.Int64N(9)}}
	c.Rescale = d.rescale(9 * widest(t, c.Zeros[0]) * widest(d.Tensor(id), c.Zeros[1]))
	return c, []model.TensorID{id}
}

func (d *drawing) window() model.Window {
	return modeltest.Window(1+d.r.IntN(3), 1+d.r.IntN(2), 1+d.r.IntN(2), d.r.IntN(2))
}

func (d *drawing) pool(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) != 4 {
		return nil, nil
	}
	c := &model.AvgPool{Window: d.window(), CountPad: d.r.IntN(3) == 0, Zero: d.zero(t)}
	c.Multipliers = modeltest.Noise(d.r, 1, 30)
	if !c.CountPad {
		c.Multipliers = modeltest.Noise(d.r, len(c.Counts(t.Shape)), 30)
	}
	c.Rescale = d.rescale(widest(t, c.Zero) * 30 * 9)
	return c, nil
}

func (d *drawing) mean(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) == 0 {
		return nil, nil
	}
	c := &model.Mean{KeepDims: d.r.IntN(2) == 0, Zero: d.zero(t), Multiplier: []int64{1 + d.r.Int64N(20)}}
	n := 1
	for a, length := range t.Shape {
		if d.r.IntN(2) == 0 {
			c.Axes = append(c.Axes, a)
			n *= length
		}
	}
	c.Rescale = d.rescale(widest(t, c.Zero) * 20 * int64(n))
	return c, nil
}

func (d *drawing) activation(t model.Tensor) (model.Op, []model.TensorID) {
	return &model.Activation{Table: modeltest.SomeFunction(t.Min, t.Max)}, nil
}

func (d *drawing) maxPool(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) != 4 {
		return nil, nil
	}
	return &model.MaxPool{Window: d.window()}, nil
}

func (d *drawing) argMax(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) == 0 {
		return nil, nil
	}
	return &model.ArgMax{Axis: d.r.IntN(len(t.Shape)), LastIndex: d.r.IntN(2) == 0}, nil
}

func (d *drawing) softmax(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) == 0 || t.Max-t.Min > 300 || d.r.IntN(5) > 0 { // rarely: its ranges are large tables
		return nil, nil
	}
	exp := model.Table{Min: t.Min - t.Max}
	for x := range t.Max - t.Min + 1 {
		exp.Values = append(exp.Values, 1+x*x/8)
	}
	return &model.Softmax{Axis: d.r.IntN(len(t.Shape)), Exp: exp, Steps: 255}, nil
}

func (d *drawing) concat(t model.Tensor) (model.Op, []model.TensorID) {
	id, ok := d.other(t)
	if !ok || len(t.Shape) == 0 {
		return nil, nil
	}
	return &model.Concat{Axis: d.r.IntN(len(t.Shape))}, []model.TensorID{id}
}

func (d *drawing) rearrangement(t model.Tensor) (model.Op, []model.TensorID) {
	if len(t.Shape) == 0 {
		return nil, nil
	}
	axis := d.r.IntN(len(t.Shape))
	length := t.Shape[axis]
	switch d.r.IntN(5) {
	case 0:
		return &model.Transpose{Perm: d.r.Perm(len(t.Shape))}, nil
	case 1:
		return &model.Reshape{Shape: d.reshaped(t.Len())}, nil
	case 2:
		s := &model.Slice{}
		for a, length := range t.Shape {
			step := 1
			if a == axis {
				step = 1 + d.r.IntN(2)
			}
			start := d.r.IntN(length)
			s.Start, s.Step, s.Size = append(s.Start, start), append(s.Step, step), append(s.Size, (length-1-start)/step+1)
		}
		return s, nil
	case 3:
		p := &model.Pad{Mode: "constant", Value: d.zero(t)}
		for range t.Shape {
			p.Before, p.After = append(p.Before, d.r.IntN(2)), append(p.After, d.r.IntN(2))
		}
		return p, nil
	}
	g := &model.Gather{Axis: axis}
	for range 1 + d.r.IntN(4) {
		g.Indices = append(g.Indices, d.r.IntN(length))
	}
	return g, nil
}

// reshaped are up to four axes of n elements.
func (d *drawing) reshaped(n int) []int {
	var shape []int
	for range d.r.IntN(4) {
		k := divisor(d.r, n)
		shape, n = append(shape, k), n/k
	}
	return append(shape, n)
}

// TestRandomGraphs: the protocol accepts executions of random graphs, and of cells with a lie what the definition accepts: nothing.
func TestRandomGraphs(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 7))
		channels := 7
		if seed%6 == 0 {
			channels = 300
		}
		g, err := randomGraph(r, 1+r.IntN(6), channels)
		if err != nil {
			continue
		}
		for _, n := range g.Nodes {
			kinds[n.Op.Kind()]++
		}
		e := execute(t, r, modeltest.Case{Private: r.IntN(3) == 0, Build: func(*rand.Rand) *model.Graph { return g }})
		if err := e.cells().Check(e.public); err != nil {
			t.Fatalf("seed %d: an execution does not satisfy its plan: %v", seed, err)
		}
		e.covered(t)
		if !e.follows(t) {
			t.Fatalf("seed %d: an execution was rejected", seed)
		}
		for range 2 {
			cell := r.IntN(len(e.z))
			honest := e.z[cell]
			e.z[cell] += 1 - 2*r.Int64N(2)
			if right := e.cells().Check(e.public) == nil; e.follows(t) != right {
				t.Errorf("seed %d: cell %d changed; by the definition %v, by the protocol not", seed, cell, right)
			}
			e.z[cell] = honest
		}
	}
	t.Log(kinds)
	if len(kinds) < 15 {
		t.Errorf("only ops of %d kinds were drawn", len(kinds))
	}
}

// follower is a slowProver of small numbers, whose linear layers are fast.
type follower struct {
	slowProver
	z []int64
}

func (f follower) view(v *claims.View) []int64 {
	shape, values := v.Shape, []int64(nil)
	if v.Tensor == claims.Ones {
		values = slices.Repeat([]int64{1}, volume(shape))
	} else {
		x := f.Network.Tensors[v.Tensor]
		shape, values = x.Shape, make([]int64, x.Len())
		x.Each(func(element, cell int) { values[element] = f.z[cell] })
	}
	return claims.Forward(v.Steps, shape, values, func(a, b int64) int64 { return a + b })
}

func (f follower) Term(t *claims.Term) claims.ProductProver {
	c := t.Contraction
	in := make([]int64, c.Input.Len())
	for i := range in {
		in[i] = c.Input.Constant
	}
	for _, l := range c.Input.Linear {
		for i, v := range f.view(&l.View) {
			in[i] += l.Coefficient * v
		}
	}
	return newTerm(t, f.view(&c.Weight), in)
}

// follows tells whether a prover who follows the cells, whatever they are, is believed.
func (e *executed) follows(t *testing.T) bool {
	t.Helper()
	cells := e.cells()
	return believed(t, cells, e.public, follower{slowProver{cells}, e.z})
}

// covered demands that every cell and every message stands in some check. One that does not could be anything, and no
// honest run would show it.
func (e *executed) covered(t *testing.T) {
	t.Helper()
	r := claims.NewRehearsal()
	if err := e.plan.Network.Prove(r, e.public, nil); err != nil {
		t.Fatal(err)
	}
	cells, messages := make([]bool, len(e.z)), make([]bool, len(r.Sent))
	for _, c := range r.Checks {
		for _, b := range c.Functionals() {
			at := cells[b.Offset:][:1<<b.Bits()]
			weights := make([]fr.Element, len(at))
			b.Offset = 0
			b.AddTo(weights)
			for i := range at {
				at[i] = at[i] || !weights[i].IsZero()
			}
		}
		for _, m := range c.Messages {
			messages[m.Message] = messages[m.Message] || !m.Coefficient.IsZero()
		}
		for _, p := range c.Products {
			messages[p.A], messages[p.B] = true, true
		}
	}
	for i, x := range e.plan.Network.Tensors {
		x.Each(func(element, cell int) {
			if !cells[cell] {
				t.Fatalf("element %d of tensor %d, %v of owner %d, stands in no check", element, i, x.Shape, x.Owner)
			}
		})
	}
	if at := slices.Index(messages, false); at >= 0 {
		t.Fatalf("message %d stands in no check", at)
	}
}

// TestCoverage: so it is for every case.
func TestCoverage(t *testing.T) {
	for _, c := range modeltest.Cases() {
		t.Run(c.Name, func(t *testing.T) { execute(t, rand.New(rand.NewPCG(1, 2)), c).covered(t) })
	}
}
