package circuits

import (
	"context"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// Small ranges, everything: one witness holds every case of an op at once, and every other answer to
// any of them is rejected.

// lines are all sequences of n values in [0, most].
func lines(n int, most int64) []int64 {
	var out []int64
	line := make([]int64, n)
	for {
		out = append(out, line...)
		i := n - 1
		for ; i >= 0 && line[i] == most; i-- {
			line[i] = 0
		}
		if i < 0 {
			return out
		}
		line[i]++
	}
}

// solved executes op on x and demands that the circuit accepts it.
func solved(t *testing.T, op model.Op, in model.Tensor, x []int64) (*compiled, *model.Trace) {
	t.Helper()
	g := modeltest.Graph(op, in)
	c := compileGraph(t, g, Options{})
	trace, err := g.Execute(context.Background(), [][]int64{x})
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.plan.Assign(trace)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.solve(c.witness(t, w)); err != nil {
		t.Fatal(err)
	}
	return c, trace
}

func smallTensor(most int64, shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Max: most, Type: model.Uint8, Scale: 1}
}

// Every line of four values in [0, 2], ties included; for each, every other index is rejected even if
// its one-hot vector is consistent.
func TestArgMaxExhaustive(t *testing.T) {
	x := lines(4, 2)
	for _, last := range []bool{false, true} {
		c, trace := solved(t, &model.ArgMax{Axis: 1, LastIndex: last}, smallTensor(2, len(x)/4, 4), x)
		out := c.graph.Outputs[0]
		for l, honest := range trace.Values[out] {
			for other := range int64(4) {
				if other == honest {
					continue
				}
				trace.Values[out][l] = other
				w, err := c.plan.Assign(trace)
				if err == nil && c.solve(c.witness(t, w)) == nil {
					t.Errorf("last %v, line %v: index %d accepted, it is %d", last, x[4*l:4*l+4], other, honest)
				}
			}
			trace.Values[out][l] = honest
		}
	}
}

// All pairs of values, by table and by comparison.
func TestMaxPoolExhaustive(t *testing.T) {
	win := model.Window{Kernel: [2]int{1, 2}, Stride: [2]int{1, 2}, Dilation: [2]int{1, 1}}
	x := lines(2, 6)
	solved(t, &model.MaxPool{Window: win}, smallTensor(6, 1, 1, len(x)/2, 2), x)
	wide := make([]int64, len(x))
	for i := range x {
		wide[i] = x[i] * 700
	}
	in := smallTensor(6*700, 1, 1, len(x)/2, 2)
	in.Type = model.Uint16
	c, _ := solved(t, &model.MaxPool{Window: win}, in, wide)
	if c.plan.gadgets[0].(*maxPool).byTable != nil {
		t.Error("the wide values were compared by table: this test means the other form")
	}
}

// All lines of three logits; for each element, the outputs one above and one below are rejected with the
// remainder that would balance the books.
func TestSoftmaxExhaustive(t *testing.T) {
	exp := model.Table{Min: -3, Values: []int64{1, 4, 9, 23}}
	x := lines(3, 3)
	c, trace := solved(t, &model.Softmax{Axis: 1, Exp: exp, Steps: 15}, smallTensor(3, len(x)/3, 3), x)
	out := c.graph.Outputs[0]
	for i, honest := range trace.Values[out] {
		for _, y := range []int64{honest - 1, honest + 1} {
			if y < 0 || y > 15 {
				continue
			}
			trace.Values[out][i] = y
			w, err := c.plan.Assign(trace) // its remainder is then out of range, which Assign sees itself
			if err == nil && c.solve(c.witness(t, w)) == nil {
				t.Errorf("element %d: %d accepted, it is %d", i, y, honest)
			}
		}
		trace.Values[out][i] = honest
	}
}

// Every quotient of a saturating requantization, in the table, above and below; for each, moving the
// argument by one and the excess against it is rejected.
func TestSaturationExhaustive(t *testing.T) {
	r := model.Rescale{Shift: 1, QMin: -11, QMax: 12, Table: model.Table{Min: -3, Values: []int64{7, 0, 0, 1, 2, 3, 5, 4}}}
	var x []int64
	for v := int64(0); v <= 44; v++ {
		x = append(x, v)
	}
	in := smallTensor(44, len(x), 1)
	c, trace := solved(t, &model.Dense{OutN: 1, Weights: []int64{1}, Bias: []int64{-21}, Rescale: r}, in, x)
	z := c.plan.gadgets[0].(*rescaled).parts[0]
	forged := 0
	for i := range x {
		for _, excess := range []*ranged{z.over, z.under} {
			w, err := c.plan.Assign(trace)
			if err != nil {
				t.Fatal(err)
			}
			if !c.shift(w, z, excess, i) {
				continue
			}
			forged++
			if c.solve(c.witness(t, w)) == nil {
				t.Errorf("x = %d: an argument one off, balanced by the excess, was accepted", x[i])
			}
		}
	}
	if forged < len(x) {
		t.Errorf("only %d forgeries tried", forged)
	}
}

