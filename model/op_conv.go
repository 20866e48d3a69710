package model

import "fmt"

// Conv is a convolution of x [1, C, H, W] to [1, O, OH, OW]:
//
//	acc[o,p] = Bias[o] + Σ Weights[o,c,ky,kx]·(x[g(o)·C/Groups + c, …] − Zero)
//
// Taps on padding contribute nothing. Groups = C with O = C·m is a depthwise convolution.
type Conv struct {
	Window
	Groups  int
	OutC    int
	Zero    int64
	Rescale Rescale
	Weights []int64 `cbor:"-"` // parameter, [O, C/Groups, KH, KW]
	Bias    []int64 `cbor:"-"` // parameter, [O]
}

// Kind implements Op.
func (*Conv) Kind() string { return "conv" }

// Infer implements Op.
func (c *Conv) Infer(in []Tensor) (Tensor, error) {
	if err := checkImage(in); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	channels := x.Shape[1]
	if c.Groups < 1 || channels%c.Groups != 0 || c.OutC%c.Groups != 0 {
		return Tensor{}, fmt.Errorf("%w: %d groups do not divide %d input and %d output channels", ErrAttribute, c.Groups, channels, c.OutC)
	}
	oh, ow, err := c.Window.infer(x.Shape)
	if err != nil {
		return Tensor{}, err
	}
	n, err := boundedVolume(maxParameters, c.OutC, channels/c.Groups, c.Kernel[0], c.Kernel[1])
	if err != nil {
		return Tensor{}, err
	}
	if err := checkLength("weights", c.Weights, n); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("bias", c.Bias, c.OutC); err != nil {
		return Tensor{}, err
	}
	if err := checkZero("zero", c.Zero); err != nil {
		return Tensor{}, err
	}
	out, err := c.Rescale.infer([]int{1, c.OutC, oh, ow}, c.OutC)
	if err != nil {
		return Tensor{}, err
	}
	ys, xs := c.tapRanges(0, x.Shape[2], oh), c.tapRanges(1, x.Shape[3], ow)
	for o := range c.OutC {
		if err := c.Rescale.admit(fmt.Sprintf("output channel %d", o), c.worst(o, centered(x, c.Zero), ys, xs)); err != nil {
			return Tensor{}, err
		}
	}
	return out, nil
}

// worst is the exact range of output channel o's accumulators: over all positions, that is over all
// rectangles of taps that lie on the image (the others contribute 0).
func (c *Conv) worst(o int, x span, ys, xs [][2]int) worstCase {
	kw, area := c.Kernel[1], c.area()
	perOut := len(c.Weights) / c.OutC
	var total worstCase
	total.shift(c.Bias[o])
	taps := make([]worstCase, area)
	for i, w := range c.Weights[o*perOut:][:perOut] {
		taps[i%area].add(w, x)
	}
	for _, t := range taps {
		total.size = saturatingAdd(total.size, t.size)
	}
	if total.overflows() {
		return total
	}
	// corner[ky][kx] sums the taps above and left, so that a rectangle is four of them.
	corner := make([]span, (c.Kernel[0]+1)*(kw+1))
	at := func(y, x int) *span { return &corner[y*(kw+1)+x] }
	for ky := range c.Kernel[0] {
		var row span
		for kx := range kw {
			row = row.plus(taps[ky*kw+kx].span)
			*at(ky+1, kx+1) = row.plus(*at(ky, kx+1))
		}
	}
	for i, ry := range ys {
		for j, rx := range xs {
			a, b, d, e := at(ry[1], rx[1]), at(ry[0], rx[1]), at(ry[1], rx[0]), at(ry[0], rx[0])
			s := span{a.min - b.min - d.min + e.min, a.max - b.max - d.max + e.max}
			s = s.plus(span{c.Bias[o], c.Bias[o]})
			if i+j > 0 {
				s = s.hull(total.span)
			}
			total.span = s
		}
	}
	return total
}

// Eval implements Op.
func (c *Conv) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	x := centeredCopy(in[0], c.Zero)
	shape := inT[0].Shape
	planeIn, planeOut := shape[2]*shape[3], outT.Shape[2]*outT.Shape[3]
	perGroup := shape[1] / c.Groups
	area := c.area()
	acc = make([]int64, outT.Len())
	for o := range c.OutC {
		dst := acc[o*planeOut:][:planeOut]
		for i := range dst {
			dst[i] = c.Bias[o]
		}
		first := o / (c.OutC / c.Groups) * perGroup
		for ch := range perGroup {
			src := x[(first+ch)*planeIn:][:planeIn]
			c.correlate(dst, src, c.Weights[(o*perGroup+ch)*area:][:area], shape, outT.Shape)
		}
	}
	return c.Rescale.apply(acc, planeOut), acc
}

// correlate adds the correlation of one input plane with one kernel to an output plane: tap by tap,
// so that the innermost loop runs along a row.
func (c *Conv) correlate(dst, src, kernel []int64, inShape, outShape []int) {
	h, wd, oh, ow := inShape[2], inShape[3], outShape[2], outShape[3]
	sy, sx := c.Stride[0], c.Stride[1]
	for ky := range c.Kernel[0] {
		y0, y1 := c.reach(0, ky, h, oh)
		for kx := range c.Kernel[1] {
			x0, x1 := c.reach(1, kx, wd, ow)
			w := kernel[ky*c.Kernel[1]+kx]
			if w == 0 || x0 >= x1 {
				continue
			}
			left := x0*sx - c.PadBefore[1] + kx*c.Dilation[1]
			for oy := y0; oy < y1; oy++ {
				iy := oy*sy - c.PadBefore[0] + ky*c.Dilation[0]
				addScaled(dst[oy*ow+x0:oy*ow+x1], src[iy*wd+left:(iy+1)*wd], w, sx)
			}
		}
	}
}

// addScaled is dst[i] += w·src[i·stride].
func addScaled(dst, src []int64, w int64, stride int) {
	if stride == 1 {
		src = src[:len(dst)]
		for i, v := range src {
			dst[i] += w * v
		}
		return
	}
	for i := range dst {
		dst[i] += w * src[i*stride]
	}
}

// Params implements Op.
func (c *Conv) Params() []Param {
	depth := len(c.Weights) / max(c.OutC, 1) / max(c.area(), 1)
	return []Param{
		{"weights", []int{c.OutC, depth, c.Kernel[0], c.Kernel[1]}, &c.Weights},
		{"bias", []int{len(c.Bias)}, &c.Bias},
	}
}

// MACs implements Op; taps on padding are counted.
func (c *Conv) MACs(in []Tensor, out Tensor) int64 {
	return int64(out.Len()) * int64(in[0].Shape[1]/c.Groups) * int64(c.area())
}

// Requantization implements Rescaled.
func (c *Conv) Requantization() *Rescale { return &c.Rescale }
