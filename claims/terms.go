package claims

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// TermClaim is the part of the sum of products that a term has for one part of the output channels:
//
//	Σ_x W(x)·I(x),   x = (tap y, tap x, input channel), or (tap y, tap x, channel), or nothing,
//
// where W is the weights multiplied over output channels with eq(r_channels, ·), and I the inputs over positions
// with eq(r_y, ·)·eq(r_x, ·), added up over all blocks of that channel part.
type TermClaim struct {
	Term   *Term
	Part   Part // of the output channels
	Blocks []BlockClaim
	// Channels is the point of the output channels.
	Channels []fr.Element

	network *Network
	outputs int // channels
}

// BlockClaim is a block of output positions with its coefficient: eq of the block and the layer's scale.
type BlockClaim struct {
	Y, X        Part
	PointY      []fr.Element
	PointX      []fr.Element
	Coefficient fr.Element
}

// termBlock is a block of outputs with its point by axes.
type termBlock struct {
	block *TensorBlock
	axes  [][]fr.Element
	scale fr.Element
}

// termClaims groups a layer's blocks by channel part.
func (n *Network) termClaims(layer *Layer, t *Term, blocks []termBlock) []*TermClaim {
	var out []*TermClaim
	byPart := map[Part]*TermClaim{}
	for _, b := range blocks {
		part := b.block.Parts[2]
		c, ok := byPart[part]
		if !ok {
			c = &TermClaim{Term: t, Part: part, Channels: b.axes[2], network: n, outputs: n.Tensors[layer.Out].Shape[2]}
			byPart[part] = c
			out = append(out, c)
		}
		c.Blocks = append(c.Blocks, BlockClaim{Y: b.block.Parts[0], X: b.block.Parts[1], PointY: b.axes[0], PointX: b.axes[1], Coefficient: b.scale})
	}
	return out
}

// sizes are the bits of the variables: taps, and input channels.
func (c *TermClaim) sizes() (y, x, channels int) {
	switch c.Term.Kind {
	case Convolution:
		return AxisBits(c.Term.Kernel[0]), AxisBits(c.Term.Kernel[1]), AxisBits(c.input().Shape[2])
	case Depthwise:
		return AxisBits(c.Term.Kernel[0]), AxisBits(c.Term.Kernel[1]), c.Part.Bits
	}
	return 0, 0, 0
}

// Bits is the number of variables.
func (c *TermClaim) Bits() int {
	y, x, channels := c.sizes()
	return y + x + channels
}

func (c *TermClaim) input() *Tensor { return c.network.Tensors[c.Term.In] }

// claim requires that the messages are the values of W and of I at the point, as functionals of Z.
func (c *TermClaim) claim(r *Run, ends [2]Message, point []fr.Element) {
	y, x, _ := c.sizes()
	tapY, tapX, channels := point[:y], point[y:y+x], point[y+x:]
	weight := Check{Form: Form{Cells: c.weights(tapY, tapX, channels)}}
	weight.Form.Add(minusOne(), Of(ends[0]))
	r.Require(weight)
	input := Check{}
	for i := range c.Blocks {
		c.read(&input.Form, &c.Blocks[i], tapY, tapX, channels)
	}
	input.Form.Add(minusOne(), Of(ends[1]))
	r.Require(input)
}

// weights is the functional of W at a point.
func (c *TermClaim) weights(tapY, tapX, channels []fr.Element) []Block {
	w := c.network.Tensors[c.Term.Weight]
	eq := EqTable(c.Channels)
	switch c.Term.Kind {
	case Convolution:
		return w.Product(fr.One(), Padded(tapY, w.Shape[0]), Padded(tapX, w.Shape[1]), Padded(channels, w.Shape[2]), placed(eq, c.Part, c.outputs))
	case Depthwise:
		at := EqTable(channels)
		for i := range at {
			at[i].Mul(&at[i], &eq[i])
		}
		return w.Product(fr.One(), Padded(tapY, w.Shape[0]), Padded(tapX, w.Shape[1]), placed(at, c.Part, c.outputs))
	}
	return w.Product(fr.One())
}

