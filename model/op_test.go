package model_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// TestOpsAreComplete ties the list of ops, the files and the test cases together.
func TestOpsAreComplete(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, op := range model.Ops() {
		if kinds[op.Kind()] {
			t.Errorf("two ops are called %q", op.Kind())
		}
		kinds[op.Kind()] = true
		if _, err := os.Stat("op_" + op.Kind() + ".go"); err != nil {
			t.Errorf("%s: %v", op.Kind(), err)
		}
		if c, _ := randomCase(t, newRand(1), op.Kind()); c == nil {
			t.Errorf("%s: randomCase has no case", op.Kind())
		}
	}
	for _, f := range files {
		name, isOp := strings.CutPrefix(strings.TrimSuffix(f.Name(), ".go"), "op_")
		if isOp && !strings.HasSuffix(name, "test") && !kinds[name] {
			t.Errorf("%s: Ops does not list the op", f.Name())
		}
	}
	for _, n := range everyOp(t, 1).Nodes {
		delete(kinds, n.Op.Kind())
	}
	if len(kinds) > 0 {
		t.Errorf("everyOp lacks %v", kinds)
	}
}

// TestEval compares every op with its reference on random shapes, attributes and inputs.
func TestEval(t *testing.T) {
	for _, op := range model.Ops() {
		t.Run(op.Kind(), func(t *testing.T) {
			rng := newRand(7)
			for range 150 {
				op, in := randomCase(t, rng, op.Kind())
				out, err := op.Infer(in)
				if err != nil {
					t.Fatalf("%+v on %v: %v", op, in, err)
				}
				var values [][]int64
				var arrays []array
				for _, x := range in {
					v := randomValues(rng, x)
					values, arrays = append(values, v), append(arrays, array{x.Shape, slices.Clone(v)})
				}
				got, acc := op.Eval(values, in, out)
				compare(t, op, arrays, out, got, acc)
				for k, v := range values {
					if !slices.Equal(v, arrays[k].v) {
						t.Fatalf("Eval changed input %d", k)
					}
				}
			}
		})
	}
}

// compare checks out and acc against the reference and against the declared ranges.
func compare(t *testing.T, op model.Op, in []array, outT model.Tensor, out, acc []int64) {
	t.Helper()
	if len(out) != outT.Len() {
		t.Fatalf("%+v: %d values for shape %v", op, len(out), outT.Shape)
	}
	for i, o := range indices(outT.Shape) {
		want, linear := accumulator(op, in, outT.Shape, o)
		if linear {
			r := op.(model.Rescaled).Requantization()
			if acc[i] != want {
				t.Fatalf("%+v on %v: accumulator %v is %d, want %d", op, in, o, acc[i], want)
			}
			if q := r.Floor(want); q < r.QMin || q > r.QMax {
				t.Fatalf("%+v: quotient %d", op, q)
			}
			want = rescaled(r, want)
		} else {
			want = element(op, in, o)
		}
		if out[i] != want {
			t.Fatalf("%+v on %v: element %v is %d, want %d", op, in, o, out[i], want)
		}
		if out[i] < outT.Min || out[i] > outT.Max {
			t.Fatalf("%+v: %d is outside [%d, %d]", op, out[i], outT.Min, outT.Max)
		}
	}
	if _, linear := op.(model.Rescaled); !linear && acc != nil {
		t.Fatalf("%s has accumulators", op.Kind())
	}
}

// extremes are the least and greatest accumulators of op, and inputs that attain them, found from
// the outside: an accumulator is linear in every input element (for Mul, in each operand), so each
// element is best at an end of its range.
func extremes(op model.Rescaled, in []model.Tensor) (lo, hi int64, worst [2][][]int64) {
	out, err := op.Infer(in)
	if err != nil {
		panic(err)
	}
	eval := func(x [][]int64) []int64 {
		_, acc := op.Eval(x, in, out)
		return acc
	}
	first := true
	try := func(x [][]int64) {
		for _, a := range eval(x) {
			if first || a < lo {
				lo, worst[0] = a, x
			}
			if first || a > hi {
				hi, worst[1] = a, x
			}
			first = false
		}
	}
	if _, product := op.(*model.Mul); product {
		for corner := range 4 {
			try([][]int64{uniform(in[0], corner&1 == 1), uniform(in[1], corner&2 == 2)})
		}
		return lo, hi, worst
	}
	base := make([][]int64, len(in))
	for k, x := range in {
		base[k] = uniform(x, false)
	}
	atBase := eval(base)
	// slope[o][k][i] tells how output o answers to element i of input k.
	slope := make([][][]int64, len(atBase))
	for o := range slope {
		slope[o] = make([][]int64, len(in))
	}
	for k, x := range in {
		for i := range base[k] {
			base[k][i] = x.Max
			for o, a := range eval(base) {
				slope[o][k] = append(slope[o][k], a-atBase[o])
			}
			base[k][i] = x.Min
		}
	}
	for _, s := range slope {
		for _, sign := range []int64{-1, 1} {
			x := make([][]int64, len(in))
			for k := range in {
				x[k] = uniform(in[k], false)
				for i := range x[k] {
					if sign*s[k][i] > 0 {
						x[k][i] = in[k].Max
					}
				}
			}
			try(x)
		}
	}
	return lo, hi, worst
}

