package sumcheck

import (
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// boundaries are accumulators on both sides of where quotients change, displaced or not, and some anywhere.
func boundaries(r *model.Rescale) (out []int64) {
	rng := rand.New(rand.NewPCG(3, 4))
	for q := r.QMin + 1; q <= r.QMax; q++ {
		for near := int64(-2); near <= 2; near++ {
			out = append(out, r.Least(q)+near, r.Least(q)+r.Displacement(q)+near)
		}
		out = append(out, r.Least(q)+rng.Int64N(1<<r.Shift))
	}
	return out
}

// displacedRescales are requantizations by binary32: tables that add a number, that do not, that say nothing.
func displacedRescales() map[string]model.Rescale {
	rescale := func(shift uint, qMin, qMax int64, t model.Table) model.Rescale {
		return model.Rescale{Shift: shift, QMin: qMin, QMax: qMax, Table: t, Roundings: []model.Rounding{model.Binary32}}
	}
	return map[string]model.Rescale{
		"clamp":              rescale(25, -40, 41, model.ClampTable(-40, 41, -17, 22)),
		"clamp, odd ends":    rescale(26, -40, 41, model.ClampTable(-40, 41, -16, 23)),
		"clamp, zero point":  rescale(31, -40, 41, moved(model.ClampTable(-40, 41, 0, 20), -128)),
		"two outputs":        rescale(25, -9, 9, model.ClampTable(-9, 9, 3, 4)),
		"one output":         rescale(25, -9, 9, model.ClampTable(-9, 9, 3, 3)),
		"no structure":       rescale(27, -40, 40, modeltest.SomeFunction(-20, 22)),
		"as far as it goes":  rescale(25, -20, 20, modeltest.Identity(-20, 20)),
		"half of it told":    rescale(25, -20, 20, modeltest.ReLU(-20, 20)),
		"quotients of 9 bit": rescale(25, -300, 300, model.ClampTable(-300, 300, -255, 255)),
	}
}

// moved adds a number to a function.
func moved(t model.Table, by int64) model.Table {
	for i := range t.Values {
		t.Values[i] += by
	}
	return t
}

// TestDisplacementsLeaveOneOutput: of all quotients and rows of the table, those that an accumulator's remainders admit have
// one output's quotient, the executor's.
func TestDisplacementsLeaveOneOutput(t *testing.T) {
	for name, r := range displacedRescales() {
		d := &displacement{r: &r}
		d.from, d.to = active(&r.Table, r.QMin-1, r.QMax)
		inRange := func(v int64) bool { return v>>r.Shift == 0 }
		for _, acc := range boundaries(&r) {
			want := min(max(r.Binary32Quotient(acc), d.from), d.to)
			if p, which, x, y := d.of(acc); p != want || !inRange(r.Remainder(acc-x)+y) || (p-which)%2 != 0 || min(max(r.Floor(acc-x), d.from), d.to) != p {
				t.Fatalf("%s, accumulator %d: quotient %d with x %d and y %d of row %d, expected %d", name, acc, p, x, y, which, want)
			}
			for q := r.QMin - 1; q <= r.QMax+1; q++ {
				p := min(max(q, d.from), d.to)
				for which := range int64(3) {
					x, y := d.rest(which, p)
					remainder := acc + half(r.Shift) - q<<r.Shift - x
					if (p-which)%2 == 0 && inRange(remainder) && inRange(remainder+y) && p != want {
						t.Fatalf("%s, accumulator %d: quotient %d is admitted by row %d, expected %d", name, acc, q, which, want)
					}
				}
			}
		}
	}
}

// biased is a layer whose accumulators are its bias.
func biased(r model.Rescale, acc []int64, roundings ...model.Rounding) *model.Graph {
	r.Roundings = nil
	for i := range acc {
		r.Roundings = append(r.Roundings, roundings[i%len(roundings)])
	}
	if len(roundings) > 1 && r.QMin == r.Table.Min { // a tie takes one
		r.Table.Min, r.Table.Values = r.Table.Min-1, append([]int64{r.Table.Values[0]}, r.Table.Values...)
	}
	return modeltest.Graph(&model.Dense{OutN: len(acc), Rescale: r, Weights: make([]int64, len(acc)), Bias: acc}, modeltest.Bytes(1, 1))
}

// TestDisplacedBoundaries: executions at every boundary satisfy their plans, where all channels, some, or some others round so.
func TestDisplacedBoundaries(t *testing.T) {
	for name, r := range displacedRescales() {
		if lo, hi := r.Table.Range(); lo == hi {
			continue // no graph has a constant output
		}
		for _, roundings := range [][]model.Rounding{
			{model.Binary32},
			{model.HalfUp, model.Binary32},
			{model.Binary32, model.HalfAway(3), model.Binary32, model.HalfUp, model.Binary32},
		} {
			acc := boundaries(&r)
			e := execute(t, rand.New(rand.NewPCG(1, 2)), modeltest.Case{Build: func(*rand.Rand) *model.Graph { return biased(r, acc[len(acc)/9:len(acc)-len(acc)/9], roundings...) }})
			if err := e.cells().Check(e.public); err != nil {
				t.Errorf("%s, %v: %v", name, roundings, err)
			}
		}
	}
}

// displacedCase is a layer of outputs −100 to 100 that adds no number. By half-up quotients the last two outputs were 5; they are
// 4 and 6, since d(5) = 9 and d(6) = −8.
func displacedCase() modeltest.Case {
	r := model.Rescale{Shift: 25, QMin: -100, QMax: 100, Table: modeltest.Identity(-100, 100)}
	return modeltest.Case{Name: "dense displaced", Build: func(*rand.Rand) *model.Graph {
		return biased(r, []int64{1 << 26, r.Least(5) + 4, r.Least(6) - 3}, model.HalfUp, model.Binary32, model.Binary32)
	}}
}

// displacedLie is an output with any row of displacements, and the remainders that follow.
func displacedLie(f *forgery, channel int, output, which, pair, x, y int64) {
	remainder := f.values[2][channel] + 1<<24 - output<<25 - x
	two := func(first, at int, v int64) { // limbs of 16 and of 9 bits
		f.values[first][at], f.values[first+1][at] = v&0xffff-1<<15, v>>16-1<<8
	}
	f.values[3][channel], f.public[1][channel] = output, output
	two(5, channel, remainder)
	for i, v := range map[int]int64{4: x, 7: which, 8: pair, 9: y} {
		f.values[i][channel-1] = v
	}
	two(10, channel-1, remainder+y)
}

// displacedParts are what the parts of a plan with displacements are for.
func displacedParts() []part {
	name := displacedCase().Name
	withoutZero := func(i int) func(*forgery) {
		return func(f *forgery) { f.network.Zeros = append(f.network.Zeros[:i:i], f.network.Zeros[i+1:]...) }
	}
	return []part{
		{"a displacement is in no row", name, func(f *forgery) { displacedLie(f, 1, 5, odd, 2, 0, 0) }, withoutLookups(3, 4)},
		{"a displacement is another output's", name, func(f *forgery) { displacedLie(f, 1, 5, evenLow, 2, -4, 0) }, withoutZero(0)},
		{"a remainder is beyond the next boundary", name, func(f *forgery) { displacedLie(f, 2, 5, odd, 2, 9, 17) }, withoutLookups(4, 6)},
		{"a remainder is not that of the next boundary", name, func(f *forgery) {
			displacedLie(f, 2, 5, odd, 2, 9, 17)
			f.values[10][1], f.values[11][1] = 0, 0
		}, withoutZero(1)},
	}
}
