package claims

import (
	"errors"
	"math/rand/v2"

	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/allocation"
)

func tensors(shapes ...[]int) (out []Committed) {
	for _, s := range shapes {
		out = append(out, Committed{Tensor: &Tensor{Shape: s}})
	}
	return out
}

func viewed(shape []int, steps ...Step) Expression {
	return Expression{Linear: []Summand{{Coefficient: 1, View: View{Steps: steps}}}}
}

// hostile are descriptions of some bytes that would take very long, or much memory.
func hostile() map[string]*Network {
	sevens, threes := slices.Repeat([]int{7}, 8), slices.Repeat([]int{3}, maxAxes)
	long := make([]Committed, 4000)
	for i := range long {
		long[i] = tensors(slices.Repeat([]int{3}, maxAxes))[0]
	}
	shift := Step{Window: &Window{Axis: 0, Length: 7, Kernel: 7, Stride: 1, Dilation: 1, Pad: 3}}
	windows := make([]Step, 8)
	for a := range windows {
		w := *shift.Window
		w.Axis = a
		windows[a] = Step{Window: &w}
	}
	wide := Step{Window: &Window{Length: 1 << 13, Kernel: 1 << 13, Stride: 1, Dilation: 1}}
	scaling := Contraction{Kind: Scaling, Weight: View{}, Input: Shaped{Shape: []int{2}, Expression: Expression{Linear: slices.Repeat(viewed(nil).Linear, 2000)}}}
	contracted := Expression{Contractions: slices.Repeat([]ContractionTimes{{Coefficient: 1}}, 2000)}
	return map[string]*Network{
		"a tensor of many blocks, many times": {Tensors: long},
		"axes that are joined": {Tensors: tensors([]int{8191, 16381}),
			Zeros: []Shaped{{Shape: []int{16381, 8191}, Expression: viewed(nil, Step{Reshape: &Reshape{Shape: []int{16381, 8191}}})}}},
		"a permutation that is joined": {Tensors: tensors([]int{8191, 16381}),
			Zeros: []Shaped{{Shape: []int{8191 * 16381}, Expression: viewed(nil, Step{Permute: []int{1, 0}}, Step{Reshape: &Reshape{Shape: []int{8191 * 16381}}})}}},
		"every block meets every block": {Tensors: append(tensors(sevens), tensors([]int{16})...),
			Tables:  []Table{{Arguments: []Argument{{Len: 16}}, Multiplicities: 1}},
			Lookups: []Lookup{{Shape: sevens, Columns: []Expression{viewed(nil, windows...)}}}},
		"blocks of lookups": {Tensors: tensors([]int{16}), Tables: []Table{{Arguments: []Argument{{Len: 16}}}},
			Lookups: slices.Repeat([]Lookup{{Shape: threes, Columns: []Expression{{Constant: 1}}}}, 10000)},
		"wide windows": {Tensors: tensors([]int{1 << 14}),
			Zeros: slices.Repeat([]Shaped{{Shape: []int{1 << 13}, Expression: viewed(nil, wide)}}, 1000)},
		"windows in windows": {Tensors: tensors([]int{1 << 13}),
			Zeros: []Shaped{{Shape: []int{1 << 13}, Expression: viewed(nil, slices.Repeat([]Step{wide}, maxSteps)...)}}},
		"long columns": {Tensors: tensors([]int{1<<20 - 2}),
			Tables: slices.Repeat([]Table{{Arguments: []Argument{{Len: 1<<19 - 1}, {Len: 2}}}}, 16)},
		"long contractions, often": {Tensors: tensors([]int{2}, []int{16}), Contractions: []Contraction{scaling},
			Tables:  []Table{{Arguments: []Argument{{Len: 16}}, Multiplicities: 1}},
			Lookups: slices.Repeat([]Lookup{{Shape: []int{2}, Columns: []Expression{contracted}}}, 2000)},
		"long public tensors": {Tensors: tensors([]int{2}),
			Public: slices.Repeat([]Shaped{{Shape: []int{1 << 24}, Expression: Expression{Constant: 1}}}, 10000)},
		"many ones": {Tensors: tensors([]int{2}), Zeros: []Shaped{{Shape: []int{1 << 24}, Expression: Expression{
			Linear: slices.Repeat([]Summand{{Coefficient: 1, View: View{Tensor: Ones, Shape: []int{1 << 24}}}}, 1000)}}}},
	}
}

