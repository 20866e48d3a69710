package sumcheck

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// forgery is cells that are no execution, and the network that they are shown to.
type forgery struct {
	network *claims.Network
	values  [][]int64 // by tensor, row-major
	public  [][]int64
}

// newForgery begins with an execution.
func newForgery(e *executed) *forgery {
	n := *e.plan.Network
	n.Lookups, n.Multiplications, n.Zeros, n.Public = slices.Clone(n.Lookups), slices.Clone(n.Multiplications), slices.Clone(n.Zeros), slices.Clone(n.Public)
	n.Tables = slices.Clone(n.Tables)
	f := &forgery{network: &n, public: slices.Clone(e.public)}
	for _, x := range n.Tensors {
		v := make([]int64, x.Len())
		x.Each(func(element, cell int) { v[element] = e.z[cell] })
		f.values = append(f.values, v)
	}
	for i := range f.public {
		f.public[i] = slices.Clone(f.public[i])
	}
	return f
}

// cells lays the values out.
func (f *forgery) cells() plain.Cells {
	n := *f.network
	n.Tensors = nil
	var placed []*claims.Tensor
	for i, x := range f.network.Tensors {
		x.Tensor = claims.NewTensor(len(f.values[i]))
		if len(f.values[i]) == f.network.Tensors[i].Len() {
			x.Tensor = claims.NewTensor(f.network.Tensors[i].Shape...)
		}
		n.Tensors = append(n.Tensors, x)
		placed = append(placed, x.Tensor)
	}
	z := make([]fr.Element, claims.Place(0, placed...))
	for i, x := range placed {
		x.Each(func(element, cell int) { z[cell].SetInt64(f.values[i][element]) })
	}
	return plain.Cells{Network: &n, Z: z}
}

// count sets all multiplicities to what the lookups use.
func (f *forgery) count() {
	n := f.network
	for t := range n.Tables {
		f.values[n.Tables[t].Multiplicities] = make([]int64, n.Tables[t].Rows())
	}
	c := f.cells()
	for i := range n.Lookups {
		l, t := &n.Lookups[i], &n.Tables[n.Lookups[i].Table]
		arguments := make([][]fr.Element, len(t.Arguments))
		for k := range arguments {
			arguments[k] = c.Expression(&l.Columns[k], l.Shape)
		}
		for element := range arguments[0] {
			at := make([]int64, len(arguments))
			for k := range at {
				at[k] = signed(arguments[k][element])
			}
			if row, ok := t.Row(at); ok {
				f.values[t.Multiplicities][row]++
			}
		}
	}
}

// signed is an element as a small number, or as one that is in no table.
func signed(v fr.Element) int64 {
	if v.IsUint64() {
		return int64(v.Uint64() & (1<<63 - 1))
	}
	if v.Neg(&v); v.IsUint64() {
		return -int64(v.Uint64() & (1<<63 - 1))
	}
	return 1 << 62
}

// accepted tells whether the protocol accepts the cells, and demands that it does if they are what the network says.
func (f *forgery) accepted(t *testing.T) bool {
	t.Helper()
	f.count()
	c := f.cells()
	got := believed(t, c, f.public, slowProver{c})
	err := c.Check(f.public)
	if got != (err == nil) || err != nil && !errors.Is(err, plain.ErrViolated) {
		t.Errorf("accepted is %v, by the definition %v", got, err)
	}
	return got
}

// part is a part of a network, and what an absence of it would let pass.
type part struct {
	name, of string // a case
	lie      func(f *forgery)
	without  func(f *forgery)
}

func withoutLookups(from, to int) func(*forgery) {
	return func(f *forgery) { f.network.Lookups = slices.Delete(f.network.Lookups, from, to) }
}

// withoutPublic is of a tensor that the statement does not bind.
func withoutPublic(i int) func(*forgery) {
	return func(f *forgery) {
		f.network.Public, f.public = slices.Delete(f.network.Public, i, i+1), slices.Delete(f.public, i, i+1)
	}
}

func withoutZeros(f *forgery) { f.network.Zeros = nil }