// read adds what a block of positions reads of the input at a point.
func (c *TermClaim) read(f *Form, b *BlockClaim, tapY, tapX, channels []fr.Element) {
	in := c.input()
	y := c.window(0, in.Shape[0], b.Y, b.PointY, tapY)
	x := c.window(1, in.Shape[1], b.X, b.PointX, tapX)
	var at []fr.Element
	switch c.Term.Kind {
	case Convolution:
		at = Padded(channels, in.Shape[2])
	case Depthwise:
		at = placed(EqTable(channels), c.Part, in.Shape[2])
	default:
		at = placed(EqTable(c.Channels), c.Part, in.Shape[2])
	}
	f.Cells = append(f.Cells, in.Product(b.Coefficient, y, x, at)...)
	if c.Term.Zero != 0 { // inputs count less the zero point
		var zero fr.Element
		zero.SetInt64(-c.Term.Zero).Mul(&zero, &b.Coefficient)
		for _, v := range [][]fr.Element{y, x, at} {
			s := sumOf(v)
			zero.Mul(&zero, &s)
		}
		f.Constant.Add(&f.Constant, &zero)
	}
}

// window is, for every input position along an axis, Σ eq(point, o)·eq(taps, t) over the output positions o of a part
// and the taps t that read it. Poolings add up all taps.
func (c *TermClaim) window(axis, n int, part Part, point, taps []fr.Element) []fr.Element {
	t := c.Term
	out := make([]fr.Element, n)
	at := EqTable(point)
	var weights []fr.Element
	if t.Kind == Pooling {
		for range t.Kernel[axis] {
			weights = append(weights, fr.One())
		}
	} else {
		weights = Padded(taps, t.Kernel[axis])
	}
	var v fr.Element
	for o := range at {
		for k := range weights {
			if i := (part.Start+o)*t.Stride[axis] + k*t.Dilate[axis] - t.Pad[axis]; i >= 0 && i < n {
				out[i].Add(&out[i], v.Mul(&at[o], &weights[k]))
			}
		}
	}
	return out
}

func sumOf(v []fr.Element) (s fr.Element) {
	for i := range v {
		s.Add(&s, &v[i])
	}
	return s
}

// Tables are W and I at every corner, for a prover: z is the committed vector. Entries beyond a kernel's or the
// channels' number are 0.
func (c *TermClaim) Tables(z func(cell int) fr.Element) (w, i []fr.Element) {
	y, x, channels := c.sizes()
	w, i = make([]fr.Element, 1<<c.Bits()), make([]fr.Element, 1<<c.Bits())
	for corner := range w {
		tapY, tapX, at := bitsOf(corner>>(x+channels), y), bitsOf(corner>>channels, x), bitsOf(corner, channels)
		for _, b := range c.weights(tapY, tapX, at) {
			v := b.of(z)
			w[corner].Add(&w[corner], &v)
		}
		var f Form
		for k := range c.Blocks {
			c.read(&f, &c.Blocks[k], tapY, tapX, at)
		}
		i[corner] = f.Constant
		for _, b := range f.Cells {
			v := b.of(z)
			i[corner].Add(&i[corner], &v)
		}
	}
	return w, i
}

// bitsOf are the n lowest bits of v as coordinates, top bit first.
func bitsOf(v, n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].SetUint64(uint64(v >> (n - 1 - i) & 1))
	}
	return out
}

// of is the functional of cells.
func (b *Block) of(z func(cell int) fr.Element) (sum fr.Element) {
	table := make([]fr.Element, 1<<b.Bits())
	at := Block{Coefficient: b.Coefficient, Factors: b.Factors}
	at.AddTo(table)
	for i := range table {
		if !table[i].IsZero() {
			v := z(b.Offset + i)
			sum.Add(&sum, v.Mul(&v, &table[i]))
		}
	}
	return sum
}