// shift moves element i's table argument by one and its excess so that the quotient stays; image,
// multiplicities and output follow. It reports false where there is no such row or excess.
func (c *compiled) shift(w *Witness, z *requantized, excess *ranged, i int) bool {
	step := z.step.(*floorStep)
	row, limb := &w.Trace[step.argument.off+i], &w.Trace[excess.limbs[0].off+i]
	to := *row - 1 // below the first row this is beyond all rows
	if excess == z.under {
		to = *row + 1
	}
	if to >= uint64(step.lookup.table.n) || *limb+1 >= uint64(excess.size) {
		return false
	}
	move := func(t *table, from, to uint64) {
		w.Trace[t.multiplicities.off+int(from)]--
		w.Trace[t.multiplicities.off+int(to)]++
	}
	move(step.lookup.table, *row, to)
	move(excess.tables[0], *limb, *limb+1)
	*row, *limb = to, *limb+1
	w.set(step.lookup.images, i, uint64(step.lookup.table.at(1, int(to))))
	return true
}

// lie fills a witness for a graph of one op as assign says, on a trace whose output is what the liar
// claims. Everything but the lie is consistent.
func (c *compiled) lie(t *testing.T, trace *model.Trace, assign func(w *Witness)) *Witness {
	t.Helper()
	w := &Witness{plan: c.plan, trace: trace, Trace: make([]uint64, c.plan.TraceWires)}
	for _, b := range c.plan.borders {
		b.assign(w)
	}
	assign(w)
	if w.err != nil {
		t.Fatal(w.err)
	}
	return w
}

// A maximum above both operands leaves all differences in range: only the product of the two forbids
// it.
func TestMaximumIsAnOperand(t *testing.T) {
	in := smallTensor(5000, 1, 1, 1, 2)
	in.Type = model.Uint16
	win := model.Window{Kernel: [2]int{1, 2}, Stride: [2]int{1, 2}, Dilation: [2]int{1, 1}}
	c, trace := solved(t, &model.MaxPool{Window: win}, in, []int64{1000, 3000})
	g := c.plan.gadgets[0].(*maxPool)
	for m, accepted := range map[int64]bool{3000: true, 3001: false, 4000: false} {
		trace.Values[g.out][0] = m
		w := c.lie(t, trace, func(w *Witness) {
			w.set(g.maxima, 0, uint64(m))
			g.overA.set(w, 0, uint64(m-1000))
			g.overB.set(w, 0, uint64(m-3000))
		})
		if err := c.solve(c.witness(t, w)); (err == nil) != accepted {
			t.Errorf("maximum %d of 1000 and 3000: %v", m, err)
		}
	}
}

// A softmax relative to more than the greatest logit has other exponentials and consistent divisions:
// only the product of the distances forbids it.
func TestSoftmaxGreatestIsALogit(t *testing.T) {
	exp := model.Table{Min: -3, Values: []int64{1, 4, 9, 23}}
	c, trace := solved(t, &model.Softmax{Axis: 1, Exp: exp, Steps: 15}, smallTensor(3, 1, 3), []int64{2, 1, 0})
	g := c.plan.gadgets[0].(*softmax)
	for greatest, accepted := range map[int64]bool{2: true, 3: false} {
		var sum int64
		for _, x := range trace.Values[g.in] {
			sum += exp.At(x - greatest)
		}
		for i, x := range trace.Values[g.in] {
			trace.Values[g.out][i] = (2*15*exp.At(x-greatest) + sum) / (2 * sum)
		}
		w := c.lie(t, trace, func(w *Witness) { g.assignLine(w, 0, greatest) })
		if err := c.solve(c.witness(t, w)); (err == nil) != accepted {
			t.Errorf("relative to %d, the greatest logit is 2: %v", greatest, err)
		}
	}
}

