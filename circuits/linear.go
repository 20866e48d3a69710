package circuits

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// linear checks acc[o,p] = bias[o] + Σ W[o,c,k]·in(c, p·stride + k) for all outputs at once, with
// the weights folded away (section "Folded parameters" of docs/protocol.md).
//
//   - Up to k1 output channels are the digits, in base B, of one packed row; k2 horizontal bands of
//     the image are digits on both sides. The digits on the left are bounded by the range checks of
//     the requantization, so the packed number determines them.
//   - Up to R packed rows that read the same input channels make a block; αⁱ combines them, and the
//     folded weight u = Σ αⁱ·Pᵢ of one (input channel, tap) serves the whole block.
//   - Positions are combined with powers of β. Partial sums of β^p·x_p are wires, so the sum over
//     any window is a difference of wires: a tap costs one product a channel, whatever the image.
//
// A layer of a single position (after banding) needs no β: its sums are expressions.
type linear struct {
	name    string
	window  model.Window
	h, w    int // of the input grid
	oh, ow  int // of the output grid
	outC    int
	hasBias bool
	accBits uint // bits of a digit: B = 2^accBits

	// connections lists, for a set of output channels that read the same input channels, both.
	groups []channelGroup
	// input is the expression of element (c, y, x), already relative to the zero point; nil where
	// there is none.
	input func(b *builder, c, y, x int) frontend.Variable
	// index is the element of the output tensor that channel o has at position (y, x).
	index func(o, y, x int) int
	// weight and bias read a parameter; op is the node's op in the graph whose parameters are meant.
	weight func(op model.Op, o, c, ky, kx int) int64
	bias   func(op model.Op, o int) int64
	node   int

	k1, k2      int
	band        int // output rows of one band
	taps        []tap
	blocks      []block
	firstColumn int
}

// channelGroup is a set of output channels and the input channels they all may read. Where each
// output reads channels of its own (depthwise), the weights for the others are zero: such channels
// share a packed row, but rows are not folded.
type channelGroup struct {
	outputs, inputs []int
	depthwise       bool
	inputOf         func(o int) int // for depthwise
}

// block is a set of packed rows folded together.
type block struct {
	rows   [][]int // output channels of each row, lowest digit first
	inputs []int
	column int // of its first folded weight, relative to the layer's
}

// tap is one kernel position that meets the image: the input of output (oy, ox) lies in parity class
// (cy, cx) at (oy + sy, ox + sx), counted in strides.
type tap struct{ ky, kx, sy, sx, cy, cx int }

// newLinear completes a description; rescale bounds the digits.
func newLinear(p *Plan, node int, rescale *model.Rescale, l *linear) *linear {
	l.name, l.node = p.graph.Nodes[node].Name, node
	lo, hi := rescale.AccRange()
	worst := max(-lo, hi)
	l.accBits = uint(bits.Len64(uint64(2*worst + 1)))
	for ky := range l.window.Kernel[0] {
		for kx := range l.window.Kernel[1] {
			if t, ok := l.newTap(ky, kx); ok {
				l.taps = append(l.taps, t)
			}
		}
	}
	p.linears = append(p.linears, l)
	return l
}

// newTap locates a kernel position; it reports false where it only ever meets padding.
func (l *linear) newTap(ky, kx int) (tap, bool) {
	ty := ky*l.window.Dilation[0] - l.window.PadBefore[0]
	tx := kx*l.window.Dilation[1] - l.window.PadBefore[1]
	if !meets(ty, l.window.Stride[0], l.oh, l.h) || !meets(tx, l.window.Stride[1], l.ow, l.w) {
		return tap{}, false
	}
	t := tap{ky: ky, kx: kx, sy: floorDiv(ty, l.window.Stride[0]), sx: floorDiv(tx, l.window.Stride[1])}
	t.cy, t.cx = ty-t.sy*l.window.Stride[0], tx-t.sx*l.window.Stride[1]
	return t, true
}