// TestHostileDescriptions: a description that was made to hurt is refused before it does.
func TestHostileDescriptions(t *testing.T) {
	for name, n := range hostile() {
		var err error
		spent := allocation.Of(func() {
			if err = n.Cut(); err == nil {
				err = n.Check()
			}
		})
		if !errors.Is(err, ErrNetwork) {
			t.Errorf("%s: %v, expected ErrNetwork", name, err)
		}
		if spent > 64<<20 {
			t.Errorf("%s: refused after %d MB", name, spent>>20)
		}
	}
}

// TestTablesDoNotOverflow: rows are what their progressions say in any number of bits.
func TestTablesDoNotOverflow(t *testing.T) {
	for name, table := range map[string]Table{
		"argument": {Arguments: []Argument{{Min: 1<<63 - 3, Len: 8}}},
		"first":    {Arguments: []Argument{{Len: 2}}, Values: []Column{{{Len: 2, First: -1 << 63}}}},
		"step":     {Arguments: []Argument{{Len: 8}}, Values: []Column{{{Len: 8, Step: 1 << 60}}}},
	} {
		n := &Network{Tensors: tensors([]int{table.Rows()}), Tables: []Table{table}}
		if err := n.Check(); !errors.Is(err, ErrNetwork) {
			t.Errorf("%s: %v, expected ErrNetwork", name, err)
		}
	}
}

// TestCostBoundsWork: what Check counts is what claims take, for random views of random tensors: up to a factor, the bytes that
// are allocated.
func TestCostBoundsWork(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const perElement = 48 // bytes: an element, and a bit of everything
	most := 0.0
	for range 400 {
		n, v := randomView(rng)
		shape, err := n.ShapeOf(&v)
		if err != nil {
			t.Fatal(err)
		}
		parts := rng.IntN(2) == 0
		cost := n.viewCost(&v, parts)
		var cells int
		w := []Weights{randomVectors(rng, shape, parts)}
		spent := allocation.Of(func() {
			var f Form
			n.into(&f).addView(&v, fr.One(), w)
			cells = len(f.cells)
			at := newEvaluation(random(30))
			for i := range f.cells {
				at.of(&f.cells[i])
			}
		})
		if limit := uint64(perElement*cost + 1<<16); spent > limit {
			t.Errorf("%v by %+v: %d bytes for %d blocks, cost %d", n.Tensors[0].Shape, v.Steps, spent, cells, cost)
		}
		most = max(most, float64(spent)/float64(perElement*cost+1<<16))
		if cells*blockCost > cost {
			t.Errorf("%v by %+v: %d blocks, cost %d", n.Tensors[0].Shape, v.Steps, cells, cost)
		}
	}
	if most < 1./64 {
		t.Errorf("at most %.4f of the bound was used: it bounds nothing", most)
	}
}

// randomView is a view of one tensor of some thousand elements.
func randomView(rng *rand.Rand) (*Network, View) {
	var shape []int
	for volume(shape) < 1000 {
		shape = append(shape, 1+rng.IntN(40))
	}
	x := NewTensor(shape...)
	Place(0, x)
	n := &Network{Tensors: []Committed{{Tensor: x}}}
	v := View{}
	for range rng.IntN(5) {
		s := randomStep(rng, shape)
		next, err := s.Apply(shape)
		if err != nil || volume(next) > 1<<16 || len(next) == 0 {
			continue
		}
		shape = next
		v.Steps = append(v.Steps, s)
	}
	return n, v
}

// randomVectors are eq of a random point over one block, or over everything.
func randomVectors(rng *rand.Rand, shape []int, parts bool) Weights {
	if parts {
		return eqOf(shape, rng.IntN(blockCount(shape)))
	}
	vectors := make([]vector, len(shape))
	for a, d := range shape {
		vectors[a] = paddedVector(newCoordinates(random(AxisBits(d))), 0, d)
	}
	return weightsOf(shape, vectors)
}
