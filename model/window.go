package model

import "fmt"

// maxWindow bounds every number of a Window.
const maxWindow = 1 << 16

// Window is the geometry of a convolution or pooling over [1, C, H, W], in (y, x) order.
type Window struct {
	Kernel    [2]int
	Stride    [2]int
	Dilation  [2]int
	PadBefore [2]int
	PadAfter  [2]int
}

// OutSize is the number of window positions over an image of h rows and wd columns:
// ⌊(in + before + after − dilation·(kernel−1) − 1) / stride⌋ + 1 along each axis, 0 where the
// kernel does not fit.
func (w Window) OutSize(h, wd int) (oh, ow int) { return w.positions(0, h), w.positions(1, wd) }

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

// reach is the range [first, end) of output positions at which the given tap lies on the n
// elements of the axis; count is the number of positions. first ≥ end where none does.
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

// area is the number of taps.
func (w Window) area() int { return w.Kernel[0] * w.Kernel[1] }

// infer checks the window over an image [1, C, H, W] and returns the number of its positions.
func (w Window) infer(inShape []int) (oh, ow int, err error) {
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
	oh, ow = w.OutSize(inShape[2], inShape[3])
	if oh == 0 || ow == 0 {
		return 0, 0, fmt.Errorf("%w: kernel %v with dilation %v is larger than the padded input %v",
			ErrShape, w.Kernel, w.Dilation, inShape)
	}
	return oh, ow, nil
}

// checkCovered demands that every position has a tap on the image.
func (w Window) checkCovered(inShape []int, oh, ow int) error {
	for axis, count := range []int{oh, ow} {
		for o := range count {
			if first, end := w.taps(axis, o, inShape[2+axis]); first >= end {
				return fmt.Errorf("%w: a window at position %d of axis %d lies wholly on padding (kernel %v, padding %v, %v); use less padding",
					ErrAttribute, o, axis, w.Kernel, w.PadBefore, w.PadAfter)
			}
		}
	}
	return nil
}

// tapRanges are the distinct results of taps over all positions of the axis.
func (w Window) tapRanges(axis, n, count int) [][2]int {
	var ranges [][2]int
	seen := map[[2]int]bool{}
	for o := range count {
		first, end := w.taps(axis, o, n)
		if r := [2]int{first, max(first, end)}; !seen[r] {
			seen[r] = true
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// eachWindow calls visit for every plane (channel) and position of the output in row-major order;
// taps enumerates the elements of the input that the window covers there.
func (w Window) eachWindow(inShape, outShape []int, visit func(plane, oy, ox int, taps func(func(at int)))) {
	h, wd := inShape[2], inShape[3]
	for plane := range outShape[1] {
		for oy := range outShape[2] {
			y0, y1 := w.taps(0, oy, h)
			for ox := range outShape[3] {
				x0, x1 := w.taps(1, ox, wd)
				top := oy*w.Stride[0] - w.PadBefore[0]
				left := ox*w.Stride[1] - w.PadBefore[1]
				visit(plane, oy, ox, func(tap func(at int)) {
					for ky := y0; ky < y1; ky++ {
						row := (plane*h+top+ky*w.Dilation[0])*wd + left
						for kx := x0; kx < x1; kx++ {
							tap(row + kx*w.Dilation[1])
						}
					}
				})
			}
		}
	}
}
