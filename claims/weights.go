package claims

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Weights is a functional on tensors of a shape: the sum of all elements, each times Coefficient and a product of
// one weight a group of axes. A group is usually one axis; reshaping joins axes to groups.
type Weights struct {
	Shape       []int
	Coefficient fr.Element
	groups      []group // every axis is in exactly one
}

// group is an array over some axes, row-major in their order.
type group struct {
	axes []int
	vector
}

// vector has a weight for every element of a group in [start, start+n), 0 for the others. Those of an eq vector
// are eq(point, i−start): on a part of the axis they are one factor and a product of pairs, however long the vector.
type vector struct {
	start, n int
	isEq     bool
	point    []fr.Element    // of an eq vector, for n up to 2^len(point)
	pairs    [][2]fr.Element // (1−p, p) of the point, shared by all that is made of it
	values   []fr.Element    // of any other
}

// eqVector is eq of a point over a part of its size.
func eqVector(p Part, point []fr.Element, pairs [][2]fr.Element) vector {
	return vector{start: p.Start, n: 1 << len(point), isEq: true, point: point, pairs: pairs}
}

// paddedVector is eq(point, i) for the n first i: what a vector of n elements, continued by zeros, is multiplied
// with to get its extension at the point.
func paddedVector(point []fr.Element, n int) vector {
	return vector{n: n, isEq: true, point: point, pairs: EqFactor(point).Pairs}
}

func denseVector(values []fr.Element) vector { return vector{n: len(values), values: values} }

// entries are the weights from start on.
func (v *vector) entries() []fr.Element {
	if v.isEq {
		return EqTable(v.point)[:v.n]
	}
	return v.values
}

// dense are n weights from 0 on.
func (v *vector) dense(n int) []fr.Element {
	e := v.entries()
	if v.start == 0 && len(e) == n {
		return e
	}
	out := make([]fr.Element, n)
	copy(out[v.start:], e)
	return out
}

func (v *vector) sum() (s fr.Element) {
	if v.isEq {
		s, _ = prefix(v.point, v.n)
		return s
	}
	for i := range v.values {
		s.Add(&s, &v.values[i])
	}
	return s
}

// over is the vector over a part of the axis that it meets: a factor, and what multiplies it unless that is 1.
func (v *vector) over(p Part) (f Factor, coefficient *fr.Element) {
	size, from := 1<<p.Bits, p.Start-v.start
	if v.isEq && from >= 0 && from&(size-1) == 0 && from+size <= v.n {
		k := len(v.point) - p.Bits
		if f.Pairs = v.pairs[k:]; k == 0 {
			return f, nil
		}
		e := indicator(from>>p.Bits, v.point[:k])
		return f, &e
	}
	values := v.at(p)
	if p.Bits == 0 {
		return f, &values[0]
	}
	return Factor{Dense: values}, nil
}

// at are the weights of a part.
func (v *vector) at(p Part) []fr.Element {
	e := v.entries()
	from, n := p.Start-v.start, 1<<p.Bits
	if from >= 0 && from+n <= len(e) {
		return e[from : from+n]
	}
	out := make([]fr.Element, n)
	for i := range out {
		if k := from + i; k >= 0 && k < len(e) {
			out[i] = e[k]
		}
	}
	return out
}

// blockWeights is eq of a point's coordinates within a block.
func blockWeights(coefficient fr.Element, shape []int, b *TensorBlock, low []fr.Element) Weights {
	w := Weights{Shape: shape, Coefficient: coefficient}
	pairs := EqFactor(low).Pairs
	for a, point := range b.Axes(low) {
		w.groups = append(w.groups, group{[]int{a}, eqVector(b.Parts[a], point, pairs[:len(point)])})
		pairs = pairs[len(point):]
	}
	return w
}

// weightsOf is a product of vectors, one an axis.
func weightsOf(shape []int, vectors []vector) Weights {
	w := Weights{Shape: shape, Coefficient: fr.One()}
	for a, v := range vectors {
		w.groups = append(w.groups, group{[]int{a}, v})
	}
	return w
}

// Axis is the vector of an axis that is a group of its own, from its first weight that may differ from 0 on.
func (w *Weights) Axis(a int) (start int, values []fr.Element) {
	g := w.axis(a)
	return g.start, g.entries()
}

func (w *Weights) axis(a int) *vector {
	for i := range w.groups {
		if g := &w.groups[i]; len(g.axes) == 1 && g.axes[0] == a {
			return &g.vector
		}
	}
	panic(fmt.Sprintf("claims: axis %d stands in a group", a))
}

// with replaces the vectors of some axes, each a group of its own.
func (w Weights) with(shape []int, axes map[int]vector) Weights {
	w.Shape = shape
	w.groups = slices.Clone(w.groups)
	for i := range w.groups {
		if v, ok := axes[w.groups[i].axes[0]]; ok && len(w.groups[i].axes) == 1 {
			w.groups[i].vector = v
		}
	}
	return w
}

// Sum is the functional of a tensor of ones.
func (w *Weights) Sum() fr.Element {
	out := w.Coefficient
	for i := range w.groups {
		s := w.groups[i].sum()
		out.Mul(&out, &s)
	}
	return out
}

