package float

import (
	"fmt"
	"slices"
)

func (c Conv) infer(in [][]int) ([]int, error) {
	x, w := in[0], in[1]
	oh, ow, err := c.Window.infer(x)
	if err != nil {
		return nil, err
	}
	if len(w) != 4 || w[2] != c.Kernel[0] || w[3] != c.Kernel[1] {
		return nil, fmt.Errorf("%w: weights %v, expected [O, C/groups, %d, %d]", ErrShape, w, c.Kernel[0], c.Kernel[1])
	}
	if c.Groups < 1 || w[0] < 1 || w[0]%c.Groups != 0 || x[1]%c.Groups != 0 || w[1] != x[1]/c.Groups {
		return nil, fmt.Errorf("%w: weights %v do not fit an input %v in %d groups", ErrShape, w, x, c.Groups)
	}
	if len(in) == 3 && !slices.Equal(in[2], w[:1]) {
		return nil, fmt.Errorf("%w: bias %v, expected %v", ErrShape, in[2], w[:1])
	}
	return []int{1, w[0], oh, ow}, nil
}

// eval correlates tap by tap, so that the innermost loop runs along a row.
func (c Conv) eval(in []array, out []int) []float32 {
	x, w := widen(in[0].data), in[1].data
	height, width := in[0].shape[2], in[0].shape[3]
	planeIn, planeOut := height*width, out[2]*out[3]
	perGroup, area := in[1].shape[1], c.Kernel[0]*c.Kernel[1]
	acc := make([]float64, planeOut)
	y := make([]float32, 0, volume(out))
	for o := range out[1] {
		start := 0.0
		if len(in) == 3 {
			start = float64(in[2].data[o])
		}
		for i := range acc {
			acc[i] = start
		}
		first := o / (out[1] / c.Groups) * perGroup
		for ch := range perGroup {
			src := x[(first+ch)*planeIn:][:planeIn]
			c.correlate(acc, src, w[(o*perGroup+ch)*area:][:area], in[0].shape, out)
		}
		for _, v := range acc {
			y = append(y, float32(v))
		}
	}
	return y
}

// correlate adds the correlation of one input plane with one kernel to an output plane.
func (c Conv) correlate(acc, src []float64, kernel []float32, image, out []int) {
	height, width, oh, ow := image[2], image[3], out[2], out[3]
	sy, sx := c.Stride[0], c.Stride[1]
	for ky := range c.Kernel[0] {
		y0, y1 := c.reach(0, ky, height, oh)
		for kx := range c.Kernel[1] {
			x0, x1 := c.reach(1, kx, width, ow)
			if x0 >= x1 {
				continue
			}
			w := float64(kernel[ky*c.Kernel[1]+kx])
			left := x0*sx - c.PadBefore[1] + kx*c.Dilation[1]
			for oy := y0; oy < y1; oy++ {
				iy := oy*sy - c.PadBefore[0] + ky*c.Dilation[0]
				addScaled(acc[oy*ow+x0:oy*ow+x1], src[iy*width+left:(iy+1)*width], w, sx)
			}
		}
	}
}

// addScaled adds w·src[i·step] to every dst[i].
func addScaled(dst, src []float64, w float64, step int) {
	if step != 1 {
		for i := range dst {
			dst[i] += w * src[i*step]
		}
		return
	}
	src = src[:len(dst)]
	for len(dst) >= 4 && len(src) >= 4 {
		dst[0] += w * src[0]
		dst[1] += w * src[1]
		dst[2] += w * src[2]
		dst[3] += w * src[3]
		dst, src = dst[4:], src[4:]
	}
	for i := range dst {
		dst[i] += w * src[i]
	}
}

func inferDense(in [][]int) ([]int, error) {
	x, w := in[0], in[1]
	if len(x) < 1 || len(w) != 2 || w[0] != x[len(x)-1] {
		return nil, fmt.Errorf("%w: input %v and weights %v, expected [..., K] and [K, N]", ErrShape, x, w)
	}
	if len(in) == 3 && !slices.Equal(in[2], w[1:]) {
		return nil, fmt.Errorf("%w: bias %v, expected %v", ErrShape, in[2], w[1:])
	}
	return append(slices.Clone(x[:len(x)-1]), w[1]), nil
}

func (Dense) eval(in []array, out []int) []float32 {
	k, n := in[1].shape[0], in[1].shape[1]
	acc := make([]float64, n)
	y := make([]float32, 0, volume(out))
	for row := range slices.Chunk(in[0].data, k) {
		clear(acc)
		if len(in) == 3 {
			for j, b := range in[2].data {
				acc[j] = float64(b)
			}
		}
		for i, v := range row {
			v := float64(v)
			if v == 0 {
				continue
			}
			for j, w := range in[1].data[i*n:][:n] {
				acc[j] += v * float64(w)
			}
		}
		for _, v := range acc {
			y = append(y, float32(v))
		}
	}
	return y
}

func inferAffine(in [][]int) ([]int, error) {
	out, err := Broadcast(in...)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(out, in[0]) {
		return nil, fmt.Errorf("%w: scale %v and shift %v enlarge the input %v", ErrShape, in[1], in[2], in[0])
	}
	return out, nil
}

func (Affine) eval(in []array, out []int) []float32 {
	scale, shift := in[1].broadcast(out), in[2].broadcast(out)
	y := make([]float32, len(in[0].data))
	for i, v := range in[0].data {
		y[i] = float32(float64(v)*float64(scale[i]) + float64(shift[i]))
	}
	return y
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
