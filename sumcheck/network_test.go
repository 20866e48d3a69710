package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// example is a network with an execution: the smallest prover there can be, by the definition of everything.
type example struct {
	network claims.Network
	z       []int64 // the committed vector
	values  [][]int64
	rng     *rand.Rand
}

const (
	limbBits = 4
	shift    = 2 * limbBits
	least    = -40 // quotients
	most     = 40
)

// newExample has an input and the given layers, all over one table and one range.
func newExample(rng *rand.Rand, shape []int, layers ...func(e *example, in int) int) *example {
	e := &example{rng: rng}
	table := claims.Table{Min: least}
	for q := least; q <= most; q++ {
		table.Values = append(table.Values, int64(min(max(q, 0), 15)))
	}
	table.Multiplicities = e.tensor(nil, 1<<table.Height())
	limb := claims.Table{Bits: limbBits}
	limb.Multiplicities = e.tensor(nil, 1<<limbBits)
	e.network.Tables = []claims.Table{table, limb}
	input := make([]int64, shape[0]*shape[1]*shape[2])
	for i := range input {
		input[i] = rng.Int64N(16)
	}
	at := e.tensor(input, shape...)
	e.network.Public = []int{at}
	for _, layer := range layers {
		at = layer(e, at)
	}
	e.network.Public = append(e.network.Public, at)
	e.count()
	end := claims.Layout(0, e.network.Tensors...)
	e.network.AddressBits = claims.AxisBits(end)
	e.z = make([]int64, 1<<e.network.AddressBits)
	for id, t := range e.network.Tensors {
		t.Each(func(element, cell int) { e.z[cell] = e.values[id][element] })
	}
	return e
}

func (e *example) tensor(values []int64, shape ...int) int {
	t := claims.NewTensor(shape...)
	if values == nil {
		values = make([]int64, t.Len())
	}
	e.network.Tensors = append(e.network.Tensors, t)
	e.values = append(e.values, values)
	return len(e.values) - 1
}

func (e *example) noise(spread int64, shape ...int) int {
	n := claims.NewTensor(shape...).Len()
	v := make([]int64, n)
	for i := range v {
		v[i] = e.rng.Int64N(2*spread+1) - spread
	}
	return e.tensor(v, shape...)
}

// apply adds a layer of the given output shape and computes it.
func (e *example) apply(shape [3]int, terms ...claims.Term) int {
	n := shape[0] * shape[1] * shape[2]
	layer := claims.Layer{Shift: shift, Table: 0, Bias: e.noise(300, shape[2]), Terms: terms}
	out, limbs := make([]int64, n), [2][]int64{make([]int64, n), make([]int64, n)}
	for i := range out {
		y, x, c := i/shape[2]/shape[1], i/shape[2]%shape[1], i%shape[2]
		acc := e.values[layer.Bias][c]
		for _, t := range terms {
			acc += e.term(t, y, x, c, shape[2])
		}
		q := (acc + 1<<(shift-1)) >> shift
		rem := acc + 1<<(shift-1) - q<<shift
		if q < least || q > most {
			panic(fmt.Sprintf("quotient %d", q))
		}
		out[i] = min(max(q, 0), 15)
		limbs[0][i], limbs[1][i] = rem&(1<<limbBits-1), rem>>limbBits
	}
	layer.Out = e.tensor(out, shape[0], shape[1], shape[2])
	for k := range limbs {
		layer.Limbs = append(layer.Limbs, claims.Limb{Tensor: e.tensor(limbs[k], shape[0], shape[1], shape[2]), Shift: uint(k * limbBits), Table: 1})
	}
	e.network.Layers = append(e.network.Layers, layer)
	return layer.Out
}

// term is what a term adds to one accumulator.
func (e *example) term(t claims.Term, y, x, o, outputs int) (acc int64) {
	in, w := e.network.Tensors[t.In].Shape, e.values[t.Weight]
	for ky := range t.Kernel[0] {
		for kx := range t.Kernel[1] {
			iy, ix := y*t.Stride[0]+ky*t.Dilate[0]-t.Pad[0], x*t.Stride[1]+kx*t.Dilate[1]-t.Pad[1]
			if iy < 0 || iy >= in[0] || ix < 0 || ix >= in[1] {
				continue
			}
			at := func(c int) int64 { return e.values[t.In][(iy*in[1]+ix)*in[2]+c] - t.Zero }
			switch t.Kind {
			case claims.Convolution:
				for c := range in[2] {
					acc += at(c) * w[((ky*t.Kernel[1]+kx)*in[2]+c)*outputs+o]
				}
			case claims.Depthwise:
				acc += at(o) * w[(ky*t.Kernel[1]+kx)*outputs+o]
			case claims.Pooling:
				acc += at(o) * w[0]
			}
		}
	}
	return acc
}