// uniform is x at an end of its range.
func uniform(x model.Tensor, atMax bool) []int64 {
	v := make([]int64, x.Len())
	for i := range v {
		v[i] = x.Min
		if atMax {
			v[i] = x.Max
		}
	}
	return v
}

// TestWorstCase shows that Infer's worst case is exact: it admits a declared range that the worst
// input just reaches, and no narrower one.
func TestWorstCase(t *testing.T) {
	for _, kind := range []string{"conv", "dense", "affine", "add", "mul", "avgpool", "mean"} {
		t.Run(kind, func(t *testing.T) {
			rng := newRand(11)
			for range 40 {
				op, in := randomLinear(rng, kind)
				r := op.Requantization()
				*r = wideRescale()
				lo, hi, _ := extremes(op, in)
				if lo == hi {
					continue // nothing depends on the input
				}
				for _, c := range []struct {
					qMin, qMax int64
					want       error
				}{{lo, hi, nil}, {lo + 1, hi, model.ErrRange}, {lo, hi - 1, model.ErrRange}} {
					r.QMin, r.QMax = c.qMin, c.qMax
					if _, err := op.Infer(in); !errors.Is(err, c.want) {
						t.Fatalf("%+v on %+v reaches [%d, %d]; declared [%d, %d]: %v, want %v",
							op, in, lo, hi, c.qMin, c.qMax, err, c.want)
					}
				}
			}
		})
	}
}

// TestWorstCaseAtCorners: where x − Zero has one sign, a window with fewer taps on the image reaches
// further to one side than a full one.
func TestWorstCaseAtCorners(t *testing.T) {
	w := unitWindow()
	w.Kernel, w.PadBefore, w.PadAfter = [2]int{3, 3}, [2]int{1, 1}, [2]int{1, 1}
	for _, sign := range []int64{1, -1} {
		// Every tap gives 5 to 10: a corner, with 4 of 9 taps, at least 20, a full window at most 90.
		c := &model.Conv{Window: w, Groups: 1, OutC: 1, Weights: slices.Repeat([]int64{sign}, 9), Bias: []int64{0}, Rescale: wideRescale()}
		in := []model.Tensor{{Shape: []int{1, 1, 4, 4}, Min: 5, Max: 10}}
		lo, hi := min(sign*20, sign*90), max(sign*20, sign*90)
		for _, r := range [][2]int64{{lo, hi}, {lo + 1, hi}, {lo, hi - 1}} {
			c.Rescale.QMin, c.Rescale.QMax = r[0], r[1]
			if _, err := c.Infer(in); (err == nil) != (r == [2]int64{lo, hi}) {
				t.Errorf("accumulators in [%d, %d], declared %v: %v", lo, hi, r, err)
			}
		}
	}
}

