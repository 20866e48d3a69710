package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// convolutionWeights is Σ_o channel[o]·W[o, c, ky, kx], at (ky, kx, first input channel of o's group + c).
func (x *tables) convolutionWeights() []fr.Element {
	steps, length := padded(x.Sizes())
	out := make([]fr.Element, length)
	per, area := x.kernel[1], x.kernel[2]*x.kernel[3]
	start, channel := x.Channel()
	size := x.kernel[0] / x.Contraction.Groups // output channels of a group
	for len(channel) > 0 {
		group := start / size
		n := min((group+1)*size-start, len(channel))
		for i, v := range combine(channel[:n], offsets(start, n, per*area), x.weights, per*area) {
			c, tap := group*per+i/area, i%area
			out[tap/x.kernel[3]*steps[0]+tap%x.kernel[3]*steps[1]+c] = v
		}
		start, channel = start+n, channel[n:]
	}
	return out
}

// strip is the outputs of some columns of positions: their weights are a product of u along x and v along y.
type strip struct {
	start int // the first column
	u, v  []fr.Element
}

// strips are the Outputs by columns. Blocks of the same columns and channels differ in their rows only.
func (x *tables) strips() []strip {
	var out []strip
	byColumn := map[[2]int]int{}
	for i := range x.Outputs {
		w := &x.Outputs[i]
		start, u := w.Axis(2)
		key := [2]int{start, len(u)}
		at, ok := byColumn[key]
		if !ok {
			at = len(out)
			byColumn[key] = at
			out = append(out, strip{start, u, make([]fr.Element, x.Contraction.Out[0])})
		}
		first, v := w.Axis(1)
		for k := range v {
			out[at].v[first+k].Mul(&v[k], &w.Coefficient)
		}
	}
	return out
}

// What the two ways to compute I cost, in nanoseconds: a small number times an element, a reduction, and a product of
// elements.
const (
	costSmall  = 3
	costReduce = 25
	costMul    = 18
)

// convolutionInputs is Σ over the output positions of their weights times the input at the taps: along x and then along
// y, or, where lines are short, over positions at once for every tap.
func (x *tables) convolutionInputs() []fr.Element {
	strips := x.strips()
	ky, kx := x.kernel[2], x.kernel[3]
	separable := costSmall*kx*x.Contraction.Out[1] + len(strips)*kx*(costReduce+costMul*ky)
	direct := costSmall * ky * kx * x.Contraction.Out[1]
	if separable < direct {
		return x.byLines(strips)
	}
	return x.byPositions(strips)
}

// source is the input coordinate that a tap reads for an output; it may lie outside.
func (x *tables) source(axis, output, tap int) int {
	c := x.Contraction
	return output*c.Stride[axis] + tap*c.Dilation[axis] - c.Pad[axis]
}

// byPositions adds up rows of channels, a list of positions for every tap.
func (x *tables) byPositions(strips []strip) []fr.Element {
	steps, length := padded(x.Sizes())
	out := make([]fr.Element, length)
	channels := x.in[3]
	weights := x.positions(strips)
	for tap := range x.kernel[2] * x.kernel[3] {
		ky, kx := tap/x.kernel[3], tap%x.kernel[3]
		var at []int
		var used []fr.Element
		for oy := range x.Contraction.Out[0] {
			y := x.source(0, oy, ky)
			if y < 0 || y >= x.in[1] {
				continue
			}
			for ox := range x.Contraction.Out[1] {
				if c := x.source(1, ox, kx); c >= 0 && c < x.in[2] {
					at = append(at, (y*x.in[2]+c)*channels)
					used = append(used, weights[oy*x.Contraction.Out[1]+ox])
				}
			}
		}
		copy(out[ky*steps[0]+kx*steps[1]:], combine(used, at, x.input, channels))
	}
	return out
}

// positions are the weights of all output positions.
func (x *tables) positions(strips []strip) []fr.Element {
	width := x.Contraction.Out[1]
	out := make([]fr.Element, x.Contraction.Out[0]*width)
	for _, s := range strips {
		for oy := range s.v {
			for k := range s.u {
				out[oy*width+s.start+k].Mul(&s.v[oy], &s.u[k])
			}
		}
	}
	return out
}

