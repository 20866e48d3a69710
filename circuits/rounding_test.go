package circuits

import (
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// every accumulator around every boundary of a rescale: whole steps where they are short.
func aroundBoundaries(r *model.Rescale) []int64 {
	var out []int64
	lo, hi := r.AccRange()
	if hi-lo < 1<<12 {
		for acc := lo; acc <= hi; acc++ {
			out = append(out, acc)
		}
		return out
	}
	for q := r.QMin + 1; q <= r.QMax; q++ {
		for _, move := range []int64{0, r.Displacement(q)} {
			for d := int64(-2); d <= 2; d++ {
				out = append(out, r.Least(q)+move+d)
			}
		}
	}
	return out
}

// roundingCases are one dense output, whose accumulator is its input, in each rounding; with a table
// that covers all quotients and with one that saturates at both ends.
func roundingCases() map[string]model.Rescale {
	one := func(r model.Rounding) []model.Rounding { return []model.Rounding{r} }
	return map[string]model.Rescale{
		"half up":              {Shift: 3, QMin: -9, QMax: 9, Table: modeltest.SomeFunction(-9, 9), Roundings: one(model.HalfUp)},
		"away":                 {Shift: 5, QMin: -9, QMax: 9, Table: modeltest.SomeFunction(-10, 9), Roundings: one(model.HalfAway(2))},
		"away, all bits":       {Shift: 3, QMin: -9, QMax: 9, Table: modeltest.SomeFunction(-10, 9), Roundings: one(model.HalfAway(3))},
		"away, saturating":     {Shift: 4, QMin: -9 - 15, QMax: 9 + 15, Table: modeltest.SomeFunction(-9, 9), Roundings: one(model.HalfAway(2))},
		"binary32":             {Shift: 25, QMin: -31, QMax: 31, Table: modeltest.SomeFunction(-31, 31), Roundings: one(model.Binary32)},
		"binary32, saturating": {Shift: 25, QMin: -9 - 15, QMax: 9 + 15, Table: modeltest.SomeFunction(-9, 9), Roundings: one(model.Binary32)},
	}
}

// Every accumulator at a boundary is proved with the executor's output. The argument one off, balanced by
// the rest or by an excess, is out of some range, for each of them: exactly one decomposition passes.
func TestRoundingExhaustive(t *testing.T) {
	for name, r := range roundingCases() {
		t.Run(name, func(t *testing.T) {
			x := aroundBoundaries(&r)
			in := model.Tensor{Name: "x", Shape: []int{len(x), 1}, Min: slices.Min(x), Max: slices.Max(x), Type: model.Int32, Scale: 1}
			c, trace := solved(t, &model.Dense{OutN: 1, Weights: []int64{1}, Bias: []int64{0}, Rescale: r}, in, x)
			part := c.plan.gadgets[0].(*rescaled).parts[0]
			for i, acc := range x {
				want := r.Table.At(r.Saturation(r.Quotient(0, acc)))
				if got := trace.Values[c.graph.Outputs[0]][i]; got != want {
					t.Fatalf("accumulator %d: %d, want %d", acc, got, want)
				}
				if n := decompositions(part, acc); n != 1 {
					t.Fatalf("accumulator %d has %d decompositions", acc, n)
				}
			}
		})
	}
}

// decompositions counts the arguments of the table and the excesses that leave a rest in range.
func decompositions(z *requantized, acc int64) int {
	count := 0
	for c := z.table.Min; c <= z.table.Max(); c++ {
		from, to := int64(0), int64(1)<<z.r.Shift
		if s, ok := z.step.(*floatStep); ok {
			lo, hi := s.bounds(int(c - z.table.Min))
			from, to = lo, to+hi
		}
		least, most := int64(0), int64(0)
		if c == z.table.Min {
			least = z.r.QMin - z.table.Min
		}
		if c == z.table.Max() {
			most = z.r.QMax - z.table.Max()
		}
		for excess := min(least, 0); excess <= max(most, 0); excess++ {
			if rest := acc - z.r.Least(c+excess); rest >= from && rest < to {
				count++
			}
		}
	}
	return count
}

// A tie denied, and one claimed where there is none, with the output that follows: only the lookup of
// the remainder's leading bits forbids it.
func TestTieCannotBeDenied(t *testing.T) {
	r := roundingCases()["away"]
	x := aroundBoundaries(&r)
	in := model.Tensor{Name: "x", Shape: []int{len(x), 1}, Min: slices.Min(x), Max: slices.Max(x), Type: model.Int32, Scale: 1}
	c, trace := solved(t, &model.Dense{OutN: 1, Weights: []int64{1}, Bias: []int64{0}, Rescale: r}, in, x)
	step := c.plan.gadgets[0].(*rescaled).parts[0].step.(*awayStep)
	for i, acc := range x {
		w, err := c.plan.Assign(trace)
		if err != nil {
			t.Fatal(err)
		}
		tie := &w.Trace[step.tie.off+i]
		row := w.Trace[step.argument.off+i] + *tie*uint64(len(step.table.Values))
		*tie = 1 - *tie
		other := w.Trace[step.argument.off+i] + *tie*uint64(len(step.table.Values))
		w.Trace[step.outputs.multiplicities.off+int(row)]--
		w.Trace[step.outputs.multiplicities.off+int(other)]++
		w.Trace[step.image.off+i] = uint64(step.outputs.at(2, int(other)))
		if c.solve(c.witness(t, w)) == nil {
			t.Errorf("accumulator %d: the other answer to whether it is a tie was accepted", acc)
		}
	}
}