func meets(offset, stride, outputs, size int) bool {
	for o := range outputs {
		if i := o*stride + offset; i >= 0 && i < size {
			return true
		}
	}
	return false
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func (l *linear) pointwise() bool {
	return l.window.Kernel == [2]int{1, 1} && l.window.PadBefore == [2]int{} && l.window.PadAfter == [2]int{}
}

// choosePacking picks digits for channels (k1) and bands (k2) by cost.
func (l *linear) choosePacking(p *Plan) {
	best, b1, b2 := -1, 1, 1
	for _, k := range l.packings() {
		l.pack(k[0], k[1], p.opts.FoldRows)
		// Powers of β are shared by all layers; a layer is charged for those it alone would need.
		c := l.constraints() + l.powersNeeded()
		if p.opts.Arithmetization == Gates {
			c = l.gates() + l.powersNeeded()
		}
		if best < 0 || c < best {
			best, b1, b2 = c, k[0], k[1]
		}
	}
	l.pack(b1, b2, p.opts.FoldRows)
}

// packings lists the possible numbers of channels and bands.
func (l *linear) packings() (out [][2]int) {
	digits := max(int(maxPackedBits/l.accBits), 1)
	for k2 := 1; k2 <= min(digits, l.oh); k2++ {
		// Halo rows of a band are read from its neighbour, so bands must be equal where there are any.
		if !l.pointwise() && l.oh%k2 != 0 {
			continue
		}
		for k1 := 1; k1 <= min(digits/k2, l.outC); k1++ {
			out = append(out, [2]int{k1, k2})
		}
	}
	return out
}

// pack lays out blocks and columns for k1 channels and k2 bands.
func (l *linear) pack(k1, k2, fold int) {
	l.k1, l.k2, l.band = k1, k2, (l.oh+k2-1)/k2
	l.blocks = l.blocks[:0]
	column := 0
	add := func(b block) {
		b.column = column
		column += len(b.inputs) * len(l.taps)
		if l.hasBias {
			column++
		}
		l.blocks = append(l.blocks, b)
	}
	for _, g := range l.groups {
		if g.depthwise {
			for _, row := range chunks(g.outputs, k1) {
				add(block{rows: [][]int{row}, inputs: distinct(row, g.inputOf)})
			}
			continue
		}
		for _, outputs := range chunks(g.outputs, k1*fold) {
			add(block{rows: chunks(outputs, k1), inputs: g.inputs})
		}
	}
}

func chunks(v []int, n int) (out [][]int) {
	for ; len(v) > n; v = v[n:] {
		out = append(out, v[:n])
	}
	return append(out, v)
}

func distinct(v []int, f func(int) int) (out []int) {
	seen := map[int]bool{}
	for _, x := range v {
		if y := f(x); !seen[y] {
			seen[y] = true
			out = append(out, y)
		}
	}
	return out
}

func (l *linear) columns() int {
	n := 0
	for _, b := range l.blocks {
		n += len(b.inputs) * len(l.taps)
		if l.hasBias {
			n++
		}
	}
	return n
}

func (l *linear) rowsUsed() int {
	n := 0
	for _, b := range l.blocks {
		n = max(n, len(b.rows))
	}
	return n
}

// single tells that every band has one position.
func (l *linear) single() bool { return l.band == 1 && l.ow == 1 }

// shifts are the least and the greatest row shift of the taps.
func (l *linear) shifts() (least, greatest int) {
	least, greatest = l.taps[0].sy, l.taps[0].sy
	for _, t := range l.taps {
		least, greatest = min(least, t.sy), max(greatest, t.sy)
	}
	return least, greatest
}

// rows is the height of a band with its halo.
func (l *linear) rows() int {
	lo, hi := l.shifts()
	return l.band + hi - lo
}

// exponent is the power of β by which the sum of a tap is too large.
func (l *linear) exponent(t tap) int {
	lo, _ := l.shifts()
	return (t.sy-lo)*l.ow + t.sx
}

func (l *linear) maxExponent() int {
	e := 0
	for _, t := range l.taps {
		e = max(e, l.exponent(t))
	}
	return e
}

// powersNeeded is one more than the greatest power of β used.
func (l *linear) powersNeeded() int {
	if l.single() {
		return 0
	}
	greatest := max((l.band-1)*l.ow+l.ow-1, l.maxExponent())
	for _, c := range l.classes() {
		greatest = max(greatest, (l.rows()-1)*l.ow+c.width-1)
	}
	for _, t := range l.taps {
		greatest = max(greatest, l.maxExponent()-l.exponent(t))
	}
	return greatest + 1
}

// class is the part of the input that has one parity in each direction, seen by a stride.
type class struct{ cy, cx, height, width int }

func (l *linear) classes() []class {
	var out []class
	for cy := range l.window.Stride[0] {
		for cx := range l.window.Stride[1] {
			for _, t := range l.taps {
				if t.cy == cy && t.cx == cx {
					sy, sx := l.window.Stride[0], l.window.Stride[1]
					out = append(out, class{cy, cx, (l.h - cy + sy - 1) / sy, (l.w - cx + sx - 1) / sx})
					break
				}
			}
		}
	}
	return out
}

// inputChannels lists every channel that some block reads, ascending by first use.
func (l *linear) inputChannels() []int {
	var all []int
	for _, g := range l.groups {
		if g.depthwise {
			all = append(all, distinct(g.outputs, g.inputOf)...)
		} else {
			all = append(all, g.inputs...)
		}
	}
	return distinct(all, func(c int) int { return c })
}

func (l *linear) constraints() int {
	n := 0
	if !l.single() {
		per := 0
		for _, c := range l.classes() {
			per += l.rows() * c.width
		}
		n += len(l.inputChannels()) * per
	}
	shifted := 0
	for _, t := range l.taps {
		if !l.single() && l.exponent(t) != l.maxExponent() {
			shifted++
		}
	}
	for _, b := range l.blocks {
		n += len(b.rows) - 1 + len(b.inputs)*len(l.taps) + shifted + 1
		if !l.single() {
			n += len(b.rows) * l.band * l.ow
			if l.hasBias {
				n++
			}
		}
	}
	return n
}

// gates is about what the layer costs in gates of three wires, where its parameters are constants: a
// term of a sum each, a product and a term for each packed position, a term for each column.
func (l *linear) gates() int {
	n := 0
	if !l.single() {
		positions, windows := 0, 0
		for _, c := range l.classes() {
			positions += l.rows() * c.width
		}
		for _, t := range l.taps {
			windows++
			if t.sx != 0 {
				windows += 2 * l.band
			}
		}
		n += len(l.inputChannels()) * (positions*(l.k2+2) + windows)
	}
	for _, b := range l.blocks {
		n += len(b.inputs) * len(l.taps)
		if !l.single() {
			n += 2 * (len(b.rows)*l.band*l.ow + len(l.taps))
		}
	}
	return n
}

func (l *linear) note() string { return fmt.Sprintf("%d channels × %d bands packed", l.k1, l.k2) }

// digit is B^i.
func (l *linear) digit(i int) *big.Int { return pow2(l.accBits * uint(i)) }

// fill writes the layer's parameters into the rows of P.
func (l *linear) fill(p [][]fr.Element, op model.Op) {
	for _, b := range l.blocks {
		for i, row := range b.rows {
			for t, o := range row {
				var digit fr.Element
				digit.SetBigInt(l.digit(t))
				l.fillRow(p[i][l.firstColumn+b.column:], op, b, o, digit)
			}
		}
	}
}

func (l *linear) fillRow(columns []fr.Element, op model.Op, b block, o int, digit fr.Element) {
	add := func(col int, v int64) {
		var e fr.Element
		e.SetInt64(v)
		e.Mul(&e, &digit)
		columns[col].Add(&columns[col], &e)
	}
	for k, t := range l.taps {
		for j, c := range b.inputs {
			add(k*len(b.inputs)+j, l.weight(op, o, c, t.ky, t.kx))
		}
	}
	if l.hasBias {
		add(len(l.taps)*len(b.inputs), l.bias(op, o))
	}
}

// define constrains the accumulators.
func (l *linear) define(b *builder, acc []frontend.Variable) error {
	if b.baseline != nil {
		return l.defineProducts(b, acc)
	}
	var sums *windowSums
	if !l.single() {
		sums = l.newWindowSums(b)
	}
	for _, blk := range l.blocks {
		left := l.left(b, blk, acc)
		right := l.right(b, blk, sums)
		if l.single() {
			b.product(b.api.Sub(left, right), 1, 0)
			continue
		}
		b.product(left, b.betas[l.maxExponent()], right)
	}
	return b.err
}

// left is Σ_i αⁱ·(Σ_p β^p·packed accumulator) − folded bias.
func (l *linear) left(b *builder, blk block, acc []frontend.Variable) frontend.Variable {
	rows := make([]frontend.Variable, len(blk.rows))
	for i, row := range blk.rows {
		rows[i] = l.leftRow(b, row, acc)
	}
	sum := b.api.Add(rows[0], b.inner(rows[1:], b.alphas[1:max(len(rows), 1)]))
	if !l.hasBias {
		return sum
	}
	u := b.folded[l.firstColumn+blk.column+len(l.taps)*len(blk.inputs)]
	return b.api.Sub(sum, b.times(u, l.ones(b)))
}

// times is u·v; v is a constant for a layer of one position.
func (b *builder) times(u, v frontend.Variable) frontend.Variable {
	if _, constant := b.compiler.ConstantValue(v); constant {
		return b.api.Mul(u, v)
	}
	return b.inner([]frontend.Variable{v}, []frontend.Variable{u})
}

// ones is what the accumulators 1 everywhere would give on the left.
func (l *linear) ones(b *builder) frontend.Variable {
	var terms []frontend.Variable
	for r := range l.band {
		weight := new(big.Int)
		for j := range l.k2 {
			if j*l.band+r < l.oh {
				weight.Add(weight, l.digit(j*l.k1))
			}
		}
		for x := range l.ow {
			terms = append(terms, b.scale(l.power(b, r*l.ow+x), weight))
		}
	}
	return b.sum(terms)
}

// power is β^i; a layer of one position has only β⁰.
func (l *linear) power(b *builder, i int) frontend.Variable {
	if l.single() {
		return 1
	}
	return b.betas[i]
}

func (l *linear) leftRow(b *builder, row []int, acc []frontend.Variable) frontend.Variable {
	packed := make([]frontend.Variable, 0, l.band*l.ow)
	for r := range l.band {
		for x := range l.ow {
			var digits []frontend.Variable
			for j := range l.k2 {
				y := j*l.band + r
				if y >= l.oh {
					continue
				}
				for t, o := range row {
					digits = append(digits, b.scale(acc[l.index(o, y, x)], l.digit(j*l.k1+t)))
				}
			}
			packed = append(packed, b.sum(digits))
		}
	}
	if l.single() {
		return packed[0]
	}
	return b.inner(packed, b.betas[:len(packed)])
}

// right is Σ_taps β^shift·Σ_c u·(windowed sum of the input).
func (l *linear) right(b *builder, blk block, sums *windowSums) frontend.Variable {
	var direct, shifted, shifts []frontend.Variable
	for k, t := range l.taps {
		first := l.firstColumn + blk.column + k*len(blk.inputs)
		u := b.folded[first : first+len(blk.inputs)]
		in := make([]frontend.Variable, len(blk.inputs))
		for j, c := range blk.inputs {
			if l.single() {
				in[j] = l.singleInput(b, c, t)
			} else {
				in[j] = sums.tap(b, c, t)
			}
		}
		switch {
		case l.single():
			direct = append(direct, b.inner(u, in)) // small values on the right
		case l.exponent(t) == l.maxExponent():
			direct = append(direct, b.inner(in, u))
		default:
			shifted = append(shifted, b.inner(in, u))
			shifts = append(shifts, b.betas[l.maxExponent()-l.exponent(t)])
		}
	}
	return b.api.Add(b.sum(direct), b.inner(shifted, shifts))
}

// at is the packed input of channel c: the elements of all bands whose first output row reads row
// iy of the band's class image, at column ix.
func (l *linear) at(b *builder, c int, k class, r, ix int) frontend.Variable {
	least, _ := l.shifts()
	var digits []frontend.Variable
	for j := range l.k2 {
		if l.pointwise() && j*l.band+r >= l.oh {
			continue
		}
		iy := j*l.band + r + least
		if iy < 0 || iy >= k.height || ix < 0 || ix >= k.width {
			continue
		}
		if v := l.input(b, c, iy*l.window.Stride[0]+k.cy, ix*l.window.Stride[1]+k.cx); v != nil {
			digits = append(digits, b.scale(v, l.digit(j*l.k1)))
		}
	}
	return b.sum(digits)
}

func (l *linear) singleInput(b *builder, c int, t tap) frontend.Variable {
	least, _ := l.shifts()
	for _, k := range l.classes() {
		if k.cy == t.cy && k.cx == t.cx {
			return l.at(b, c, k, t.sy-least, t.sx)
		}
	}
	return 0
}

// windowSums are the partial sums of β^p·x_p of each input channel and parity class, row by row.
type windowSums struct {
	l     *linear
	sums  map[[3]int][]frontend.Variable // by channel and class
	width map[[2]int]int
}

func (l *linear) newWindowSums(b *builder) *windowSums {
	s := &windowSums{l: l, sums: map[[3]int][]frontend.Variable{}, width: map[[2]int]int{}}
	classes := l.classes()
	for _, k := range classes {
		s.width[[2]int{k.cy, k.cx}] = k.width
	}
	for _, c := range l.inputChannels() {
		for _, k := range classes {
			var x, weights []frontend.Variable
			for r := range l.rows() {
				for ix := range k.width {
					x = append(x, l.at(b, c, k, r, ix))
					weights = append(weights, b.betas[r*l.ow+ix])
				}
			}
			s.sums[[3]int{c, k.cy, k.cx}] = b.runningSums(x, weights)
		}
	}
	return s
}

// tap is the sum over the window of all positions as one tap sees it: whole rows less the columns
// outside the window.
func (s *windowSums) tap(b *builder, c int, t tap) frontend.Variable {
	sums, width := s.sums[[3]int{c, t.cy, t.cx}], s.width[[2]int{t.cy, t.cx}]
	var plus, minus []frontend.Variable
	interval := func(from, to int, plus, minus *[]frontend.Variable) {
		if from >= to {
			return
		}
		*plus = append(*plus, sums[to-1])
		if from > 0 {
			*minus = append(*minus, sums[from-1])
		}
	}
	least, _ := s.l.shifts()
	first := t.sy - least
	interval(first*width, (first+s.l.band)*width, &plus, &minus)
	lo, hi := max(t.sx, 0), min(t.sx+s.l.ow, width)
	for r := first; r < first+s.l.band; r++ {
		interval(r*width, r*width+lo, &minus, &plus)
		interval(r*width+hi, (r+1)*width, &minus, &plus)
	}
	return b.api.Sub(b.sum(plus), b.sum(minus))
}