// byLines folds every line of the input along x, for every tap, and adds what comes out to the taps along y.
func (x *tables) byLines(strips []strip) []fr.Element {
	_, length := padded(x.Sizes())
	taps := x.lineTaps(strips)
	partial := make([][]fr.Element, processors())
	parts := parallel(x.in[1]*x.in[2]*x.in[3], func(part, from, to int) {
		line := x.in[2] * x.in[3]
		l := newLineFold(x, strips, taps, make([]fr.Element, length))
		for y := from / line; y < to/line; y++ {
			l.fold(y)
		}
		partial[part] = l.out
	})
	for _, p := range partial[1:parts] {
		for i := range p {
			partial[0][i].Add(&partial[0][i], &p[i])
		}
	}
	return partial[0]
}

// lineTap is what a tap along x reads of a line for a strip: the line's elements are sorted by their rests modulo the
// stride, so that it reads neighbours.
type lineTap struct {
	strip, tap int
	rest, from int // of the first element that is read: rest + from·stride
	u          []fr.Element
	excess     fr.Element
}

func (x *tables) lineTaps(strips []strip) (out []lineTap) {
	stride := x.Contraction.Stride[1]
	for s := range strips {
		for tap := range x.kernel[3] {
			u, first := strips[s].u, strips[s].start
			for len(u) > 0 && x.source(1, first, tap) < 0 {
				u, first = u[1:], first+1
			}
			for len(u) > 0 && x.source(1, first+len(u)-1, tap) >= x.in[2] {
				u = u[:len(u)-1]
			}
			if len(u) > 0 {
				at := x.source(1, first, tap)
				out = append(out, lineTap{s, tap, at % stride, at / stride, u, claims.Excess(u)})
			}
		}
	}
	return out
}

// lineFold adds lines of the input to the table.
type lineFold struct {
	*tables
	strips []strip
	taps   []lineTap
	steps  []int
	out    []fr.Element
	tile   []int64 // some channels of a line, channel by channel
	length int     // of a rest's elements in tile
}

func newLineFold(x *tables, strips []strip, taps []lineTap, out []fr.Element) *lineFold {
	l := &lineFold{tables: x, strips: strips, taps: taps, out: out}
	l.steps, _ = padded(x.Sizes())
	l.length = (x.in[2] + x.Contraction.Stride[1] - 1) / x.Contraction.Stride[1]
	l.tile = make([]int64, tileChannels*l.length*x.Contraction.Stride[1])
	return l
}

// tileChannels are as many as a cache line of input has.
const tileChannels = 8

// fold adds line y, if any output reads it.
func (l *lineFold) fold(y int) {
	rows := l.readers(y)
	if len(rows) == 0 {
		return
	}
	for first := 0; first < l.in[3]; first += tileChannels {
		n := min(tileChannels, l.in[3]-first)
		l.load(y, first, n)
		for k := range n {
			for i := range l.taps {
				l.add(&l.taps[i], rows, k, first+k)
			}
		}
	}
}

// reader is an output row, and the tap by which it reads a line.
type reader struct{ row, tap int }

func (l *lineFold) readers(y int) (out []reader) {
	for tap := range l.kernel[2] {
		first := y - l.source(0, 0, tap)
		if row := first / l.Contraction.Stride[0]; first >= 0 && first%l.Contraction.Stride[0] == 0 && row < l.Contraction.Out[0] {
			out = append(out, reader{row, tap})
		}
	}
	return out
}

// load copies n channels of a line.
func (l *lineFold) load(y, first, n int) {
	stride, channels := l.Contraction.Stride[1], l.in[3]
	line := l.input[y*l.in[2]*channels:][:l.in[2]*channels]
	for at := range l.in[2] {
		to := at%stride*l.length + at/stride
		for k, v := range line[at*channels+first:][:n] {
			l.tile[k*l.length*stride+to] = v
		}
	}
}

// add folds one channel by one tap, for all rows that read it.
func (l *lineFold) add(t *lineTap, rows []reader, k, channel int) {
	var sum claims.Accumulator
	sum.Add(t.u, l.tile[(k*l.Contraction.Stride[1]+t.rest)*l.length+t.from:])
	folded := sum.Value(&t.excess)
	var v fr.Element
	for _, r := range rows {
		to := &l.out[r.tap*l.steps[0]+t.tap*l.steps[1]+channel]
		to.Add(to, v.Mul(&folded, &l.strips[t.strip].v[r.row]))
	}
}