// parts lie about outputs, element 0. Tensors are numbered in the order in which the plans commit them.
func parts() []part {
	dense := func(f *forgery, output, remainder, q int64) {
		// One quotient less, and the remainder that goes with it. Quotients of ReLU have a row of their own from 1 on.
		f.values[output][q]--
		f.values[remainder][q] += 128
		f.public[1][q]--
	}
	positive := func(f *forgery, output int) int64 {
		return int64(slices.IndexFunc(f.values[output], func(v int64) bool { return v > 1 && v < 255 }))
	}
	return []part{
		{"a remainder has no range", "dense", func(f *forgery) { dense(f, 3, 4, positive(f, 3)) }, withoutLookups(0, 1)},
		{"a remainder's range is a row too long", "dense", func(f *forgery) {
			// The remainder of an exact quotient is the least one: a row more is the one of the quotient below.
			f.values[2][0] += -64 - f.values[4][0] // the owner's bias, so that there is one
			f.values[4][0] = -64
			dense(f, 3, 4, 0)
		}, func(f *forgery) {
			f.network.Tables[0].Arguments = []claims.Argument{{Min: -64, Len: 129}}
		}},
		{"an output has no table", "dense", func(f *forgery) { f.values[3][0]++; f.public[1][0]++ }, withoutLookups(1, 2)},
		{"the input is not the statement's", "dense", func(f *forgery) { f.public[0][0] ^= 1 },
			withoutPublic(0)},
		{"the output is not the statement's", "dense", func(f *forgery) { f.public[1][0] = -f.public[1][0] - 1 },
			withoutPublic(1)},
		{"a product is none", "mul", func(f *forgery) {
			f.values[3][0] += 128 // 3 quotients more: the multiplier is 3
			f.values[4][0] = min(max((3*f.values[3][0]+64)>>7, 0), 255)
			f.public[2][0] = f.values[4][0]
		}, func(f *forgery) { f.network.Multiplications = nil }},
		{"a maximum is none", "maxpool", func(f *forgery) {
			f.values[4][0] = 255 // less the least value, −128
			f.public[1][0] = 127
		}, withoutLookups(3, 4)},
		{"a tie is none", "conv rounded twice by channel", func(f *forgery) { flipTie(f) }, withoutLookups(1, 2)},
		{"an index does not win", "argmax last index", func(f *forgery) { elect(f, slices.Index(f.values[0], slices.Min(f.values[0]))) }, withoutLookups(1, 2)},
		{"a tie is the other's", "argmax last index", func(f *forgery) { elect(f, slices.Index(f.values[0], slices.Max(f.values[0]))) },
			func(f *forgery) {
				margin := &f.network.Lookups[1].Columns[0]
				margin.Linear = slices.Clone(margin.Linear)[:2]
			}},
		{"no index is chosen", "argmax last index", func(f *forgery) {
			for i := range f.values[1] {
				f.values[1][i], f.values[2][i] = 0, 0
			}
			f.public[1][0] = 0
			for i := range f.values[0] { // the winner of nobody is 0
				f.values[0][i], f.public[0][i] = 0, 0
			}
		}, withoutZeros},
		{"a probability is one less", "softmax", func(f *forgery) { lessProbable(f) }, withoutLookups(7, 9)},
		{"a private output is another", "private input and output", func(f *forgery) { f.values[5][0]++ },
			withoutZeros},
		{"a private input is out of range", "private input and output", func(f *forgery) {
			// All of the input at zero but for one that lies beyond: the layer follows.
			f.values[0] = []int64{256, 0, 0, 0}
			follow(f, 3, 4)
			copy(f.values[5], f.values[3])
		}, withoutLookups(0, 1)},
	}
}

// follow computes outputs and remainders of a dense layer without zero point, of ReLU and 7 bits.
func follow(f *forgery, output, remainder int) {
	x, w, bias := f.values[0], f.values[1], f.values[2]
	for o := range f.values[output] {
		acc := bias[o] + 64
		for k := range x {
			acc += w[o*len(x)+k] * x[k]
		}
		f.values[output][o] = min(max(acc>>7, 0), 255)
		f.values[remainder][o] = acc&127 - 64
	}
}

// flipTie says of a quotient of 0 or less that it is a tie though it is none: its output is another.
func flipTie(f *forgery) {
	c := f.cells()
	l := &c.Network.Lookups[2]
	q := c.Expression(&l.Columns[1], l.Shape)
	column := f.network.Tables[2].Values[0].Expand()
	for i := range q {
		row, _ := f.network.Tables[2].Row([]int64{1 - f.values[6][i], signed(q[i])})
		if column[row] != f.values[3][i] {
			f.values[6][i] = 1 - f.values[6][i]
			f.values[3][i] = column[row]
			break
		}
	}
	f.public[1] = shownOutput(f)
}

// shownOutput is the public output of the network's last public tensor.
func shownOutput(f *forgery) (out []int64) {
	p := f.network.Public[len(f.network.Public)-1]
	for _, v := range f.cells().Expression(&p.Expression, p.Shape) {
		out = append(out, signed(v))
	}
	return out
}

// elect chooses an index.
func elect(f *forgery, index int) {
	for i := range f.values[1] {
		f.values[1][i], f.values[2][i] = 0, 0
	}
	f.values[1][index], f.values[2][index] = 1, f.values[0][index]
	f.public[1][0] = int64(index)
}

// lessProbable takes 1 from a probability: what the division leaves is twice the sum more.
func lessProbable(f *forgery) {
	sum := int64(0)
	for _, e := range f.values[4][:5] {
		sum += e
	}
	at := slices.IndexFunc(f.values[5][:5], func(v int64) bool { return v > 0 })
	f.values[5][at]--
	f.values[6][at] -= 2 * sum
	f.public[1][at]--
	rest := sum + 510*f.values[4][at] - f.values[6][at]
	f.values[7][at] = rest>>16 - 4
}

// TestEveryPartIsNeeded: without some part of a network a lie is accepted that is rejected with it.
func TestEveryPartIsNeeded(t *testing.T) {
	cases := map[string]modeltest.Case{}
	for _, c := range append(modeltest.Cases(), displacedCase()) {
		cases[c.Name] = c
	}
	for _, p := range append(parts(), displacedParts()...) {
		t.Run(p.name, func(t *testing.T) {
			f := newForgery(execute(t, rand.New(rand.NewPCG(1, 2)), cases[p.of]))
			if !f.accepted(t) {
				t.Fatal("an execution was rejected")
			}
			p.lie(f)
			if f.accepted(t) {
				t.Error("a lie was accepted")
			}
			p.without(f)
			if !f.accepted(t) {
				t.Error("the lie is refused without that part too: it shows nothing")
			}
		})
	}
}