// Selections that keep every margin in range and give a wrong index: 2, −1, 0, 0 adds up to one but is
// no vector of bits; 1, 0, 1, 0 is one but adds up to two.
func TestSelectionIsOneHot(t *testing.T) {
	for _, forged := range []struct {
		x, selected []int64
		margins     []uint64
	}{
		{[]int64{2, 2, 2, 2}, []int64{2, -1, 0, 0}, []uint64{1, 0, 0, 0}},
		{[]int64{1, 1, 1, 0}, []int64{1, 0, 1, 0}, []uint64{0, 0, 1, 2}},
	} {
		c, trace := solved(t, &model.ArgMax{Axis: 1}, smallTensor(2, 1, 4), forged.x)
		g := c.plan.gadgets[0].(*argMax)
		w := c.lie(t, trace, func(w *Witness) {
			for k, margin := range forged.margins {
				g.margins.set(w, k, margin)
			}
		})
		full := c.witness(t, w)
		values := full.Vector().(fr.Vector)
		for k, v := range forged.selected {
			values[1+len(w.Packed)+g.selected.off+k].SetInt64(v)
		}
		if c.solve(full) == nil {
			t.Errorf("selection %v of %v was accepted", forged.selected, forged.x)
		}
	}
}

// All lines of three logits of the fixed-point softmax, sums of every width; each output one off is rejected
// with the remainder that would balance the books.
func TestFixedSoftmaxExhaustive(t *testing.T) {
	exp := model.Table{Min: -3, Values: []int64{1 << 11, 1 << 28, 1<<30 + 12345, 1<<31 - 1}}
	x := lines(3, 3)
	c, trace := solved(t, &model.FixedSoftmax{Exp: exp}, smallTensor(3, len(x)/3, 3), x)
	out := c.graph.Outputs[0]
	g := c.plan.gadgets[0].(*fixedSoftmax)
	for i, honest := range trace.Values[out] {
		for _, y := range []int64{honest - 1, honest + 1} {
			if y < 0 || y > model.SoftmaxTop {
				continue
			}
			w, err := c.plan.Assign(trace)
			if err != nil {
				t.Fatal(err)
			}
			// The quotient moves with its row of the clamp; its remainder moves the other way, out of its limbs.
			from, to := w.Trace[g.quotient.off+i], uint64(y)
			w.Trace[g.clamp.table.multiplicities.off+int(from)]--
			w.Trace[g.clamp.table.multiplicities.off+int(to)]++
			w.Trace[g.quotient.off+i], w.Trace[g.clamp.images.off+i] = to, to
			full := c.witness(t, w)
			values := full.Vector().(fr.Vector)
			var move fr.Element
			move.SetInt64((int64(from) - y) << g.outShift())
			limb := &values[1+len(w.Packed)+g.rem.limbs[0].off+i]
			limb.Add(limb, &move)
			if c.solve(full) == nil {
				t.Errorf("element %d: %d accepted, it is %d", i, y, honest)
			}
		}
	}
}

// A fixed-point softmax relative to more than the greatest logit, consistent in all that follows; and a sum
// normalized by two powers at once.
func TestFixedSoftmaxLies(t *testing.T) {
	exp := model.Table{Min: -4, Values: []int64{1 << 20, 1 << 26, 1 << 28, 1 << 30, 1<<31 - 1}}
	c, trace := solved(t, &model.FixedSoftmax{Exp: exp}, smallTensor(4, 1, 3), []int64{2, 1, 0})
	g := c.plan.gadgets[0].(*fixedSoftmax)
	honest := append([]int64(nil), trace.Values[g.out]...)
	for greatest, accepted := range map[int64]bool{2: true, 3: false} {
		// Relative to 3 the sum is too small to be normalized, unless it is honest: one more element is 2^31 − 1.
		copy(trace.Values[g.out], honest)
		w := c.lie(t, trace, func(w *Witness) { g.assignLine(w, 0, greatest) })
		if err := c.solve(c.witness(t, w)); (err == nil) != accepted {
			t.Errorf("relative to %d, the greatest logit is 2: %v", greatest, err)
		}
	}
	w := c.lie(t, trace, func(w *Witness) { g.assignLine(w, 0, 2) })
	for j := range g.widths {
		w.Trace[g.selected.off+j] = 1
	}
	if c.solve(c.witness(t, w)) == nil {
		t.Error("a sum normalized by all powers at once was accepted")
	}
}