// scaled is the functional times k.
func (w Weights) scaled(k fr.Element) Weights {
	w.Coefficient.Mul(&w.Coefficient, &k)
	return w
}

// Blocks is the functional on the cells of a placed tensor.
func (w *Weights) Blocks(t *Tensor) []Block {
	groups := w.contiguous()
	var out []Block
	for i := range t.Blocks {
		if b := &t.Blocks[i]; meets(b, groups) {
			out = append(out, blockOf(b, t.Shape, groups, w.Coefficient))
		}
	}
	return out
}

// meets tells whether the groups may have weights other than 0 on a block.
func meets(b *TensorBlock, groups []group) bool {
	for i := range groups {
		if g := &groups[i]; len(g.axes) == 1 {
			if p := b.Parts[g.axes[0]]; p.Start >= g.start+g.n || p.Start+1<<p.Bits <= g.start {
				return false
			}
		}
	}
	return true
}

// contiguous are the groups in the axes' order, joined where one's axes are not neighbours in their order.
func (w *Weights) contiguous() []group {
	var out []group
	for axis := 0; axis < len(w.Shape); {
		members, last := w.closure(axis)
		if len(members) == 1 && slices.IsSorted(members[0].axes) {
			out = append(out, *members[0])
		} else {
			out = append(out, joined(members, w.Shape))
		}
		axis = last + 1
	}
	return out
}

// closure are the groups that have axes between first and the last axis of any of them.
func (w *Weights) closure(first int) (members []*group, last int) {
	last = first
	for grown := true; grown; {
		grown, members = false, nil
		for i := range w.groups {
			g := &w.groups[i]
			if !slices.ContainsFunc(g.axes, func(a int) bool { return a >= first && a <= last }) {
				continue
			}
			members = append(members, g)
			if most := slices.Max(g.axes); most > last {
				last, grown = most, true
			}
		}
	}
	return members, last
}

// joined is the product of groups as one over all their axes, ascending.
func joined(members []*group, shape []int) group {
	var axes []int
	for _, g := range members {
		axes = append(axes, g.axes...)
	}
	slices.Sort(axes)
	size := 1
	for _, a := range axes {
		size *= shape[a]
	}
	values := make([]fr.Element, size)
	for i := range values {
		values[i].SetOne()
	}
	for _, g := range members {
		g.multiply(values, axes, shape)
	}
	return group{axes, denseVector(values)}
}

// multiply multiplies an array over axes, row-major, with the group's weights.
func (g *group) multiply(values []fr.Element, axes, shape []int) {
	volume, stride := 1, make([]int, len(axes)) // of g's array, along axes
	for i := len(g.axes) - 1; i >= 0; i-- {
		stride[slices.Index(axes, g.axes[i])] = volume
		volume *= shape[g.axes[i]]
	}
	own := g.dense(volume)
	at, index := 0, make([]int, len(axes))
	for i := range values {
		values[i].Mul(&values[i], &own[at])
		for a := len(axes) - 1; a >= 0; a-- {
			index[a]++
			at += stride[a]
			if index[a] < shape[axes[a]] {
				break
			}
			at -= index[a] * stride[a]
			index[a] = 0
		}
	}
}

// blockOf is the functional on one block that the groups meet.
func blockOf(b *TensorBlock, shape []int, groups []group, coefficient fr.Element) Block {
	out := Block{Offset: b.Offset, Coefficient: coefficient}
	for i := range groups {
		g := &groups[i]
		if len(g.axes) > 1 {
			out.Factors = append(out.Factors, Factor{Dense: g.within(b, shape)})
			continue
		}
		factor, k := g.over(b.Parts[g.axes[0]])
		if k != nil {
			out.Coefficient.Mul(&out.Coefficient, k)
		}
		out.append(factor)
	}
	return out
}

// append adds a factor. Pairs that go on where the last factor's end in memory are one factor with them: so the axes of a
// block of leaves are, and whoever evaluates sees that many blocks have the same.
func (b *Block) append(f Factor) {
	if f.Bits() == 0 {
		return
	}
	if n := len(b.Factors); n > 0 && f.Dense == nil {
		if last := b.Factors[n-1].Pairs; len(last) > 0 && cap(last) >= len(last)+len(f.Pairs) && &last[:len(last)+1][len(last)] == &f.Pairs[0] {
			b.Factors[n-1].Pairs = last[:len(last)+len(f.Pairs)]
			return
		}
	}
	b.Factors = append(b.Factors, f)
}

// within are the weights of a group of several axes, in ascending order, on a block.
func (g *group) within(b *TensorBlock, shape []int) []fr.Element {
	offsets := []int{0}
	for _, a := range g.axes {
		next := make([]int, 0, len(offsets)<<b.Parts[a].Bits)
		for _, o := range offsets {
			for i := range 1 << b.Parts[a].Bits {
				next = append(next, o*shape[a]+b.Parts[a].Start+i)
			}
		}
		offsets = next
	}
	out := make([]fr.Element, len(offsets))
	for i, o := range offsets {
		out[i] = g.values[o]
	}
	return out
}