// TestWorstInputsRun runs the inputs that reach the ends of the range through an op whose declared
// range has no slack, with a shift.
func TestWorstInputsRun(t *testing.T) {
	rng := newRand(13)
	for range 60 {
		op, in := randomLinear(rng, "conv")
		r := op.Requantization()
		*r = wideRescale()
		lo, hi, worst := extremes(op, in)
		r.Shift = 4
		r.QMin, r.QMax = r.Floor(lo), r.Floor(hi)
		r.Table = model.ClampTable(r.QMin, r.QMax, -50, 50)
		out, err := op.Infer(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range worst {
			got, acc := op.Eval(x, in, out)
			compare(t, op, []array{{in[0].Shape, x[0]}}, out, got, acc)
		}
	}
}

// TestOutputRangeIgnoresParameters: ranges are architecture.
func TestOutputRangeIgnoresParameters(t *testing.T) {
	rng := newRand(17)
	for _, kind := range []string{"conv", "dense", "affine", "add", "mul", "avgpool", "mean"} {
		op, in := randomCase(t, rng, kind)
		before, err := op.Infer(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range op.Params() {
			for i := range *p.Values {
				(*p.Values)[i] = 0
			}
		}
		after, err := op.Infer(in)
		if err != nil || after.Min != before.Min || after.Max != before.Max {
			t.Errorf("%s: [%d, %d] with zero parameters, [%d, %d] before (%v)", kind, after.Min, after.Max, before.Min, before.Max, err)
		}
	}
}

func TestParams(t *testing.T) {
	rng := newRand(19)
	for _, op := range model.Ops() {
		op, in := randomCase(t, rng, op.Kind())
		for _, p := range op.Params() {
			if n := (model.Tensor{Shape: p.Shape}).Len(); n != len(*p.Values) {
				t.Errorf("%s: %s has shape %v and %d values", op.Kind(), p.Name, p.Shape, len(*p.Values))
			}
			*p.Values = append(*p.Values, 0)
			if _, err := op.Infer(in); !errors.Is(err, model.ErrAttribute) {
				t.Errorf("%s: one value too many in %s: %v, want ErrAttribute", op.Kind(), p.Name, err)
			}
			*p.Values = (*p.Values)[:len(*p.Values)-1]
		}
		// The empty op, as a file's reader makes it, has parameters to fill.
		for _, fresh := range model.Ops() {
			if fresh.Kind() == op.Kind() && len(fresh.Params()) != len(op.Params()) {
				t.Errorf("%s: %d parameter arrays when empty, %d else", op.Kind(), len(fresh.Params()), len(op.Params()))
			}
		}
	}
}

// TestZeroOps: ops without any attribute set are refused, never divided by.
func TestZeroOps(t *testing.T) {
	x := model.Tensor{Shape: []int{1, 2, 3, 4}, Min: -1, Max: 1}
	for _, op := range model.Ops() {
		for _, in := range [][]model.Tensor{nil, {x}, {x, x}, {{Min: -1, Max: 1}}} {
			out, err := op.Infer(in)
			// A concatenation along axis 0 and a reshape of one element to a scalar are meant so.
			meant := op.Kind() == "concat" && len(in) > 0 && in[0].Len() > 1 ||
				op.Kind() == "argmax" && len(in) == 1 && in[0].Len() > 1 ||
				op.Kind() == "reshape" && len(in) == 1 && in[0].Len() == 1
			scalar := len(in) == 1 && in[0].Len() == 1 && (op.Kind() == "transpose" || op.Kind() == "slice")
			if (err == nil) != (meant || scalar) {
				t.Errorf("empty %s on %d inputs: %v, %v", op.Kind(), len(in), out, err)
			}
		}
	}
}

func image(c, h, w int) []model.Tensor {
	return []model.Tensor{{Shape: []int{1, c, h, w}, Min: -128, Max: 127}}
}

func vector(n int) []model.Tensor { return []model.Tensor{{Shape: []int{n}, Min: -128, Max: 127}} }

func unitWindow() model.Window {
	return model.Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
}

func TestInferRejects(t *testing.T) {
	window := func(edit func(*model.Window)) model.Window {
		w := unitWindow()
		edit(&w)
		return w
	}
	pool := func(edit func(*model.Window)) model.Op { return &model.MaxPool{Window: window(edit)} }
	dense := func(edit func(*model.Dense)) model.Op {
		d := &model.Dense{OutN: 1, Weights: []int64{1}, Bias: []int64{0}, Rescale: wideRescale()}
		edit(d)
		return d
	}
	conv := func(edit func(*model.Conv)) model.Op {
		c := &model.Conv{Window: unitWindow(), Groups: 1, OutC: 1, Weights: []int64{1}, Bias: []int64{0}, Rescale: wideRescale()}
		edit(c)
		return c
	}
	softmax := func(edit func(*model.Softmax)) model.Op {
		s := &model.Softmax{Exp: model.ClampTable(-255, 0, 1, 1), Steps: 1}
		edit(s)
		return s
	}
	for _, c := range []struct {
		name string
		op   model.Op
		in   []model.Tensor
		want error
	}{
		{"kernel too large", pool(func(w *model.Window) { w.Kernel[1] = 5 }), image(1, 4, 4), model.ErrShape},
		{"dilated kernel too large", pool(func(w *model.Window) { w.Kernel[0], w.Dilation[0] = 2, 4 }), image(1, 4, 4), model.ErrShape},
		{"no stride", pool(func(w *model.Window) { w.Stride[0] = 0 }), image(1, 4, 4), model.ErrAttribute},
		{"negative padding", pool(func(w *model.Window) { w.PadAfter[0] = -1 }), image(1, 4, 4), model.ErrAttribute},
		{"huge kernel", pool(func(w *model.Window) { w.Kernel[0] = 1 << 40 }), image(1, 4, 4), model.ErrAttribute},
		{"window on padding", pool(func(w *model.Window) { w.PadBefore[0] = 1 }), image(1, 4, 4), model.ErrAttribute},
		{"output too large", pool(func(w *model.Window) { w.Kernel, w.PadAfter = [2]int{1 << 15, 1 << 15}, [2]int{1 << 16, 1 << 16} }), image(1, 4, 4), model.ErrLimit},
		{"batch", pool(func(*model.Window) {}), []model.Tensor{{Shape: []int{2, 1, 4, 4}}}, model.ErrShape},
		{"rank", pool(func(*model.Window) {}), vector(4), model.ErrShape},
		{"groups", conv(func(c *model.Conv) { c.Groups = 2 }), image(1, 4, 4), model.ErrAttribute},
		{"no output channels", conv(func(c *model.Conv) { c.OutC = 0 }), image(1, 4, 4), model.ErrShape},
		{"weights", conv(func(c *model.Conv) { c.Weights = nil }), image(1, 4, 4), model.ErrAttribute},
		{"conv bias overflow", conv(func(c *model.Conv) { c.Bias[0] = -1 << 62 }), image(1, 4, 4), model.ErrRange},
		{"conv weight overflow", conv(func(c *model.Conv) { c.Weights[0] = 1 << 55 }), image(1, 4, 4), model.ErrRange},
		{"product overflow", &model.Mul{Multiplier: []int64{0}, Zeros: [2]int64{1 << 32, 1 << 32}, Rescale: wideRescale()}, append(vector(2), vector(2)...), model.ErrRange},
		{"weights overflow", conv(func(c *model.Conv) { c.OutC = 1 << 62 }), image(4, 4, 4), model.ErrLimit},
		{"negative outputs", dense(func(d *model.Dense) { d.OutN = -1 }), vector(1), model.ErrShape},
		{"scalar", dense(func(*model.Dense) {}), []model.Tensor{{}}, model.ErrShape},
		{"zero", dense(func(d *model.Dense) { d.Zero = 1 << 33 }), vector(1), model.ErrAttribute},
		{"accumulator overflow", dense(func(d *model.Dense) { d.Weights[0] = 1 << 55 }), vector(1), model.ErrRange},
		{"overflows that add up to 2^64", dense(func(d *model.Dense) { d.Weights = slices.Repeat([]int64{-1 << 63}, 4) }),
			[]model.Tensor{{Shape: []int{4}, Min: -128, Max: 126}}, model.ErrRange},
		{"weight of minus 2^63", dense(func(d *model.Dense) { d.Weights[0] = -1 << 63 }), vector(1), model.ErrRange},
		{"bias overflow", dense(func(d *model.Dense) { d.Bias[0] = 1 << 62 }), vector(1), model.ErrRange},
		{"table beyond the quotients", dense(func(d *model.Dense) { d.Rescale.QMin, d.Rescale.QMax = 30001, 30002 }), vector(1), model.ErrAttribute},
		{"empty range", dense(func(d *model.Dense) { d.Rescale.QMin = 30001 }), vector(1), model.ErrAttribute},
		{"empty table", dense(func(d *model.Dense) { d.Rescale.Table.Values = nil }), vector(1), model.ErrAttribute},
		{"table too long", dense(func(d *model.Dense) { d.Rescale.Table.Values = make([]int64, 1<<16+1) }), vector(1), model.ErrAttribute},
		{"shift", dense(func(d *model.Dense) { d.Rescale.Shift = 62 }), vector(1), model.ErrAttribute},
		{"shift and range", dense(func(d *model.Dense) { d.Rescale.Shift = 48 }), vector(1), model.ErrAttribute},
		{"operands", &model.Add{Zeros: []int64{0}}, append(vector(1), vector(1)...), model.ErrAttribute},
		{"broadcast", &model.Mul{Multiplier: []int64{1}, Rescale: wideRescale()}, append(vector(2), vector(3)...), model.ErrShape},
		{"parameters broadcast the input", &model.Affine{ParamShape: []int{3}, Rescale: wideRescale()}, vector(1), model.ErrShape},
		{"axes order", &model.Mean{Axes: []int{1, 0}, Multiplier: []int64{1}}, image(1, 4, 4), model.ErrAttribute},
		{"axis", &model.ArgMax{Axis: 1}, vector(3), model.ErrAttribute},
		{"negative axis", &model.Softmax{Axis: -1}, vector(3), model.ErrAttribute},
		{"steps", softmax(func(s *model.Softmax) { s.Steps = 1<<15 + 1 }), vector(3), model.ErrAttribute},
		{"exp does not cover", softmax(func(s *model.Softmax) { s.Exp = model.ClampTable(-254, 0, 1, 1) }), vector(3), model.ErrRange},
		{"exp 0 at 0", softmax(func(s *model.Softmax) { s.Exp = model.ClampTable(-255, 0, 0, 9) }), vector(3), model.ErrAttribute},
		{"exp too large", softmax(func(s *model.Softmax) { s.Exp.Values[3] = 1 << 16 }), vector(3), model.ErrAttribute},
		{"exp negative", softmax(func(s *model.Softmax) { s.Exp.Values[3] = -1 }), vector(3), model.ErrAttribute},
		{"activation not covered", &model.Activation{Table: model.ClampTable(-127, 127, 0, 9)}, vector(3), model.ErrRange},
		{"elements", &model.Reshape{Shape: []int{4}}, vector(3), model.ErrShape},
		{"negative dimensions", &model.Reshape{Shape: []int{-1, -3}}, vector(3), model.ErrShape},
		{"rank 9", &model.Reshape{Shape: []int{1, 1, 1, 1, 1, 1, 1, 1, 3}}, vector(3), model.ErrLimit},
		{"permutation", &model.Transpose{Perm: []int{0, 0, 1, 2}}, image(1, 2, 3), model.ErrAttribute},
		{"short permutation", &model.Transpose{Perm: []int{0}}, image(1, 2, 3), model.ErrAttribute},
		{"concat shapes", &model.Concat{Axis: 1}, append(image(1, 2, 3), image(1, 3, 2)...), model.ErrShape},
		{"concat ranks", &model.Concat{Axis: 0}, append(vector(3), image(1, 2, 3)...), model.ErrShape},
		{"slice end", &model.Slice{Start: []int{1}, Step: []int{1}, Size: []int{3}}, vector(3), model.ErrAttribute},
		{"slice backwards", &model.Slice{Start: []int{1}, Step: []int{-1}, Size: []int{3}}, vector(3), model.ErrAttribute},
		{"slice step", &model.Slice{Start: []int{1}, Step: []int{0}, Size: []int{1}}, vector(3), model.ErrAttribute},
		{"slice step overflow", &model.Slice{Start: []int{0}, Step: []int{1 << 62}, Size: []int{5}}, vector(3), model.ErrAttribute},
		{"pad mode", &model.Pad{Before: []int{0}, After: []int{0}, Mode: "mirror"}, vector(3), model.ErrAttribute},
		{"reflect too far", &model.Pad{Before: []int{3}, After: []int{0}, Mode: "reflect"}, vector(3), model.ErrAttribute},
		{"negative pad", &model.Pad{Before: []int{-1}, After: []int{0}, Mode: "edge"}, vector(3), model.ErrAttribute},
		{"huge pad", &model.Pad{Before: []int{1 << 24}, After: []int{0}, Mode: "edge"}, vector(3), model.ErrLimit},
		{"pad value", &model.Pad{Before: []int{0}, After: []int{0}, Mode: "constant", Value: -1 << 63}, vector(3), model.ErrAttribute},
		{"index", &model.Gather{Indices: []int{3}}, vector(3), model.ErrAttribute},
		{"no index", &model.Gather{}, vector(3), model.ErrShape},
		{"too many indices", &model.Gather{Indices: make([]int, 1<<16+1)}, vector(3), model.ErrLimit},
	} {
		if _, err := c.op.Infer(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func ExampleRescale() {
	r := model.Rescale{Shift: 2, QMin: -10, QMax: 10, Table: model.ClampTable(-10, 10, 0, 5)}
	for _, acc := range []int64{-6, 5, 6, 40} {
		q := r.Floor(acc)
		fmt.Print(q, " → ", r.Table.At(q), "; ")
	}
	// Output: -1 → 0; 1 → 1; 2 → 2; 10 → 5;
}
