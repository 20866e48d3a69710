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
	// whole is eq of the last coordinates on the block of this number of a tensor of the shape, nil where the
	// functional is none of that kind.
	whole *coordinates
	block int
}

// group is an array over some axes, row-major in their order.
type group struct {
	axes []int
	vector
}

// vector has weights other than 0 only for the elements of a group in [start, start+n). Those of an eq vector are
// eq(i−start) of some coordinates: on a part of the axis they are one factor and a product of pairs, however long the vector.
type vector struct {
	start, n int
	isEq     bool
	of       *coordinates // of an eq vector: bits coordinates from at on, for n up to 2^bits
	at, bits int
	values   []fr.Element // of any other: of all elements
}

// eqVector is eq of some coordinates over a part of its size.
func eqVector(p Part, of *coordinates, at int) vector {
	return vector{start: p.Start, n: 1 << p.Bits, isEq: true, of: of, at: at, bits: p.Bits}
}

// paddedVector is eq(i) of some coordinates for the n first i: what a vector of n elements, continued by zeros, is multiplied
// with to get its extension at the point.
func paddedVector(of *coordinates, at, n int) vector {
	return vector{n: n, isEq: true, of: of, at: at, bits: AxisBits(n)}
}

// oneWeight is 1 for the one element that an axis has.
func oneWeight() vector { return vector{n: 1, isEq: true} }

func denseVector(values []fr.Element) vector { return vector{n: len(values), values: values} }

// identity tells vectors apart: what it is equal of is the same.
type identity struct {
	start, n, at, bits int
	of                 *coordinates
	first              *fr.Element
}

func (v *vector) identity() identity {
	if v.isEq {
		return identity{v.start, v.n, v.at, v.bits, v.of, nil}
	}
	return identity{start: v.start, n: v.n, first: &v.values[0]}
}

// entries are the weights from start on.
func (v *vector) entries() []fr.Element {
	switch {
	case !v.isEq:
		return v.values[v.start : v.start+v.n]
	case v.bits == 0:
		return []fr.Element{fr.One()}
	}
	return v.of.table(v.at, v.bits)[:v.n]
}

// dense are n weights from 0 on.
func (v *vector) dense(n int) []fr.Element {
	if !v.isEq {
		return v.values
	}
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
		if v.n == 1<<v.bits {
			return fr.One()
		}
		return prefix(v.of.point[v.at:v.at+v.bits], v.n)
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
		above := v.bits - p.Bits
		if p.Bits > 0 {
			f.Pairs = v.of.pairs[v.at+above : v.at+v.bits]
		}
		if above == 0 {
			return f, nil
		}
		return f, &v.of.table(v.at, above)[from>>p.Bits]
	}
	values := v.on(p)
	if p.Bits == 0 {
		return f, &values[0]
	}
	return Factor{Dense: values}, nil
}

// on are the weights of a part.
func (v *vector) on(p Part) []fr.Element {
	if !v.isEq {
		return v.values[p.Start : p.Start+1<<p.Bits]
	}
	e, from := v.entries(), p.Start-v.start
	out := make([]fr.Element, 1<<p.Bits)
	for i := range out {
		if k := from + i; k >= 0 && k < len(e) {
			out[i] = e[k]
		}
	}
	return out
}

// axisNumbers are the axes, each a list of its own for groups of one.
var axisNumbers = [maxAxes]int{0, 1, 2, 3, 4, 5, 6, 7}

func oneAxis(a int) []int { return axisNumbers[a : a+1 : a+1] }

// blockWeights are eq of a point's last coordinates on each block of a placed tensor, times eq of the others and the block's
// offset: all together are the extension at the point.
func blockWeights(place *Tensor, point *coordinates) []Weights {
	out, axes := make([]Weights, len(place.Blocks)), len(place.Shape)
	all := make([]group, len(out)*axes)
	for i := range out {
		b := &place.Blocks[i]
		out[i] = Weights{Shape: place.Shape, Coefficient: point.high(b), groups: all[i*axes:][:axes:axes], whole: point, block: i}
		at := len(point.point) - b.Bits()
		for a, p := range b.Parts {
			out[i].groups[a] = group{oneAxis(a), eqVector(p, point, at)}
			at += p.Bits
		}
	}
	return out
}

// weightsOf is a product of vectors, one an axis.
func weightsOf(shape []int, vectors []vector) Weights {
	w := Weights{Shape: shape, Coefficient: fr.One()}
	for a, v := range vectors {
		w.groups = append(w.groups, group{oneAxis(a), v})
	}
	return w
}

// Axis is the vector of an axis that is a group of its own, from its first weight that may differ from 0 on. It is not for
// several goroutines at once: what weights share is computed when it is first asked for.
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

// on is the functional on another shape of as many axes, whose groups are its own to change.
func (w *Weights) on(shape []int) Weights {
	return Weights{Shape: shape, Coefficient: w.Coefficient, groups: slices.Clone(w.groups)}
}

// onOnes is the sum of functionals of a tensor of ones.
func onOnes(functionals []Weights) (sum fr.Element) {
	known := map[identity]fr.Element{}
	for i := range functionals {
		w := &functionals[i]
		v := w.Coefficient
		for k := range w.groups {
			if g := &w.groups[k]; w.whole == nil && !(g.isEq && g.n == 1<<g.bits) { // whose sum is 1
				s, ok := known[g.identity()]
				if !ok {
					s = g.sum()
					known[g.identity()] = s
				}
				v.Mul(&v, &s)
			}
		}
		sum.Add(&sum, &v)
	}
	return sum
}

// addTo adds the functional on the cells of a placed tensor to a form.
func (w *Weights) addTo(f *Form, t *Tensor) {
	groups := w.contiguous()
	for i := range t.Blocks {
		if b := &t.Blocks[i]; meets(b, groups) {
			f.cells = append(f.cells, blockOf(b, t.Shape, groups, w.Coefficient))
		}
	}
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
	if len(w.groups) == len(w.Shape) { // each an axis
		if slices.IsSortedFunc(w.groups, func(a, b group) int { return a.axes[0] - b.axes[0] }) {
			return w.groups
		}
		out := make([]group, len(w.groups))
		for _, g := range w.groups {
			out[g.axes[0]] = g
		}
		return out
	}
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
	out := Block{Offset: b.Offset, Coefficient: coefficient, Factors: make([]Factor, 0, len(groups))}
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