// count fills in the multiplicities.
func (e *example) count() {
	function, limbs := &e.network.Tables[0], &e.network.Tables[1]
	for _, l := range e.network.Layers {
		for i := range e.values[l.Out] {
			e.values[function.Multiplicities][e.quotient(l, i)-least]++
			for _, limb := range l.Limbs {
				e.values[limbs.Multiplicities][e.values[limb.Tensor][i]]++
			}
		}
	}
}

// quotient of an element, from its terms.
func (e *example) quotient(l claims.Layer, i int) int64 {
	shape := e.network.Tensors[l.Out].Shape
	y, x, c := i/shape[2]/shape[1], i/shape[2]%shape[1], i%shape[2]
	acc := e.values[l.Bias][c]
	for _, t := range l.Terms {
		acc += e.term(t, y, x, c, shape[2])
	}
	return (acc + 1<<(shift-1)) >> shift
}

func window(kind claims.TermKind, in, weight, kernel, stride, pad int, zero int64) claims.Term {
	return claims.Term{Kind: kind, In: in, Weight: weight, Zero: zero, Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride},
		Dilate: [2]int{1, 1}, Pad: [2]int{pad, pad}}
}

func size(n, kernel, stride, pad int) int { return (n+2*pad-kernel)/stride + 1 }

func convolution(channels, kernel, stride, pad int, zero int64) func(*example, int) int {
	return func(e *example, in int) int {
		s := e.network.Tensors[in].Shape
		w := e.noise(12, kernel, kernel, s[2], channels)
		return e.apply([3]int{size(s[0], kernel, stride, pad), size(s[1], kernel, stride, pad), channels},
			window(claims.Convolution, in, w, kernel, stride, pad, zero))
	}
}

func depthwise(kernel, stride, pad int) func(*example, int) int {
	return func(e *example, in int) int {
		s := e.network.Tensors[in].Shape
		w := e.noise(30, kernel, kernel, s[2])
		return e.apply([3]int{size(s[0], kernel, stride, pad), size(s[1], kernel, stride, pad), s[2]},
			window(claims.Depthwise, in, w, kernel, stride, pad, 1))
	}
}

func dense(outputs int) func(*example, int) int {
	return func(e *example, in int) int {
		s := e.network.Tensors[in].Shape
		w := e.noise(5, s[0], s[1], s[2], outputs)
		t := window(claims.Convolution, in, w, 1, 1, 0, 2)
		t.Kernel = [2]int{s[0], s[1]}
		return e.apply([3]int{1, 1, outputs}, t)
	}
}

// pooled averages windows of 2×2 and adds the corner of each, by a term of its own.
func pooled(e *example, in int) int {
	s := e.network.Tensors[in].Shape
	return e.apply([3]int{s[0] / 2, s[1] / 2, s[2]},
		window(claims.Pooling, in, e.noise(60, []int{}...), 2, 2, 0, 0),
		window(claims.Pooling, in, e.noise(90, []int{}...), 1, 2, 0, 3))
}

