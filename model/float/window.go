package float

import "fmt"

// OutSize is the number of window positions over an image of h rows and w columns:
// ⌊(in + before + after − dilation·(kernel−1) − 1) / stride⌋ + 1 along each axis, 0 where the
// kernel does not fit. A rounded-up output size (ceil mode) is expressed by a larger PadAfter.
func (w Window) OutSize(height, width int) (oh, ow int) {
	return w.positions(0, height), w.positions(1, width)
}

// positions is OutSize along one axis of n elements.
func (w Window) positions(axis, n int) int {
	room := n + w.PadBefore[axis] + w.PadAfter[axis] - w.Dilation[axis]*(w.Kernel[axis]-1) - 1
	if room < 0 {
		return 0
	}
	return room/w.Stride[axis] + 1
}

// taps is the range [first, end) of kernel taps that lie on the n elements of the axis at output
// position o; the others lie on padding. first ≥ end where none does.
func (w Window) taps(axis, o, n int) (first, end int) {
	start, d := o*w.Stride[axis]-w.PadBefore[axis], w.Dilation[axis]
	if start < 0 {
		first = (-start + d - 1) / d
	}
	if start < n {
		end = min((n-1-start)/d+1, w.Kernel[axis])
	}
	return min(first, w.Kernel[axis]), max(end, 0)
}

// reach is the range [first, end) of output positions at which the tap lies on the n elements of the
// axis; count is the number of positions. first ≥ end where none does.
func (w Window) reach(axis, tap, n, count int) (first, end int) {
	start, s := tap*w.Dilation[axis]-w.PadBefore[axis], w.Stride[axis]
	if start < 0 {
		first = (-start + s - 1) / s
	}
	if start < n {
		end = min((n-1-start)/s+1, count)
	}
	return first, end
}

// infer checks the window over an image [1, C, H, W] and returns the number of its positions.
func (w Window) infer(image []int) (oh, ow int, err error) {
	if len(image) != 4 || image[0] != 1 {
		return 0, 0, fmt.Errorf("%w: input %v, expected one image [1, C, H, W]", ErrShape, image)
	}
	for axis := range 2 {
		for _, v := range []int{w.Kernel[axis], w.Stride[axis], w.Dilation[axis]} {
			if v < 1 || v > maxWindow {
				return 0, 0, fmt.Errorf("%w: kernel %v, stride %v, dilation %v: expected 1 to %d",
					ErrAttribute, w.Kernel, w.Stride, w.Dilation, maxWindow)
			}
		}
		for _, v := range []int{w.PadBefore[axis], w.PadAfter[axis]} {
			if v < 0 || v > maxWindow {
				return 0, 0, fmt.Errorf("%w: padding %v before, %v after: expected 0 to %d",
					ErrAttribute, w.PadBefore, w.PadAfter, maxWindow)
			}
		}
	}
	oh, ow = w.OutSize(image[2], image[3])
	if oh == 0 || ow == 0 {
		return 0, 0, fmt.Errorf("%w: kernel %v with dilation %v is larger than the padded input %v",
			ErrShape, w.Kernel, w.Dilation, image)
	}
	return oh, ow, nil
}

// inferPool is the output's shape of a pooling. Every window must have a tap on the image: neither a
// maximum nor an average of nothing means anything.
func (w Window) inferPool(image []int) ([]int, error) {
	oh, ow, err := w.infer(image)
	if err != nil {
		return nil, err
	}
	for axis, count := range []int{oh, ow} {
		for o := range count {
			if first, end := w.taps(axis, o, image[2+axis]); first >= end {
				return nil, fmt.Errorf("%w: the window at position %d of axis %d lies wholly on padding (kernel %v, padding %v, %v)",
					ErrAttribute, o, axis, w.Kernel, w.PadBefore, w.PadAfter)
			}
		}
	}
	return []int{1, image[1], oh, ow}, nil
}

// eachWindow calls visit for every plane (channel) and position of the output in row-major order
// with the ranges of taps that lie on the image.
func (w Window) eachWindow(image, out []int, visit func(plane, oy, ox int, ys, xs [2]int)) {
	columns := make([][2]int, out[3])
	for ox := range columns {
		columns[ox][0], columns[ox][1] = w.taps(1, ox, image[3])
	}
	for plane := range out[1] {
		for oy := range out[2] {
			var rows [2]int
			rows[0], rows[1] = w.taps(0, oy, image[2])
			for ox, xs := range columns {
				visit(plane, oy, ox, rows, xs)
			}
		}
	}
}

// fold accumulates combine over the taps of each window, starting from start.
func (w Window) fold(x []float32, image, out []int, start float64, combine func(acc, v float64) float64, finish func(acc float64, taps int) float64) []float32 {
	y := make([]float32, 0, volume(out))
	h, width := image[2], image[3]
	w.eachWindow(image, out, func(plane, oy, ox int, ys, xs [2]int) {
		top, left := oy*w.Stride[0]-w.PadBefore[0], ox*w.Stride[1]-w.PadBefore[1]
		acc := start
		for ky := ys[0]; ky < ys[1]; ky++ {
			row := (plane*h+top+ky*w.Dilation[0])*width + left
			for kx := xs[0]; kx < xs[1]; kx++ {
				acc = combine(acc, float64(x[row+kx*w.Dilation[1]]))
			}
		}
		y = append(y, float32(finish(acc, (ys[1]-ys[0])*(xs[1]-xs[0]))))
	})
	return y
}