// accepted runs prover and verifier on the cells as they are, and compares what all checks come to with Z.
func (e *example) accepted(t *testing.T, public [][]int64) bool {
	t.Helper()
	z := make([]fr.Element, len(e.z), 4*len(e.z))
	for i, v := range e.z {
		z[i].SetInt64(v)
	}
	// Pads of linear messages stand behind everything, in as many cells again.
	z = append(z, random(len(e.z))...)
	first := len(e.z)
	var wires []fr.Element // pads of the other messages, by message; 0 for linear ones
	linear := 0
	r := claims.NewProver([32]byte{9}, func(kind claims.Kind, _ int) fr.Element {
		if kind == claims.Linear {
			wires = append(wires, fr.Element{})
			linear++
			return z[first+linear-1]
		}
		wires = append(wires, random(1)...)
		return wires[len(wires)-1]
	})
	bits := e.network.AddressBits + 1
	padCell := func(i int) int { return first + i }
	if err := e.network.Prove(r, public, &slowProver{e, z}); err != nil {
		t.Fatal(err)
	}
	_, err := r.Merge(bits, padCell, func(blocks []claims.Block) claims.ProductProver {
		table := make([]fr.Element, len(z))
		for i := range blocks {
			blocks[i].AddTo(table)
		}
		return NewProduct(slices.Clone(z), table)
	})
	if err != nil {
		t.Fatal(err)
	}
	if linear > len(e.z) {
		t.Fatalf("%d pads in %d cells", linear, len(e.z))
	}
	v := claims.NewVerifier([32]byte{9}, r.Sent)
	if err := e.network.Prove(v, public, nil); err != nil {
		t.Fatal(err)
	}
	opening, err := v.Merge(bits, padCell, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := claims.Extension(z, opening.Point)
	got := inPads(opening, v.Sent, wires)
	return got.Equal(&want)
}

// inPads is what a circuit computes: the opening's form in pads.
func inPads(o *claims.Opening, sent, pads []fr.Element) fr.Element {
	value, coefficients, products := o.InPads(sent)
	var v fr.Element
	for i := range coefficients {
		value.Add(&value, v.Mul(&coefficients[i], &pads[i]))
	}
	for _, p := range products {
		v.Mul(&pads[p.A], &pads[p.B]).Mul(&v, &p.Coefficient)
		value.Add(&value, &v)
	}
	return value
}

func (e *example) public() [][]int64 {
	var out [][]int64
	for _, id := range e.network.Public {
		out = append(out, slices.Clone(e.values[id]))
	}
	return out
}

// slowProver follows the cells, whatever they are: queries are what its cells say.
type slowProver struct {
	e *example
	z []fr.Element
}

func (p *slowProver) Trees(alpha, beta fr.Element) []claims.TreeProver {
	p.e.reread()
	var out []claims.TreeProver
	for t := range p.e.network.Tables {
		out = append(out, p.queries(t, alpha, beta), p.rows(t, alpha, beta))
	}
	return out
}

// queries has the denominator α where no query is.
func (p *slowProver) queries(t int, alpha, beta fr.Element) *Fractions {
	queries, height := p.e.network.Queries(t)
	live, less := make([]fr.Element, 1<<height), make([]fr.Element, 1<<height)
	for i := range less {
		less[i] = alpha
	}
	for _, q := range queries {
		layer := p.e.network.Layers[q.Layer]
		q.Place.Each(func(element, at int) {
			live[at].SetOne()
			var key fr.Element
			if q.Limb >= 0 {
				key.SetInt64(p.e.values[layer.Limbs[q.Limb].Tensor][element])
			} else {
				key = p.e.fieldQuotient(layer, element)
				var a fr.Element
				a.SetInt64(p.e.values[layer.Out][element]).Mul(&a, &beta)
				key.Add(&key, &a)
			}
			less[at].Sub(&less[at], &key)
		})
	}
	return NewFractions(live, less)
}

func (p *slowProver) rows(t int, alpha, beta fr.Element) *Fractions {
	table := &p.e.network.Tables[t]
	uses := make([]fr.Element, 1<<table.Height())
	for i, v := range p.e.values[table.Multiplicities] {
		uses[i].SetInt64(v)
	}
	return NewFractions(uses, table.Keys(alpha, beta))
}

// fieldQuotient is (acc + 2^(T−1) − rem)/2^T, an integer only if the remainder is the right one.
func (e *example) fieldQuotient(l claims.Layer, i int) (q fr.Element) {
	shape := e.network.Tensors[l.Out].Shape
	y, x, c := i/shape[2]/shape[1], i/shape[2]%shape[1], i%shape[2]
	acc := e.values[l.Bias][c] + 1<<(shift-1)
	for _, t := range l.Terms {
		acc += e.term(t, y, x, c, shape[2])
	}
	for _, limb := range l.Limbs {
		acc -= e.values[limb.Tensor][i] << limb.Shift
	}
	power := fr.NewElement(1 << shift)
	q.SetInt64(acc)
	return *q.Div(&q, &power)
}

// reread takes the values from the cells.
func (e *example) reread() {
	for id, t := range e.network.Tensors {
		t.Each(func(element, cell int) { e.values[id][element] = e.z[cell] })
	}
}

func (p *slowProver) cell(i int) fr.Element { return p.z[i] }

func (p *slowProver) Term(t *claims.TermClaim) claims.ProductProver {
	return NewProduct(t.Tables(p.cell))
}

// consistent tells, by the definition, whether the cells are an execution with these public values.
func (e *example) consistent(public [][]int64) bool {
	e.reread()
	uses := [2][]int64{make([]int64, len(e.values[e.network.Tables[0].Multiplicities])), make([]int64, 1<<limbBits)}
	for _, l := range e.network.Layers {
		for i, a := range e.values[l.Out] {
			q := e.quotient(l, i)
			rem := e.values[l.Limbs[0].Tensor][i] + e.values[l.Limbs[1].Tensor][i]<<limbBits
			half := fr.NewElement(0)
			exact := e.fieldQuotient(l, i)
			if half.SetInt64(q); !exact.Equal(&half) || rem < 0 || rem >= 1<<shift || q < least || q > most || a != min(max(q, 0), 15) {
				return false
			}
			uses[0][q-least]++
			for _, limb := range l.Limbs {
				v := e.values[limb.Tensor][i]
				if v < 0 || v >= 1<<limbBits {
					return false
				}
				uses[1][v]++
			}
		}
	}
	for t := range uses {
		if !slices.Equal(uses[t], e.values[e.network.Tables[t].Multiplicities]) {
			return false
		}
	}
	for k, id := range e.network.Public {
		if !slices.Equal(public[k], e.values[id]) {
			return false
		}
	}
	return true
}

// networks are of every kind of term, odd sizes, strides and paddings among them.
func networks() map[string]func(rng *rand.Rand) *example {
	build := func(shape []int, layers ...func(*example, int) int) func(*rand.Rand) *example {
		return func(rng *rand.Rand) *example { return newExample(rng, shape, layers...) }
	}
	return map[string]func(*rand.Rand) *example{
		"convolution":         build([]int{5, 3, 2}, convolution(3, 3, 1, 1, 0)),
		"convolution, stride": build([]int{5, 6, 1}, convolution(5, 3, 2, 1, 1), convolution(2, 1, 1, 0, 0)),
		"depthwise":           build([]int{4, 5, 3}, depthwise(3, 1, 1), depthwise(2, 2, 0)),
		"dense":               build([]int{3, 2, 3}, dense(5), dense(1)),
		"pooling":             build([]int{4, 6, 3}, pooled),
		"network":             build([]int{6, 6, 1}, convolution(3, 3, 1, 1, 0), depthwise(3, 1, 1), pooled, dense(4)),
	}
}

// TestNetworks: an execution satisfies every check. Then one cell of every block at a time is changed, and the prover
// follows its cells: some check notices each, but for weights that only meet inputs at their zero point, whose
// change changes nothing. Public values that are not the network's are noticed as well.
func TestNetworks(t *testing.T) {
	for name, build := range networks() {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			e := build(rng)
			public := e.public()
			if !e.accepted(t, public) {
				t.Fatal("an execution was rejected")
			}
			honest := slices.Clone(e.z)
			tried := 0
			for id, x := range e.network.Tensors {
				for i := range x.Blocks {
					b := &x.Blocks[i]
					cell := b.Offset + rng.IntN(1<<b.Bits())
					e.z[cell] += 1 + rng.Int64N(3)
					want := e.consistent(public)
					if e.accepted(t, public) != want {
						t.Errorf("tensor %d, block %d: a cell changed; accepted is %v, right is %v", id, i, !want, want)
					}
					if !want {
						tried++
					}
					copy(e.z, honest)
				}
			}
			for k := range public {
				public[k][rng.IntN(len(public[k]))]++
				if e.accepted(t, public) {
					t.Errorf("public tensor %d: another value was accepted", k)
				}
				public = e.public()
			}
			t.Logf("%d lies", tried)
			if tried < 15 {
				t.Error("too few lies: the test means little")
			}
		})
	}
}
